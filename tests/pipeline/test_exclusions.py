"""Scans that a person has excluded: out of every result, and only they."""

import json
import shutil

import pytest

HEADER = ["participant_id", "session_id", "reason"]


def write(files, *rows, header=HEADER):
    (files.root / "exclusions.tsv").write_text("".join("\t".join(row) + "\n" for row in (header, *rows)))


@pytest.fixture
def third(files):
    """A study of three people, so that two are left to be compared."""
    for session in ("baseline", "rescan"):
        files.add("03", session, ("02", session))
        files.column("putamen", lambda cell: 1.05 * float(cell), files.table_of("03", session))
    (files.root / "participants.tsv").write_text("participant_id\nsub-01\nsub-02\nsub-03\n")
    return files


def results(out, rows_of):
    """Every table of the group, but for what tells of scans that are not there."""
    found = {}
    for path in sorted((out / "group").glob("*.tsv")):
        found[path.name] = [{k: v for k, v in row.items() if k != "excluded"} for row in rows_of(path)]
    return found


@pytest.mark.parametrize(
    ("rows", "scans"),
    [
        ([["sub-02", "ses-rescan", "moved"]], [("02", "rescan")]),
        ([["sub-02", "n/a", "another drug"]], [("02", "baseline"), ("02", "rescan")]),
        ([["02", "rescan", "moved"], ["01", "", "asleep"]], [("02", "rescan"), ("01", "baseline"), ("01", "rescan")]),
    ],
)
def test_the_study_is_as_without_the_scans(third, raphe, rows_of, tmp_path, rows, scans):
    write(third, *rows)
    ended = raphe("run", third.root, third.out, "all")
    alone = len({person for person, _ in scans}) == 2  # of three people: the primary contrast has no test then
    assert ended.code == alone, ended.err
    assert f"{len(scans)} scan" in ended.err
    assert "excluded from every table and figure" in ended.err
    (third.root / "exclusions.tsv").unlink()
    for scan in scans:
        third.forget(*scan)
    other = tmp_path / "without"
    assert raphe("run", third.root, other, "all").code in (0, 1)  # a warning of people with one scan
    assert results(third.out, rows_of) == results(other, rows_of)
    estimates = rows_of(third.out / "group/estimates.tsv")
    assert not {(row["participant"], row["session"]) for row in estimates} & set(scans)


def test_counts_and_pages_tell_of_them(third, raphe, rows_of):
    write(third, ["sub-02", "ses-rescan", "moved by 12 mm"])
    assert raphe("run", third.root, third.out, "all").code == 0
    change = third.out / "group/contrast-change_result.tsv"
    assert {(row["n"], row["excluded"]) for row in rows_of(change)} == {("2", "1")}
    told = json.loads(change.with_suffix(".json").read_text())["Excluded"]
    assert "moved by 12 mm" in json.dumps(told)
    study = (third.out / "report.html").read_text()
    assert study.count("moved by 12 mm") >= 3  # the table of exclusions, the list of scans, the methods
    own = (third.out / "sub-02/ses-rescan/report.html").read_text()
    assert "<b>Excluded</b> from every table, test and figure of the study: moved by 12 mm" in own
    assert "<b>Excluded</b>" not in (third.out / "sub-02/ses-baseline/report.html").read_text()
    assert list((third.out / "sub-02/ses-rescan/pet").glob("*_kinpar.tsv"))


def test_a_person_without_any_scan_left_counts_as_excluded(third, raphe, rows_of):
    write(third, ["sub-02", "", "moved"])
    assert raphe("run", third.root, third.out, "all").code == 0
    assert {(r["n"], r["excluded"]) for r in rows_of(third.out / "group/contrast-change_result.tsv")} == {("2", "2")}


