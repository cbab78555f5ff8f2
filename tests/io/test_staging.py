import contextlib
import errno
import itertools
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from raphe.errors import OutputError
from raphe.io import staging
from raphe.io.derivatives import write_description
from raphe.io.staging import LEFT_OVER, prepare, staged


def contents(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_place_that_will_do_is_left_as_it_was(tmp_path):
    prepare(tmp_path / "a" / "b")
    prepare(tmp_path)
    assert contents(tmp_path) == []


def test_a_file_in_the_way(tmp_path):
    file = tmp_path / "file"
    file.write_text("x", encoding="utf-8")
    for out in (file, file / "out", file / "deep" / "out"):
        with pytest.raises(OutputError, match="file is a file or leads nowhere"):
            prepare(out)


def test_a_link_to_nowhere_in_the_way(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="link is a file or leads nowhere"):
        prepare(link / "out")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that nobody can write to")
def test_a_place_where_nothing_can_be_made():
    with pytest.raises(OutputError, match="/proc/self/out: the output folder cannot be written to"):
        prepare(Path("/proc/self/out"))


@pytest.mark.parametrize(
    ("code", "said"), [(errno.EACCES, "permission denied"), (errno.EROFS, "read-only"), (errno.ENOSPC, "no space")]
)
def test_the_reason_of_the_system_is_said(tmp_path, monkeypatch, code, said):
    def refuse(*_, **__):
        raise OSError(code, os.strerror(code), str(tmp_path))

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(OutputError, match=said):
        prepare(tmp_path)
    with pytest.raises(OutputError, match=said):
        write_and(tmp_path / "new", AssertionError("the block must not run"))
    assert contents(tmp_path) == []


def test_a_name_that_is_too_long(tmp_path):
    with pytest.raises(OutputError, match="too long"):
        prepare(tmp_path / ("x" * 300) / "out")


@pytest.mark.parametrize("inside", ["", "sub-01", "sub-01/ses-1/out", "derivatives", "sourcedata/x"])
def test_the_data_that_are_read_are_no_place_for_results(tmp_path, inside):
    source = tmp_path / "study"
    with pytest.raises(OutputError, match="data set that is read"):
        prepare(source / inside, [source])


def test_a_roundabout_way_into_the_data_is_seen(tmp_path, monkeypatch):
    source = tmp_path / "study"
    source.mkdir()
    (tmp_path / "link").symlink_to(source)
    monkeypatch.chdir(tmp_path)
    for out in (Path("study/../study/out"), Path("link/out"), tmp_path / "link"):
        with pytest.raises(OutputError, match="data set that is read"):
            prepare(out, [Path("study")])


def test_derivatives_are_the_place_for_results(tmp_path):
    source = tmp_path / "study"
    source.mkdir()
    prepare(source / "derivatives" / "raphe", [source])
    prepare(tmp_path / "study-out", [source])
    with pytest.raises(OutputError, match="data set that is read"):
        prepare(source / "derivatives" / "petprep", [source, source / "derivatives" / "petprep"])


def test_a_dataset_of_others_is_not_written_into(tmp_path):
    (tmp_path / "dataset_description.json").write_text('{"GeneratedBy": [{"Name": "PETPrep"}]}', encoding="utf-8")
    with pytest.raises(OutputError, match="raphe did not make"):
        prepare(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"GeneratedBy": "raphe"}', "{}"])
def test_a_dataset_whose_maker_cannot_be_told_is_not_written_into(tmp_path, text):
    (tmp_path / "dataset_description.json").write_text(text, encoding="utf-8")
    with pytest.raises(OutputError):
        prepare(tmp_path)


def test_what_raphe_wrote_may_be_written_again(tmp_path):
    write_description(tmp_path, "", {})
    prepare(tmp_path)


def test_files_appear_when_all_are_there(tmp_path):
    out = tmp_path / "deep" / "out"
    with staged(out) as stage:
        (stage / "group").mkdir()
        (stage / "group" / "a.tsv").write_text("a", encoding="utf-8")
        (stage / "b.html").write_text("b", encoding="utf-8")
        assert [path.name for path in out.iterdir()] == [stage.name]
        assert stage.name.startswith(".")
    assert contents(out) == ["b.html", "group", "group/a.tsv"]


def test_files_replace_those_of_their_name_and_no_others(tmp_path):
    (tmp_path / "a").write_text("old", encoding="utf-8")
    (tmp_path / "b").write_text("old", encoding="utf-8")
    with staged(tmp_path) as stage:
        (stage / "a").write_text("new", encoding="utf-8")
    assert (tmp_path / "a").read_text(encoding="utf-8") == "new"
    assert (tmp_path / "b").read_text(encoding="utf-8") == "old"


def write_and(out, error, **files):
    """Write files in a staged block, then raise an error in it, if one is given."""
    with staged(out) as stage:
        for name, text in files.items():
            (stage / name).write_text(text, encoding="utf-8")
        if error is not None:
            raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_appears_when_the_work_fails(tmp_path, error):
    with pytest.raises(error):
        write_and(tmp_path / "deep" / "out", error, a="half")
    assert contents(tmp_path) == [], "not even the folders that were made on the way"


def test_what_was_there_stays_when_the_work_fails(tmp_path):
    (tmp_path / "a").write_text("old", encoding="utf-8")
    with pytest.raises(ZeroDivisionError):
        write_and(tmp_path, ZeroDivisionError(), a="new")
    assert contents(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text(encoding="utf-8") == "old"


def test_nothing_is_moved_when_a_folder_stands_in_the_place_of_a_file(tmp_path):
    (tmp_path / "z").mkdir()
    with pytest.raises(OutputError, match="z is a folder, but a file has to go there"):
        write_and(tmp_path, None, a="a", z="z")
    assert contents(tmp_path) == ["z"]


def write_below(out, folder):
    with staged(out) as stage:
        (stage / "a").write_text("a", encoding="utf-8")
        (stage / folder).mkdir()
        (stage / folder / "b").write_text("b", encoding="utf-8")


def test_nothing_is_moved_when_a_file_stands_in_the_place_of_a_folder(tmp_path):
    (tmp_path / "y").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="file exists"):
        write_below(tmp_path, "y")
    assert contents(tmp_path) == ["y"]


def test_a_file_in_the_way_of_staging(tmp_path):
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="file"):
        write_and(file, AssertionError("the block must not run"))


