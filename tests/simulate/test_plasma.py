import csv
import json
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from raphe.cli import main
from raphe.core.frames import Frames
from raphe.simulate.curves import feng_input, parent_fraction, plasma_input, scan_curves
from raphe.simulate.plasma import arterial
from raphe.simulate.scans import plasma_total
from raphe.simulate.study import simulate_study

FRAMES = Frames(np.array([0.0, 1.0, 3.0, 10.0, 30.0]), np.array([1.0, 2.0, 7.0, 20.0, 60.0]))
K1 = 0.3

PLAN = """
[study]
title = "Arterial input"
species = "human"
participants = 1

[[tracer]]
name = "DASB"
schedule = "90 min"
model = "2TCM"
k4 = { value = 0.05, source = "assumption" }

[[session]]
label = "baseline"

[regions]
list = ["putamen", "caudate", "thalamus"]

[blood]
percent = { value = 0.0, source = "assumption" }
V_B = { value = 0.05, source = "assumption" }

[variability]
between = { value = 0.5, source = "assumption" }
within = { value = 0.5, source = "assumption" }

[noise]
percent = { value = 0.0, source = "assumption" }
"""


def averages(edges, rhs, size):
    """Frame averages of the sum of the states, by an ODE solver; the last states hold their integrals."""

    def whole(t, y):
        slope = rhs(t, y[:size])
        return [*slope, sum(y[:size])]

    found = solve_ivp(whole, (0, edges[-1]), np.zeros(size + 1), t_eval=edges, rtol=1e-10, atol=1e-13, max_step=0.1)
    return np.diff(found.y[-1]) / np.diff(edges)


@pytest.mark.parametrize(("R1", "BP_ND", "k4"), [(1.1, 2.0, 0.05), (0.8, 0.3, 0.2), (1.0, 6.0, 0.015)])
def test_two_compartments_are_those_of_an_ode_solver(R1, BP_ND, k4):
    k2_prime, k2, k3 = 0.08, 0.08 * R1, BP_ND * k4
    reference, tissue = scan_curves(FRAMES, np.array([R1]), k2_prime, np.array([BP_ND]), 20.0, k4)
    edges = np.concatenate([FRAMES.start, FRAMES.end[-1:]])
    source = plasma_input(feng_input())

    def own(t, y):
        free, bound = y
        return [R1 * source.at(np.array(t)) - (k2 + k3) * free + k4 * bound, k3 * free - k4 * bound]

    def other(t, y):
        return [source.at(np.array(t)) - k2_prime * y[0]]

    scale = 20.0 / averages(edges, other, 1).max()
    np.testing.assert_allclose(reference, scale * averages(edges, other, 1), rtol=1e-6)
    np.testing.assert_allclose(tissue[0], scale * averages(edges, own, 2), rtol=1e-6)


@pytest.mark.parametrize("tracer", ["AZ10419369", "DASB"])
def test_the_blood_is_that_which_makes_the_curves(tracer):
    """The reference's curve is the convolution of the parent in plasma with its own response."""
    k2_prime, total = 0.1, plasma_total(tracer)
    reference, _ = scan_curves(FRAMES, np.ones(1), k2_prime, np.zeros(1), 15.0, total=total)
    blood = arterial(FRAMES, total, k2_prime, 15.0, K1).whole_blood
    edges = np.concatenate([FRAMES.start, FRAMES.end[-1:]])

    def rhs(t, y):
        return [K1 * blood.at(np.array(t)) * parent_fraction(np.array(t)) - k2_prime * y[0]]

    np.testing.assert_allclose(reference, averages(edges, rhs, 1), rtol=1e-6)


def test_averages_over_frames_are_integrals():
    curve = feng_input()
    edges = np.concatenate([FRAMES.start, FRAMES.end[-1:]])
    fine = [np.linspace(a, b, 20001) for a, b in pairwise(edges)]
    want = [np.trapezoid(curve.at(t), t) / (t[-1] - t[0]) for t in fine]
    np.testing.assert_allclose(curve.averages(FRAMES), want, rtol=1e-6)


def test_samples_have_the_noise_that_is_asked_for_and_end_with_the_scan():
    blood = arterial(FRAMES, feng_input(), 0.1, 15.0, K1)
    exact = blood.samples(90.0, 0.0, np.random.default_rng(0))
    assert exact[0, 0] == exact[0, 1] == 0
    assert exact[-1, 0] == 5400
    assert np.all(np.diff(exact[:, 0]) > 0)
    np.testing.assert_allclose(exact[:, 3], parent_fraction(exact[:, 0] / 60))
    noisy = np.array([blood.samples(90.0, 3.0, np.random.default_rng(n)) for n in range(400)])
    spread = noisy[:, 1:, 1].std(axis=0) / exact[1:, 1]
    np.testing.assert_allclose(spread, 0.03, rtol=0.15)
    assert (noisy[:, :, 3] >= 0).all()
    assert (noisy[:, :, 3] <= 1).all()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plasma")
    (folder / "plan.toml").write_text(PLAN)
    simulate_study(folder / "plan.toml", folder / "study", tacs_only=True)
    return folder / "study"


def test_a_run_with_the_samples_gives_back_volumes_of_distribution(study, tmp_path, capsys):
    assert main(["run", str(study), str(tmp_path / "out"), "participant", "--quiet"]) in (0, 1)
    capsys.readouterr()
    with (study / "truth" / "parameters.tsv").open() as file:
        truth = {row["region"]: row for row in csv.DictReader(file, delimiter="\t")}
    (table,) = (tmp_path / "out").rglob("*_model-2TCM_kinpar.tsv")
    with table.open() as file:
        rows = {row["name"].replace("_", " "): row for row in csv.DictReader(file, delimiter="\t")}
    for region, true in truth.items():
        # 26 samples by hand draw the peak of the input only roughly
        assert float(rows[region]["VT"]) == pytest.approx(float(true["VT"]), rel=0.05)
        assert float(rows[region]["K1"]) == pytest.approx(float(true["K1"]), rel=0.1)


def test_samples_are_bids(study):
    (table,) = study.rglob("*_recording-manual_blood.tsv")
    told = json.loads(table.with_suffix(".json").read_text())
    assert told["PlasmaAvail"] is told["WholeBloodAvail"] is told["MetaboliteAvail"] is True
    assert told["plasma_radioactivity"]["Units"] == "kBq/mL"
    assert table.read_text().splitlines()[0].split("\t")[0] == "time"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("k4 = { value = 0.05", "k4 = { value = 0.0", ["DASB", "k4", "positive"]),
        ("percent = { value = 0.0", "percent = { value = -1.0", ["[blood] percent", "-1"]),
        ("V_B = { value = 0.05", "V_B = { value = 1.5", ["[blood] V_B", "1.5"]),
    ],
)
def test_blood_that_cannot_be_is_refused(tmp_path, capsys, old, new, words):
    (tmp_path / "plan.toml").write_text(PLAN.replace(old, new, 1))
    assert main(["simulate", str(tmp_path / "plan.toml"), str(tmp_path / "out"), "--tacs-only"]) == 2
    said = capsys.readouterr().err
    assert all(word in said for word in words), said
    assert not (tmp_path / "out").exists()
