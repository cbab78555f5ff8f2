"""What ``raphe map`` refuses: one paragraph that names the thing and the way out, and nothing written."""

import gzip
import struct

import nibabel
import numpy as np
import pytest

PLAIN = ("--model", "SUVR", "--window", "40:70")


@pytest.fixture
def refuse(scan, refused):
    """Refuse to map the scan; options of the command replace what is sound."""

    def run(*more, words, pet=None, model=PLAIN, mask=True, reference=True):
        command = ["map", pet or scan.pet, *model, "--out", scan.files.out]
        command += ["--mask", scan.folder / "brain_mask.nii.gz"] if mask else []
        command += ["--reference", scan.reference] if reference else []
        refused(*command, *more, words=words)

    return run


def header(scan, place, form, value):
    """Change a field of the image's header; byte places as the NIfTI-1 standard has them."""
    raw = bytearray(gzip.decompress(scan.pet.read_bytes()))
    struct.pack_into("<" + form, raw, place, value)
    scan.pet.write_bytes(gzip.compress(raw, 1))


@pytest.mark.parametrize(
    ("place", "form", "value", "words"),
    [
        (42, "h", 30000, ["the header says 30000 x 8 x 7", "bytes"]),
        (42, "h", -5, ["-5 voxels along axis 1", "dim[1]"]),
        (40, "h", 0, ["0 dimensions", "dim[0]"]),
        (70, "h", 12345, ["datatype is 12345"]),
        (70, "h", 32, ["complex64", "datatype 32"]),
        (72, "h", 8, ["8 bits a voxel", "bitpix"]),
        (112, "f", np.nan, ["scl_slope is nan"]),
        (112, "f", np.inf, ["scl_slope is inf"]),
        (116, "f", np.nan, ["scl_inter is nan"]),
        (108, "f", 1e9, ["take 1000145152 bytes"]),
        (108, "f", np.nan, ["vox_offset is nan"]),
        (344, "4s", b"ni1\0", ["pair of files"]),
        (344, "4s", b"abc\0", ["magic"]),
        (0, "i", 7, ["not a NIfTI image"]),
        (280, "f", np.nan, ["sform", "no affine"]),
    ],
)
def test_a_header_that_cannot_be_true(scan, refuse, place, form, value, words):
    header(scan, place, form, value)
    refuse(words=[str(scan.pet), *words])


def test_a_header_without_a_place_is_a_warning(scan, raphe):
    image = nibabel.load(scan.pet)
    image.header["qform_code"] = image.header["sform_code"] = 0
    nibabel.save(nibabel.Nifti1Image(image.dataobj, None, image.header), scan.pet)
    words = ("--reference", scan.reference, "--out", scan.files.out)
    ended = raphe("map", scan.pet, *PLAIN, *words)
    assert ended.code == 1
    assert "neither qform nor sform" in ended.err
    made = nibabel.load(scan.files.out / "sub-01_ses-baseline_model-SUVR_meas-SUVR_mimap.nii.gz")
    assert made.header["qform_code"] == made.header["sform_code"] == 0


def test_a_file_that_is_cut_short_or_damaged(scan, refuse):
    sound = scan.pet.read_bytes()
    scan.pet.write_bytes(sound[: len(sound) // 2])
    refuse(words=[str(scan.pet), "cut short", "after byte"])
    scan.pet.write_bytes(sound[:-1])
    refuse(words=[str(scan.pet), "cut short", "after byte"])
    scan.pet.write_bytes(sound[:-8] + bytes(4) + sound[-4:])
    refuse(words=[str(scan.pet), "damaged", "checksum"])
    scan.pet.write_bytes(sound[:-4] + bytes(4))
    refuse(words=[str(scan.pet), "damaged"])
    broken = bytearray(sound)
    broken[len(sound) // 2] ^= 0xFF
    scan.pet.write_bytes(broken)
    refuse(words=[str(scan.pet), "damaged"])
    scan.pet.write_bytes(b"")
    refuse(words=[str(scan.pet), "empty"])
    scan.pet.write_bytes(gzip.compress(b"no image"))
    refuse(words=[str(scan.pet), "not a NIfTI image"])
    plain = scan.pet.with_suffix("")
    plain.write_bytes(gzip.decompress(sound)[:-1000])
    refuse(pet=plain, words=[str(plain), "cut short"])
    refuse(pet=scan.folder / "none.nii", words=["none.nii does not exist"])
    refuse(pet=scan.folder, words=[str(scan.folder), "folder"])


def test_an_image_that_is_not_four_dimensional(scan, refuse):
    scan.save(scan.data[..., 0])
    refuse(words=[str(scan.pet), "9 x 8 x 7", "4D"])


def test_frames_that_are_not_the_image_s(scan, refuse):
    scan.save(scan.data[..., :-1])
    refuse(words=[str(scan.pet), "35 volumes", "36 frames", str(scan.files.pet)])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"Units": ...}, ["Units is missing"]),
        ({"Units": "furlong"}, ["'furlong'"]),
        ({"FrameTimesStart": ...}, ["FrameTimesStart is missing"]),
        ({"FrameDuration": ...}, ["FrameDuration is missing"]),
        ({"TracerRadionuclide": ...}, ["TracerRadionuclide is missing"]),
    ],
)
def test_a_sidecar_that_lacks_what_is_needed(scan, refuse, fields, words):
    scan.files.tell(**fields)
    refuse("--reference", scan.folder / "reference_mask.nii.gz", reference=False, words=[str(scan.files.pet), *words])


