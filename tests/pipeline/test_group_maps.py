"""Contrasts voxel by voxel from ``raphe run``: small images with a planted effect, through the whole chain."""

import base64
import gzip
import json
import re
import shutil

import nibabel
import numpy as np
import pytest
from scipy import ndimage, stats
from tests.pipeline.conftest import K2_PRIME, LENGTHS, Files, write_study

from raphe.cli import main

SHAPE = (12, 10, 8)
AFFINE = np.diag([2.5, 2.5, 2.5, 1.0])
AFFINE[:3, 3] = -13.75, -20.0, -10.0
"""Evenly about x = 0."""

BLOCK = (slice(2, 5), slice(3, 7), slice(2, 6))
"""Where the second session has less binding, all on the left."""

EFFECT = -0.6
PEOPLE = ("01", "02", "03", "04", "05", "06")
SESSIONS = ("baseline", "rescan")
SPACE = "TPL"

MAPS = f"""
[maps]
space = "{SPACE}"
permutations = 500
"""


def binding(person, session):
    """BP_ND of each voxel: of the person, of the scan, and the effect."""
    rng = np.random.default_rng([int(person), SESSIONS.index(session)])
    own = np.random.default_rng(int(person)).normal(1.5, 0.2)
    found = own + rng.normal(0, 0.03, SHAPE)
    if session == "rescan":
        found[BLOCK] += EFFECT
    return found


def activity(bp):
    """Curves of SRTM with R1 = 1 in Bq/mL, frame averages in closed form, shape (*bp.shape, n_frame)."""
    start, end = np.cumsum([0, *LENGTHS[:-1]]) / 60, np.cumsum(LENGTHS) / 60

    def average(rate):
        return (np.exp(-rate * start) - np.exp(-rate * end)) / (rate * (end - start))

    terms = {0.03: 20000.0, 0.7: -20000.0}
    reference = sum(size * average(rate) for rate, size in terms.items())
    k2a = K2_PRIME / (1 + bp[..., None])
    tail = sum(size * (average(rate) - average(k2a)) / (k2a - rate) for rate, size in terms.items())
    return reference + (K2_PRIME - k2a) * tail


def write_images(files, space=SPACE):
    """A dynamic image of every scan and its brain mask: all but the outermost voxels of y."""
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[:, 1:-1, :] = 1
    for person in PEOPLE:
        for session in SESSIONS:
            stem = files.table_of(person, session).name.replace("_seg-test_desc-preproc_tacs.tsv", "")
            folder = files.table_of(person, session).parent
            data = activity(binding(person, session)).astype(np.float32)
            save(folder / f"{stem}_space-{space}_desc-preproc_pet.nii.gz", data)
            save(folder / f"{stem}_space-{space}_desc-brain_mask.nii.gz", mask)


def save(path, data, affine=AFFINE):
    nibabel.save(nibabel.Nifti1Image(data, affine), path)


@pytest.fixture(scope="module")
def _mapped(tmp_path_factory):
    """A study of six people whose scans have been mapped."""
    root = tmp_path_factory.mktemp("mapped")
    write_study(root / "study")
    files = Files(root / "study", root / "out")
    for person in PEOPLE[2:]:
        for session in SESSIONS:
            files.add(person, session, ("01", session))
            scale = 1 + int(person) / 100
            files.column("putamen", lambda cell, scale=scale: scale * float(cell), files.table_of(person, session))
    rows = "".join(f"sub-{person}\t{20 + int(person)}\n" for person in PEOPLE)
    (files.root / "participants.tsv").write_text(f"participant_id\tage\n{rows}")
    write_images(files)
    files.plan.write_text(files.plan.read_text() + MAPS)
    assert main(["run", str(files.root), str(files.out), "participant"]) == 0
    return root


@pytest.fixture
def mapped(_mapped, tmp_path):
    """A copy of it that a test may change."""
    shutil.copytree(_mapped / "study", tmp_path / "study")
    shutil.copytree(_mapped / "out", tmp_path / "out")
    return Files(tmp_path / "study", tmp_path / "out")


def volume(files, stat, name="change"):
    return np.asarray(nibabel.load(files.out / f"group/contrast-{name}_stat-{stat}_statmap.nii.gz").dataobj)


def sidecar(files, stat, name="change"):
    return json.loads((files.out / f"group/contrast-{name}_stat-{stat}_statmap.json").read_text())


