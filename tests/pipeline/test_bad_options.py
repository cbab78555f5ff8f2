"""Options and places that cannot be used, of ``raphe run`` and ``raphe fit``."""

import json
import os
import shutil
from pathlib import Path

import pytest

REGIONS = ("thalamus", "putamen", "caudate", "hippocampus")
TABLE = "sub-01_ses-baseline_seg-test_desc-preproc_tacs.tsv"

RUN = {
    "an unknown model": (["--model", "SRTMX"], ["--model", "'SRTMX'", "did you mean SRTM", "MRTM2"]),
    "an empty model": (["--model", ""], ["--model", "''"]),
    "a reference with a slip": (["--reference", "cerebelum"], ["'cerebelum'", "did you mean 'cerebellum'"]),
    "a reference like no other": (["--reference", "xyz"], [TABLE, "'xyz'", "thalamus"]),
    "an empty reference": (["--reference", ""], ["--reference", "''"]),
    "a k2_prime of 0": (["--k2-prime", "0"], ["--k2-prime", "0 is not a positive number"]),
    "a negative k2_prime": (["--k2-prime=-1"], ["--k2-prime", "-1 is not a positive number"]),
    "a k2_prime of NaN": (["--k2-prime", "nan"], ["--k2-prime", "'nan' is not a number"]),
    "an infinite k2_prime": (["--k2-prime", "inf"], ["--k2-prime", "'inf' is not a number"]),
    "a k2_prime in words": (["--k2-prime", "best"], ["--k2-prime", "'best' is not a number"]),
    "a k2_prime that the model does not take": (["--k2-prime", "0.06"], ["SRTM has no k2_prime", "leave it out"]),
    "a k2_prime that nothing has": (["--model", "MRTM2", "--k2-prime", "1e-300"], ["MRTM2", "1e-300", "1e-06"]),
    "a t_star before injection": (["--model", "LoganRef", "--t-star=-5"], ["--t-star", "-5 is not a number from 0 on"]),
    "a t_star of NaN": (["--model", "LoganRef", "--t-star", "nan"], ["--t-star", "'nan' is not a number"]),
    "a t_star after the scan": (["--model", "LoganRef", "--t-star", "91"], ["t_star = 91", "0 of the scan's 36"]),
    "a t_star that the model does not take": (["--t-star", "10"], ["SRTM has no t_star", "leave it out"]),
    "weights by no name": (["--weights", "poisson"], ["--weights 'poisson'", "decay, duration, uniform"]),
    "weights that are a folder": (["--weights", "."], ["is a folder"]),
    "a convention with a slip": (["--convention", "mid"], ["--convention", "'mid'", "midframe"]),
    "a participant who is not there": (["--participant-label", "01", "02", "03"], ["sub-03", "sub-01, sub-02"]),
    "a label that leads out": (["--participant-label", "../01"], ["sub-../01", "sub-01"]),
    "a session that is not there": (["--session-label", "x"], ["ses-x", "ses-baseline, ses-rescan"]),
    "a tracer that is not there": (["--tracer", "DSAB"], ["--tracer 'DSAB'", "did you mean 'DASB'"]),
    "a segmentation that is not there": (["--seg", "x"], ["sub-01_ses-baseline", "seg x", "seg test"]),
    "a correction that is not there": (["--pvc", "gtm"], ["sub-01_ses-baseline", "pvc gtm"]),
    "no workers": (["--workers", "0"], ["--workers", "0 is not a number from 1 on"]),
    "half a worker": (["--workers", "0.5"], ["--workers", "'0.5' is not a whole number"]),
    "both ways to begin": (["--resume", "--restart"], ["--restart", "--resume"]),
    "derivatives that are not there": (["--derivatives", "/no/such/place"], ["/no/such/place does not exist"]),
    "a log in no folder": (["--log-file", "/no/such/place/log"], ["--log-file /no/such/place/log"]),
    "an option that nobody knows": (["--modell", "SRTM"], ["--modell"]),
}


@pytest.mark.parametrize(("words", "told"), RUN.values(), ids=RUN)
def test_an_option_of_run_that_cannot_be_used_is_refused(files, refused, words, told):
    refused("run", files.root, files.out, "all", *words, words=told)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], ["COMMAND"]),
        (["fitt"], ["'fitt'", "fit"]),
        (["run", "a", "b"], ["level"]),
        (["run", "a", "b", "subject"], ["'subject'", "participant"]),
        (["run", "", "b", "all"], ["''"]),
        (["run", "a\0", "b", "all"], ["is not the name of a file"]),
        (["fit", "a"], ["--model"]),
        (["list", "modells"], ["'modells'", "models"]),
        (["simulate", "test-retest", "b", "--participants", "0", "--tacs-only"], ["--participants", "0 is not"]),
        (["simulate", "test-retest", "b", "--seed=-1", "--tacs-only"], ["--seed", "-1 is not"]),
    ],
)
def test_words_that_make_no_command(raphe, words, told):
    ended = raphe(*words)
    assert ended.code == 2
    assert "\n" not in ended.err.strip()
    assert "--help" in ended.err
    for word in told:
        assert word in ended.err