def test_an_image_without_sidecar(scan, refuse):
    alone = scan.folder / "alone.nii.gz"
    scan.pet.rename(alone)
    refuse(pet=alone, words=["alone.nii.gz has no PET sidecar", "alone.json"])


def test_masks(scan, refuse):
    empty = scan.mask("empty", scan.labels > 99)
    refuse("--mask", empty, mask=False, words=[str(empty), "empty mask"])
    refuse("--reference", empty, reference=False, words=[str(empty), "empty mask"])
    labels = scan.folder / "labels.nii.gz"
    refuse("--reference", labels, "--label", 17, reference=False, words=[str(labels), "no voxel has the value 17"])
    moved = np.array(nibabel.load(scan.pet).affine)
    moved[0, 3] += 1
    shifted = scan.mask("shifted", scan.labels > 0, affine=moved)
    told = [str(shifted), "grid", "affines differ", "-2 0 0.1 91", "-2 0 0.1 90"]
    refuse("--mask", shifted, mask=False, words=told)
    refuse("--reference", shifted, reference=False, words=told)
    small = scan.mask("small", scan.labels[:-1] > 0)
    refuse("--mask", small, mask=False, words=[str(small), "shapes differ", "8 x 8 x 7", "9 x 8 x 7"])
    refuse("--mask", scan.pet, mask=False, words=[str(scan.pet), "36 volumes"])
    refuse("--mask", scan.table, mask=False, words=[str(scan.table), "not a NIfTI image"])
    data = scan.data
    data[scan.labels == 5] = np.nan
    scan.save(data)
    reference = scan.folder / "reference_mask.nii.gz"
    words = [str(reference), "42 of the 42 voxels", "not numbers"]
    refuse("--reference", reference, reference=False, words=words)
    scan.save(np.zeros_like(data))
    refuse(mask=False, words=[str(scan.pet), "no voxel has any activity", "--mask"])
    refuse("--reference", reference, reference=False, words=[str(reference), "zero in every frame"])


def test_a_mask_whose_affine_is_rounded_is_taken(scan, raphe):
    rounded = np.array(nibabel.load(scan.pet).affine) + 5e-4
    rounded[3] = 0, 0, 0, 1
    mask = scan.mask("rounded", scan.labels > 0, affine=rounded)
    words = (*PLAIN, "--mask", mask, "--reference", scan.reference, "--out", scan.files.out)
    assert raphe("map", scan.pet, *words).code == 0


def test_references(scan, refuse):
    refuse("--reference", "cerebellum", reference=False, words=["'cerebellum' names no file", "tacs.tsv:cerebellum"])
    refuse("--reference", f"{scan.table}:cerebelum", reference=False, words=[str(scan.table), "cerebelum"])
    refuse(reference=False, words=["SUVR needs the curve of a reference region", "--reference FILE"])
    refuse("--label", 3, words=["--label 3"])
    files = scan.files
    rows = files.rows()
    files.save(rows[:20])
    refuse(words=[str(scan.table), "19 frames", "36"])
    rows[5][1] = str(float(rows[5][1]) + 3)
    files.save(rows)
    refuse(words=[str(scan.table), "frame"])


