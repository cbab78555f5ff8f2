"""``raphe run --maps``: the maps of a scan are made as its regions were fitted."""

import gzip
import json
import re
import shutil

import nibabel
import numpy as np
import pytest
from tests.pipeline.conftest import AFFINE, CURVES, LABELS, LENGTHS, SHAPE, SIDECAR

from raphe.kinetics import voxelwise
from raphe.pipeline import voxels


@pytest.fixture
def images(files):
    """A dynamic image of every scan, constant over regions, as a derivative; and where each region is."""
    labels = np.zeros(SHAPE, dtype=int)
    for label, at in zip(LABELS.values(), np.array_split(np.arange(400), 5), strict=True):
        labels.flat[at] = label
    for (participant, session), curves in CURVES.items():
        data = np.zeros((*SHAPE, len(LENGTHS)), dtype=np.float32)
        for name, label in LABELS.items():
            data[labels == label] = curves[name]
        path = files.table_of(participant, session)
        stem = path.name.replace("_seg-test_desc-preproc_tacs.tsv", "")
        nibabel.save(nibabel.Nifti1Image(data, AFFINE), path.parent / f"{stem}_space-T1w_desc-preproc_pet.nii.gz")
    return labels


def maps_of(files, participant="01", session="baseline"):
    folder = files.out / f"sub-{participant}/ses-{session}/pet"
    return {path.name: path for path in folder.glob("*_mimap.nii.gz")}


def test_maps_of_constant_regions_are_the_regions_estimates(files, images, raphe, rows_of):
    ended = raphe("run", files.root, files.out, "all", "--maps")
    assert ended.code == 0, ended.err
    for participant, session in CURVES:
        table = next((files.out / f"sub-{participant}/ses-{session}/pet").glob("*_kinpar.tsv"))
        found = maps_of(files, participant, session)
        assert len(found) == 11
        value = nibabel.load(found[f"sub-{participant}_ses-{session}_space-T1w_model-SRTM_meas-BPND_mimap.nii.gz"])
        np.testing.assert_allclose(value.affine, AFFINE, atol=1e-4)
        data = np.asarray(value.dataobj)
        for row in rows_of(table):
            inside = data[images == LABELS[row["name"]]]
            np.testing.assert_allclose(inside, float(row["BPND"]), rtol=1e-5)
        assert np.isnan(data[images == 0]).all()


def test_the_report_shows_them_and_the_record_names_the_image(files, images, raphe):
    assert raphe("run", files.root, files.out, "participant", "--maps").code == 0
    page = (files.out / "sub-01/ses-baseline/report.html").read_text()
    assert "Parametric maps" in page
    assert "img-src data:" in page  # else a browser shows none of them
    slices = re.findall(r'alt="SRTM, BP_ND: (\w+), \w+ up, ([xyz]) = ([\d\N{MINUS SIGN}]+) mm"', page)
    assert {plane for plane, _, _ in slices} == {"Axial", "Coronal", "Sagittal"}
    lowest, highest = AFFINE[:3, 3], AFFINE[:3, :3] @ (np.array(SHAPE) - 1) + AFFINE[:3, 3]
    for _, axis, place in slices:
        ends = sorted((lowest["xyz".index(axis)], highest["xyz".index(axis)]))
        assert ends[0] <= int(place.replace("\N{MINUS SIGN}", "-")) <= ends[1]
    assert "Nothing was smoothed." in page
    assert "In the dynamic image of [11C]DASB (sub-01_ses-baseline_space-T1w_desc-preproc_pet.nii.gz), SRTM was" in page
    record = json.loads(next((files.out / "provenance").glob("sub-01_ses-baseline*.json")).read_text())
    assert "sub-01_ses-baseline_space-T1w_desc-preproc_pet.nii.gz" in json.dumps(record)


def test_k2_prime_of_the_regions_is_taken_over(files, images, raphe):
    files.edit('model = "SRTM"', 'model = "MRTM2"\nhigh_binding = ["thalamus", "putamen"]')
    assert raphe("run", files.root, files.out, "participant", "--maps").code == 0
    table = next((files.out / "sub-01/ses-baseline/pet").glob("*model-MRTM2_kinpar.json"))
    sidecar = next((files.out / "sub-01/ses-baseline/pet").glob("*model-MRTM2_meas-BPND_mimap.json"))
    regions, voxels = (json.loads(path.read_text()) for path in (table, sidecar))
    assert voxels["InputValues"] == regions["InputValues"]