def test_results_follow_the_file(third, raphe, rows_of):
    command = ("run", third.root, third.out)
    assert raphe(*command, "all").code == 0
    whole = results(third.out, rows_of)
    write(third, ["sub-03", "ses-baseline", "moved"])
    assert raphe(*command, "group").code == 0
    assert {row["n"] for row in rows_of(third.out / "group/contrast-change_result.tsv")} == {"2"}
    ended = raphe(*command, "all")
    assert "1 scans analysed, 5 kept" in ended.err  # its page says it now
    write(third)
    assert raphe(*command, "all").code == 0
    assert results(third.out, rows_of) == whole
    assert "<b>Excluded</b>" not in (third.out / "sub-03/ses-baseline/report.html").read_text()


def test_an_excluded_scan_that_fails_fails_nothing(third, raphe):
    broken = third.table_of("03", "rescan")
    third.column("cerebellum", lambda cell: 0, broken)
    assert raphe("run", third.root, third.out, "all").code == 2
    write(third, ["sub-03", "ses-rescan", "the reference was outside of the field of view"])
    ended = raphe("run", third.root, third.out, "all")
    assert ended.code in (0, 1), ended.err
    assert "sub-03_ses-rescan, which is excluded (the reference was outside of the field of view), failed" in ended.err


def test_the_file_may_stand_beside_a_plan_that_stands_elsewhere(third, raphe, rows_of, tmp_path):
    there = tmp_path / "plans"
    there.mkdir()
    shutil.move(third.plan, there / "raphe.toml")
    write(third, ["sub-01", "ses-rescan", "moved"])
    shutil.move(third.root / "exclusions.tsv", there / "exclusions.tsv")
    write(third, ["sub-02", "ses-rescan", "asleep"])
    ended = raphe("run", third.root, third.out, "all", "--plan", there / "raphe.toml")
    assert (ended.code, "cannot be tested in the primary region" in ended.err) == (1, True)  # one participant is left
    rows = rows_of(third.out / "group/contrast-change_result.tsv")
    assert {(row["n"], row["excluded"]) for row in rows} == {("1", "2")}


def test_one_tracer_or_run_alone(third, raphe, rows_of):
    for path in (third.table_of("01", "rescan"), third.pet_of("01", "rescan")):
        for run in ("1", "2"):
            shutil.copy(path, path.with_name(path.name.replace("ses-rescan", f"ses-rescan_run-{run}")))
        path.unlink()
    command = ("run", third.root, third.out, "all")
    assert "exclude the others (exclusions.tsv)" in raphe(*command).err
    write(third, ["sub-01", "run-2", "interrupted"], header=["participant_id", "run", "reason"])
    assert raphe(*command).code in (0, 1)  # a warning of two scans in a session
    assert {r["n"] for r in rows_of(third.out / "group/contrast-change_result.tsv")} == {"3"}
    write(third, ["sub-01", "[11C]DASB", "all of DASB"], header=["participant_id", "tracer", "reason"])
    assert raphe(*command).code in (0, 1)
    assert {row["participant"] for row in rows_of(third.out / "group/estimates.tsv")} == {"02", "03"}