def test_models_and_options_that_no_map_has(scan, refuse, tmp_path):
    for model in ("SIMEVND", "SIMEAIF"):
        refuse(model=("--model", model), words=[model, "together", "raphe fit"])
    refuse(model=("--model", "LoganRef", "--t-star", "auto"), words=["--t-star auto", "raphe fit"])
    refuse("--weights", "residual", words=["--weights residual"])
    refuse(model=("--model", "SRTM", "--uncertainty", "bootstrap"), words=["--uncertainty bootstrap"])
    refuse(model=("--model", "SRTM", "--uncertainty", "profile"), words=["--uncertainty profile"])
    refuse(model=("--model", "Logan"), words=["Logan needs an arterial input", "--input FILE"])
    refuse(model=("--model", "SRTM", "--k2-prime", "0.1"), words=["SRTM has no k2_prime"])
    weights = tmp_path / "weights.tsv"
    weights.write_text("weight\n1\n1\n")
    refuse("--weights", weights, words=[str(weights), "2 rows", "36 frames"])
    refuse("--frames", "10:99", words=[str(scan.pet), "10:99", "0:36"])


def test_a_memory_that_is_too_small(refuse):
    refuse("--memory", "1M", words=["1M of memory", "give at least", "--memory"])


def test_no_voxel_that_tells_k2_prime(scan, refuse, tmp_path):
    mask = scan.mask("only", scan.labels == 5)
    words = ["no voxel with BP_ND above 0.5", "--k2-prime"]
    quiet = "--quiet"  # the first use compiles, and says so
    refuse("--mask", mask, quiet, model=("--model", "MRTM2"), mask=False, words=words)


def test_a_place_that_cannot_be_written_to(scan, refuse):
    scan.files.out.write_text("a file")
    refuse(words=[str(scan.files.out)])


def test_data_that_were_not_fetched(scan, refuse):
    sound = scan.pet.read_bytes()
    for text in (
        "/annex/objects/MD5E-s123--abc.nii.gz\n",
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    ):
        scan.pet.write_text(text)
        refuse(words=[str(scan.pet), "not fetched", "datalad get", "git lfs pull"])
    scan.pet.unlink()
    scan.pet.symlink_to(scan.folder / "nowhere.nii.gz")
    refuse(words=[f"{scan.pet} is a link to {scan.folder / 'nowhere.nii.gz'}", "datalad get"])
    (scan.folder / "nowhere.nii.gz").write_bytes(sound)


def test_labels_whose_scaling_is_rounded_are_labels_and_other_values_are_none(scan, refuse, raphe):
    stored = nibabel.Nifti1Image((10 * scan.labels).astype(np.int16), nibabel.load(scan.pet).affine)
    stored.header.set_xyzt_units("mm", "sec")
    scaled = scan.folder / "scaled.nii"
    nibabel.save(stored, scaled)
    raw = bytearray(scaled.read_bytes())
    struct.pack_into("<f", raw, 112, 0.1)  # the nearest number of 32 bits is a little more
    scaled.write_bytes(raw)
    base = ("map", scan.pet, *PLAIN, "--mask", scan.folder / "brain_mask.nii.gz", "--label", 5, "--quiet")
    assert raphe(*base, "--reference", scaled, "--out", scan.files.out).code == 0
    plain = scan.folder / "plain"
    assert raphe(*base, "--reference", scan.folder / "labels.nii.gz", "--out", plain).code == 0
    for path in plain.glob("*.nii.gz"):
        assert path.read_bytes() == (scan.files.out / path.name).read_bytes()
    between = scan.save(scan.labels + 0.4, scan.folder / "between.nii.gz")
    words = [str(between), "no voxel has the value 5", "its values go from 0.4 to 5.4"]
    refuse("--reference", between, "--label", 5, "--out", scan.folder / "no", reference=False, words=words)


def test_five_dimensions_colours_and_no_voxels(scan, refuse):
    data = scan.data
    scan.save(np.stack([data, data], axis=-1))
    refuse(words=[str(scan.pet), "5 dimensions (9 x 8 x 7 x 36 x 2)"])
    colours = np.zeros(scan.labels.shape, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    nibabel.save(nibabel.Nifti1Image(colours, np.eye(4)), scan.pet)
    refuse(words=[str(scan.pet), "datatype 128", "whole numbers or as floats"])
    scan.save(data)
    header(scan, 44, "h", 0)
    refuse(words=[str(scan.pet), "0 voxels along axis 2"])


def test_an_image_of_labels_is_no_reference_by_itself(scan, refuse):
    labels = scan.folder / "labels.nii.gz"
    refuse("--reference", labels, reference=False, words=[str(labels), "several labels (1, 2, 3, 4, 5)", "--label N"])