def test_a_plan_may_ask_for_them_and_name_the_space(files, images, raphe, refused):
    path = files.table.parent / "sub-01_ses-baseline_space-MNI_desc-preproc_pet.nii.gz"
    path.write_bytes(next(files.table.parent.glob("*_space-T1w_*_pet.nii.gz")).read_bytes())
    plan = files.plan.read_text()
    files.plan.write_text(plan + "\n[maps]\n")
    refused("run", files.root, files.out, "all", words=["2 images of this scan", "space"])
    files.plan.write_text(plan + '\n[maps]\nspace = "T2w"\n')
    refused("run", files.root, files.out, "all", words=["no image of this scan is in space 'T2w'", "MNI, T1w"])
    files.plan.write_text(plan + '\n[maps]\nspace = "T1w"\n')
    assert raphe("run", files.root, files.out, "participant").code == 0
    assert all("space-T1w" in name for name in maps_of(files))


def test_a_scan_without_an_image_is_refused_before_any_work(files, images, raphe, refused):
    next(files.table.parent.glob("*_pet.nii.gz")).unlink()
    refused("run", files.root, files.out, "all", "--maps", words=["there is no dynamic image of this scan"])


def test_without_being_asked_no_maps_are_made(files, images, raphe):
    assert raphe("run", files.root, files.out, "participant").code == 0
    assert not maps_of(files)


def test_a_changed_image_is_mapped_anew(files, images, raphe):
    assert raphe("run", files.root, files.out, "participant", "--maps").code == 0
    path = next(files.table.parent.glob("*_pet.nii.gz"))
    image = nibabel.load(path)
    nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj) * np.float32(0.5), image.affine), path)
    before = {name: found.read_bytes() for name, found in maps_of(files).items()}
    assert raphe("run", files.root, files.out, "participant", "--maps").code == 0
    after = {name: found.read_bytes() for name, found in maps_of(files).items()}
    changed = {name for name in before if before[name] != after[name]}
    assert any("meas-R1_mimap" in name for name in changed)


def noisy(files):
    """Noise on the image of the first scan, and a brain mask for it; the paths of both."""
    path = next(files.table.parent.glob("*_space-T1w_*_pet.nii.gz"))
    data = np.asarray(nibabel.load(path).dataobj)
    noise = np.random.default_rng(2).normal(size=data.shape) * 0.03 * data.mean(axis=(0, 1, 2))
    save(path, data + noise.astype(np.float32))
    inside = np.zeros(SHAPE, dtype=np.uint8)
    inside[1:-1, 1:-1, 1:-1] = 1
    return path, save(path.with_name("sub-01_ses-baseline_space-T1w_desc-brain_mask.nii.gz"), inside)


def save(path, data, affine=AFFINE):
    nibabel.save(nibabel.Nifti1Image(data, affine), path)
    return path


NOISE = {
    "smoothing = 4": ("--smooth", "4"),
    "smoothing = 3.5\nregularise = true": ("--smooth", "3.5", "--regularise"),
    "hypr = 5.0": ("--hypr", "5"),
    "regularise = true": ("--regularise",),
    "regularise = false": (),
}


@pytest.mark.parametrize("plan", NOISE)
def test_they_are_those_of_raphe_map_with_the_same_options(files, images, raphe, tmp_path, plan):
    image, mask = noisy(files)
    files.plan.write_text(f"{files.plan.read_text()}\n[maps]\n{plan}\n")
    assert raphe("run", files.root, files.out, "participant", "--participant-label", "01").code == 0
    alone = tmp_path / "alone"
    words = ("--model", "SRTM", "--reference", f"{files.table}:cerebellum", "--mask", mask, "--out", alone)
    ended = raphe("map", image, *words, *NOISE[plan])
    assert ended.code == 0, ended.err
    found = maps_of(files)
    assert len(found) == 11
    for name, path in found.items():
        own, other = (np.asarray(nibabel.load(one).dataobj) for one in (path, alone / name))
        np.testing.assert_array_equal(own, other)
        assert np.unique(own[np.asarray(nibabel.load(mask).dataobj) == 0]).size == 1
        told, there = (
            json.loads((one.parent / name.replace(".nii.gz", ".json")).read_text()) for one in (path, alone / name)
        )
        for key in ("FWHM", "FWHMUnits", "Kernel", "Regularised", "Units", "InputValues"):
            assert told.get(key) == there.get(key)
        assert told["Mask"] == {"File": mask.name, "NumberOfVoxels": there["Mask"]["NumberOfVoxels"]}
        assert any(source.endswith(mask.name) for source in told["Sources"])


