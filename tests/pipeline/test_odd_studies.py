"""Studies with which one can go on, but not without a word: what is told, what is left out, and how the run ends."""

import json
import re
import shutil

import numpy as np
import pytest

REGIONS = ("thalamus", "putamen", "caudate", "hippocampus")
FIRST = "sub-01_ses-baseline"


def decayed(files, *tables, sign=-1):
    """Undo the correction for decay, or do it once more; a frame holds the mean of what is left."""
    rate = np.log(2) / (60 * 20.364)
    for table in tables or (files.table,):
        rows = files.rows(table)
        for row in rows[1:]:
            start, end = float(row[0]), float(row[1])
            left = (np.exp(-rate * start) - np.exp(-rate * end)) / (rate * (end - start))
            row[2:] = [str(float(cell) * left**-sign) for cell in row[2:]]
        files.save(rows, table)


def gap(files):
    """Leave the measurement of the 20th frame out."""
    files.save([*files.rows()[:20], *files.rows()[21:]])
    told = files.fields()
    files.tell(**{field: told[field][:19] + told[field][20:] for field in ("FrameTimesStart", "FrameDuration")})


WARNED = {
    "a table cut short": (lambda f: f.save(f.rows()[:30]), [FIRST, "first 29 of the 36 frames"]),
    "a scan cut short": (lambda f: f.cut(30), [FIRST, "ends at 45 min", "90 min"]),
    "a gap": (gap, [FIRST, "60 s between frames 19 and 20"]),
    "another unit in one scan": (lambda f: f.tell(Units="kBq/mL"), [FIRST, "Units, 'kBq/mL', right?"]),
    "a unit that cannot be": (
        lambda f: f.tell(*f.sidecars(), Units="MBq/mL", BodyWeight=70),
        [FIRST, "standardised uptake", "Units"],
    ),
    "a dose that cannot be": (lambda f: f.tell(InjectedRadioactivity=4e8), [FIRST, "4e+08 MBq", "impossible"]),
    "a dose that is text": (lambda f: f.tell(InjectedRadioactivity="400"), [FIRST, "InjectedRadioactivity is '400'"]),
    "no time of injection": (lambda f: f.tell(InjectionStart=...), [FIRST, "InjectionStart is missing", "0 s"]),
    "a scan that starts otherwise": (lambda f: f.tell(ScanStart=60), [FIRST, "ScanStart is 60 s"]),
    "an injection before the scan": (lambda f: f.tell(InjectionStart=-30), [FIRST, "frame 1 is 30-40 s"]),
    "no word of decay": (lambda f: f.tell(ImageDecayCorrected=...), [FIRST, "ImageDecayCorrected is missing"]),
    "a value with its point in the wrong place": (
        lambda f: f.cell(33, "putamen", 10 * float(f.rows()[33][f.rows()[0].index("putamen")])),
        [FIRST, "'putamen' leaps in frame 33"],
    ),
    "a value of the reference that is 0": (
        lambda f: f.cell(20, "cerebellum", 0),
        [FIRST, "'cerebellum' leaps in frame 20, to 0 kBq/mL"],
    ),
    "no correction for decay": (decayed, [FIRST, "ImageDecayCorrected", "1.4 times the decay"]),
    "another radionuclide in all scans": (
        lambda f: f.tell(*f.sidecars(), TracerRadionuclide="F18"),
        [FIRST, "'F18'", "DASB with C11"],
    ),
    "a copied scan": (
        lambda f: shutil.copy(f.table, f.table_of("01", "rescan")),
        ["sub-01_ses-rescan", "is one a copy?"],
    ),
    "two regions with one curve": (
        lambda f: (f.without("caudate"), f.copied("putamen", "caudate")),
        ["'putamen' and 'caudate' have identical curves"],
    ),
    "a region of zeros": (lambda f: f.column("putamen", lambda _: 0), [FIRST, "'putamen' has no activity"]),
    "a region that never changes": (lambda f: f.column("putamen", lambda _: 5000), [FIRST, "'putamen'", "every frame"]),
    "a negative region": (lambda f: f.column("putamen", lambda c: -float(c)), [FIRST, "'putamen' has a negative"]),
    "a scan without curves": (lambda f: shutil.rmtree(f.table.parent), [FIRST, "no table of curves"]),
    "a third session": (lambda f: f.add("01", "third"), ["[[session]] 'third'", "sub-01_ses-third"]),
    "half a pair": (lambda f: f.forget("02", "rescan"), ["'change' leaves out", "sub-02"]),
    "a tracer that is not planned": (
        lambda f: (f.add("03", "baseline"), f.tell(f.pet_of("03", "baseline"), TracerName="DSAB")),
        ["[[tracer]] 'DSAB'", "sub-03_ses-baseline"],
    ),
}


