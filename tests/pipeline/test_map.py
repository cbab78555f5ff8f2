"""``raphe map`` as its user meets it: the maps of an image of known regions are what ``raphe fit`` says of them."""

import json
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
from backports import zstd
from tests.pipeline.conftest import LABELS
from tests.pipeline.test_blood_studies import BLOOD, SECONDS, V_ND, blood_of, parent

from raphe.core.weights import FORMULAS
from raphe.pipeline import maps as maps_module
from raphe.quality import Quality
from raphe.simulate import blocks

MODELS = {
    "SRTM": (),
    "SRTM2": ("--k2-prime", "0.06"),
    "MRTM1": ("--t-star", "5"),
    "MRTM2": ("--k2-prime", "0.06"),
    "LoganRef": ("--t-star", "30"),
    "SUVR": ("--window", "40:70"),
    "PatlakRef": ("--t-star", "20"),
}


def load(path):
    return np.asarray(nibabel.load(path).dataobj)


@pytest.fixture
def mapped(scan, raphe):
    """Map the scan and give the maps by name, and how the command ended."""

    def run(*words, pet=None, mask="brain", reference=True, out=None):
        out = out or scan.files.out
        command = ["map", pet or scan.pet, *words, "--out", out]
        command += ["--mask", scan.folder / f"{mask}_mask.nii.gz"] if mask else []
        command += ["--reference", scan.reference] if reference else []
        ended = raphe(*command)
        assert ended.code == 0, ended.err
        return {path.name.split("_model-")[1].removesuffix("_mimap.nii.gz"): load(path) for path in paths(ended)}, ended

    return run


def paths(ended):
    return [Path(line) for line in ended.out.splitlines()]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("more", [(), ("--convention", "midframe", "--weights", "uniform")], ids=["plain", "peers"])
def test_a_map_of_constant_regions_is_the_table_of_the_regions(scan, mapped, raphe, rows_of, model, more, tmp_path):
    words = ("--model", model, *MODELS[model], *more)
    maps, _ = mapped(*words)
    assert raphe("fit", scan.table, *words, "--reference", "cerebellum", "--out", tmp_path / "fit").code <= 1
    (table,) = (tmp_path / "fit").glob("*.tsv")
    columns = [name for name in rows_of(table)[0] if f"{name}-se" in rows_of(table)[0]]
    assert {name.split("meas-")[1] for name in maps} == {
        *columns, *(f"{name}_stat-se" for name in columns), "quality"
    }  # fmt: skip
    for row in rows_of(table):
        where = scan.labels == LABELS[row["name"]]
        for name in columns:
            value = maps[f"{model}_meas-{name}"][where]
            assert value == pytest.approx(float(row[name]), rel=1e-5)
            se = maps[f"{model}_meas-{name}_stat-se"][where]
            assert se == pytest.approx(abs(float(row[name])) * float(row[f"{name}-se"]) / 100, rel=1e-4)
    for name, values in maps.items():
        outside = values[scan.labels == 0]
        assert (outside == 255).all() if name.endswith("quality") else np.isnan(outside).all()


def test_several_models_and_k2_prime_from_the_voxels(scan, mapped):
    maps, ended = mapped("--model", "SRTM2", "MRTM2", "LoganRef", "--k2-prime", "auto")
    told = json.loads((scan.files.out / "sub-01_ses-baseline_model-SRTM2_meas-BPND_mimap.json").read_text())
    assert told["InputValuesLabels"] == ["k2prime"]
    assert told["InputValues"][0] == pytest.approx(0.06, rel=0.01)
    assert "weighted median over 168 voxels, by SRTM" in told["Notes"]["k2prime"]
    other = json.loads((scan.files.out / "sub-01_ses-baseline_model-MRTM2_meas-BPND_mimap.json").read_text())
    assert "by MRTM1" in other["Notes"]["k2prime"]
    assert "by SRTM" in ended.err
    for model in ("SRTM2", "MRTM2", "LoganRef"):
        value = maps[f"{model}_meas-BPND"]
        assert value[scan.labels == 1] == pytest.approx(1.9, rel=0.02)
        assert value[scan.labels == 4] == pytest.approx(0.7, rel=0.03)


def test_the_reference_may_be_a_mask_or_a_label_or_a_region_of_a_table(scan, mapped, tmp_path):
    words = ("--model", "MRTM2", "--k2-prime", "0.06")
    named, _ = mapped(*words)
    for at, reference in enumerate(
        (
            ("--reference", scan.folder / "reference_mask.nii.gz"),
            ("--reference", scan.folder / "labels.nii.gz", "--label", "5"),
            ("--reference", scan.table),  # the catalog knows the region of the tracer
        )
    ):
        other, _ = mapped(*words, *reference, reference=False, out=tmp_path / str(at))
        for name, values in named.items():
            np.testing.assert_allclose(other[name], values, rtol=1e-5, atol=1e-8)


