import json
import os
from pathlib import Path

import numpy as np
import pytest

from raphe.core.frames import Frames
from raphe.data.scan import Scan
from raphe.data.tacs import TACs
from raphe.io import bids
from raphe.io.check import check_dataset
from raphe.io.doubts import doubts_of_table


def found(study, derivatives=()):
    return [(one.severity, one.path.name, one.field) for one in check_dataset(study.root, derivatives)]


def messages(study):
    return " | ".join(one.message for one in check_dataset(study.root))


def test_a_sound_study_has_no_findings(study):
    assert check_dataset(study.root) == ()


def test_hidden_files_of_a_file_system_are_no_data(study):
    """macOS leaves a ._ file beside each file on a foreign disk."""
    for path in [*study.root.glob("**/pet/*"), study.root / "participants.tsv"]:
        path.with_name(f"._{path.name}").write_bytes(b"\x00\x05\x16\x07")
    assert check_dataset(study.root) == ()


@pytest.mark.parametrize(
    ("changes", "severity", "field", "words"),
    [
        ({"Units": "ABSENT"}, "error", "Units", ["missing"]),
        ({"Units": "counts"}, "error", "Units", ["'counts'"]),
        ({"FrameTimesStart": "ABSENT"}, "error", "FrameTimesStart", ["missing"]),
        ({"TracerRadionuclide": "ABSENT"}, "error", "TracerRadionuclide", ["missing"]),
        ({"FrameDuration": [30, 60, 120, 300, 600, 1800, 3600, 5400]}, "error", "FrameDuration", ["end times"]),
        (
            {"FrameDuration": [30, 30, 60, 180, 300, 0, 1800, 1800]},
            "error",
            "FrameDuration",
            ["frame 6", "zero length"],
        ),
        ({"InjectedRadioactivityUnits": "kBq"}, "warning", "InjectedRadioactivity", ["0.4 MBq", "impossible"]),
        ({"DecayCorrectionFactor": [1.0] * 8}, "warning", "DecayCorrectionFactor", ["half-life"]),
        ({"TracerName": "ABSENT"}, "warning", "TracerName", ["missing"]),
    ],
)
def test_faults_of_a_sidecar(study, absent, changes, severity, field, words):
    path = study.change("01", "blocked", **{k: absent if v == "ABSENT" else v for k, v in changes.items()})
    (finding,) = (one for one in check_dataset(study.root) if one.path == path and one.field == field)
    assert finding.severity == severity
    for word in (str(path), *words):
        assert word in finding.message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("\t9000.0\t9000.0", "\tn/a\t9000.0", ["'putamen'", "frame 4", "line 5"]),
        ("\t9000.0\t9000.0", "\t9000.0", ["line 5", "3 cells"]),
        ("putamen\tcerebellum", "putamen\tputamen", ["'putamen'", "2 times"]),
        ("30\t60\t", "30\t50\t", ["frame 2", "30-50 s"]),
        ("30\t60\t", "0.5\t1\t", ["frame 2"]),
    ],
)
def test_faults_of_a_table(study, old, new, words):
    path = study.edit(old, new)
    (finding,) = (one for one in check_dataset(study.root) if one.severity == "error")
    assert finding.path == path
    for word in (str(path), *words):
        assert word in finding.message


def test_every_fault_is_told_each_once(study, absent):
    study.change("01", "baseline", Units=absent, TracerRadionuclide=absent)
    study.edit("\t9000.0\t9000.0", "\tn/a\t9000.0")
    study.edit("\t9000.0", "\tlow", "02", "blocked")
    (study.root / "participants.tsv").write_text("participant_id\nsub-01\nsub-01\n3\n")
    errors = [(one.path.name, one.field) for one in check_dataset(study.root) if one.severity == "error"]
    assert errors == [
        ("sub-01_ses-baseline_pet.json", "Units"),
        ("sub-01_ses-baseline_pet.json", "TracerRadionuclide"),
        ("sub-01_ses-baseline_desc-preproc_tacs.tsv", ""),
        ("sub-02_ses-blocked_desc-preproc_tacs.tsv", ""),
        ("participants.tsv", "participant_id"),
        ("participants.tsv", "participant_id"),
    ]


def test_a_missing_or_broken_description(study):
    path = study.root / "dataset_description.json"
    path.write_text("{")
    assert found(study) == [("error", path.name, "")]
    path.unlink()
    assert found(study) == [("warning", path.name, "")]
    own = study.root / "derivatives/petprep/dataset_description.json"
    own.write_text("[]")
    assert ("error", own) in [(one.severity, one.path) for one in check_dataset(study.root)]