@pytest.mark.parametrize(("change", "words"), WARNED.values(), ids=WARNED)
def test_a_doubt_is_told_and_ends_with_1(files, raphe, change, words):
    change(files)
    checked = raphe("check", files.root)
    assert checked.code == 1
    ended = raphe("run", files.root, files.out, "all", "--quiet")
    assert ended.code == 1
    warnings = [line for line in ended.err.splitlines() if line.startswith("raphe run: warning: ")]
    assert warnings == ended.err.splitlines()
    for told in ("\n".join(warnings), checked.out):
        for word in words:
            assert word in told
    assert (files.out / "report.html").is_file()


FINE = {
    "a byte-order mark": lambda f: f.table.write_bytes(b"\xef\xbb\xbf" + f.table.read_bytes()),
    "lines as on Windows": lambda f: f.table.write_bytes(f.table.read_bytes().replace(b"\n", b"\r\n")),
    "commas": lambda f: f.table.write_text(f.table.read_text().replace("\t", ",")),
    "minutes that say so": lambda f: (
        [f.column(c, lambda cell: float(cell) / 60) for c in ("frame_start", "frame_end")],
        f.edit("frame_start\tframe_end", "start_min\tend_min", f.table),
    ),
    "times in the sidecar alone": lambda f: f.without("frame_start", "frame_end"),
    "kBq/mL": lambda f: (
        [f.column(region, lambda cell: float(cell) / 1000) for region in ("cerebellum", *REGIONS)],
        f.tell(Units="kBq/cc"),
    ),
    "no correction for decay, as said": lambda f: (decayed(f), f.tell(ImageDecayCorrected=False)),
    "a correction to the start of the scan": lambda f: f.tell(ImageDecayCorrectionTime=0),
    "a zero of time before injection": lambda f: (
        [f.column(c, lambda cell: float(cell) + 100) for c in ("frame_start", "frame_end")],
        f.tell(
            FrameTimesStart=[start + 100 for start in f.fields()["FrameTimesStart"]],
            InjectionStart=100,
            ScanStart=100,
            ImageDecayCorrectionTime=100,
        ),
    ),
    "other spellings of the tracer": lambda f: f.tell(TracerName="(11C)dasb", TracerRadionuclide="carbon-11"),
    "a region in another order": lambda f: (
        f.copied("thalamus", "x"),
        f.without("thalamus"),
        f.edit("x", "thalamus", f.table),
    ),
    "a plan from Windows": lambda f: f.plan.write_bytes(b"\xef\xbb\xbf" + f.plan.read_bytes().replace(b"\n", b"\r\n")),
    "sessions with their key": lambda f: f.edit('["baseline", "rescan"]', '["ses-baseline", "ses-rescan"]'),
    "no participants.tsv": lambda f: (f.root / "participants.tsv").unlink(),
    "a participant without data": lambda f: (f.root / "participants.tsv").write_text(
        "participant_id\nsub-01\nsub-02\nsub-09\n"
    ),
    "a link that leads back": lambda f: (f.root / "sub-01" / "again").symlink_to(f.root),
}


@pytest.mark.parametrize("change", FINE.values(), ids=FINE)
def test_what_is_the_same_study_gives_the_same_numbers(files, raphe, rows_of, tmp_path, change):
    assert raphe("run", files.root, tmp_path / "plain", "all").code == 0
    change(files)
    ended = raphe("run", files.root, files.out, "all")
    assert ended.code == 0, ended.err
    plain, changed = (
        {(r["participant"], r["session"], r["region"], r["parameter"]): float(r["value"]) for r in rows_of(table)}
        for table in (tmp_path / "plain/group/estimates.tsv", files.out / "group/estimates.tsv")
    )
    assert plain.keys() == changed.keys()
    np.testing.assert_allclose(list(changed.values()), list(plain.values()), rtol=2e-3)


NAMES = {
    "a script": "<script>alert(1)</script>",
    "another script": "\u5927\u8133",
    "slashes": "../../etc/passwd",
    "a quote": "L'Aquila & co",
    "blanks": "anterior insula",
    "a formula": "=1+1",
    "a dash": "-",
    "a long one": "x" * 2000,
    "the name of a parameter": "BPND",
    "no number": "nan",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_region_may_have_any_name(files, raphe, rows_of, contents, tmp_path, name):
    for table in files.tables():
        files.edit("caudate", name, table)
    files.edit('list = ["thalamus", "putamen", "caudate", "hippocampus"]', "")
    outside = contents(files.root)
    assert raphe("run", files.root, files.out, "all").code == 0
    assert {row["region"] for row in rows_of(files.out / "group/estimates.tsv")} == {*REGIONS, name} - {"caudate"}
    for page in files.out.rglob("*.html"):
        assert "<script>alert" not in page.read_text()
    assert contents(files.root) == outside
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "study"]