def test_two_runs_do_not_see_each_other(tmp_path):
    with staged(tmp_path) as first, staged(tmp_path) as second:
        assert first != second
        (first / "a").write_text("", encoding="utf-8")
        (second / "b").write_text("", encoding="utf-8")
    assert contents(tmp_path) == ["a", "b"]


def stopped_at(step, out, number):
    """Write two files, with a signal before this bytecode of the code that stages them; whether it came to that."""
    left = itertools.count(step, -1)

    def watch(frame, event, _):
        if frame.f_code.co_filename not in (staging.__file__, contextlib.__file__):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and next(left) == 0:
            sys.settrace(None)
            signal.raise_signal(number)
        return watch

    sys.settrace(watch)
    try:
        write_and(out, None, **{"a.txt": "a", "b.txt": "b"})
    finally:
        sys.settrace(None)
    return next(left) < 0


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_at_any_moment_leaves_all_or_nothing(tmp_path, number):
    def stop(*_):
        raise KeyboardInterrupt

    former = signal.signal(number, stop)
    ends = set()
    try:
        for step in itertools.count():
            out = tmp_path / str(step)
            stopped = False
            try:
                came = stopped_at(step, out, number)
            except KeyboardInterrupt:
                came = stopped = True
            assert signal.getsignal(number) is stop, step
            kept = contents(out) if out.exists() else None
            assert kept in (None, ["a.txt", "b.txt"]), step
            ends.add((stopped, kept is not None))
            if not came:
                break
    finally:
        signal.signal(number, former)
    assert ends == {(True, False), (True, True), (False, True)}


def test_what_a_killed_run_left_is_removed_and_what_others_work_in_is_not(tmp_path):
    """A run that is killed outright cannot clean up; its hidden folder stayed for good."""
    old = time.time() - 2 * LEFT_OVER
    for name in (".raphe-killed", ".raphe-fresh", "results"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file.tsv").write_text("x")
    os.utime(tmp_path / ".raphe-killed", (old, old))
    os.utime(tmp_path / "results", (old, old))
    with staged(tmp_path) as working:
        os.utime(working, (old, old))
        prepare(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == {".raphe-fresh", "results", working.name}