def of_scans(files, session):
    """Maps of BP_ND of one session, shape (n, x, y, z)."""
    paths = [
        files.out
        / f"sub-{person}/ses-{session}/pet/sub-{person}_ses-{session}_space-{SPACE}_model-SRTM_meas-BPND_mimap.nii.gz"
        for person in PEOPLE
    ]
    return np.stack([np.asarray(nibabel.load(path).dataobj) for path in paths])


def written(files):
    return {path.name: path.read_bytes() for path in sorted((files.out / "group").glob("*statmap*"))}


def test_the_maps_are_the_paired_t_test_of_the_scans_maps(mapped, raphe):
    ended = raphe("run", mapped.root, mapped.out, "group")
    assert ended.code == 0, ended.err
    before, after = (of_scans(mapped, session) for session in SESSIONS)
    inside = np.isfinite(before).all(axis=0)
    assert inside.sum() == 12 * 8 * 8
    t = volume(mapped, "t")
    np.testing.assert_array_equal(np.isfinite(t), inside)
    np.testing.assert_allclose(volume(mapped, "effect")[inside], (after - before).mean(axis=0)[inside], atol=1e-5)
    np.testing.assert_allclose(t[inside], stats.ttest_rel(after, before).statistic[inside], rtol=1e-3, atol=1e-3)
    assert (volume(mapped, "n")[inside] == 6).all()
    np.testing.assert_allclose(nibabel.load(next((mapped.out / "group").glob("*stat-t_*.nii.gz"))).affine, AFFINE)


def test_the_planted_effect_is_found_and_nothing_else(mapped, raphe, rows_of):
    assert raphe("run", mapped.root, mapped.out, "group").code == 0
    planted = np.zeros(SHAPE, dtype=bool)
    planted[BLOCK] = True
    near = {"logpfwe": planted, "logpfwetfce": ndimage.binary_dilation(planted)}  # what touches it is enhanced by it
    for stat, where in near.items():
        found = np.nan_to_num(volume(mapped, stat)) > 1.3
        assert not (found & ~where).any()
        assert (found & planted).sum() > 0.9 * planted.sum()
        assert np.nanmax(volume(mapped, stat)) == pytest.approx(-np.log10(2 / 64), abs=1e-5)
    first = rows_of(mapped.out / "group/contrast-change_clusters.tsv")[0]
    assert first["cluster"] == first["peak"] == "1"
    assert float(first["t"]) < 0
    assert float(first["p_fwe"]) == float(first["p_extent"]) == float(first["p_mass"]) == 0.03125
    voxel = np.linalg.solve(AFFINE, [*(float(first[axis]) for axis in "xyz"), 1])[:3].round().astype(int)
    assert planted[tuple(voxel)]
    assert int(first["voxels"]) == (volume(mapped, "cluster") == -1).sum()
    assert float(first["size_mm3"]) == pytest.approx(2.5**3 * int(first["voxels"]))


def test_sidecars_tell_how_exact_p_can_be(mapped, raphe):
    assert raphe("run", mapped.root, mapped.out, "group").code == 0
    for stat in ("effect", "t", "tfce", "logpfwe", "logpfwetfce", "logp", "cluster", "n"):
        about = sidecar(mapped, stat)
        assert about["SmallestAttainableP"] == 2 / 64
        assert (about["Exact"], about["Permutations"], about["PossibleArrangements"]) == (True, 64, "64")
        assert about["Participants"] == list(PEOPLE)
        assert about["Space"] == SPACE
        assert about["SmoothingOfScans"] == ["nothing was smoothed"]
    assert json.loads((mapped.out / "group/contrast-change_clusters.json").read_text())["SmallestAttainableP"] == 2 / 64
    assert not (mapped.out / "group/contrast-change_stat-cluster_statmap.tsv").exists()


def test_the_page_shows_them_and_says_what_was_done(mapped, raphe):
    assert raphe("run", mapped.root, mapped.out, "group").code == 0
    page = (mapped.out / "report.html").read_text()
    assert "change, voxel by voxel" in page
    assert "Significant after correction for the whole map (p at or below 0.05): " in page
    assert "all 64 sign flips, which is exact" in page
    assert 'aria-label="Glass brain of t: change"' in page
    assert "was tested voxel by voxel in the maps of" in page
    assert "not named: the maps are in space TPL" in page