@pytest.mark.parametrize(
    ("rows", "header", "words"),
    [
        ([["sub-9", "", "moved"]], HEADER, ["participant_id, line 2", "'sub-9'", "did you mean 'sub-03'"]),
        ([["sub-02", "ses-rescam", "moved"]], HEADER, ["session_id, line 2", "'ses-rescam'", "did you mean"]),
        ([["sub-02", "", "ok"], ["sub-01", "", "n/a"]], HEADER, ["reason, line 3", "'n/a'", "sub-01", "write one"]),
        ([["n/a", "", "moved"]], HEADER, ["participant_id, line 2", "'n/a'", "write sub-LABEL"]),
        ([["sub-02", "", "a"], ["02", "n/a", "b"]], HEADER, ["participant_id, line 3", "line 2", "keep one row"]),
        ([["sub-02", "moved"]], ["participant_id", "why"], ["no column 'reason'", "participant_id, why"]),
        ([["sub-02", "rescan", "x"]], ["participant_id", "session", "reason"], ["'session'", "name it 'session_id'"]),
        ([["sub-02", "FLB457", "x"]], ["participant_id", "tracer", "reason"], ["tracer, line 2", "'FLB457'", "DASB"]),
        ([["sub-02", "1", "x"]], ["participant_id", "run", "reason"], ["run, line 2", "'run-1'", "leave the cell"]),
    ],
)
def test_a_faulty_file_is_refused_before_any_work(third, raphe, rows, header, words):
    write(third, *rows, header=header)
    for command in (("check", third.root), ("run", third.root, third.out, "all")):
        ended = raphe(*command)
        assert ended.code == 2
        for word in ("exclusions.tsv", *words):
            assert word in ended.out + ended.err
    assert not third.out.exists()
    (finding,) = json.loads(raphe("check", third.root, "--json").out)
    assert finding["path"].endswith("exclusions.tsv")
    assert finding["severity"] == "error"


def test_columns_of_a_persons_own_and_no_rows_are_no_fault(third, raphe):
    write(third, ["sub-02", "n.n.", "2026-01-01", "moved"], header=["participant_id", "rater", "date", "reason"])
    assert raphe("check", third.root).code == 0
    write(third)
    assert raphe("check", third.root).code == 0


def test_a_session_that_exclusions_empty_is_told_before_any_work(third, raphe):
    write(third, *([f"sub-{who}", "rescan", "moved"] for who in ("01", "02", "03")))
    told = "line 25: contrast 'change' cannot be made: exclusions leave nobody who has scans with DASB in both sessions"
    checked = raphe("check", third.root)
    assert checked.code == 1
    assert told in checked.out
    ended = raphe("run", third.root, third.out, "all", "--dry-run")
    assert ended.code == 1
    assert told in ended.err
    write(third, ["sub-01", "rescan", "moved"], ["sub-02", "baseline", "moved"])
    assert raphe("check", third.root).code == 0


ARMS = (
    '\n[[arm]]\nname = "drug"\n\n[[arm]]\nname = "sham"\n\n[[contrast]]\nname = "arms"\nkind = "groups"\n'
    'terms = ["drug", "sham"]\nsessions = ["baseline"]\n'
)


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        (("01",), "exclusions leave one subject (sub-02) in arm 'drug'"),
        (("03", "04", "05"), "exclusions leave nobody in arm 'sham'"),
        (("05",), None),
    ],
)
def test_an_arm_that_exclusions_empty_is_told(third, raphe, gone, told):
    for who in ("04", "05"):
        third.add(who, "baseline", ("02", "baseline"))
        third.column(
            "putamen", lambda cell, who=who: (1 + int(who) / 50) * float(cell), third.table_of(who, "baseline")
        )
    arms = ("drug", "drug", "sham", "sham", "sham")
    rows = "".join(f"sub-{at:02d}\t{arm}\n" for at, arm in enumerate(arms, start=1))
    (third.root / "participants.tsv").write_text(f"participant_id\tarm\n{rows}")
    third.plan.write_text(third.plan.read_text() + ARMS)
    before = raphe("check", third.root)
    write(third, *([f"sub-{who}", "n/a", "moved"] for who in gone))
    checked = raphe("check", third.root)
    assert checked.code == 1
    if told is None:
        assert checked.out == before.out
    else:
        assert f"contrast 'arms' cannot be made: {told}, where two people or more are needed" in checked.out


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        (("06",), None),
        (("03", "06"), "contrast 'arms' cannot be made of the scans that are not excluded: the terms "),
    ],
)
def test_terms_that_exclusions_confound_are_told_before_any_work(third, raphe, gone, told):
    """Without one of them, the arms are the sexes."""
    for who in ("04", "05", "06"):
        third.add(who, "baseline", ("02", "baseline"))
        third.column(
            "putamen", lambda cell, who=who: (1 + int(who) / 50) * float(cell), third.table_of(who, "baseline")
        )
    rows = "".join(
        f"sub-{at:02d}\t{arm}\t{sex}\n"
        for at, (arm, sex) in enumerate(zip(["drug"] * 3 + ["sham"] * 3, "MMFFFM", strict=True), start=1)
    )
    (third.root / "participants.tsv").write_text(f"participant_id\tarm\tsex\n{rows}")
    third.plan.write_text(third.plan.read_text() + ARMS + 'covariates = ["sex"]\n')
    before = raphe("check", third.root)
    assert "confounded" not in before.out
    write(third, *([f"sub-{who}", "n/a", "moved"] for who in gone))
    checked = raphe("check", third.root)
    assert checked.code == 1
    if told is None:
        assert checked.out == before.out
    else:
        assert told in checked.out
        assert "sex" in checked.out
    ended = raphe("run", third.root, third.out, "all", "--dry-run")
    assert (told is None) == ("not excluded" not in ended.err)