FIT = {
    "an unknown model": (["--model", "BRTM"], ["--model", "'BRTM'", "SRTM"]),
    "a reference with a slip": (["--reference", "cerebelum"], [TABLE, "'cerebelum'", "did you mean 'cerebellum'"]),
    "a reference that is a page": (["--reference", "<b>"], ["'<b>'", "cerebellum"]),
    "a half-life of 0": (["--half-life", "0"], ["--half-life", "0 is not a positive number"]),
    "a negative half-life": (["--half-life=-20.4"], ["--half-life", "-20.4 is not a positive number"]),
    "a half-life of NaN": (["--half-life", "nan"], ["--half-life", "'nan' is not a number"]),
    "another half-life": (["--half-life", "109.8"], ["TracerRadionuclide is 'C11'", "20.364 min", "109.8 min"]),
    "an unknown unit": (["--unit", "kBq/g"], ["--unit", "'kBq/g'", "kBq/mL"]),
    "another unit": (["--unit", "kBq/mL"], ["kBq/mL", "says Bq/mL", "--unit"]),
    "frames after the last": (["--frames", "40:50"], [TABLE, "40:50", "36"]),
    "more frames than there are": (["--frames", "0:50"], [TABLE, "0:50", "36"]),
    "frames from the last to the first": (["--frames", "9:3"], ["--frames", "9:3"]),
    "no frames": (["--frames", "5:5"], ["--frames", "5:5"]),
    "frames before the first": (["--frames=-3:"], ["--frames", "-3:"]),
    "half a frame": (["--frames", "1.5:3"], ["--frames", "'1.5' is not a whole number"]),
    "frames by name": (["--frames", "all"], ["--frames", "'all'"]),
    "frames that begin late": (["--frames", "20:36"], ["10 min after injection", "early frames"]),
    "a few frames": (["--frames", "0:3"], [TABLE, "SRTM has 3 free parameters and needs at least 5 frames, but 3 of"]),
    "a t_star after the scan": (["--model", "LoganRef", "--t-star", "80"], ["t_star = 80", "1 of the scan's 36"]),
    "a k2_prime that the model does not take": (["--k2-prime", "auto"], ["SRTM has no k2_prime"]),
}


@pytest.mark.parametrize(("words", "told"), FIT.values(), ids=FIT)
def test_an_option_of_fit_that_cannot_be_used_is_refused(files, refused, words, told):
    usual = ["--model", "SRTM", "--reference", "cerebellum", "--out", files.out]
    refused("fit", files.table, *usual, *words, words=told)


ONES = ["1"] * 36

WEIGHTS = {
    "too few": (["weight", *ONES[1:]], ["'weight'", "35 rows", "36 frames"]),
    "too many": (["weight", *ONES, "1"], ["'weight'", "37 rows", "36 frames"]),
    "negative": (["weight", *ONES[1:], "-1"], ["line 37", "'-1'", "1/variance"]),
    "NaN": (["weight", *ONES[1:], "nan"], ["line 37", "'nan'", "1/variance"]),
    "infinite": (["weight", *ONES[1:], "inf"], ["line 37", "'inf'"]),
    "a word": (["weight", *ONES[1:], "heavy"], ["line 37", "'heavy'"]),
    "without their column": (["w", *ONES], ["'weight'", "columns: w"]),
    "all zero": (["weight", *["0"] * 36], ["0 of the scan's 36", "36 that have no weight"]),
    "nearly all zero": (["weight", *["0"] * 33, "1", "1", "1"], ["3 of the scan's 36", "33 that have no weight"]),
    "too far apart": (["weight", "1e-300", *ONES[1:]], ["1e-300 to 1", "too far apart"]),
    "none": ([], ["is empty"]),
}


@pytest.mark.parametrize("command", ["run", "fit"])
@pytest.mark.parametrize(("lines", "told"), WEIGHTS.values(), ids=WEIGHTS)
def test_weights_that_cannot_be_used_are_refused(files, refused, tmp_path, command, lines, told):
    path = tmp_path / "weights.tsv"
    path.write_text("".join(f"{line}\n" for line in lines))
    if command == "run":
        refused("run", files.root, files.out, "all", "--weights", path, words=told)
    else:
        usual = ["--model", "SRTM", "--reference", "cerebellum", "--out", files.out]
        refused("fit", files.table, *usual, "--weights", path, words=told)