def viewed(page):
    """Volumes of the first viewer of a page by their roles, and the elements that hold the library."""
    held = {
        name: gzip.decompress(base64.b64decode(text))
        for name, text in re.findall(r'<script type="text/plain" id="([^"]+)">([^<]*)</script>', page)
    }
    settings = json.loads(re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)[1])
    volumes = {role: nibabel.Nifti1Image.from_bytes(held[name]) for role, name in settings["volumes"].items()}
    return volumes, [name for name, content in held.items() if b"Niivue" in content]


def at_places(image, inside):
    """Values of a volume of a viewer where a map of the study's grid has some."""
    places = nibabel.affines.apply_affine(np.linalg.inv(image.affine) @ AFFINE, np.argwhere(inside))
    return image.get_fdata()[tuple(places.round().astype(int).T)]


def test_the_viewer_of_the_page_holds_the_map_that_was_written(mapped, raphe):
    assert raphe("run", mapped.root, mapped.out, "group").code == 0
    page = (mapped.out / "report.html").read_text()
    held, libraries = viewed(page)
    assert libraries == ["viewer-library"]
    t = volume(mapped, "t")
    inside = np.isfinite(t)
    stated = float(re.search(r"they are off by ([\d.]+) at most", page)[1])
    assert stated <= np.nanmax(np.abs(t)) / 2000
    np.testing.assert_allclose(at_places(held["statistic"], inside), t[inside], rtol=0, atol=stated * 1.001)
    assert not (mapped.out / "group/maps.html").exists()
    assert raphe("run", mapped.root, mapped.out, "group").code == 0
    assert (mapped.out / "report.html").read_text() == page


def test_the_viewer_of_a_scan_holds_its_map_over_the_mean_of_its_image(mapped):
    page = (mapped.out / "sub-01/ses-baseline/report.html").read_text()
    held, libraries = viewed(page)
    assert libraries == ["viewer-library"]
    binding_map = of_scans(mapped, "baseline")[0]
    inside = np.isfinite(binding_map)
    stated = float(re.search(r"they are off by ([\d.]+) at most", page)[1])
    np.testing.assert_allclose(at_places(held["statistic"], inside), binding_map[inside], rtol=0, atol=stated * 1.001)
    (image,) = mapped.root.glob(f"derivatives/curves/sub-01/ses-baseline/pet/*space-{SPACE}_desc-preproc_pet.nii.gz")
    mean = np.average(nibabel.load(image).get_fdata(), axis=-1, weights=LENGTHS)[inside]
    expected = 255 * np.clip(mean / np.percentile(mean, 99), 0, 1)
    np.testing.assert_allclose(at_places(held["background"], inside), expected, rtol=0, atol=0.51)


def test_viewers_that_are_too_large_for_the_page_have_one_of_their_own(mapped, raphe, monkeypatch):
    monkeypatch.setattr("raphe.report.viewer.MOST", 1_000_000)
    assert raphe("run", mapped.root, mapped.out, "group").code == 0
    page, apart = (mapped.out / "report.html").read_text(), (mapped.out / "group/maps.html").read_text()
    assert 'href="group/maps.html#viewer-1"' in page
    assert "viewer-library" not in page
    assert viewed(apart)[1] == ["viewer-library"]
    assert 'href="../report.html#statistic-maps"' in apart
    monkeypatch.undo()
    assert raphe("run", mapped.root, mapped.out, "group").code == 0
    assert not (mapped.out / "group/maps.html").exists()


def test_without_permutations_there_are_none_and_the_page_has_no_section(mapped, raphe):
    mapped.edit("permutations = 500\n", "")
    ended = raphe("run", mapped.root, mapped.out, "group")
    assert ended.code == 0, ended.err
    assert not written(mapped)
    page = (mapped.out / "report.html").read_text()
    assert "statistic-maps" not in page
    assert "viewer" not in page
    assert len(page) < 1_000_000


