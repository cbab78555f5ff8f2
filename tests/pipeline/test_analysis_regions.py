"""Which curves of a table are fitted where no region is named, and whose choices hold."""

import numpy as np
import pytest

from raphe.core.frames import Frames
from raphe.data.tacs import TACs
from raphe.errors import InputError
from raphe.pipeline.analysis import Material, analyse
from raphe.pipeline.choices import Analysis, choose

FRAMES = Frames(np.arange(20.0), np.ones(20))


def fitted(names, reference, **more):
    time = FRAMES.mid
    curves = [time * np.exp(-0.1 * (1 + 0.1 * i) * time) for i in range(len(names))]
    analysis = Analysis(("MRTM1",), (reference,), weights="uniform", **more)
    (result,), _ = analyse(Material(TACs(np.array(curves), FRAMES, tuple(names)), None), analysis)
    return result.names


@pytest.mark.parametrize("reference", ["cerebellar_grey", "cerebellar grey", "Cerebellum-Cortex"])
def test_the_reference_is_not_fitted_against_itself_however_it_is_spelled(reference):
    assert fitted(["cerebellar_grey", "putamen"], reference) == ("putamen",)


def test_neither_are_the_sides_of_a_reference_that_is_made_of_them():
    names = ["Left-Cerebellum-Cortex", "Right-Cerebellum-Cortex", "putamen"]
    assert fitted(names, "cerebellar grey") == ("putamen",)


def test_nor_a_reference_that_the_plan_merges():
    merges = {"back": ["crus", "lobule"], "all": ["putamen", "crus"]}
    assert fitted(["crus", "lobule", "putamen"], "back", merges=merges) == ("putamen", "all")


def test_a_region_that_is_named_is_fitted_whatever_it_is():
    names = ["cerebellar_grey", "putamen"]
    assert fitted(names, "cerebellar grey", regions=("cerebellar grey", "putamen")) == ("cerebellar grey", "putamen")


def test_a_reference_alone_leaves_nothing_to_fit():
    with pytest.raises(InputError, match="no curve to fit besides the reference region 'cerebellar grey'"):
        fitted(["cerebellar_grey"], "cerebellar grey")


def test_what_the_plan_says_for_its_own_model_is_left_aside_for_another_of_the_command_line():
    plan = ("plan", {"models": ("MRTM2",), "k2_prime": 0.06, "reference": ("cerebellum",)})
    chosen = choose([("command line", {"models": ("SRTM",)}), plan], None, "X")
    assert (chosen.models, chosen.k2_prime) == (("SRTM",), None)
    with pytest.raises(InputError, match="SRTM has no k2_prime, but the command line gives one"):
        choose([("command line", {"models": ("SRTM",), "k2_prime": 0.06}), plan], None, "X")
    with pytest.raises(InputError, match="SRTM has no k2_prime, but the plan gives one"):
        choose([("command line", {}), ("plan", {**plan[1], "models": ("SRTM",)})], None, "X")