@pytest.mark.parametrize("where", ["title", "contrast"])
def test_a_plan_may_hold_a_script(files, raphe, where):
    script = "<script>alert(1)</script>"
    files.edit(
        "A small study" if where == "title" else 'name = "change"', script if where == "title" else f'name = "{script}"'
    )
    if where == "contrast":
        files.edit('contrast = "change"', f'contrast = "{script}"')
    assert raphe("run", files.root, files.out, "all").code == 0
    for page in files.out.rglob("*.html"):
        assert script not in page.read_text()


def test_a_scan_that_cannot_be_fitted_fails_alone(files, raphe, rows_of):
    rows = files.rows()
    four = [[str(1000 * i), str(1000 * (i + 1)), *rows[30 + i][2:]] for i in range(4)]
    files.save([rows[0], *four])
    files.tell(FrameTimesStart=[0, 1000, 2000, 3000], FrameDuration=[1000] * 4)
    ended = raphe("run", files.root, files.out, "all", "--quiet")
    assert ended.code == 3
    assert ended.err.count(f"{FIRST}: SRTM has 3 free parameters and needs at least 5 frames") == 1
    scans = {(r["participant"], r["session"]) for r in rows_of(files.out / "group/estimates.tsv")}
    assert scans == {("01", "rescan"), ("02", "baseline"), ("02", "rescan")}
    assert {row["n"] for row in rows_of(files.out / "group/contrast-change_result.tsv")} == {"1"}
    excluded = json.loads((files.out / "group/contrast-change_result.json").read_text())["Excluded"]
    assert {(one["participant"], one["session"]) for one in excluded} == {("01", "baseline")}
    assert "needs at least 5 frames" in (files.out / "report.html").read_text()
    assert not (files.out / "sub-01/ses-baseline").exists()


def test_a_contrast_whose_session_failed_is_left_out_and_the_rest_is_done(files, raphe):
    for who in ("01", "02"):
        table = files.table_of(who, "rescan")
        rows = files.rows(table)
        files.save([rows[0], *([str(1000 * i), str(1000 * (i + 1)), *rows[30 + i][2:]] for i in range(4))], table)
        files.tell(files.pet_of(who, "rescan"), FrameTimesStart=[0, 1000, 2000, 3000], FrameDuration=[1000] * 4)
    ended = raphe("run", files.root, files.out, "all", "--quiet")
    assert ended.code == 3
    assert "contrast 'change' cannot be made: session 'rescan' has no estimate" in ended.err
    assert (files.out / "report.html").is_file()
    assert not (files.out / "group/contrast-change_result.tsv").exists()


def test_regions_that_are_all_flagged_in_one_session_enter_no_summary(files, raphe, rows_of):
    decayed(files, sign=1)
    ended = raphe("run", files.root, files.out, "all", "--quiet")
    assert ended.code == 1
    assert f"{FIRST}: 4 of 4 regions have no usable estimate" in ended.err
    rows = rows_of(files.out / "group/contrast-change_result.tsv")
    assert [(row["n"], row["excluded"]) for row in rows] == [("1", "1")] * 4
    flagged = [
        r for r in rows_of(files.out / "group/estimates.tsv") if (r["participant"], r["session"]) == ("01", "baseline")
    ]
    assert all(row["quality"] for row in flagged)


def test_a_scan_of_a_few_minutes_gives_no_value_that_is_believed(files, raphe, rows_of):
    files.cut(12)
    assert raphe("run", files.root, files.out, "all", "--quiet").code == 1
    rows = rows_of(files.out / "group/contrast-change_result.tsv")
    assert {row["n"] for row in rows} == {"1"}


def test_the_reference_among_the_regions_gives_no_binding(files, raphe, rows_of):
    files.edit('"caudate"', '"cerebellum"')
    assert raphe("run", files.root, files.out, "all", "--quiet").code in (0, 1)
    rows = rows_of(files.out / "group/estimates.tsv")
    own = [row for row in rows if row["region"] == "cerebellum" and row["parameter"] == "BP_ND"]
    assert len(own) == 4
    assert all(row["quality"] or abs(float(row["value"])) < 1e-3 for row in own)


