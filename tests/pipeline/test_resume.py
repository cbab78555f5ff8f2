"""Runs that go on from others: what is kept, what is done anew, what is removed, and what a stop leaves."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest


def kept(ended):
    """How many scans a run analysed, and how many it kept."""
    return tuple(map(int, re.search(r"(\d+) scans analysed, (\d+) kept", ended.err).groups()))


def names(out):
    return {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}


@pytest.fixture
def run(files, raphe):
    """Run the whole study, and tell how many scans were analysed and kept."""

    def go(*words, code=0):
        ended = raphe("run", files.root, files.out, "all", *words)
        assert ended.code == code, ended.err
        return kept(ended)

    return go


def test_what_is_done_and_unchanged_is_kept(files, run):
    assert run() == (4, 0)
    before = names(files.out)
    assert run() == (0, 4)
    assert run("--resume") == (0, 4)
    assert run("--restart") == (4, 0)
    assert names(files.out) == before


def table_changes(files):
    files.cell(20, "putamen", 15000)


def plan_changes(files):
    files.edit('"caudate", ', "")


def result_changes(files):
    next(files.out.glob("sub-01/ses-baseline/pet/*_kinpar.tsv")).write_text("x")


@pytest.mark.parametrize(
    ("change", "anew"),
    [
        (table_changes, 1),
        (lambda f: f.tell(InjectedRadioactivity=300), 1),
        (plan_changes, 4),
        (result_changes, 1),
        (lambda f: next(f.out.glob("sub-02/ses-rescan/report.html")).unlink(), 1),
        (lambda f: (f.out / "provenance/sub-01_ses-rescan.json").write_text("{"), 1),
        (lambda f: f.edit("A small study", "The same study"), 0),
    ],
)
def test_what_has_changed_is_done_anew(files, run, change, anew):
    run()
    change(files)
    assert run() == (anew, 4 - anew)
    assert run() == (0, 4)


def test_the_second_of_two_sidecars_of_one_name_counts_too(files, run):
    own = files.table.parents[0] / files.pet.name
    own.write_text(json.dumps({"Description": "of the curves"}))
    run()
    files.tell(InjectedRadioactivity=300)
    assert run() == (1, 3)


def test_another_plan_leaves_nothing_of_the_old_one(files, run, tmp_path):
    run()
    files.edit('name = "change"', 'name = "other"')
    files.edit('contrast = "change"', 'contrast = "other"')
    files.edit('model = "SRTM"', 'model = "MRTM2"')
    run()
    here = names(files.out)
    shutil.rmtree(files.out)
    run()
    assert here == names(files.out)
    assert not [name for name in here if "SRTM_" in name or "contrast-change" in name]


def test_what_a_person_has_put_or_changed_there_is_not_removed(files, run):
    run()
    note, table = files.out / "group/notes.txt", files.out / "group/contrast-change_result.tsv"
    note.write_text("look at the thalamus")
    table.write_text("changed by hand")
    files.edit('name = "change"', 'name = "other"')
    files.edit('contrast = "change"', 'contrast = "other"')
    run()
    assert note.read_text() == "look at the thalamus"
    assert table.read_text() == "changed by hand"


def test_a_record_that_points_elsewhere_removes_nothing(files, run, tmp_path):
    run()
    prey = tmp_path / "prey"
    prey.write_text("")
    record = files.out / "provenance/group.json"
    told = json.loads(record.read_text())
    told["outputs"]["../prey"] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    record.write_text(json.dumps(told))
    run()
    assert prey.exists()


def test_a_second_scan_in_a_session_gives_both_reports_a_name(files, run):
    run()
    for path in (files.table, files.pet):
        shutil.copy(path, path.with_name(path.name.replace("ses-baseline", "ses-baseline_trc-AZ")))
    files.tell(files.pet.with_name("sub-01_ses-baseline_trc-AZ_pet.json"), TracerName="AZ10419369")
    files.plan.write_text(files.plan.read_text() + '\n[[tracer]]\nname = "AZ10419369"\nreference = "cerebellum"\n')
    files.edit("terms =", 'tracer = "DASB"\nterms =')
    run()
    page = (files.out / "report.html").read_text()
    links = re.findall(r'href="(sub-[^"]*)"', page)
    assert len(links) == 5
    assert all((files.out / link).is_file() for link in links)
    assert not (files.out / "sub-01/ses-baseline/report.html").exists()


def test_the_group_level_takes_only_what_was_analysed_in_the_way_that_is_asked_for(files, raphe):
    command = ["run", files.root, files.out]
    refused = raphe(*command, "group")
    assert refused.code == 2
    assert "participant level first" in refused.err
    assert not files.out.exists()
    assert raphe(*command, "participant").code == 0
    assert not (files.out / "report.html").exists()
    assert raphe(*command, "group").code == 0
    table_changes(files)
    ended = raphe(*command, "group", "--quiet")
    assert ended.code == 1
    assert "sub-01_ses-baseline takes no part: it has not been analysed in this way yet: plan, options or" in ended.err
    plan_changes(files)
    assert raphe(*command, "group").code == 2


def test_a_part_of_a_study_may_be_run(files, raphe, rows_of):
    command = ["run", files.root, files.out, "all"]
    ended = raphe(*command, "--session-label", "baseline", "--quiet")
    assert ended.code == 1
    assert "contrast 'change' cannot be made" in ended.err
    assert {row["session"] for row in rows_of(files.out / "group/estimates.tsv")} == {"baseline"}
    part = raphe(*command, "--participant-label", "sub-01")
    assert part.code == 1  # one participant allows no test of the primary region
    for told in (part.err, (files.out / "report.html").read_text()):
        assert "a part of the study was asked for (--participant-label sub-01)" in told
    assert {row["participant"] for row in rows_of(files.out / "group/estimates.tsv")} == {"01"}
    files.tell(files.pet_of("02", "rescan"), Units=...)
    assert raphe(*command, "--participant-label", "01", "--tracer", "[11C]DASB").code == 1
    assert raphe("run", files.root, files.out, "participant", "--session-label", "ses-rescan").code == 2


@pytest.fixture(scope="module")
def larger(tmp_path_factory):
    """A study that takes long enough to be stopped."""
    root = tmp_path_factory.mktemp("larger") / "study"
    words = ["simulate", "test-retest", root, "--tacs-only", "--participants", "3"]
    subprocess.run([sys.executable, "-m", "raphe.cli", *map(str, words)], check=True, capture_output=True)
    return root


def heeding_ctrl_c():
    """Undo what a shell does to the jobs it puts in the background: they are born deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_whole_scans_and_goes_on(larger, tmp_path, raphe, how, workers):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "raphe.cli", "run", str(larger), str(out), "all", "--workers", workers]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heeding_ctrl_c,
    )
    while process.poll() is None and len(list(out.glob("provenance/*.json"))) < 2:
        time.sleep(0.002)
    if how == signal.SIGINT:
        os.killpg(process.pid, how)  # as Ctrl-C does
    else:
        process.send_signal(how)
    told = process.communicate(timeout=60)
    assert (process.returncode, told[0]) == (130, "")
    assert told[1] == "raphe run: stopped; the same command goes on from here\n"
    assert not [path for path in out.rglob(".*") if path.name != ".bidsignore"]
    records = list(out.glob("provenance/*.json"))
    for record in records:
        written = json.loads(record.read_text())["outputs"]
        assert all((out / name).is_file() for name in written)
    assert {path.stem for path in records} == {
        re.match(r"sub-\d+_ses-[a-z]+_trc-[A-Z0-9]+", path.name)[0] for path in out.rglob("*_kinpar.tsv")
    }
    ended = raphe("run", larger, out, "all")
    assert ended.code == 0
    assert kept(ended) == (12 - len(records), len(records))


@pytest.mark.parametrize(("change", "why"), [("edit", "has been changed since it was written"), ("remove", "is gone")])
def test_the_group_level_says_which_result_of_a_scan_was_touched(files, raphe, change, why):
    assert raphe("run", files.root, files.out, "all").code == 0
    (table,) = files.out.glob("sub-01/ses-baseline/pet/*_kinpar.tsv")
    if change == "edit":
        table.write_text(table.read_text().replace("thalamus", "thalamis"))
    else:
        table.unlink()
    ended = raphe("run", files.root, files.out, "group")
    assert f"sub-01_ses-baseline takes no part: its result {table} {why}; run the participant level for it" in ended.err
    assert "in this way" not in ended.err