def test_participants_without_data_and_data_without_row(study):
    (study.root / "participants.tsv").write_text("participant_id\nsub-01\nsub-07\n")
    assert found(study) == [("warning", "participants.tsv", "participant_id")]
    assert "without data: sub-07" in messages(study)
    assert "without a row: sub-02" in messages(study)


@pytest.mark.parametrize(
    ("ids", "severity", "words"),
    [
        (("sub-01", "sub-O2"), "warning", "but without a row: sub-02; is sub-O2 (line 3) sub-02, misspelt?"),
        (("sub-1", "sub-02"), "warning", "line 2: there is no scan of 'sub-1'; did you mean 'sub-01'?"),
        (("sub-01", "sub02"), "error", "line 3: 'sub02' does not begin with 'sub-'; write sub-02"),
        (("sub-01", "02"), "error", "line 3: '02' does not begin with 'sub-'; write sub-02"),
    ],
)
def test_one_misspelt_participant_is_told_once(study, ids, severity, words):
    (study.root / "participants.tsv").write_text("".join(f"{one}\n" for one in ("participant_id", *ids)))
    assert found(study) == [(severity, "participants.tsv", "participant_id")]
    assert words in messages(study)


def test_a_scan_without_table_and_a_table_without_scan(study):
    study.table("01", "blocked").unlink()
    study.pet("02", "blocked").unlink()
    assert ("warning", "sub-01_ses-blocked_pet.json", "") in found(study)
    assert ("error", "sub-02_ses-blocked_desc-preproc_tacs.tsv", "") in found(study)


def test_the_sidecar_of_a_scan_without_curves_is_read_too(study):
    study.table("01", "blocked").unlink()
    study.change("01", "blocked", FrameDuration=[30, 60, 120, 300, 600, 1800, 3600, 5400])
    assert ("error", "sub-01_ses-blocked_pet.json", "FrameDuration") in found(study)


def test_a_name_that_contradicts_the_tracer(study):
    for path in (study.table(), study.pet()):
        path.rename(path.with_name(path.name.replace("ses-baseline_", "ses-baseline_trc-AZ_")))
    assert [(severity, field) for severity, _, field in found(study)] == [("warning", "trc")]
    assert "trc-AZ" in messages(study)
    study.pet().with_name("sub-01_ses-baseline_trc-AZ_pet.json").write_text(
        json.dumps({**json.loads(study.pet("02").read_text()), "TracerName": "AZ10419369"})
    )
    assert not [one for one in found(study) if one[2] == "trc"]


@pytest.mark.parametrize(("participant", "severity"), [("01", "error"), ("02", "warning")])
def test_one_tracer_with_two_radionuclides(study, participant, severity):
    for who, session in (("01", "baseline"), ("01", "blocked"), ("02", "baseline"), ("02", "blocked")):
        study.change(who, session, TracerName="mystery")
    for session in ("blocked",) if participant == "01" else ("baseline", "blocked"):
        study.change(participant, session, TracerName="mystery", TracerRadionuclide="F18")
    assert [(s, f) for s, _, f in found(study)] == [(severity, "TracerRadionuclide")]
    assert "C11" in messages(study)
    assert "F18" in messages(study)


def test_two_radionuclides_of_one_person_outweigh_those_of_two(study):
    for who, session in (("01", "baseline"), ("01", "blocked"), ("02", "baseline")):
        study.change(who, session, TracerName="mystery")
    study.change("02", "blocked", TracerName="mystery", TracerRadionuclide="F18")
    assert found(study) == [("error", "sub-02_ses-blocked_pet.json", "TracerRadionuclide")]
    assert "sub-02_ses-baseline has C11, sub-02_ses-blocked F18" in messages(study)


def test_one_tracer_spelled_in_two_ways(study):
    study.change("01", "baseline", TracerName="Mystery")
    for who, session in (("01", "blocked"), ("02", "baseline"), ("02", "blocked")):
        study.change(who, session, TracerName="mys-tery")
    assert found(study) == [("warning", study.table().name, "TracerName")]


def test_a_missing_region(study):
    lines = [line.rsplit("\t", 1)[0] for line in study.table().read_text().splitlines()]
    study.table().write_text("\n".join(lines))
    assert found(study) == [("warning", study.table().name, "cerebellum")]
    assert "a missing region: cerebellum" in messages(study)


def test_a_scan_that_ends_early_and_one_with_another_schedule(study):
    cut = {"FrameTimesStart": [0, 30, 60, 120, 300, 600, 1800], "FrameDuration": [30, 30, 60, 180, 300, 1200, 1800]}
    study.change(**cut)
    study.table().write_text("\n".join(study.table().read_text().splitlines()[:-1]))
    assert found(study) == [("warning", study.table().name, "FrameTimesStart")]
    assert "ends at 60 min, the others of DASB at 90 min" in messages(study)
    study.change("02", "baseline", FrameDuration=[30, 30, 60, 180, 300, 1200, 1800, 1500])
    study.edit("5400", "5100", "02")
    assert "schedule (8 frames, 85 min; frame 8 is 3600-5100 s) differs" in messages(study)