def test_weights_for_a_study_must_fit_every_scan(files, refused, tmp_path):
    path = tmp_path / "weights.tsv"
    path.write_text("\n".join(["weight", *ONES]))
    files.cut(30)
    told = ["weights.tsv", "36 rows", "30 frames", TABLE]
    refused("run", files.root, files.out, "all", "--weights", path, words=told)


def alone(files, change=lambda text: text):
    """Put the curves where no sidecar is."""
    path = files.root.parent / "curves.tsv"
    path.write_text(change(files.table.read_text()))
    return path


def in_minutes(text):
    head, *rows = (line.split("\t") for line in text.splitlines())
    halves = [[f"{float(cell) / 60:.6g}" for cell in row[:2]] + row[2:] for row in rows]
    return "\n".join("\t".join(row) for row in [head, *halves])


def shifted(seconds):
    def change(text):
        head, *rows = (line.split("\t") for line in text.splitlines())
        moved = [[str(int(cell) + seconds) for cell in row[:2]] + row[2:] for row in rows]
        return "\n".join("\t".join(row) for row in [head, *moved])

    return change


def rows(n, length):
    """``n`` frames of ``length`` s with curves of some kind."""

    def change(text):
        cells = [
            [i * length, (i + 1) * length, *(10 + (i * (region + 3)) % 7 for region in range(5))] for i in range(n)
        ]
        return "\n".join([text.splitlines()[0], *("\t".join(map(str, row)) for row in cells)])

    return change


BARE = {
    "no unit": (lambda t: t, [], ["unit", "--unit", "curves.json"]),
    "minutes": (in_minutes, ["--unit", "Bq/mL"], ["36 frames end at 90 s", "minutes", "--half-life"]),
    "minutes, and a half-life": (in_minutes, ["--unit", "Bq/mL", "--half-life", "20.4"], ["90 s", "minutes"]),
    "minutes, and a longer one": (in_minutes, ["--unit", "Bq/mL", "--half-life", "109.8"], ["90 s", "minutes"]),
    "decay without a half-life": (lambda t: t, ["--unit", "Bq/mL", "--weights", "decay"], ["'decay'", "--half-life"]),
    "overlap": (lambda t: t.replace("40\t50\t", "40\t55\t"), ["--unit", "Bq/mL"], ["line 6", "overlap", "55 s"]),
    "backwards": (lambda t: t.replace("40\t50\t", "400\t500\t"), ["--unit", "Bq/mL"], ["line 7", "backwards"]),
    "zero length": (lambda t: t.replace("40\t50\t", "40\t40\t"), ["--unit", "Bq/mL"], ["line 6", "zero length"]),
    "negative length": (
        lambda t: t.replace("40\t50\t", "40\t30\t"),
        ["--unit", "Bq/mL"],
        ["line 6", "negative length"],
    ),
    "before injection": (shifted(-100), ["--unit", "Bq/mL"], ["line 3", "before injection", "highest"]),
    "late": (shifted(600), ["--unit", "Bq/mL"], ["10 min after injection", "early frames"]),
    "one frame": (rows(1, 3000), ["--unit", "Bq/mL"], ["SRTM", "1 of the scan's 1", "5 frames"]),
    "four frames": (rows(4, 1000), ["--unit", "Bq/mL"], ["SRTM", "4 of the scan's 4", "5 frames"]),
    "no times": (
        lambda t: "\n".join("\t".join(line.split("\t")[2:]) for line in t.splitlines()),
        ["--unit", "Bq/mL"],
        ["frame_start", "sidecar"],
    ),
    "nothing but the reference": (
        lambda t: "\n".join("\t".join(line.split("\t")[:3]) for line in t.splitlines()),
        ["--unit", "Bq/mL"],
        ["no curve to fit", "'cerebellum'"],
    ),
}


@pytest.mark.parametrize(("change", "words", "told"), BARE.values(), ids=BARE)
def test_a_table_without_sidecar_that_cannot_be_used_is_refused(files, refused, change, words, told):
    path = alone(files, change)
    usual = ["--model", "SRTM", "--reference", "cerebellum", "--out", files.out]
    refused("fit", path, *usual, *words, words=["curves.tsv" if "decay" not in words else "", *told])


REFERENCE = {
    "absent": (lambda f: f.without("cerebellum"), ["absent", "'cerebellum'", "thalamus"]),
    "empty": (lambda f: f.column("cerebellum", lambda _: "n/a"), ["'cerebellum' is empty"]),
    "zero": (lambda f: f.column("cerebellum", lambda _: 0), ["'cerebellum' is zero"]),
    "negative": (lambda f: f.column("cerebellum", lambda cell: -float(cell)), ["'cerebellum'", "negative"]),
    "with a hole": (lambda f: f.cell(7, "cerebellum", "nan"), ["'cerebellum'", "frame 7", "line 8"]),
    "alone": (lambda f: f.without(*REGIONS), ["'cerebellum'", "no curve to fit"]),
}


