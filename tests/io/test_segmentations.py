"""Segmentations of the user's own: which is taken, what its regions are called, and what is refused."""

import gzip

import nibabel
import numpy as np
import pytest

from raphe.errors import InputError
from raphe.io.segmentation_labels import read_segmentation
from raphe.io.segmentations import find_segmentation

CONFORMED = np.array([[-1.0, 0, 0, 3], [0, 0, 1, -4], [0, -1, 0, 5], [0, 0, 0, 1]])
"""Axes as FreeSurfer has them: left, inferior, anterior."""


def cube(*numbers):
    """Image of 6 x 6 x 6 voxels of which each number has two, in the order of the first axis."""
    values = np.zeros((6, 6, 6), dtype=np.int32)
    values.reshape(-1)[: 2 * len(numbers)] = np.repeat(numbers, 2)
    return values


def freesurfer(folder, name, *numbers, affine=CONFORMED):
    path = folder / "mri" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = nibabel.MGHImage if name.endswith((".mgz", ".mgh")) else nibabel.Nifti1Image
    nibabel.save(kind(cube(*numbers), affine), path)
    return path


def bids(root, stem, names, *numbers, table=None, folder="anat", values=None):
    """Label image with a table beside it, or at ``table``; none where ``names`` is None."""
    path = root / "sub-01" / folder / f"{stem}_dseg.nii.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(cube(*numbers) if values is None else values, np.eye(4)), path)
    if names is not None:
        rows = "".join(f"{number}\t{name}\n" for number, name in names)
        (table or path.with_name(f"{stem}_dseg.tsv")).write_text(f"index\tname\n{rows}", encoding="utf-8")
    return path


def found(root, seg=None, sessions=(None,), roots=None):
    return find_segmentation("01", sessions, roots or (root,), seg)


def regions(one):
    labels = read_segmentation(one)
    return {name: int((labels.values == number).sum()) for number, name in labels.names.items()}


@pytest.mark.parametrize(
    "place",
    [
        "sub-01",
        "derivatives/freesurfer/sub-01",
        "derivatives/fastsurfer/sub-01_ses-base",
        "derivatives/anything/sub-01/ses-base",
        "sourcedata/freesurfer/sub-01",
        "freesurfer/sub-01_ses-base",
    ],
)
def test_folders_of_freesurfer_are_found(tmp_path, place):
    path = freesurfer(tmp_path / place, "aparc+aseg.mgz", 17)
    assert found(tmp_path).path == path


def test_numbers_of_freesurfer_become_regions_and_tissue(tmp_path):
    """Numbers and names as FreeSurferColorLUT.txt has them."""
    freesurfer(
        tmp_path / "sub-01", "wmparc.mgz", 2, 41, 3007, 5001, 251, 4, 24, 30, 77, 80, 8, 47, 1001, 2035, 17, 26, 28
    )
    assert regions(found(tmp_path)) == {
        "left_cerebellar_grey": 2,
        "left_hippocampus": 2,
        "left_nucleus_accumbens": 2,
        "left_ventral_diencephalon": 2,
        "right_cerebellar_grey": 2,
        "left_banks_of_the_superior_temporal_sulcus": 2,
        "right_insula": 2,
        "white": 12,
        "fluid": 4,
    }


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (10, "left_thalamus"), (49, "right_thalamus"), (16, "brainstem"), (174, "pons"), (172, "vermis"),
        (1002, "left_caudal_anterior_cingulate"), (2034, "right_transverse_temporal"),
        (11112, "left_g_front_inf_opercular"), (12175, "right_s_temporal_transverse"), (3, "left_cerebral_cortex"),
    ],
)  # fmt: skip
def test_single_numbers_have_their_names(tmp_path, number, name):
    freesurfer(tmp_path / "sub-01", "aparc+aseg.mgz", number, 2)
    assert regions(found(tmp_path)) == {name: 2, "white": 2}


