"""A region that is another's, or in another unit, shows beside the other scans; a drug or noise does not look so."""

import numpy as np
import pytest

from raphe.core.frames import Frames
from raphe.data.scan import Scan
from raphe.data.tacs import TACs
from raphe.io.check import check_dataset
from raphe.io.doubts import doubts_of_table
from raphe.io.profile_doubts import odd_regions

BINDING = dict(zip(["cerebellum", "caudate", "putamen", "accumbens", *(f"cortex {n}" for n in range(12))],
                   [0.0, 2.5, 3.2, 2.2, *np.linspace(0.2, 0.6, 12)], strict=True))  # fmt: skip


def scans(n=12, blocked=0.0, noise=0.06):
    """Late activity of each region; every second scan after a drug that takes ``blocked`` of the sites."""
    rng = np.random.default_rng(3)
    return [
        {
            name: float(dose * (1 + bound * (1 - blocked * (at % 2))) * np.exp(rng.normal(0, noise)))
            for name, bound in BINDING.items()
        }
        for at, dose in enumerate(rng.uniform(2, 20, n))
    ]


@pytest.mark.parametrize("blocked", [0.0, 0.5, 0.9])
def test_dose_noise_and_a_drug_that_takes_binding_away_are_no_doubt(blocked):
    assert not any(odd_regions(scans(blocked=blocked)))


@pytest.mark.parametrize("blocked", [0.0, 0.5])
def test_columns_that_were_exchanged(blocked):
    made = scans(blocked=blocked)
    made[4]["cerebellum"], made[4]["putamen"] = made[4]["putamen"], made[4]["cerebellum"]
    found = odd_regions(made)
    assert found[4]["cerebellum"] > 2
    assert set(found[4]) <= {"cerebellum", "putamen"}
    assert not any(found[:4] + found[5:])


def test_of_few_regions_the_right_ones_are_named():
    usual = {"putamen": 4.0, "cerebellum": 1.0, "frontal": 1.6, "temporal": 1.5, "thalamus": 3.5, "insula": 2.0}
    exchanged = {**usual, "putamen": usual["cerebellum"], "cerebellum": usual["putamen"]}
    assert set(odd_regions([usual, usual, exchanged, usual])[2]) == {"cerebellum"}


@pytest.mark.parametrize("factor", [3.0, 0.3])
def test_a_region_with_another_scale(factor):
    made = scans()
    made[7]["caudate"] *= factor
    (departure,) = odd_regions(made)[7].items()
    assert departure == ("caudate", pytest.approx(factor, rel=0.2))


def test_few_scans_or_regions_tell_nothing():
    made = scans(3)
    made[0]["caudate"] *= 10
    assert not any(odd_regions(made))
    assert odd_regions([]) == []
    assert not any(odd_regions([{"a": 1.0, "b": 2.0, "c": 9.0 * at} for at in range(1, 6)]))


def test_a_region_that_differs_between_people_anyway_is_no_doubt():
    """CSF and air have a large scatter, above all after correction for partial volume."""
    made = scans()
    for at, factor in enumerate((1, 3, 0.4, 2, 0.3, 1.5, 4, 0.5, 1, 2.5, 0.6, 1.2)):
        made[at]["cortex 3"] *= factor
    assert not any(odd_regions(made))


def test_a_study_tells_the_table_and_the_region(study, table_text):
    """The reference and a target exchanged in one of four scans gave a negative binding potential without a word."""
    early, late = np.array([4.0, 400.0, 4000.0, 9000.0]), np.array([9500.0, 8000.0, 5000.0, 3000.0])
    levels = {
        "putamen": 4.0,
        "cerebellum": 1.0,
        "frontal": 1.6,
        "temporal": 1.5,
        "thalamus": 3.5,
        "insula": 2.0,
        "occipital": 1.4,
        "parietal": 1.7,
        "caudate": 3.0,
        "hippocampus": 1.9,
    }
    for at, (participant, session) in enumerate((p, s) for p in ("01", "02") for s in ("baseline", "blocked")):
        curves = {name: tuple(np.r_[early, late * level * (1 + 0.01 * at)]) for name, level in levels.items()}
        if at == 2:
            curves["putamen"], curves["cerebellum"] = curves["cerebellum"], curves["putamen"]
        study.table(participant, session).write_text(table_text(curves))
    ((path, message),) = [(one.path, one.message) for one in check_dataset(study.root)]
    assert path == study.table("02", "baseline")
    assert "'cerebellum' has " in message
    assert "are columns exchanged" in message


def test_decay_that_was_corrected_for_twice(tmp_path):
    start = np.arange(0.0, 90.0, 5.0)
    frames = Frames(start, np.full(start.size, 5.0))
    right = np.outer([1.0, 1.5, 3.0], 10 * np.exp(-0.01 * frames.mid))
    twice = right * np.exp(np.log(2) / 20.364 * frames.mid)
    scan = Scan(participant="01", half_life=20.364)
    assert list(doubts_of_table(tmp_path, TACs(right, frames, ("a", "b", "c")), scan)) == []
    (finding,) = doubts_of_table(tmp_path, TACs(twice, frames, ("a", "b", "c")), scan)
    assert finding.field == "ImageDecayCorrected"
    assert "as it would if decay had been corrected for twice" in finding.message


def test_a_scan_of_which_every_value_is_ten_times_too_high(study):
    """Neither impossible by itself nor a thousandfold: it shows beside the other scans of the tracer only."""
    for participant in ("01", "02"):
        for session in ("baseline", "blocked"):
            study.change(participant, session, BodyWeight=70.0)
    assert check_dataset(study.root) == ()
    path = study.table("02", "blocked")
    first, *rows = [line.split("\t") for line in path.read_text().splitlines()]
    rows = [[*row[:2], *(str(10 * float(cell)) for cell in row[2:])] for row in rows]
    path.write_text("\n".join("\t".join(row) for row in (first, *rows)) + "\n")
    ((told, field, message),) = [(one.path, one.field, one.message) for one in check_dataset(study.root)]
    assert (told, field) == (path, "Units")
    assert "a standardised uptake of" in message
    assert "is usual in the 4 scans of DASB" in message


def test_an_infusion_among_boluses_is_told(study):
    for participant in ("01", "02"):
        for session in ("baseline", "blocked"):
            study.change(participant, session, ModeOfAdministration="bolus")
    assert check_dataset(study.root) == ()
    study.change("01", "blocked", ModeOfAdministration="bolus-infusion")
    ((path, field, message),) = [(one.path, one.field, one.message) for one in check_dataset(study.root)]
    assert (path, field) == (study.table("01", "blocked"), "ModeOfAdministration")
    assert "ModeOfAdministration is 'bolus-infusion', but 'bolus' in most scans of DASB" in message


def test_an_infusion_may_rise_to_the_end(tmp_path):
    frames = Frames(np.arange(0.0, 90.0, 5.0), np.full(18, 5.0))
    rising = TACs(np.outer([1.0, 1.5, 3.0], frames.mid), frames, ("a", "b", "c"))
    assert list(doubts_of_table(tmp_path, rising, Scan(participant="01", half_life=20.364)))
    infused = Scan(participant="01", half_life=20.364, administration="Infusion")
    assert list(doubts_of_table(tmp_path, rising, infused)) == []