def test_a_contrast_that_is_done_is_kept_and_one_that_is_gone_is_removed(mapped, raphe):
    assert raphe("run", mapped.root, mapped.out, "group").code == 0
    record = mapped.out / "provenance/contrast-change_maps.json"
    first, before = written(mapped), record.stat().st_mtime_ns
    assert raphe("run", mapped.root, mapped.out, "group").code == 0
    assert record.stat().st_mtime_ns == before
    mapped.edit("permutations = 500", "permutations = 20")
    assert raphe("run", mapped.root, mapped.out, "group").code == 0
    assert record.stat().st_mtime_ns != before
    assert sidecar(mapped, "t")["Exact"] is False
    assert set(written(mapped)) == set(first)
    mapped.edit("permutations = 20", 'permutations = 20\nstatistics = ["t"]')
    assert raphe("run", mapped.root, mapped.out, "group").code == 0
    assert "contrast-change_stat-tfce_statmap.nii.gz" not in written(mapped)
    mapped.edit('name = "change"\nterms', 'name = "other"\nterms')
    mapped.edit('contrast = "change"', 'contrast = "other"')
    assert raphe("run", mapped.root, mapped.out, "group").code == 0
    assert {name.split("_")[0] for name in written(mapped)} == {"contrast-other"}
    assert not record.exists()


def test_threads_do_not_change_a_digit(mapped, raphe):
    mapped.edit("permutations = 500", "permutations = 40")
    assert raphe("run", mapped.root, mapped.out, "group").code == 0
    one = {path.name: nibabel.load(path).get_fdata() for path in (mapped.out / "group").glob("*.nii.gz")}
    shutil.rmtree(mapped.out / "group")
    assert raphe("run", mapped.root, mapped.out, "group", "--workers", "2").code == 0
    for path in (mapped.out / "group").glob("*.nii.gz"):
        np.testing.assert_array_equal(nibabel.load(path).get_fdata(), one[path.name])


def test_stats_of_the_folder_gives_the_same_maps_and_table(mapped, raphe, tmp_path):
    assert raphe("run", mapped.root, mapped.out, "group").code == 0
    ended = raphe("stats", mapped.plan, mapped.out, "--out", tmp_path / "answers")
    assert ended.code == 0, ended.err
    again = Files(mapped.root, tmp_path / "answers")
    images = {name for name in written(mapped) if name.endswith(".nii.gz")}
    assert len(images) == 8
    for name in (*images, "contrast-change_clusters.tsv"):
        assert (again.out / "group" / name).read_bytes() == (mapped.out / "group" / name).read_bytes(), name
    ours, theirs = sidecar(again, "t"), sidecar(mapped, "t")
    for about in (ours, theirs):
        about.pop("CommandLine")
    theirs["Sources"] = [f"bids:maps:{path}" for path in theirs["Sources"]]
    assert ours == theirs


def test_an_excluded_scan_is_left_out_and_counted(mapped, raphe):
    (mapped.root / "exclusions.tsv").write_text("participant_id\tsession_id\treason\nsub-03\tses-rescan\tfell asleep\n")
    assert raphe("run", mapped.root, mapped.out, "all").code == 0
    about = sidecar(mapped, "t")
    assert about["Participants"] == ["01", "02", "04", "05", "06"]
    assert about["Excluded"] == ["sub-03: excluded by a person: fell asleep in session rescan"]
    assert about["SmallestAttainableP"] == 2 / 32
    page = (mapped.out / "report.html").read_text()
    assert "Nothing can be significant here" in page
    assert "no p value can be below 0.0625" in page


def test_a_map_that_is_not_there_is_said_with_the_way_to_make_it(mapped, raphe):
    for path in mapped.out.glob("provenance/sub-02_ses-rescan*.json"):
        record = json.loads(path.read_text())
        record["outputs"] = {name: digest for name, digest in record["outputs"].items() if "mimap" not in name}
        path.write_text(json.dumps(record))
    for path in mapped.out.glob("sub-02/ses-rescan/pet/*mimap*"):
        path.unlink()
    ended = raphe("run", mapped.root, mapped.out, "group")
    assert ended.code == 1
    told = "1 of its 12 scans have no map of BP_ND by SRTM (sub-02_ses-rescan"
    assert f"contrast 'change' cannot be made voxel by voxel: {told}" in ended.err
    assert "raphe run BIDS OUT participant with [maps] in the plan" in ended.err
    assert not written(mapped)
    page = (mapped.out / "report.html").read_text()
    assert "sub-02_ses-rescan" in page
    assert "thalamus" in page