def test_methods_and_captions_say_what_was_done_against_noise(files, images, raphe):
    noisy(files)
    files.plan.write_text(f"{files.plan.read_text()}\n[maps]\nsmoothing = 4\nregularise = true\n")
    assert raphe("run", files.root, files.out, "all", "--session-label", "baseline").code in (0, 1)
    page = (files.out / "sub-01/ses-baseline/report.html").read_text()
    caption = page[page.index("Figure 3.") :] if "Figure 3." in page else page
    for text in ("smoothed inside the mask by a Gaussian of 4 mm FWHM", "differ by no more than their errors"):
        assert page.count(text) == 2, "in the caption and in the methods"
        assert text in caption
    assert "the brain mask sub-01_ses-baseline_space-T1w_desc-brain_mask.nii.gz was used" in page
    assert "Polzehl" in page
    study = (files.out / "report.html").read_text()
    assert "smoothed inside the mask by a Gaussian of 4 mm FWHM" in study
    table = json.loads(next((files.out / "sub-01/ses-baseline/pet").glob("*model-SRTM_kinpar.json")).read_text())
    assert not any("Polzehl" in one for one in table["References"]), "regions were not averaged"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("smoothing = 0", ["[maps] smoothing = 0", "positive number of mm"]),
        ("smoothing = -4.0", ["[maps] smoothing = -4.0", "positive number of mm"]),
        ('smoothing = "4"', ["[maps] smoothing", "without quotes"]),
        ("hypr = true", ["[maps] hypr = true", "positive number of mm"]),
        ("hypr = nan", ["[maps] hypr", "positive number of mm"]),
        ("smoothing = 4\nhypr = 4", ["line 29", "both smoothing and hypr"]),
        ("regularise = 1", ["[maps] regularise = 1", "true or false"]),
        ('mask = "brian"', ["[maps] mask", "one of brain, activity", "did you mean 'brain'"]),
        ("permutations = 0", ["[maps] permutations = 0", "greater than or equal to 1"]),
        ("permutations = 1000001", ["[maps] permutations = 1000001", "less than or equal to 1000000"]),
        ("permutations = 2.5", ["[maps] permutations = 2.5", "whole number"]),
        ("permutations = true", ["[maps] permutations = true", "whole number"]),
        ('mirror = "average"', ["[maps] mirror", "add permutations = 5000, or leave mirror out"]),
        ('permutations = 9\nstatistics = ["z"]', ["[maps] statistics", "one of t, tfce, cluster"]),
        ("permutations = 9\nvariance_smoothing = 0", ["[maps] variance_smoothing", "positive number of mm"]),
        ('permutations = 9\nmirror = "left"', ["[maps] mirror", "one of none, average"]),
        ("smooth = 4", ["[maps] has no key 'smooth'", "'smoothing'"]),
    ],
)
def test_a_plan_of_maps_that_cannot_be(files, refused, line, words):
    files.plan.write_text(f"{files.plan.read_text()}\n[maps]\n{line}\n")
    refused("run", files.root, files.out, "all", words=[str(files.plan), *words])


def test_without_a_brain_mask_the_voxels_with_activity_are_mapped_and_the_way_out_is_one_of_run(files, images, raphe):
    ended = raphe("run", files.root, files.out, "participant", "--maps")
    assert ended.code == 0
    assert (
        "4 scans (sub-01_ses-baseline, sub-01_ses-rescan, sub-02_ses-baseline, sub-02_ses-rescan): no brain mask"
        in (ended.err)
    )
    assert "--mask" not in ended.err
    told = json.loads(next((files.out / "sub-01/ses-baseline/pet").glob("*_meas-BPND_mimap.json")).read_text())
    assert "exceeds 0.1 of the 99.0th percentile" in told["Mask"]["Rule"]