@pytest.mark.parametrize("name", ["aseg.mgz", "aseg.mgh", "aseg.nii.gz"])
def test_places_are_those_of_the_scanner(tmp_path, name):
    freesurfer(tmp_path / "sub-01", name, 17)
    labels = read_segmentation(found(tmp_path))
    np.testing.assert_allclose(labels.grid.affine, CONFORMED, atol=1e-5)
    assert labels.values[0, 0, 0] == labels.values[0, 0, 1] == 17


def test_the_table_of_gtmseg_comes_before_the_standard_one(tmp_path):
    image = freesurfer(tmp_path / "sub-01", "gtmseg.mgz", 10, 174, 7001, 7002, 258, 257)
    image.with_name("gtmseg.ctab").write_text(
        "# TissueTypeSchema default-apr-2019+head\n#ctTType   1  cortex   205 62 78 0\n\n"
        " 10 Left-Thalamus 0 118 14 0 2\n 174 Pons 206 195 58 0 3\n7001 Left-New-Nucleus 72 132 181 0 2\n"
        "7002 Some-Tract 1 2 3 0 3\n258 Head-ExtraCerebral 150 150 200 0 5\n",
        encoding="utf-8",
    )
    one = found(tmp_path)
    assert one.table == image.with_name("gtmseg.ctab")
    assert regions(one) == {"left_thalamus": 2, "pons": 2, "left_new_nucleus": 2, "white": 2, "fluid": 2}


def test_of_freesurfers_files_the_first_of_the_order_is_taken(tmp_path):
    for name in ("aseg", "wmparc", "aparc.DKTatlas+aseg", "aparc.a2009s+aseg", "aparc+aseg"):
        freesurfer(tmp_path / "sub-01", f"{name}.mgz", 17)
    assert found(tmp_path).path.name == "aparc+aseg.mgz"
    freesurfer(tmp_path / "sub-01", "gtmseg.mgz", 17)
    assert found(tmp_path).path.name == "gtmseg.mgz"
    for seg, name in (
        ("aparc+aseg", "aparc+aseg.mgz"), ("APARCASEG", "aparc+aseg.mgz"), ("wmparc", "wmparc.mgz"),
        ("aparc.a2009s+aseg", "aparc.a2009s+aseg.mgz"), ("aseg", "aseg.mgz"),
    ):  # fmt: skip
        assert found(tmp_path, seg).path.name == name
    assert found(tmp_path, "synthseg") is None


def test_seg_and_desc_are_names_to_choose_by(tmp_path):
    names = [(17, "Left-Hippocampus")]
    bids(tmp_path, "sub-01_seg-Tian", [(1, "CAU")], 1)
    bids(tmp_path, "sub-01_desc-preproc_seg-gtm", names, 17)
    bids(tmp_path, "sub-01_desc-aseg", names, 17)
    bids(tmp_path, "sub-01_space-MNI152NLin6Asym_seg-Tian", [(1, "CAU")], 1)
    for seg, stem in (
        ("tian", "sub-01_seg-Tian"),
        ("GTM", "sub-01_desc-preproc_seg-gtm"),
        ("aseg", "sub-01_desc-aseg"),
    ):
        one = found(tmp_path, seg)
        assert one.path.name == f"{stem}_dseg.nii.gz"
        assert one.label(seg).lower() == seg.lower()
    with pytest.raises(InputError, match=r"3 segmentations \(.*--seg.*--derivatives"):
        found(tmp_path)


def test_copies_of_freesurfers_segmentations_follow_its_order(tmp_path):
    names = [(17, "Left-Hippocampus")]
    bids(tmp_path, "sub-01_desc-aseg", names, 17)
    bids(tmp_path, "sub-01_desc-aparcaseg", names, 17)
    assert found(tmp_path).path.name == "sub-01_desc-aparcaseg_dseg.nii.gz"
    freesurfer(tmp_path / "sourcedata" / "freesurfer" / "sub-01", "aparc+aseg.mgz", 17)
    assert found(tmp_path).path.name == "aparc+aseg.mgz"
    assert found(tmp_path).label(None) == "aparcaseg"


