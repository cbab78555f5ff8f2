"""Real data, as different programs write them, are read or refused for their true reasons."""

import numpy as np
import pytest

from raphe.errors import TimingError
from raphe.io.bids import load_curves, load_reference, read_study
from raphe.io.check import check_dataset
from raphe.io.curves import read_curves
from raphe.io.sidecar import read_sidecar


def test_petprep_curves_without_own_sidecars(shared_data):
    root = shared_data / "tacs/dasb-test-retest"
    study = read_study(root)
    assert study.sessions == ("baseline", "rescan")
    for pvc, n_scan in ((None, 2), ("agtm", 2)):
        tables = study.choose(pvc)
        assert len(tables) == n_scan
        curves = load_curves(tables[0])
        assert curves.tacs.activity.shape == (102, 36)
        assert curves.tacs.frames.end[-1] == 90
        assert 10 < curves.tacs.curve("left_thalamus").max() < 200  # kBq/mL
        assert curves.findings == ()
    assert [one.severity for one in check_dataset(root)] == ["warning"]


def test_a_whole_study_whose_dose_is_wrong(shared_data):
    root = shared_data / "tacs/mc1-test-retest"
    study = read_study(root)
    assert study.sessions == ("test", "retest")
    assert len(study.choose()) == 34
    curves = load_curves(study.tables[0])
    assert np.isfinite(curves.tacs.volumes).mean() > 0.9
    findings = check_dataset(root, blood=False)
    assert {one.severity for one in findings} == {"warning"}
    assert all("RadionuclideTotalDose" in one.message for one in findings if one.field == "InjectedRadioactivity")
    assert sum(one.field == "InjectedRadioactivity" for one in findings) == 34


def test_derivatives_beside_the_raw_data_with_reference_curves(shared_data):
    root = shared_data / "tacs/ps13"
    study = read_study(root / "raw", [root / "derivatives/petprep"])
    (table,) = study.choose(seg="gtm")
    assert sorted(table.references) == ["cerebellum", "neocortex"]
    curves = load_curves(table)
    cortex = [curves.tacs.curve(f"{side}-Cerebellum-Cortex") for side in ("Left", "Right")]
    reference = load_reference(table, "cerebellum").tacs.activity[0]
    np.testing.assert_allclose(reference, np.mean(cortex, axis=0), rtol=0.5)
    (thalamus,) = study.choose(pvc="MG", seg="thalamicNuclei")
    assert load_curves(thalamus).tacs.volumes.min() > 0


@pytest.mark.parametrize("pattern", ["tacs/simref/*_tacs.csv", "tacs/pbr28/*_tacs.csv"])
def test_tables_whose_first_frame_has_no_length(shared_data, pattern):
    for path in sorted(shared_data.glob(pattern)):
        with pytest.raises(TimingError, match="line 2: frame 1, which starts at 0 s, has zero length"):
            read_curves(path, unit="kBq/mL")
        curves = read_curves(path, unit="kBq/mL", half_life=20.4, frames=slice(1, None))
        assert 90 < curves.tacs.frames.end[-1] < 95


@pytest.mark.parametrize("name", ["pet001", "pet003", "pet004"])
def test_sidecars_that_hold_end_times(shared_data, name):
    for path in (shared_data / "formats" / name).glob("**/*_pet.json"):
        with pytest.raises(TimingError, match="it holds end times"):
            read_sidecar([path])


@pytest.mark.parametrize(("name", "tracer"), [("pet002", "DASB"), ("pet005", "AZ10419369")])
def test_sound_sidecars(shared_data, name, tracer):
    for path in (shared_data / "formats" / name).glob("**/*_pet.json"):
        sidecar = read_sidecar([path])
        assert (sidecar.tracer, sidecar.radionuclide) == (tracer, "C11")
        assert sidecar.findings == ()