def test_no_activity_at_all_names_ways_out_of_run(files, images, refused):
    for path in files.root.rglob("*_pet.nii.gz"):
        save(path, np.zeros((*SHAPE, len(LENGTHS)), dtype=np.float32))
    words = ["no voxel has any activity", "desc-brain_mask.nii.gz", "--derivatives"]
    refused("run", files.root, files.out, "participant", "--maps", words=words)


def inside_of(files):
    """Voxels of the first scan that were mapped."""
    quality = next(path for name, path in maps_of(files).items() if "meas-quality" in name)
    return np.asarray(nibabel.load(quality).dataobj) != 255


def test_the_nearest_brain_mask_on_the_grid_is_taken(files, images, raphe, refused):
    anat = files.root / "derivatives/anatomy/sub-01/anat"
    anat.mkdir(parents=True)
    inside = np.zeros(SHAPE, dtype=np.uint8)
    inside[2:4] = 1
    of_person = save(anat / "sub-01_desc-brain_mask.nii.gz", inside)
    run = (
        "run",
        files.root,
        files.out,
        "participant",
        "--maps",
        "--participant-label",
        "01",
        "--session-label",
        "baseline",
    )
    assert raphe(*run).code == 0
    assert (inside_of(files) == (inside == 1)).all()
    nearer = np.zeros(SHAPE, dtype=np.uint8)
    nearer[:, 3:5] = 1
    of_session = save(files.table.parent / "sub-01_ses-baseline_desc-brain_mask.nii.gz", nearer)
    ended = raphe(*run)
    assert "1 scans analysed" in ended.err, "another mask is another analysis"
    assert (inside_of(files) == (nearer == 1)).all()
    save(of_session, nearer, np.diag([1, 1, 1, 1.0]))
    assert raphe(*run).code == 0
    assert (inside_of(files) == (inside == 1)).all(), "one on another grid is passed over"
    save(files.table.parent / "sub-01_ses-baseline_space-MNI_desc-brain_mask.nii.gz", nearer)
    save(files.table.parent / "sub-01_ses-rescan_desc-brain_mask.nii.gz", nearer)
    assert raphe(*run).code == 0
    assert (inside_of(files) == (inside == 1)).all(), "neither is one in another space, or of another session"
    shutil.copytree(anat, files.root / "derivatives/other/sub-01/anat")
    refused(*run, words=["2 brain masks would do", "anatomy", "other", "--derivatives"])
    files.plan.write_text(files.plan.read_text() + '\n[maps]\nmask = "activity"\n')
    assert raphe(*run).code == 0
    assert inside_of(files).sum() > inside.sum()
    assert of_person.is_file()


def test_a_brain_mask_that_the_plan_asks_for_must_be_there_and_on_the_grid(files, images, refused, raphe):
    files.plan.write_text(files.plan.read_text() + '\n[maps]\nmask = "brain"\n')
    refused("run", files.root, files.out, "all", words=["asks for a brain mask", "--derivatives", "leave mask out"])
    for participant, session in CURVES:
        stem = f"sub-{participant}_ses-{session}_desc-brain_mask.nii.gz"
        moved = np.array(AFFINE)
        moved[0, 3] += session == "rescan"
        save(files.table_of(participant, session).with_name(stem), np.ones(SHAPE, dtype=np.uint8), moved)
    ended = raphe("run", files.root, files.out, "all")
    assert ended.code == 3
    assert "sub-01_ses-rescan_desc-brain_mask.nii.gz is not on the grid of" in ended.err
    assert "-2 0 0.1 91" in ended.err
    assert "-2 0 0.1 90" in ended.err
    assert maps_of(files, "01", "baseline")
    assert not maps_of(files, "01", "rescan")


def test_an_empty_brain_mask_is_told(files, images, raphe):
    empty = files.table.parent / "sub-01_ses-baseline_desc-brain_mask.nii.gz"
    save(empty, np.zeros(SHAPE, dtype=np.uint8))
    ended = raphe("run", files.root, files.out, "participant", "--maps")
    assert ended.code == 3
    assert f"{empty} is an empty mask" in ended.err
    assert not (files.out / "sub-01/ses-baseline").exists()