@pytest.mark.parametrize(("spoil", "told"), REFERENCE.values(), ids=REFERENCE)
def test_a_table_with_a_reference_that_cannot_be_used_is_refused(files, refused, spoil, told):
    spoil(files)
    words = ["--model", "SRTM", "--reference", "cerebellum", "--out", files.out]
    refused("fit", files.table, *words, words=[TABLE, *told])


def test_what_is_no_table_is_refused(files, refused):
    for path, told in ((files.root / "no.tsv", "does not exist"), (files.root, "is a folder")):
        refused("fit", path, "--model", "SRTM", words=[str(path), told])


def made_by(name):
    return json.dumps({"Name": "x", "GeneratedBy": [{"Name": name}]})


def with_text(place, text="x"):
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


PLACES = {
    "a file": ("file", lambda top: with_text(top / "file"), ["file is a file"]),
    "in a file": ("file/deep/out", lambda top: with_text(top / "file"), ["file is a file"]),
    "the data set": ("study", None, ["the output folder is the data set", "derivatives/raphe"]),
    "in the data set": ("study/results", None, ["inside of the data set", "derivatives/raphe"]),
    "in a participant's folder": ("study/sub-01/out", None, ["inside of the data set"]),
    "the folder of derivatives": ("study/derivatives", None, ["inside of the data set"]),
    "the curves themselves": ("study/derivatives/curves", None, ["curves", "is the data set that is read"]),
    "in the curves": ("study/derivatives/curves/out", None, ["curves/out", "inside of the data set"]),
    "through a link": ("link/out", lambda top: (top / "link").symlink_to(top / "study"), ["inside of the data set"]),
    "a link to itself": ("loop", lambda top: (top / "loop").symlink_to(top / "loop"), ["leads nowhere"]),
    "a link to nowhere": ("to", lambda top: (top / "to").symlink_to(top / "nowhere"), ["leads nowhere"]),
    "results of another program": (
        "other",
        lambda top: with_text(top / "other/dataset_description.json", made_by("fMRIPrep")),
        ["did not make", "dataset_description.json"],
    ),
    "another raw data set": (
        "other",
        lambda top: with_text(top / "other/dataset_description.json", '{"Name": "raw"}'),
        ["did not make"],
    ),
    "a data set that nobody describes": (
        "other",
        lambda top: with_text(top / "other/sub-01/pet/sub-01_pet.json"),
        ["sub-*", "choose another folder"],
    ),
    "a data set with a broken description": (
        "other",
        lambda top: with_text(top / "other/dataset_description.json", "{"),
        ["dataset_description.json", "not valid JSON"],
    ),
    "a name without end": ("x" * 300, None, ["too long"]),
}


@pytest.mark.parametrize(("place", "make", "told"), PLACES.values(), ids=PLACES)
def test_a_place_that_will_not_do_is_refused(files, refused, tmp_path, place, make, told):
    if make is not None:
        make(tmp_path)
    refused("run", files.root, tmp_path / place, "all", words=told)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_permission_is_refused(files, refused):
    files.out.mkdir(mode=0o500)
    refused("run", files.root, files.out, "all", words=["permission denied"])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read anything")
def test_a_table_without_permission_is_refused(files, raphe):
    files.table.chmod(0)
    ended = raphe("run", files.root, files.out, "all")
    assert ended.code == 2
    assert "cannot be read" in ended.err


def test_a_place_where_nothing_can_be_made(files, raphe):
    if not Path("/proc/self").exists():
        pytest.skip("needs a file system that nobody can write to")
    ended = raphe("run", files.root, "/proc/self/out", "all")
    assert (ended.code, ended.out) == (2, "")
    assert "/proc/self/out: the output folder cannot be written to" in ended.err


def test_fit_does_not_write_over_a_file_or_into_one(files, refused):
    words = ["--model", "SRTM", "--reference", "cerebellum", "--out"]
    refused("fit", files.table, *words, files.table, words=["is a file"])
    refused("fit", files.table, *words, files.table / "out", words=["is a file"])


def test_results_in_derivatives_are_not_taken_for_curves(files, raphe):
    out = files.root / "derivatives" / "raphe"
    for words in ([], ["--derivatives", files.root / "derivatives"]):
        for _ in range(2):
            assert raphe("run", files.root, out, "all", *words).code == 0
        assert raphe("check", files.root).code == 0
    shutil.rmtree(out)
