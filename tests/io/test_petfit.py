"""Curves as petfit keeps them: long, in kBq/mL, each analysis in a folder of its own, names without what all share."""

import json

import numpy as np
import pytest

from raphe.errors import InputError, UnitError
from raphe.io.bids import load_curves, read_study
from raphe.io.check import check_dataset
from raphe.io.curves import read_curves

LONG = "pet\tregion\tvolume_mm3\tInjectedRadioactivity\tbodyweight\tframe_start\tframe_end\tframe_dur\tframe_mid\tTAC"
DESCRIBED = {
    "pet": {"Description": "PET measurement identifier"},
    "InjectedRadioactivity": {"Description": "Injected radioactivity", "Units": "kBq"},
    "frame_start": {"Description": "Frame start time", "Units": "s"},
    "TAC": {"Description": "Time activity curve", "Units": "kBq/mL"},
    "radioactivity": {"Units": "kBq/mL"},
    "GeneratedBy": [{"Name": "petfit"}],
}


def as_petfit_has_it(curves, pet):
    """A wide table of curves in Bq/mL, long and in kBq/mL."""
    header, *rows = (line.split("\t") for line in curves.read_text().splitlines())
    lines = [LONG]
    for column, region in enumerate(header[2:], start=2):
        for row in rows:
            start, end = float(row[0]), float(row[1])
            times = f"{start}\t{end}\t{end - start}\t{(start + end) / 2}"
            lines.append(f"{pet}\t{region}\t5000\t300000\t70\t{times}\t{float(row[column]) / 1000!r}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def petfit(study):
    """The small study by petfit, beside the same by PETPrep; its own folder."""
    root = study.root / "derivatives" / "petfit"
    for participant in ("01", "02"):
        for session in ("baseline", "blocked"):
            pet = f"sub-{participant}_ses-{session}"
            folder = root / "Primary_Analysis" / f"sub-{participant}" / f"ses-{session}" / "pet"
            folder.mkdir(parents=True)
            text = as_petfit_has_it(study.table(participant, session), pet)
            (folder / f"{pet}_desc-combinedregions_tacs.tsv").write_text(text)
    (root / "desc-combinedregions_tacs.tsv").write_text("sub\tregion\n")  # of all scans, which is no scan's
    (root / "desc-combinedregions_tacs.json").write_text(json.dumps(DESCRIBED))
    return root


@pytest.mark.parametrize("named", ["petfit", "petfit/Primary_Analysis"])
def test_its_curves_are_those_that_it_made_them_of(study, petfit, named):
    found = read_study(study.root, [petfit.parent / named])
    before = read_study(study.root, [petfit.parent / "petprep"])
    assert [one.scan.label for one in found.tables] == [one.scan.label for one in before.tables]
    for one, other in zip(found.tables, before.tables, strict=True):
        mine, its = load_curves(one), load_curves(other)
        assert mine.tacs.names == its.tacs.names
        np.testing.assert_allclose(mine.tacs.activity, its.tacs.activity, rtol=1e-12)
        assert (one.scan.tracer, one.scan.injected_radioactivity) == (
            other.scan.tracer,
            other.scan.injected_radioactivity,
        )
        np.testing.assert_array_equal(mine.tacs.volumes, 5000)


def test_the_unit_may_stand_apart_from_its_column(study, petfit):
    described = {**DESCRIBED, "TAC": {"Description": "Time activity curve"}}
    (petfit / "desc-combinedregions_tacs.json").write_text(json.dumps(described))
    found = read_study(study.root, [petfit])
    assert load_curves(found.tables[0]).tacs.activity[0, 3] == pytest.approx(9.0)


def test_two_units_are_refused(study, petfit):
    described = {**DESCRIBED, "radioactivity": {"Units": "Bq/mL"}}
    (petfit / "desc-combinedregions_tacs.json").write_text(json.dumps(described))
    with pytest.raises(UnitError, match=r"'TAC' says kBq/mL, but .*'radioactivity' says Bq/mL"):
        load_curves(read_study(study.root, [petfit]).tables[0])


def test_names_without_the_studys_one_tracer_find_their_scans(study, petfit):
    for path in sorted(study.root.glob("sub-*/**/*_pet.json")):
        path.rename(path.with_name(path.name.replace("_pet", "_trc-DASB_pet")))
    found = read_study(study.root, [petfit])
    assert [one.scan.label for one in found.tables][:2] == [
        "sub-01_ses-baseline_trc-DASB",
        "sub-01_ses-blocked_trc-DASB",
    ]
    assert not check_dataset(study.root, [petfit])
    only = next(study.root.glob("sub-01/ses-baseline/pet/*_pet.json"))
    only.with_name(only.name.replace("DASB", "AZ10419369")).write_text(only.read_text())
    with pytest.raises(InputError, match=r"fits 2 scans .*trc-AZ10419369, .*trc-DASB; name the table"):
        read_study(study.root, [petfit])


def test_what_it_made_of_its_curves_for_a_reference_is_left_aside(study, petfit):
    for path in sorted(petfit.glob("**/sub-*_desc-combinedregions_tacs.tsv")):
        path.with_name(path.name.replace("combinedregions", "targetregions")).write_text(path.read_text())
        path.with_name(path.name.replace("combinedregions", "ref")).write_text("pet\tframe_start\tRefTAC\nx\t0\t1\n")
    assert len(read_study(study.root, [petfit]).choose()) == 4


def test_a_table_by_itself_needs_no_more_than_the_half_life(petfit):
    path = next(petfit.glob("**/sub-01_ses-baseline_desc-combinedregions_tacs.tsv"))
    alone = petfit.parents[2] / "alone"
    alone.mkdir()
    (alone / path.name).write_text(path.read_text())
    (alone / "desc-combinedregions_tacs.json").write_text(json.dumps(DESCRIBED))
    assert read_curves(alone / path.name, half_life=20.36).tacs.activity[0, 3] == pytest.approx(9.0)