def test_the_sidecar_of_the_image_decides_too(files, images, raphe):
    run = ("run", files.root, files.out, "participant", "--maps")
    assert raphe(*run).code == 0
    image = next(files.table.parent.glob("*_pet.nii.gz"))
    image.with_name(image.name.replace(".nii.gz", ".json")).write_text('{"Units": "kBq/mL"}')
    assert "1 scans analysed, 3 kept" in raphe(*run).err


def test_an_image_apart_from_the_raw_data_has_their_schedule(files, images, raphe, tmp_path):
    apart = tmp_path / "apart"
    shutil.move(files.root / "derivatives/curves", apart)
    assert raphe("run", files.root, files.out, "participant", "--maps", "--derivatives", apart).code == 0
    assert len(maps_of(files)) == 11


def test_sidecars_tell_the_weights_and_the_errors_of_voxels_where_those_of_regions_are_others(files, images, raphe):
    run = ("run", files.root, files.out, "participant", "--maps", "--weights", "residual", "--uncertainty", "bootstrap")
    assert raphe(*run, "--repeats", 50).code in (0, 1)
    sidecar = next((files.out / "sub-01/ses-baseline/pet").glob("*_meas-BPND_mimap.json"))
    told = json.loads(sidecar.read_text())
    assert "decay" in told["Weights"]
    assert "residual" not in told["Weights"]
    assert "bootstrap" not in json.dumps(told["Notes"])


def test_a_map_that_is_of_little_use_is_a_warning(files, images, raphe):
    path = next(files.table.parent.glob("*_pet.nii.gz"))
    data = np.asarray(nibabel.load(path).dataobj)
    data[images > 1] = np.nan
    save(path, data)
    save(path.with_name("sub-01_ses-baseline_desc-brain_mask.nii.gz"), (images > 0).astype(np.uint8))
    ended = raphe("run", files.root, files.out, "participant", "--maps")
    assert ended.code == 1
    told = "SRTM: 400 voxels, 320 of them not usable, 320 of these because their values are not numbers"
    assert told in ended.err
    assert told in (files.out / "sub-01/ses-baseline/report.html").read_text()


def test_a_mask_beside_the_image_on_another_grid_is_a_warning_with_both_affines(files, images, raphe):
    moved = np.array(AFFINE)
    moved[0, 3] += 1
    beside = files.table.parent / "sub-01_ses-baseline_space-T1w_desc-brain_mask.nii.gz"
    save(beside, np.ones(SHAPE, dtype=np.uint8), moved)
    ended = raphe("run", files.root, files.out, "participant", "--maps")
    assert ended.code == 1
    for words in (str(beside), "-2 0 0.1 91", "-2 0 0.1 90", "the voxels with activity were mapped"):
        assert words in ended.err
    assert "1 brain mask on another grid" in (files.out / "sub-01/ses-baseline/report.html").read_text()
    native = beside.with_name("sub-01_ses-baseline_desc-brain_mask.nii.gz")
    beside.rename(native)  # the space of the scanner, which the image in the space of T1w is not in
    assert raphe("run", files.root, files.out, "participant", "--maps").code == 0


def test_files_with_other_names_are_not_masks(files, images, raphe):
    (files.table.parent / "sub-01_brain_mask.nii.gz").write_text("no image")
    assert raphe("run", files.root, files.out, "participant", "--maps").code == 0