def test_two_folders_with_the_same_file_are_ambiguous(tmp_path):
    for program in ("freesurfer", "fastsurfer"):
        freesurfer(tmp_path / "derivatives" / program / "sub-01", "aseg.mgz", 17)
    with pytest.raises(InputError, match="2 segmentations"):
        found(tmp_path)
    named = tmp_path / "derivatives" / "fastsurfer"
    assert found(tmp_path, roots=(named, tmp_path)).path.is_relative_to(named)


def test_the_session_of_the_pet_comes_first(tmp_path):
    for session in ("a", "b"):
        freesurfer(tmp_path / f"sub-01_ses-{session}", "aparc+aseg.mgz", 17)
    freesurfer(tmp_path / "sub-01", "gtmseg.mgz", 17)
    assert found(tmp_path, sessions=("b", None)).session == "b"
    assert found(tmp_path, sessions=("c", None)).path.name == "gtmseg.mgz"
    assert found(tmp_path, sessions=("c", "a", None)).session == "a"


def test_a_table_of_fmriprep_may_name_more_than_the_image_has(tmp_path):
    """Rows that the image lacks are dropped, even where their names stand twice."""
    names = [
        (0, "Unknown"), (2, "Left-Cerebral-White-Matter"), (4, "Left-Lateral-Ventricle"), (8, "Left-Cerebellum-Cortex"),
        (17, "Left-Hippocampus"), (30, "Left-vessel"), (900, "twice"), (901, "twice"),
    ]  # fmt: skip
    table = tmp_path / "desc-aseg_dseg.tsv"
    bids(tmp_path, "sub-01_desc-aseg", names, 2, 4, 8, 17, 30, table=table)
    (tmp_path / "dseg.tsv").write_text("index\tname\n1\tGray Matter\n", encoding="utf-8")
    one = found(tmp_path)
    assert one.table == table
    assert regions(one) == {"Left-Cerebellum-Cortex": 2, "Left-Hippocampus": 2, "white": 2, "fluid": 2}


def test_a_bare_table_at_the_root_holds_for_all(tmp_path):
    bids(tmp_path, "sub-01_seg-own", [(1, "caudate"), (2, "putamen")], 1, table=tmp_path / "dseg.tsv")
    assert regions(found(tmp_path)) == {"caudate": 2}


@pytest.mark.parametrize("names", [None, [(1, "GM"), (2, "WM"), (3, "CSF")], [(1, "Grey matter"), (2, "White-Matter")]])
def test_three_tissues_are_no_regions(tmp_path, names):
    bids(tmp_path, "sub-01", names, 1, 2)
    assert found(tmp_path) is None


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ((17, 8888, 9999), r"aparc\+aseg.mgz holds the labels 8888, 9999, .*FreeSurferColorLUT.txt into .*aseg\.ctab"),
        ((), r"aparc\+aseg.mgz is empty"),
        ((2, 4, 30), r"aparc\+aseg.mgz has no region"),
        ((-3,), r"aparc\+aseg.mgz is no label image: it holds -3"),
    ],
)
def test_images_of_freesurfer_that_cannot_be_regions_are_refused(tmp_path, numbers, told):
    freesurfer(tmp_path / "sub-01", "aparc+aseg.mgz", *numbers)
    with pytest.raises(InputError, match=told):
        read_segmentation(found(tmp_path))


def test_lines_copied_beside_the_image_are_the_way_out(tmp_path):
    image = freesurfer(tmp_path / "sub-01", "aparc+aseg.mgz", 17, 8888)
    image.with_name("aparc+aseg.ctab").write_text("8888  Right-Odd-Nucleus  1 2 3 0\n", encoding="utf-8")
    assert regions(found(tmp_path)) == {"left_hippocampus": 2, "right_odd_nucleus": 2}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("17 A 0 0 0 0\n17 B 0 0 0 0\n", "number 17 stands twice, for 'A' and 'B'"),
        ("Hippocampus 17\n", "line 1 .*does not begin with a number and a name"),
    ],
)
def test_color_tables_that_contradict_themselves_are_refused(tmp_path, text, told):
    freesurfer(tmp_path / "sub-01", "aseg.mgz", 17).with_name("aseg.ctab").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=told):
        read_segmentation(found(tmp_path))