def test_without_a_mask_the_voxels_of_activity_are_mapped_and_that_is_said(scan, mapped):
    given, _ = mapped("--model", "SUVR", "--window", "40:70")
    found, ended = mapped("--model", "SUVR", "--window", "40:70", mask=None, out=scan.files.out / "b")
    for name, values in given.items():
        np.testing.assert_array_equal(found[name], values)
    assert "no mask was given" in ended.err
    told = json.loads((scan.files.out / "b" / "sub-01_ses-baseline_model-SUVR_meas-SUVR_mimap.json").read_text())
    assert "99.0th percentile" in told["Mask"]["Rule"]
    assert told["Mask"]["NumberOfVoxels"] == (scan.labels > 0).sum()


def test_the_digits_do_not_depend_on_threads_memory_or_compression(scan, mapped, tmp_path, monkeypatch):
    random = np.random.default_rng(1)
    data = scan.data
    scan.save((data * random.normal(1, 0.05, data.shape)).astype(np.float32))
    whole = nibabel.load(scan.pet)
    for folder in ("plain", "zst"):
        (tmp_path / folder).mkdir()
        shutil.copy(scan.files.pet, tmp_path / folder)
    plain = tmp_path / "plain" / scan.pet.name.removesuffix(".gz")
    nibabel.save(whole, plain)
    packed = tmp_path / "zst" / f"{plain.name}.zst"
    packed.write_bytes(zstd.compress(plain.read_bytes()))
    monkeypatch.setattr("raphe.pipeline.memory.CHUNK", 64)
    monkeypatch.setattr("raphe.kinetics.voxelwise.CHUNK", 64)
    words = ("--model", "SRTM", "MRTM2", "--k2-prime", "auto")
    first, _ = mapped(*words)
    for at, (more, pet, mask) in enumerate(
        ((("--workers", "2"), scan.pet, "brain"), ((), plain, "brain"), ((), packed, None))
    ):
        other, _ = mapped(*words, *more, pet=pet, mask=mask, out=tmp_path / f"out{at}")
        for name, values in first.items():
            np.testing.assert_array_equal(other[name], values)
    for at, mask in enumerate(("brain", None)):
        with monkeypatch.context() as patch:
            patch.setattr("raphe.pipeline.voxels.voxels_at_once", lambda *_, **__: 128)
            patch.setattr("raphe.pipeline.voxels.held", lambda: 1 << 60)
            other, ended = mapped(*words, mask=mask, out=tmp_path / f"parts{at}")
        assert "is read 2 times" in ended.err
        for name, values in first.items():
            np.testing.assert_array_equal(other[name], values)


def test_unit_decay_and_scaling_are_undone_at_the_door(scan, mapped, tmp_path):
    """An image in kBq/mL, not corrected for decay, as big-endian whole numbers, says the same."""
    words = ("--model", "SUVR", "--window", "40:70", "--reference", scan.folder / "reference_mask.nii.gz")
    first, _ = mapped(*words, reference=False)
    start = np.array(scan.files.fields()["FrameTimesStart"]) / 60
    end = start + np.array(scan.files.fields()["FrameDuration"]) / 60
    rate = np.log(2) / 20.364
    left = (np.exp(-rate * start) - np.exp(-rate * end)) / (rate * (end - start))
    raw = scan.data * left / 1000
    header = nibabel.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    scan.save(raw, header=header)
    assert nibabel.load(scan.pet).header.endianness == ">"
    scan.files.tell(Units="kBq/mL", ImageDecayCorrected=False)
    other, _ = mapped(*words, reference=False, out=tmp_path / "other")
    np.testing.assert_allclose(other["SUVR_meas-SUVR"], first["SUVR_meas-SUVR"], rtol=3e-3)


def test_the_header_of_a_map_is_that_of_the_image(scan, mapped):
    image = nibabel.load(scan.pet)
    image.header.set_qform(image.affine, code=1)  # without its shear, so near it but another
    image.header.set_sform(image.affine, code=4)
    nibabel.save(nibabel.Nifti1Image(image.dataobj, None, image.header), scan.pet)
    source = nibabel.load(scan.pet)
    mapped("--model", "SUVR", "--window", "40:70", mask=None)
    for name, dtype in (("SUVR", np.float32), ("quality", np.uint8)):
        found = nibabel.load(scan.files.out / f"sub-01_ses-baseline_model-SUVR_meas-{name}_mimap.nii.gz")
        assert found.shape == source.shape[:3]
        assert found.get_data_dtype() == dtype
        np.testing.assert_array_equal(found.affine, source.affine)
        for code in ("qform_code", "sform_code"):
            assert found.header[code] == source.header[code]
        np.testing.assert_allclose(found.get_qform(), source.get_qform(), atol=1e-4)
        assert found.header.get_xyzt_units()[0] == "mm"


