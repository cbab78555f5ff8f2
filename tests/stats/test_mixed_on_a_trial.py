"""The published trial of an antidepressant (HAMD17, 172 people, four visits) by gls and by a second route in R."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import numpy as np
import pytest

from mixed_truth import covariate, factor, said
from raphe.stats.columns import Factor
from raphe.stats.design import design_of
from raphe.stats.longitudinal import fit_mixed

TABLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "clinical" / "antidepressant_data_rbmi.csv"

pytestmark = pytest.mark.skipif(not TABLE.exists(), reason=f"the trial's table {TABLE} is not there")

UNSTRUCTURED = """
gls:beta1 3.56344446 1.149103016 0 0
gls:beta2 -0.2951639871 0.06091027018 0 0
gls:beta3 0.1143131568 0.6824730493 0 0
gls:beta4 -1.091208051 0.5058559095 0 0
gls:beta5 -2.32840561 0.5949547244 0 0
gls:beta6 -3.068446092 0.6679427998 0 0
gls:beta7 -1.545898461 0.7238751095 0 0
gls:beta8 -2.528784706 0.8498806937 0 0
gls:beta9 -2.986430451 0.9512179622 0 0
gls:logLik -1743.0145391128 0 0 0
gls:difference1 0.1143131568 0.6824730493 0 0
gls:difference2 -1.431585304 0.9182713293 0 0
gls:difference3 -2.414471549 0.9942944483 0 0
gls:difference4 -2.872117295 1.102846479 0 0
logLik -1743.0145391127 0 0 0
s:beta1 3.563445259 1.149103902 170.6512478 0.002256583418
k:beta1 3.563445259 1.166301526 170.4293618 0.002609917045
s:beta2 -0.2951640336 0.06091031639 168.8869867 2.838364708e-06
k:beta2 -0.2951640336 0.06200622076 168.5702616 4.140758519e-06
s:beta3 0.1143132236 0.6824736179 169.1461774 0.8671780131
k:beta3 0.1143132236 0.682677595 169.1986797 0.8672172652
s:beta4 -1.091208078 0.5058557831 157.1194197 0.0325138467
k:beta4 -1.091208078 0.5061074805 156.6546372 0.03260352758
s:beta5 -2.328405687 0.5949545124 151.4243297 0.0001370390193
k:beta5 -2.328405687 0.5955950591 152.4859937 0.000138852771
s:beta6 -3.068446243 0.6679425249 141.5774311 9.532057568e-06
k:beta6 -3.068446243 0.6698385626 146.0187249 9.847444766e-06
s:beta7 -1.545898457 0.7238749286 157.5445792 0.03425850642
k:beta7 -1.545898457 0.7242832326 157.0798786 0.03436308518
s:beta8 -2.52878466 0.849880391 151.4734468 0.003406104386
k:beta8 -2.52878466 0.850785204 152.533318 0.003435934768
s:beta9 -2.986430416 0.9512175701 140.8381181 0.002061683453
k:beta9 -2.986430416 0.9537818494 145.2771362 0.002105730631
s:difference1 0.1143132236 0.6824736179 169.1461774 0.8671780131
k:difference1 0.1143132236 0.682677595 169.1986797 0.8672172652
s:difference2 -1.431585233 0.9182714066 166.947504 0.120890005
k:difference2 -1.431585233 0.9187532918 165.7619396 0.1210971993
s:difference3 -2.414471436 0.9942943154 163.4630403 0.01625330376
k:difference3 -2.414471436 0.9952296131 161.6316131 0.01636467284
s:difference4 -2.872117193 1.102846265 152.5214373 0.01011715658
k:difference4 -2.872117193 1.105198552 156.3434525 0.01025191162
"""
"""Rscript benchmarks/mixed_models.R mmrm-unstructured TABLE (versions: mixed_truth.py): change by baseline, arm, visit.

Lines ``gls:`` are nlme's gls with corSymm and varIdent, whose search stops early; the others are the second fit.
"""


@pytest.fixture(scope="module")
def table():
    with TABLE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: tuple(row[name] for row in rows) for name in rows[0]}


def fitted(table, df, **options):
    arm, visit = Factor("THERAPY", table["THERAPY"], ("PLACEBO", "DRUG")), factor(table, "VISIT")
    terms = [("BASVAL",), ("THERAPY",), ("VISIT",), ("THERAPY", "VISIT")]
    design = design_of([covariate(table, "BASVAL"), arm, visit], terms)
    outcome = np.array(table["CHANGE"], dtype=float)
    return fit_mixed(outcome, design, table["PATIENT"], visit=visit, df=df, between=["THERAPY"], **options)


@pytest.mark.parametrize(("short", "df"), [("s", "satterthwaite"), ("k", "kenward-roger")])
def test_the_trial_is_that_of_r(table, short, df):
    expected, model = said(UNSTRUCTURED), fitted(table, df)
    found = {f"beta{i}": effect for i, effect in enumerate(model.coefficients.values(), 1)}
    for i, visit in enumerate("4567", 1):
        drug, placebo = {"THERAPY": "DRUG", "VISIT": visit}, {"THERAPY": "PLACEBO", "VISIT": visit}
        found[f"difference{i}"] = model.difference(drug, placebo)
    for name, effect in found.items():
        estimate, se, freedom, p = expected[f"{short}:{name}"]
        assert effect.estimate == pytest.approx(estimate, abs=1e-6)
        assert effect.se == pytest.approx(se, abs=1e-5)
        assert effect.df == pytest.approx(freedom, abs=1e-3)
        assert effect.p == pytest.approx(p, abs=1e-4)
        assert effect.estimate == pytest.approx(expected[f"gls:{name}"][0], abs=1e-5)
    assert model.log_likelihood == pytest.approx(expected["logLik"][0], abs=1e-7)
    assert model.log_likelihood > expected["gls:logLik"][0] - 1e-9
    assert (model.n, model.n_subject) == (608, 172)


def test_a_fit_takes_well_below_a_second(table):
    fitted(table, "kenward-roger")
    began = time.process_time()
    fitted(table, "kenward-roger")
    assert time.process_time() - began < 0.5