def test_left_and_right_are_averaged_where_that_is_asked_for(mapped, raphe):
    mapped.edit("permutations = 500", 'permutations = 500\nmirror = "average"')
    assert raphe("run", mapped.root, mapped.out, "group").code == 0
    change = (of_scans(mapped, "rescan") - of_scans(mapped, "baseline")).mean(axis=0)
    both = (change + change[::-1]) / 2
    effect = volume(mapped, "effect")
    left = np.isfinite(effect)
    assert left[:6].any()
    assert not left[6:].any()
    np.testing.assert_allclose(effect[left], both[left], atol=1e-5)
    assert effect[3, 4, 3] == pytest.approx(EFFECT / 2, abs=0.05)
    assert sidecar(mapped, "t")["MirrorAveraged"] is True


def test_variance_is_smoothed_where_that_is_asked_for(mapped, raphe):
    mapped.edit("permutations = 500", 'permutations = 500\nvariance_smoothing = 6\nstatistics = ["t"]')
    assert raphe("run", mapped.root, mapped.out, "group").code == 0
    change = of_scans(mapped, "rescan") - of_scans(mapped, "baseline")
    t, plain = volume(mapped, "t"), change.mean(axis=0) / (change.std(axis=0, ddof=1) / np.sqrt(6))
    inside = np.isfinite(t)
    assert np.nanstd(np.abs(t[BLOCK])) < 0.5 * np.nanstd(np.abs(plain[BLOCK]))
    np.testing.assert_array_equal(np.sign(t[inside]), np.sign(plain[inside]))
    assert sidecar(mapped, "t")["VarianceSmoothing"] == {"FWHM": 6.0, "FWHMUnits": "mm"}
    assert "pseudo-t" in (mapped.out / "report.html").read_text()


@pytest.mark.slow
def test_regions_are_those_of_the_atlas_where_the_maps_are_in_its_space(mapped, raphe, rows_of):
    shutil.rmtree(mapped.out)
    space = "MNI152NLin2009aSym"
    for path in mapped.root.glob(f"derivatives/curves/sub-*/ses-*/pet/*space-{SPACE}*"):
        path.rename(path.with_name(path.name.replace(SPACE, space)))
    mapped.edit(f'space = "{SPACE}"', f'space = "{space}"\ngroup_mask = "grey"')
    ended = raphe("run", mapped.root, mapped.out, "all")
    assert ended.code == 0, ended.err
    first = rows_of(mapped.out / "group/contrast-change_clusters.tsv")[0]
    assert first["regions_touched"] != "n/a"
    assert all(name.startswith("left ") or name == "brainstem" for name in first["regions_touched"].split("; ")), first
    assert "probability of grey matter is at least 0.2" in sidecar(mapped, "t")["Mask"]
    inside = np.isfinite(volume(mapped, "t"))
    assert 0 < inside.sum() < 12 * 8 * 8


def test_kinds_that_maps_do_not_have_are_said_on_the_page_without_a_warning(mapped, raphe):
    mapped.plan.write_text(
        mapped.plan.read_text() + '\n[[contrast]]\nname = "all"\nkind = "mixed"\nterms = ["baseline", "rescan"]\n'
    )
    ended = raphe("run", mapped.root, mapped.out, "group")
    assert "voxel by voxel" not in ended.err
    assert "is not made voxel by voxel: a mixed model is fitted to regions only" in (
        mapped.out / "report.html"
    ).read_text().replace("&#39;", "'")


def test_age_and_change_are_correlated_in_every_voxel(mapped, raphe):
    mapped.plan.write_text(
        mapped.plan.read_text()
        + '\n[[contrast]]\nname = "age"\nkind = "correlation"\nx = ["baseline", "rescan"]\nscore = "age"\n'
    )
    ended = raphe("run", mapped.root, mapped.out, "group")
    assert (mapped.out / "group/contrast-age_stat-t_statmap.nii.gz").is_file(), ended.err
    change = of_scans(mapped, "rescan") - of_scans(mapped, "baseline")
    age = np.arange(21, 27)
    inside = np.isfinite(volume(mapped, "t", "age"))
    for at in [tuple(voxel) for voxel in np.argwhere(inside)[::97]]:
        line = stats.linregress(age, change[(slice(None), *at)])
        assert volume(mapped, "effect", "age")[at] == pytest.approx(line.slope, abs=1e-5)
        assert volume(mapped, "t", "age")[at] == pytest.approx(line.slope / line.stderr, rel=1e-3, abs=1e-3)
    assert sidecar(mapped, "t", "age")["PossibleArrangements"] == "720"