def test_a_table_cut_short_against_its_sidecar(study):
    study.table().write_text("\n".join(study.table().read_text().splitlines()[:-1]))
    assert "first 7 of the 8 frames" in messages(study)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((0.0,) * 8, "no activity at all"),
        ((5.0,) * 8, "the same activity in every frame"),
        ((1.0, 1.0, 1.0, 1.0, -5.0, -5.0, -5.0, -5.0), "negative activity in total"),
    ],
)
def test_a_curve_that_cannot_be_one(study, table_text, values, words):
    cerebellum = (4.0, 500.0, 5000.0, 9000.0, 9500.0, 7000.0, 4000.0, 3000.0)
    study.table().write_text(table_text({"putamen": values, "cerebellum": cerebellum}))
    assert found(study) == [("warning", study.table().name, "putamen")]
    assert words in messages(study)


def test_two_regions_or_two_scans_with_one_curve(study, table_text):
    curve = (4.0, 500.0, 5000.0, 9000.0, 9500.0, 7000.0, 4000.0, 3001.0)
    study.table().write_text(table_text({"putamen": curve, "cerebellum": curve}))
    assert "regions 'putamen' and 'cerebellum' have identical curves" in messages(study)
    study.table("02").write_text(study.table("01", "blocked").read_text())
    assert "is one a copy?" in messages(study)


def test_two_frames_with_the_same_values(study, table_text):
    cerebellum = (4.0, 500.0, 5000.0, 9000.0, 9500.0, 7000.5, 4000.25, 3000.75)
    putamen = (3.0, 700.0, 6000.0, 9900.0, 9700.0, 9123.5, 7654.25, 5000.0)
    study.table().write_text(table_text({"putamen": putamen, "cerebellum": cerebellum}))
    assert found(study) == []
    twice = [(*values[:7], values[6]) for values in (putamen, cerebellum)]
    study.table().write_text(table_text(dict(zip(("putamen", "cerebellum"), twice, strict=True))))
    assert found(study) == [("warning", study.table().name, "")]
    assert "frames 7 and 8 have the same value in every region" in messages(study)
    alone = (*putamen[:7], putamen[6])
    study.table().write_text(table_text({"putamen": alone, "cerebellum": cerebellum}))
    assert found(study) == []


def test_a_scan_in_another_unit(study):
    study.change(Units="kBq/mL")
    assert found(study) == [("warning", study.table().name, "Units")]
    assert "'kBq/mL', right?" in messages(study)


def test_curves_that_start_late(study):
    start = [600 + s for s in (0, 30, 60, 120, 300, 600, 1800, 3600)]
    study.change(FrameTimesStart=start)
    lines = study.table().read_text().splitlines()
    rows = [line.split("\t") for line in lines[1:]]
    shifted = ["\t".join([str(int(a) + 600), str(int(b) + 600), *rest]) for a, b, *rest in rows]
    study.table().write_text("\n".join([lines[0], *shifted]))
    assert "start 10 min after injection" in messages(study)


def test_two_tables_of_one_kind_of_one_scan(study):
    path = study.root / "derivatives/other/sub-01/ses-baseline/pet/sub-01_ses-baseline_desc-x_tacs.tsv"
    path.parent.mkdir(parents=True)
    path.write_text(study.table().read_text().replace("9000.0", "9001.0"))
    assert ("warning", "sub-01_ses-baseline_desc-preproc_tacs.tsv", "") in found(study)


@pytest.mark.parametrize("name", ["sub-01_odd_tacs.tsv", "sub-02_ses-baseline_tacs.tsv", "ses-baseline_tacs.tsv"])
def test_a_bad_name(study, name):
    study.table().rename(study.table().with_name(name))
    assert ("error", name, "") in found(study)


def test_a_bad_table_of_volumes_or_scans(study):
    morph = study.table().with_name("sub-01_morph.tsv")
    morph.write_text("name\tvolume-mm3\nputamen\tbig\n")
    (study.root / "sub-01/sub-01_sessions.tsv").write_text("session_id\tacq_time\n1\n")
    text = messages(study)
    assert "'big'" in text
    assert "sub-01_sessions.tsv: line 2" in text


def test_an_age_and_a_body_weight_that_nobody_has(study):
    (study.root / "participants.tsv").write_text("participant_id\tage\nsub-01\t340\nsub-02\t40\n")
    study.change(BodyWeight=7000)
    assert ("warning", "participants.tsv", "age") in found(study)
    assert ("warning", "sub-01_ses-baseline_pet.json", "BodyWeight") in found(study)


