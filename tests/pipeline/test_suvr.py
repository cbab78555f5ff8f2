"""Late ratios with and without partial-volume correction, from tables of curves that are known."""

from types import SimpleNamespace

import numpy as np
import pytest

from raphe.core.frames import Frames
from raphe.data.scan import Scan
from raphe.data.tacs import TACs
from raphe.io import derivatives as names
from raphe.io.tacs import write_tacs
from raphe.pipeline.suvr_of import suvr_of

SCAN = Scan("01", "base", (("trc", "DASB"),), "DASB", "C11", 20.4)
FRAMES = Frames(np.array([0.0, 30.0, 60.0, 80.0]), np.array([30.0, 30.0, 20.0, 10.0]))
CURVES = {"putamen": [9, 9, 6, 3], "thalamus": [9, 9, 4, 4], "cerebellum": [9, 9, 2, 2]}


def analysis(*reference, needs=("reference",)):
    return SimpleNamespace(reference=reference, merges={}, needs=lambda what: what in needs)


def write(out, pvc=None, factor=1.0, curves=CURVES):
    activity = np.array(list(curves.values()), dtype=float)
    activity[0] *= factor
    write_tacs(names.tacs(out, SCAN, "A", pvc), TACs(activity, FRAMES, tuple(curves), np.ones(len(curves))), SCAN)


def test_ratios_are_those_of_late_means_weighted_by_length(tmp_path):
    write(tmp_path)
    write(tmp_path, "GTM", 2.0)
    found = suvr_of(tmp_path, SCAN, "A", ["thalamus", "putamen"], analysis("pons", "cerebellum"))
    assert (found.start, found.end, found.methods, found.reference) == (60.0, 90.0, ("", "GTM"), ("cerebellum",))
    np.testing.assert_allclose(found.values, [[2.0, 2.5], [2.0, 5.0]])


def test_each_table_has_the_reference_of_its_own_fits(tmp_path):
    """A corrected curve its corrected reference, another than the mean of the regions of that name."""
    for pvc, reference in ((None, [8, 8, 3, 3]), ("GTM", [8, 8, 1, 1])):
        write(tmp_path, pvc)
        path = names.reference_curve(tmp_path, SCAN, "cerebellar_grey", pvc)
        write_tacs(path, TACs(np.array([reference], dtype=float), FRAMES, ("cerebellar_grey",), np.ones(1)), SCAN)
    found = suvr_of(tmp_path, SCAN, "A", ["thalamus"], analysis("cerebellar grey", "cerebellum"))
    assert found.reference == ("cerebellar_grey",)
    np.testing.assert_allclose(found.values, [[4 / 3], [4.0]])
    of_others = suvr_of(tmp_path, SCAN, "A", ["thalamus"], analysis("cerebellum"))
    assert of_others.reference == ("cerebellum",)
    np.testing.assert_allclose(of_others.values, [[2.0], [2.0]])


@pytest.mark.parametrize(
    ("pvc", "chosen"),
    [(None, analysis("cerebellum")), ("GTM", analysis("pons")), ("GTM", analysis("cerebellum", needs=("plasma",)))],
)
def test_nothing_is_told_without_correction_reference_or_need(tmp_path, pvc, chosen):
    write(tmp_path)
    if pvc:
        write(tmp_path, pvc)
    assert suvr_of(tmp_path, SCAN, "A", ["putamen"], chosen) is None


def test_a_reference_without_late_activity_gives_no_number(tmp_path):
    for pvc in (None, "GTM"):
        write(tmp_path, pvc, curves={**CURVES, "cerebellum": [9, 9, 0, 0]})
    assert np.isnan(suvr_of(tmp_path, SCAN, "A", ["putamen"], analysis("cerebellum")).values).all()