@pytest.mark.parametrize("what", ["cut short", "damaged", "volumes", "voxels along axis", "frames", "is a link", "3D"])
def test_one_scan_whose_image_is_bad_fails_alone(files, images, raphe, what):
    path = next(files.table.parent.glob("*_pet.nii.gz"))
    sound, data = path.read_bytes(), np.asarray(nibabel.load(path).dataobj)
    if what == "cut short":
        path.write_bytes(sound[: len(sound) // 2])
    elif what == "damaged":
        path.write_bytes(sound[:-8] + bytes(4) + sound[-4:])
    elif what == "volumes":
        save(path, data[..., :-1])
    elif what == "voxels along axis":
        raw = bytearray(gzip.decompress(sound))
        raw[42:44] = (0).to_bytes(2, "little")
        path.write_bytes(gzip.compress(raw))
    elif what == "frames":
        told = {"FrameTimesStart": [start + 5 for start in SIDECAR["FrameTimesStart"]]}
        path.with_name(path.name.replace(".nii.gz", ".json")).write_text(json.dumps(told))
    elif what == "is a link":
        path.unlink()
        path.symlink_to("nowhere")
    else:
        save(path, data[..., 0])
    ended = raphe("run", files.root, files.out, "all", "--maps")
    assert ended.code == 3
    (line,) = [line for line in ended.err.splitlines() if "a scan failed" in line]
    assert line.startswith("raphe run: error: a scan failed. sub-01_ses-baseline: ")
    assert {"3D": "is a single volume"}.get(what, what) in line
    assert str(files.table if what == "frames" else path) in line
    assert not (files.out / "sub-01/ses-baseline").exists()
    assert not list(files.out.glob("provenance/sub-01_ses-baseline*"))
    assert maps_of(files, "02", "baseline")


def test_check_says_which_scans_have_no_image_or_mask_for_the_maps_of_the_plan(files, images, raphe):
    files.plan.write_text(files.plan.read_text() + "\n[maps]\n")
    assert raphe("check", files.root).code == 0
    next(files.table.parent.glob("*_pet.nii.gz")).unlink()
    ended = raphe("check", files.root)
    assert ended.code == 2
    assert f"{files.table}: maps are asked for, but there is no dynamic image" in ended.out
    files.plan.write_text(files.plan.read_text() + 'mask = "brain"\n')
    assert raphe("check", files.root).out.count("asks for a brain mask") >= 1


def test_what_would_be_mapped_is_told(files, images, raphe):
    ended = raphe("run", files.root, files.out, "all", "--maps", "--dry-run")
    assert f"would map {next(files.table.parent.glob('*_pet.nii.gz'))}" in ended.out
    assert not files.out.exists()


def test_several_scans_at_a_time_give_the_same_maps(files, images, raphe, tmp_path):
    files.plan.write_text(f"{files.plan.read_text()}\n[maps]\nsmoothing = 4\n")
    assert raphe("run", files.root, files.out, "participant").code == 0
    other = tmp_path / "other"
    assert raphe("run", files.root, other, "participant", "--workers", 2).code == 0
    for name, path in maps_of(files).items():
        assert path.read_bytes() == (other / "sub-01/ses-baseline/pet" / name).read_bytes()


def test_too_little_memory_names_ways_out_of_run(files, images, refused, monkeypatch):
    run = ("run", files.root, files.out, "participant", "--maps", "--quiet")
    monkeypatch.setattr("raphe.pipeline.scan_maps.limit_of", lambda *_: 10**6)
    words = ["1M of memory are too little", "free at least", "--workers", "brain mask"]
    refused(*run, words=words)
    monkeypatch.undo()
    monkeypatch.setattr(voxels, "voxels_at_once", lambda *_, **__: 128)
    monkeypatch.setattr(voxels, "held", lambda: 1 << 60)
    files.plan.write_text(f"{files.plan.read_text()}\n[maps]\nsmoothing = 4\n")
    words = ["smoothing needs all 400 voxels of the mask at once", "--workers", "desc-brain_mask.nii.gz"]
    refused(*run, words=words)


@pytest.mark.parametrize("options", ["", "regularise = true"])
def test_parts_that_the_memory_can_hold_give_the_same_maps(files, images, raphe, tmp_path, monkeypatch, options):
    files.plan.write_text(f"{files.plan.read_text()}\n[maps]\n{options}\n")
    assert raphe("run", files.root, files.out, "participant").code == 0
    whole = {name: path.read_bytes() for name, path in maps_of(files).items()}
    monkeypatch.setattr(voxels, "voxels_at_once", lambda *_, **__: 128)
    monkeypatch.setattr(voxels, "held", lambda: 1 << 60)
    monkeypatch.setattr(voxelwise, "CHUNK", 128)
    assert raphe("run", files.root, files.out, "participant", "--restart").code == 0
    assert whole == {name: path.read_bytes() for name, path in maps_of(files).items()}


def test_an_image_that_is_gone_takes_one_scan_from_the_study_and_not_all(files, images, raphe):
    path = next(files.table.parent.glob("*_pet.nii.gz"))
    path.unlink()
    path.symlink_to("nowhere")
    assert raphe("run", files.root, files.out, "participant", "--maps").code == 3
    ended = raphe("run", files.root, files.out, "group", "--maps")
    assert ended.code == 1
    assert f"sub-01_ses-baseline takes no part: {path} is a link to nowhere" in ended.err