@pytest.fixture
def forbid(monkeypatch):
    """Let folders be listed no more, as those of another user (the tests may be run by root, who may read all)."""
    plain = os.scandir

    def change(*folders):
        def scandir(path="."):
            if Path(path) in folders:
                raise PermissionError(13, "Permission denied", str(path))
            return plain(path)

        monkeypatch.setattr("os.scandir", scandir)

    return change


@pytest.mark.parametrize(
    "folder",
    ["sub-02", "sub-02/ses-blocked/pet", "derivatives/petprep", "derivatives/petprep/sub-01", "phenotype", "."],
)
def test_a_folder_that_may_not_be_looked_into_is_not_taken_for_an_absent_one(study, forbid, folder):
    (study.root / "phenotype").mkdir()
    forbid(study.root / folder)
    told = f"{study.root / folder} cannot be looked into: Permission denied"
    assert [one.severity for one in check_dataset(study.root) if told in one.message] == ["error"]


def test_a_folder_of_no_concern_may_be_forbidden(study, forbid):
    for name in ("dwi", ".git"):
        (study.root / "sub-01/ses-baseline" / name).mkdir()
    forbid(study.root / "sub-01/ses-baseline/dwi", study.root / "sub-01/ses-baseline/.git")
    assert check_dataset(study.root) == ()


def test_what_is_no_dataset_is_one_error(tmp_path):
    (finding,) = check_dataset(tmp_path / "none")
    assert (finding.severity, "does not exist" in finding.message) == ("error", True)
    (tmp_path / "empty").mkdir()
    assert sorted(one.severity for one in check_dataset(tmp_path / "empty")) == ["error", "warning"]


def test_what_nobody_foresaw_becomes_a_finding_and_the_rest_is_read(study, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("odd")

    monkeypatch.setattr("raphe.io.check.load_curves", broken)
    errors = [one for one in check_dataset(study.root) if one.severity == "error"]
    assert len(errors) == 4
    assert all("ZeroDivisionError" in one.message and str(one.path) in one.message for one in errors)


def test_errors_are_what_reading_refuses(study, absent):
    study.change("02", "blocked", Units=absent)
    (error,) = (one for one in check_dataset(study.root) if one.severity == "error")
    with pytest.raises(Exception, match="Units is missing") as caught:
        bids.read_study(study.root)
    assert str(caught.value) == error.message


@pytest.mark.parametrize(
    ("end", "n_frame", "half_life", "odd"),
    [
        (5400, 38, None, True),
        (5400, 38, 6000.0, False),
        (1.5, 38, None, True),
        (3.0, 20, 2.04, False),
        (90, 38, 20.4, False),
    ],
)
def test_times_of_another_unit_are_doubted_where_the_nuclide_does_not_explain_them(
    tmp_path, end, n_frame, half_life, odd
):
    edges = np.linspace(0, end, n_frame + 1)
    frames = Frames(edges[:-1], np.diff(edges))
    tacs = TACs(np.array([np.linspace(1, 2, n_frame)]), frames, ("putamen",))
    told = [one.message for one in doubts_of_table(tmp_path / "a_tacs.tsv", tacs, Scan("01", half_life=half_life))]
    assert any("is the unit of their times right" in one for one in told) == odd


def test_a_scan_of_another_segmentation(study):
    path = study.table("02", "blocked")
    for one in (path, path.with_suffix(".json")):
        if one.exists():
            one.rename(one.with_name(one.name.replace("_desc", "_seg-aparc_desc")))
    ((severity, name, field),) = found(study)
    assert (severity, field) == ("warning", "seg")
    assert name == "sub-02_ses-blocked_seg-aparc_desc-preproc_tacs.tsv"
    assert "its segmentation is aparc, while 3 of the 4 scans of DASB have one that is not told" in messages(study)


def test_a_reference_curve_that_is_a_copy_of_another_scans(study):
    for participant, session, first in (("01", "baseline", 4.0), ("01", "blocked", 5.0), ("02", "baseline", 4.0)):
        lines = study.table(participant, session).read_text().splitlines()
        rows = [line.split("\t") for line in lines]
        own = [
            ["frame_start", "frame_end", "cerebellum"],
            *([*row[:2], str(first + at)] for at, row in enumerate(rows[1:])),
        ]
        table = study.table(participant, session)
        made = table.with_name(table.name.replace("_desc", "_label-cerebellum_desc"))
        made.write_text("\n".join("\t".join(row) for row in own) + "\n")
    ((severity, name, _),) = found(study)
    assert (severity, name) == ("warning", "sub-02_ses-baseline_label-cerebellum_desc-preproc_tacs.tsv")
    assert "its curve is identical with that of" in messages(study)
