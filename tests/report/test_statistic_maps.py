"""The page says first what is significant after correction, and never more than the arrangements can give."""

import numpy as np
import pytest

from raphe.data.group_map import GroupMap, MapPeak
from raphe.data.image import Grid
from raphe.data.record import Step
from raphe.report.methods import methods
from raphe.report.methods_maps import arrangements
from raphe.report.statistic_maps import MOST, maps_view

SHAPE = (8, 9, 7)
AFFINE = np.diag([2.0, 2, 2, 1])
NAN = float("nan")
PEAK = MapPeak(1, 1, 6.0, 8.0, 4.0, -6.5, 0.01, 0.02, 0.001, 0.03, 0.2, 9, 72.0, 8.0, "left putamen", ("left putamen",))


def step(**changes):
    done = {
        "name": "drug", "kind": "paired", "what": "change in BP_ND of DASB from a to b (b minus a)", "tracer": "DASB",
        "model": "SRTM", "parameter": "BP_ND", "unit": "unitless", "primary": True, "participants": tuple("123456"),
        "arms": (), "excluded": ("sub-7: fell <asleep>",), "space": "TPL", "voxel": (2.0, 2.0, 2.0),
        "smoothing": ("nothing was smoothed",), "mirror": "none", "moved": 0.0, "mask": "brain", "grey": None,
        "n_masked": 504, "atlas": "", "why_no_atlas": "it is not there", "n_voxel": 500,
        "left_out": ("4 voxels do not vary",), "statistics": ("t", "tfce", "cluster"), "permutations": 64,
        "possible": "64", "exact": True, "smallest_p": 2 / 64, "seed": 1, "df": 5, "critical_t": 8.0, "threshold": 5.9,
        "cluster_p": 0.001, "variance_smoothing": None, "p_fwe": 2 / 64, "n_fwe": 3, "p_fwe_tfce": 2 / 64,
        "n_fwe_tfce": 7, "n_clusters": 2, "n_extent_fwe": 1, "n_mass_fwe": 0,
    }  # fmt: skip
    return Step("map_contrast", {**done, **changes}, ("nichols2002",))


def group_map(done, peaks=(PEAK,)):
    rng = np.random.default_rng(0)
    t = rng.normal(size=SHAPE).astype(np.float32)
    t[3, 4, 2] = -6.5
    log = np.zeros(SHAPE, dtype=np.float32)
    log[3, 4, 2] = 2
    return GroupMap("drug", Grid(SHAPE, AFFINE), {"t": t, "logpfwe": log, "tfce": t, "logpfwetfce": log}, peaks, done)


def view(peaks=(PEAK,), **changes):
    found = maps_view([group_map(step(**changes), peaks)], {}, ())
    return found.views[0]


def test_without_anything_there_is_no_section():
    assert maps_view([], {}, ()) is None


def test_what_was_not_made_stands_there_alone():
    found = maps_view([], {}, ["contrast 'x' cannot be made voxel by voxel: no map", "ends well."])
    assert found.views == ()
    assert found.notes == ("contrast 'x' cannot be made voxel by voxel: no map.", "ends well.")


def test_what_is_significant_is_counted_by_each_way():
    told = view()
    assert told.shown
    assert told.verdict.startswith(
        "Significant after correction for the whole map (p at or below 0.05): 3 voxels by height (largest absolute t), "
        "7 voxels by TFCE and 1 of 2 clusters by extent."
    )
    assert "not for being one of several ways" in told.verdict
    assert "by mass" not in told.verdict


def test_nothing_found_is_no_evidence_of_nothing():
    told = view(p_fwe=0.4, n_fwe=0, p_fwe_tfce=0.0625, n_fwe_tfce=0, n_extent_fwe=0)
    assert not told.shown
    assert "the smallest p is 0.400 by the largest absolute t and 0.062 by TFCE" in told.verdict
    assert "no evidence that there is no effect" in told.verdict


def test_four_animals_cannot_show_anything_and_that_is_what_is_said():
    told = view(participants=tuple("1234"), permutations=16, possible="16", smallest_p=0.125, p_fwe=0.125, n_fwe=0,
                p_fwe_tfce=0.125, n_fwe_tfce=0, n_extent_fwe=0)  # fmt: skip
    assert told.verdict.startswith("Nothing can be significant here: these 4 participants have 16 arrangements")
    assert "no p value can be below 0.125" in told.verdict
    assert ("Smallest p that these can give", "0.125") in told.facts


def test_facts_tell_what_was_done_and_what_was_left_out():
    facts = dict(view(arms=("a", "a", "b", "b", "b", "b"), variance_smoothing=6.0, kind="groups").facts)
    assert facts["Participants"] == "6 (2 a and 4 b)"
    assert facts["Smoothing of the variance"] == "6 mm FWHM"
    assert facts["Voxels"] == "500: those that every scan has mapped"
    assert facts["Regions"] == "not named: it is not there"
    assert facts["Not analysed"] == "4 voxels do not vary"


def test_a_long_table_is_cut_and_says_where_the_rest_is():
    many = tuple(PEAK._replace(cluster=at) for at in range(1, MOST + 4))
    told = view(many)
    assert len(told.part.peaks.lines) == MOST
    assert told.more.startswith(f"Shown are the {MOST} highest of {MOST + 3} peaks")
    assert view().more == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "all 64 sign flips, which is exact"),
        ({"kind": "groups", "arms": ("a", "b")}, "all 64 exchanges, which is exact"),
        ({"kind": "interaction", "arms": ("a", "b")}, "all 64 exchanges, which is exact"),
        ({"kind": "interaction"}, "all 64 sign flips, which is exact"),
        (
            {"exact": False, "permutations": 5000, "possible": str(2**40)},
            "5,000 random sign flips of 1.1e+12 (Monte Carlo, seed 1; standard error of a p of 0.05: 0.0031)",
        ),
    ],
)
def test_exact_and_random_arrangements_are_told_apart(changes, words):
    assert arrangements(step(**changes)) == words


def test_the_methods_tell_it_with_its_sources():
    told = methods([step(mirror="average", moved=-0.18)], {"nichols2002": "Nichols and Holmes"})
    (sentence,) = told.sentences
    assert told.references == ("Nichols and Holmes",)
    for words in (
        "primary contrast", "6 participants (1 other was left out) in the space TPL", "the largest absolute t, the "
        "largest TFCE", "clusters beyond t = 5.9", "all 64 sign flips, which is exact", "can give is 0.0312",
        "moved by 0.18 mm along x", "Before the fit of the maps: nothing was smoothed",
    ):  # fmt: skip
        assert words in sentence.text