def test_a_voxel_that_holds_no_numbers_is_flagged_and_harms_no_other(scan, mapped):
    first, _ = mapped("--model", "MRTM1")
    data = scan.data
    for at, value in (((2, 2, 1), np.nan), ((2, 2, 2), np.inf), ((2, 2, 3), -np.inf)):
        data[(*at, 7)] = value
    data[2, 2, 4] = 0
    data[3, 3, 1] *= -1
    scan.save(data.astype(np.float32))
    broken = [(2, 2, 1), (2, 2, 2), (2, 2, 3), (2, 2, 4)]
    for mask in ("brain", None):
        other, ended = mapped("--model", "MRTM1", mask=mask, out=scan.files.out / str(mask))
        bad = np.zeros(scan.labels.shape, dtype=bool)
        for place in broken[: 4 if mask else 3]:
            bad[place] = True
            assert other["MRTM1_meas-quality"][place] == Quality.BAD_INPUT
            assert np.isnan(other["MRTM1_meas-BPND"][place])
        assert f"{bad.sum()} of these because their values are not numbers" in ended.err
        kept = ~bad & (scan.labels < 5)  # the reference behind itself is singular
        kept[3, 3, 1] = kept[2, 2, 4] = False
        np.testing.assert_allclose(other["MRTM1_meas-BPND"][kept], first["MRTM1_meas-BPND"][kept], rtol=1e-5, atol=1e-5)
        if mask:
            assert np.isfinite(other["MRTM1_meas-BPND"][3, 3, 1])  # negative values are fitted


def test_sidecars_say_what_was_done(scan, mapped):
    mapped("--model", "MRTM2", "--k2-prime", "0.06")
    told = json.loads((scan.files.out / "sub-01_ses-baseline_model-MRTM2_meas-BPND_stat-se_mimap.json").read_text())
    assert told["ModelName"] == "MRTM2"
    assert (told["Parameter"], told["Units"]) == ("BPND", "unitless")
    assert told["ReferenceRegion"] == "cerebellum"
    assert (told["InputValuesLabels"][0], told["InputValues"][0]) == ("k2prime", 0.06)
    assert told["Weights"] == FORMULAS["decay"]
    assert told["Convention"] == "average"
    assert told["CommandLine"].startswith("raphe map")
    assert str(scan.pet) in told["Sources"]
    assert told["Mask"]["NumberOfVoxels"] == (scan.labels > 0).sum()
    assert {"raphe", "numpy"} <= set(told["SoftwareVersions"])
    assert told["References"]
    flags = json.loads((scan.files.out / "sub-01_ses-baseline_model-MRTM2_meas-quality_mimap.json").read_text())
    assert {int(bit) for bit in flags["QualityFlags"]} == {int(flag) for flag in Quality if flag}
    assert flags["OutsideOfMask"] == 255


def test_frames_may_be_left_out(scan, mapped, raphe, rows_of, tmp_path):
    maps, _ = mapped("--model", "MRTM1", "--frames", "0:30")
    words = ("--model", "MRTM1", "--frames", "0:30", "--reference", "cerebellum", "--out", tmp_path / "fit")
    assert raphe("fit", scan.table, *words).code == 0
    (table,) = (tmp_path / "fit").glob("*.tsv")
    row = next(row for row in rows_of(table) if row["name"] == "putamen")
    assert maps["MRTM1_meas-BPND"][scan.labels == 2] == pytest.approx(float(row["BPND"]), rel=1e-5)


@pytest.fixture
def blood(scan):
    """Samples of blood behind which the regions have one-tissue kinetics."""
    minutes = SECONDS / 60
    lines = [["time", "plasma_radioactivity", "whole_blood_radioactivity", "metabolite_parent_fraction"]]
    lines.append(["0", "0", "0", "1"])
    for second, value in zip(SECONDS, parent(minutes), strict=True):
        lines.append([str(second), f"{value:.8f}", f"{0.8 * value:.8f}", "1"])
    path = blood_of(scan.files)
    scan.files.save(lines, path)
    path.with_suffix(".json").write_text(json.dumps(BLOOD))
    return path


@pytest.mark.parametrize("model", ["Logan", "MA1", "Patlak", "1TCM", "2TCM"])
def test_a_map_behind_plasma_is_the_table_too(scan, mapped, raphe, rows_of, blood, model, tmp_path):
    words = ("--model", model, "--input", blood, "--delay", "0", "--parent-fraction", "interpolation")
    scan.mask("few", (scan.labels > 0) & (np.arange(9)[:, None, None] == 4) & (np.arange(8)[None, :, None] == 4))
    maps, _ = mapped(*words, reference=False, mask="few")
    assert raphe("fit", scan.table, *words, "--out", tmp_path / "fit").code <= 1
    (table,) = (tmp_path / "fit").glob("*kinpar.tsv")
    for row in rows_of(table):
        place = (4, 4, LABELS[row["name"]])
        name = "Ki" if model == "Patlak" else "VT"
        assert maps[f"{model}_meas-{name}"][place] == pytest.approx(float(row[name]), rel=1e-5)