def test_nothing_is_left_if_all_are_excluded(third, raphe):
    write(third, *(["sub-0" + n, "", "moved"] for n in "123"))
    ended = raphe("run", third.root, third.out, "all")
    assert ended.code == 2
    assert "every scan is excluded" in ended.err


def words_in_cells(path):
    """Write a word into each row of a table."""
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([head, *("broken" + row[row.index("\t") :] for row in rows)]) + "\n")


def cut(path):
    """Leave the first half of a file."""
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def negative_duration(path):
    """Give the first frame of a sidecar no time."""
    fields = json.loads(path.read_text())
    fields["FrameDuration"][0] *= -1
    path.write_text(json.dumps(fields))


@pytest.mark.parametrize(
    ("damage", "of", "words"),
    [
        (words_in_cells, "table_of", "_tacs.tsv"),
        (cut, "pet_of", "_pet.json"),
        (negative_duration, "pet_of", "FrameDuration"),
    ],
)
def test_damaged_files_of_an_excluded_scan_stop_nothing(third, raphe, rows_of, tmp_path, damage, of, words):
    damage(getattr(third, of)("02", "rescan"))
    assert raphe("check", third.root).code == 2
    assert raphe("run", third.root, third.out, "all").code == 2
    assert not third.out.exists()
    write(third, ["sub-02", "ses-rescan", "the scanner stopped"])
    checked = raphe("check", third.root)
    assert (checked.code, words in checked.out) == (1, True)
    assert "(excluded: the scanner stopped; so this stops nothing, and sub-02_ses-rescan is not read)" in checked.out
    ended = raphe("run", third.root, third.out, "all")
    assert ended.code == 0, ended.err
    assert "5 scans analysed" in ended.err
    change = rows_of(third.out / "group/contrast-change_result.tsv")
    assert {(row["n"], row["excluded"]) for row in change} == {("2", "1")}
    page = (third.out / "report.html").read_text()
    assert page.count("the scanner stopped") >= 3
    assert "and 1 DASB" not in page
    (third.root / "exclusions.tsv").unlink()
    third.forget("02", "rescan")
    other = tmp_path / "without"
    assert raphe("run", third.root, other, "all").code in (0, 1)
    assert results(third.out, rows_of) == results(other, rows_of)


def test_a_fault_that_others_share_is_told_all_the_same(third, raphe):
    words_in_cells(third.table_of("02", "rescan"))
    write(third, ["sub-02", "ses-baseline", "moved"])
    ended = raphe("run", third.root, third.out, "all")
    assert (ended.code, third.table_of("02", "rescan").name in ended.err) == (2, True)
    (third.root / "participants.tsv").write_bytes(b"\xff\xfe\x00")
    write(third, ["sub-02", "n/a", "moved"])
    ended = raphe("run", third.root, third.out, "all")
    assert (ended.code, "participants.tsv" in ended.err) == (2, True)