@pytest.mark.parametrize("kept", [5, 40, -20, -3])
def test_an_image_that_is_cut_short_is_refused(tmp_path, kept):
    path = freesurfer(tmp_path / "sub-01", "aparc+aseg.mgz", *range(1001, 1004))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"aparc\+aseg\.mgz .*(again|cut short)"):
        read_segmentation(found(tmp_path))


def test_uncompressed_images_that_are_cut_short_are_refused(tmp_path):
    path = freesurfer(tmp_path / "sub-01", "aseg.mgh", 17)
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(InputError, match=r"aseg\.mgh"):
        read_segmentation(found(tmp_path))


@pytest.mark.parametrize("content", [b"", b"no image", gzip.compress(b"x" * 500, mtime=0)])
def test_what_is_no_image_is_refused(tmp_path, content):
    freesurfer(tmp_path / "sub-01", "aseg.mgz", 17).write_bytes(content)
    with pytest.raises(InputError, match=r"aseg\.mgz"):
        read_segmentation(found(tmp_path))


@pytest.mark.parametrize("suffix", ["mgz", "nii.gz"])
def test_several_volumes_and_fractions_are_refused(tmp_path, suffix):
    path = freesurfer(tmp_path / "sub-01", f"aseg.{suffix}", 17)
    kind = nibabel.MGHImage if suffix == "mgz" else nibabel.Nifti1Image
    nibabel.save(kind(np.stack([cube(17)] * 2, axis=-1), np.eye(4)), path)
    with pytest.raises(InputError, match="has 2 volumes"):
        read_segmentation(found(tmp_path))
    nibabel.save(kind(cube(17).astype(np.float32) + 0.25, np.eye(4)), path)
    with pytest.raises(InputError, match=r"is no label image: it holds 17\.25"):
        read_segmentation(found(tmp_path))


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (None, r"sub-01_seg-own_dseg.nii.gz has no table .*sub-01_seg-own_dseg.tsv with the columns index and name"),
        ([(1, "A"), (1, "B")], "index 1 stands twice, for 'A' and 'B'"),
        ([(1, "A"), (2, "A")], "name 'A' stands twice, for index 1 and 2"),
        ([(1, "A")], r"holds the labels 2, which .*dseg.tsv does not name"),
        ([(1.5, "A")], r"line 2: index 1\.5 of 'A' is no whole number"),
        ([(1, "A"), ("two", "B")], r"column 'index', line 3: 'two' is not a number"),
        ([(1, "A"), (2, "n/a")], r"line 3: index 2 has no name; write one"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path, names, told):
    bids(tmp_path, "sub-01_seg-own", names, 1, 2)
    with pytest.raises(InputError, match=told):
        read_segmentation(found(tmp_path))


def test_a_chosen_image_without_a_table_says_so(tmp_path):
    bids(tmp_path, "sub-01_desc-mine", None, 1)
    assert found(tmp_path) is None
    with pytest.raises(InputError, match="has no table of its labels"):
        read_segmentation(found(tmp_path, "mine"))


def test_the_real_table_of_petprep_is_sorted_into_regions_and_tissue(tmp_path):
    """Rows of the table of seg-gtm, as PETPrep writes them."""
    names = [
        (7, "Left-Cerebellum-White-Matter"), (14, "3rd-Ventricle"), (31, "Left-choroid-plexus"), (85, "Optic-Chiasm"),
        (130, "AirCavity"), (165, "Skull"), (172, "Vermis"), (174, "Pons"), (257, "CSF-ExtraCerebral"),
        (258, "Head-ExtraCerebral"), (1002, "ctx-lh-caudalanteriorcingulate"), (2035, "ctx-rh-insula"),
    ]  # fmt: skip
    bids(tmp_path, "sub-01_desc-preproc_seg-gtm", names, *(number for number, _ in names))
    assert regions(found(tmp_path)) == {
        "Vermis": 2, "Pons": 2, "ctx-lh-caudalanteriorcingulate": 2, "ctx-rh-insula": 2, "white": 4, "fluid": 4,
    }  # fmt: skip