def test_the_delay_is_that_of_the_mean_of_the_mask(scan, mapped, blood, monkeypatch, tmp_path):
    words = ("--model", "Logan", "--t-star", "30", "--input", blood, "--parent-fraction", "interpolation")
    first, _ = mapped(*words, reference=False)
    told = json.loads((scan.files.out / "sub-01_ses-baseline_model-Logan_meas-VT_mimap.json").read_text())
    assert "fitted over the scan" in told["Notes"]["Delay"]
    assert first["Logan_meas-VT"][scan.labels == 1] == pytest.approx(V_ND * 2.9, rel=0.02)
    for module in ("pipeline.map_blood", "kinetics.voxelwise"):
        monkeypatch.setattr(f"raphe.{module}.CHUNK", 64)
    whole, _ = mapped(*words, reference=False, out=tmp_path / "whole")
    monkeypatch.setattr("raphe.pipeline.voxels.voxels_at_once", lambda *_, **__: 128)
    parts, _ = mapped(*words, reference=False, out=tmp_path / "parts")
    np.testing.assert_array_equal(parts["Logan_meas-VT"], whole["Logan_meas-VT"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_what_was_there(scan, raphe, contents, monkeypatch, number):
    words = ("--reference", scan.reference, "--out", scan.files.out)
    assert raphe("map", scan.pet, "--model", "SUVR", "--window", "40:70", *words).code == 0
    before = contents(scan.folder)
    real, calls = maps_module.write_mimap, []

    def stopped(*args):
        real(*args)
        calls.append(args)
        if len(calls) == 2:
            signal.raise_signal(number)

    monkeypatch.setattr(maps_module, "write_mimap", stopped)
    kept = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background are deaf to it
    try:
        ended = raphe("map", scan.pet, "--model", "SUVR", "--window", "30:50", *words)
    finally:
        signal.signal(signal.SIGINT, kept)
    assert (ended.code, ended.out) == (130, "")
    assert len(calls) >= 2
    assert contents(scan.folder) == before


def test_the_example_of_the_help_works_when_pasted(raphe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = next(line for line in raphe("map", "--help").out.splitlines() if line.startswith("Example:  "))
    for line in told.removeprefix("Example:  ").split(" && "):
        words = shlex.split(line)
        assert (raphe(*words[1:]).code if words[0] == "raphe" else blocks.main(words[3:])) == 0
    assert (tmp_path / "maps" / "sub-01_model-SRTM_meas-BPND_mimap.nii.gz").is_file()


def test_quiet_says_nothing_but_the_files(scan, raphe):
    words = ("--model", "SUVR", "--window", "40:70", "--reference", scan.reference, "--out", scan.files.out)
    ended = raphe("map", scan.pet, *words, "--quiet")
    assert (ended.code, ended.err) == (0, "")
    assert all(path.is_file() for path in paths(ended))
    assert {path.name for path in scan.files.out.iterdir()} == {
        f"sub-01_ses-baseline_model-SUVR_meas-{name}_mimap.{end}"
        for name in ("SUVR", "SUVR_stat-se", "quality")
        for end in ("nii.gz", "json")
    }


def test_a_map_loads_no_more_than_it_needs():
    """Each of these takes 7 to 35 MB, which no map that is made without them should hold."""
    heavy = ("scipy.special", "scipy.optimize", "scipy.stats", "scipy.interpolate", "scipy.ndimage", "jinja2", "numba")
    code = f"import sys, raphe.pipeline.map_image; print([m for m in {heavy} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_models_of_a_map_load_no_more_than_they_need():
    """All models are loaded to know one by its name; what a few of them need is theirs to load."""
    heavy = ("scipy.special", "scipy.optimize", "scipy.stats", "scipy.interpolate", "scipy.ndimage", "jinja2")
    models = "from raphe.kinetics import registry; registry.names()"
    code = f"import sys; {models}; print([m for m in {heavy} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_a_k2_prime_in_another_unit_is_doubted(scan, raphe):
    words = ["map", scan.pet, "--model", "MRTM2", "--k2-prime", "3", "--reference", scan.reference]
    ended = raphe(*words, "--mask", scan.folder / "brain_mask.nii.gz", "--out", scan.files.out)
    assert ended.code == 1
    assert "warning: MRTM2: k2' of 3 1/min is outside of 0.005 to 1" in ended.err