def test_identical_sessions_differ_by_nothing_and_are_not_tested(files, raphe, rows_of):
    for who in ("01", "02"):
        shutil.copy(files.table_of(who, "baseline"), files.table_of(who, "rescan"))
    assert raphe("run", files.root, files.out, "all", "--quiet").code == 1
    for row in rows_of(files.out / "group/contrast-change_result.tsv"):
        assert float(row["estimate"]) == 0
        assert row["p"] == "n/a"
        assert "equal" in row["remark"]


def test_one_person_gives_a_change_without_inference(files, raphe, rows_of):
    files.forget("02", "baseline")
    files.forget("02", "rescan")
    assert raphe("run", files.root, files.out, "all").code == 1  # the primary question has no test
    for row in rows_of(files.out / "group/contrast-change_result.tsv"):
        assert (row["n"], row["df"], row["p"], row["ci_low"]) == ("1", "n/a", "n/a", "n/a")
        assert float(row["estimate"]) < 0


def test_three_sessions_without_a_plan_are_compared_two_by_two(files, raphe):
    files.plan.unlink()
    files.add("01", "third", like=("01", "rescan"))
    files.cell(20, "putamen", 15000, files.table_of("01", "third"))
    assert raphe("run", files.root, files.out, "all").code == 0
    found = {path.name.split("_")[0] for path in (files.out / "group").glob("agreement-*_result.tsv")}
    assert found == {"agreement-baselinerescan", "agreement-baselinethird", "agreement-rescanthird"}


def test_two_scans_of_one_tracer_in_a_session_are_analysed_but_not_compared_without_a_plan(files, raphe):
    files.plan.unlink()
    for path in (files.table, files.pet):
        shutil.copy(path, path.with_name(path.name.replace("ses-baseline", "ses-baseline_run-2")))
        path.rename(path.with_name(path.name.replace("ses-baseline", "ses-baseline_run-1")))
    ended = raphe("run", files.root, files.out, "all", "--quiet")
    assert ended.code == 1
    assert "agreement of sessions 'baseline' and 'rescan' cannot be told" in ended.err
    assert len(list(files.out.rglob("*_kinpar.tsv"))) == 5
    assert not list(files.out.rglob("agreement-*"))


def test_a_study_without_sessions(files, raphe, rows_of):
    files.plan.unlink()
    for who in ("01", "02"):
        files.forget(who, "rescan")
        for path in (files.pet_of(who, "baseline"), files.table_of(who, "baseline")):
            place = path.parents[2] / "pet" / path.name.replace("_ses-baseline", "")
            place.parent.mkdir()
            path.rename(place)
            shutil.rmtree(path.parents[1])
    assert raphe("check", files.root).code == 0
    assert raphe("run", files.root, files.out, "all").code == 0
    assert {row["session"] for row in rows_of(files.out / "group/estimates.tsv")} == {"n/a"}
    assert (files.out / "sub-01/report.html").is_file()


def test_a_tracer_that_the_catalog_does_not_know_needs_a_model_and_a_reference(files, raphe, refused):
    files.plan.unlink()
    files.tell(*files.sidecars(), TracerName="[18F]XYZ", TracerRadionuclide="F18")
    assert raphe("check", files.root).code == 0
    command = ["run", files.root, files.out, "all"]
    refused(*command, words=["no model", "'[18F]XYZ'", "--model"])
    refused(*command, "--model", "SRTM", words=["no reference", "'[18F]XYZ'", "--reference"])
    assert raphe(*command, "--model", "SRTM", "--reference", "cerebellum").code == 0


def test_a_reference_that_binds_more_than_most_regions_is_told(files, raphe, tmp_path):
    """The reference and a target exchanged gave negative binding everywhere, and exit code 0."""
    rows = files.rows()
    names = {"cerebellum": "thalamus", "thalamus": "cerebellum"}
    files.save([[names.get(cell, cell) for cell in rows[0]], *rows[1:]])
    ended = raphe("run", files.root, files.out, "all", "--quiet")
    assert ended.code == 1
    assert re.search(r"sub-01_ses-baseline: BP_ND is below 0 in \d of \d usable regions by SRTM", ended.err), ended.err
    assert "look at the reference" in (files.out / "sub-01/ses-baseline/report.html").read_text()
    alone = raphe("fit", files.table, "--model", "SRTM", "--reference", "cerebellum", "--out", tmp_path / "fit")
    assert alone.code == 1
    assert "BP_ND is below 0 in " in alone.err
