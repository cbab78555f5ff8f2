"""Data sets that cannot be used: each is told in one paragraph, with exit code 2, and nothing is written."""

import gzip
import shutil

import pytest

TABLE = "sub-01_ses-baseline_seg-test_desc-preproc_tacs.tsv"
PET = "sub-01_ses-baseline_pet.json"
PLAN = "raphe.toml"
REGIONS = ("cerebellum", "thalamus", "putamen", "caudate", "hippocampus")


def minutes(files, *tables):
    for table in tables:
        for column in ("frame_start", "frame_end"):
            files.column(column, lambda cell: f"{float(cell) / 60:.6g}", table)


def sidecar_in_minutes(files, *paths):
    for path in paths:
        told = files.fields(path)
        times = {field: [value / 60 for value in told[field]] for field in ("FrameTimesStart", "FrameDuration")}
        files.tell(path, **times)


def swap(files, one, other):
    rows = files.rows()
    rows[one], rows[other] = rows[other], rows[one]
    files.save(rows)


def repeat(files, row):
    rows = files.rows()
    files.save([*rows[: row + 1], *rows[row:]])


def longer(files, index, by):
    """Make one frame of the sidecar longer."""
    lengths = list(files.fields()["FrameDuration"])
    lengths[index] += by
    files.tell(FrameDuration=lengths)


def shift(files, seconds):
    for column in ("frame_start", "frame_end"):
        files.column(column, lambda cell: float(cell) + seconds)


def late(files):
    """Let the scan begin ten minutes after injection."""
    shift(files, 600)
    files.tell(FrameTimesStart=[start + 600 for start in files.fields()["FrameTimesStart"]])


def recoded(files, **how):
    files.table.write_text(files.table.read_text(), **how)


def other_text(files, old, new):
    files.table.write_text(files.table.read_text().replace(old, new))


def renamed(files, old, new):
    files.table.rename(files.table.with_name(files.table.name.replace(old, new)))


def two_scans_in_a_session(files):
    for path in (files.table, files.pet):
        shutil.copy(path, path.with_name(path.name.replace("ses-baseline", "ses-baseline_run-2")))
        path.rename(path.with_name(path.name.replace("ses-baseline", "ses-baseline_run-1")))
    files.cell(9, "putamen", 1234.5, files.table.with_name(files.table.name.replace("baseline", "baseline_run-2")))


def linked_to(path, target):
    path.unlink()
    path.symlink_to(target)


def instead(path):
    path.unlink()
    path.mkdir()


TIMES = {
    "a table in minutes": (lambda f: minutes(f, f.table), [TABLE, PET, "minutes", "seconds"]),
    "all tables in minutes": (lambda f: minutes(f, *f.tables()), [TABLE, "minutes", "sub-02_ses-rescan_seg-test"]),
    "a sidecar in minutes": (
        lambda f: sidecar_in_minutes(f, f.pet),
        [PET, "minutes", "half-lives", "BIDS wants seconds"],
    ),
    "all sidecars in minutes": (
        lambda f: sidecar_in_minutes(f, *f.sidecars()),
        [PET, "minutes", "sub-02_ses-rescan_pet"],
    ),
    "both in minutes": (
        lambda f: (minutes(f, *f.tables()), sidecar_in_minutes(f, *f.sidecars())),
        [PET, "90 s after injection", "minutes"],
    ),
    "both in minutes, of a nuclide that lives long": (
        lambda f: (
            minutes(f, *f.tables()),
            sidecar_in_minutes(f, *f.sidecars()),
            f.tell(*f.sidecars(), TracerRadionuclide="Zr89"),
        ),
        [PET, "minutes"],
    ),
    "a table in milliseconds": (
        lambda f: [f.column(c, lambda cell: 1000 * float(cell)) for c in ("frame_start", "frame_end")],
        [TABLE, "0-10000 s here and 0-10 s there"],
    ),
    "frames of the table overlap": (lambda f: f.cell(5, "frame_end", 55), [TABLE, "line 6", "overlap", "55 s", "50 s"]),
    "frames of the sidecar overlap": (lambda f: longer(f, 4, 5), [PET, "FrameDuration", "overlap", "55 s"]),
    "frames of both overlap": (
        lambda f: (f.cell(5, "frame_end", 55), longer(f, 4, 5)),
        ["overlap", "frame 5", "55 s"],
    ),
    "FrameDuration holds end times": (
        lambda f: f.tell(FrameDuration=[*f.fields()["FrameTimesStart"][1:], 5400]),
        [PET, "FrameDuration", "end times"],
    ),
    "rows out of order": (lambda f: swap(f, 5, 6), [TABLE, "line 7", "backwards", "40 s"]),
    "a row twice": (lambda f: repeat(f, 6), [TABLE, "line 8", "backwards", "50 s"]),
    "the sidecar's frames out of order": (
        lambda f: f.tell(FrameTimesStart=[10, 0, *f.fields()["FrameTimesStart"][2:]]),
        [PET, "FrameTimesStart", "backwards", "frame 2"],
    ),
    "a frame of the table without length": (lambda f: f.cell(5, "frame_end", 40), [TABLE, "line 6", "zero length"]),
    "a frame of the sidecar without length": (lambda f: longer(f, 4, -10), [PET, "frame 5", "zero length"]),
    "a first frame without length": (lambda f: f.cell(1, "frame_end", 0), [TABLE, "line 2", "frame 1", "zero length"]),
    "a frame that ends before it starts": (lambda f: f.cell(5, "frame_end", 30), [TABLE, "line 6", "negative length"]),
    "a time that is missing": (lambda f: f.cell(5, "frame_end", "n/a"), [TABLE, "frame_end", "line 6", "missing"]),
    "a time that is no number": (lambda f: f.cell(5, "frame_end", "5o"), [TABLE, "frame_end", "line 6", "'5o'"]),
    "a time that is infinite": (lambda f: f.cell(5, "frame_end", "inf"), [TABLE, "frame_end", "line 6", "'inf'"]),
    "a row is missing": (lambda f: f.save([*f.rows()[:20], *f.rows()[21:]]), [TABLE, PET, "540-600 s there"]),
    "a row too many": (
        lambda f: f.save([*f.rows(), ["5400", "6000", *["1"] * 5]]),
        [TABLE, "37 frames", "36"],
    ),
    "a time that is counted from elsewhere": (lambda f: shift(f, -60), [TABLE, PET, "-60--50 s here"]),
    "no times, and too few rows": (
        lambda f: (f.without("frame_start", "frame_end"), f.save(f.rows()[:30])),
        [TABLE, "29 rows", "36 frames"],
    ),
    "times without a unit": (
        lambda f: other_text(f, "frame_start\tframe_end", "start\tend"),
        [TABLE, "'start'", "start_s"],
    ),
    "starts that are text": (
        lambda f: f.tell(FrameTimesStart=[str(start) for start in f.fields()["FrameTimesStart"]]),
        [PET, "FrameTimesStart", "'0'", "item 1"],
    ),
    "starts that are one number": (
        lambda f: f.tell(FrameTimesStart=0),
        [PET, "FrameTimesStart is 0", "list of numbers"],
    ),
    "starts that are an empty list": (lambda f: f.tell(FrameTimesStart=[]), [PET, "FrameTimesStart is []"]),
    "starts with a hole": (
        lambda f: f.tell(FrameTimesStart=[None, *f.fields()["FrameTimesStart"][1:]]),
        [PET, "FrameTimesStart is None", "item 1"],
    ),
    "no starts": (lambda f: f.tell(FrameTimesStart=...), [PET, "FrameTimesStart is missing", "seconds from TimeZero"]),
    "fewer durations than starts": (
        lambda f: f.tell(FrameDuration=f.fields()["FrameDuration"][:-1]),
        [PET, "FrameDuration lists 35", "FrameTimesStart", "36"],
    ),
    "injection in the middle of the scan": (
        lambda f: f.tell(InjectionStart=300),
        [TABLE, "before injection", "InjectionStart"],
    ),
    "injection after the scan": (
        lambda f: f.tell(InjectionStart=43200, ImageDecayCorrectionTime=43200),
        [PET, "InjectionStart", "37800 s before injection"],
    ),
    "injection that is text": (lambda f: f.tell(InjectionStart="0"), [PET, "InjectionStart is '0'"]),
    "a scan that begins late": (late, [TABLE, "10 min after injection", "early frames"]),
    "a correction for decay to another day": (
        lambda f: f.tell(ImageDecayCorrectionTime=1e6),
        [PET, "ImageDecayCorrectionTime is 1e+06 s", "half-lives"],
    ),
}

SIDECARS = {
    "no unit": (lambda f: f.tell(Units=...), [PET, "Units is missing", "Bq/mL"]),
    "a unit of mass": (lambda f: f.tell(Units="kBq/g"), [PET, "Units", "'kBq/g'", "kBq/mL"]),
    "no volume in the unit": (lambda f: f.tell(Units="Bq"), [PET, "Units", "'Bq'", "kBq/mL"]),
    "counts": (lambda f: f.tell(Units="counts"), [PET, "Units", "'counts'"]),
    "an empty unit": (lambda f: f.tell(Units=""), [PET, "Units is ''", "Bq/mL"]),
    "a unit that is null": (lambda f: f.tell(Units=None), [PET, "Units is None"]),
    "a unit that is a number": (lambda f: f.tell(Units=5), [PET, "Units is 5", "text"]),
    "a unit for each frame": (lambda f: f.tell(Units=["Bq/mL"] * 36), [PET, "Units is ['Bq/mL'", "text"]),
    "no radionuclide": (lambda f: f.tell(TracerRadionuclide=...), [PET, "TracerRadionuclide is missing", "C11"]),
    "no radionuclide at all": (
        lambda f: f.tell(*f.sidecars(), TracerRadionuclide=...),
        [PET, "TracerRadionuclide is missing", "sub-02_ses-rescan_pet.json"],
    ),
    "an unknown radionuclide": (
        lambda f: f.tell(TracerRadionuclide="Xx99"),
        [PET, "TracerRadionuclide", "'Xx99'", "C11"],
    ),
    "no name of a radionuclide": (
        lambda f: f.tell(TracerRadionuclide="carbon"),
        [PET, "TracerRadionuclide", "'carbon'"],
    ),
    "a radionuclide that is a number": (lambda f: f.tell(TracerRadionuclide=11), [PET, "TracerRadionuclide is 11"]),
    "a radionuclide that has decayed": (
        lambda f: f.tell(TracerRadionuclide="O15"),
        [PET, "44.2 half-lives", "2.03733 min"],
    ),
    "another radionuclide than the name says": (
        lambda f: f.tell(*f.sidecars(), TracerName="[11C]DASB", TracerRadionuclide="F18"),
        [PET, "TracerRadionuclide is 'F18'", "'[11C]DASB'"],
    ),
    "one tracer with two radionuclides": (
        lambda f: f.tell(TracerRadionuclide="F18"),
        ["'DASB'", "sub-01_ses-baseline has F18", "sub-01_ses-rescan C11"],
    ),
    "a tracer's name that is a number": (lambda f: f.tell(TracerName=5), [PET, "TracerName is 5"]),
    "a tracer's name that no file can have": (lambda f: f.tell(TracerName="../.."), [PET, "TracerName is '../..'"]),
    "a tracer's name without end": (
        lambda f: f.tell(TracerName="x" * 500),
        [PET, "TracerName is 'xxx", "files are named"],
    ),
    "a truth that is text": (lambda f: f.tell(ImageDecayCorrected="true"), [PET, "ImageDecayCorrected is 'true'"]),
    "a correction time that is text": (
        lambda f: f.tell(ImageDecayCorrectionTime="0"),
        [PET, "ImageDecayCorrectionTime is '0'"],
    ),
    "broken JSON": (lambda f: f.pet.write_text(f.pet.read_text()[:-20]), [PET, "not valid JSON", "line 1"]),
    "a list": (lambda f: f.pet.write_text("[1]"), [PET, "JSON object", "list"]),
    "empty": (lambda f: f.pet.write_text(""), [PET, "not valid JSON"]),
    "a field twice": (
        lambda f: f.pet.write_text(f.pet.read_text()[:-1] + ', "Units": "kBq/mL"}'),
        [PET, "'Units' stands 2 times"],
    ),
    "NaN in JSON": (
        lambda f: f.edit('"InjectionStart": 0', '"InjectionStart": NaN', f.pet),
        [PET, "NaN is not a number"],
    ),
    "a number that is too large": (
        lambda f: f.edit('"InjectionStart": 0', '"InjectionStart": 1e999', f.pet),
        [PET, "1e999 is too large"],
    ),
    "UTF-16": (lambda f: f.pet.write_text(f.pet.read_text(), encoding="utf-16"), [PET, "UTF-16"]),
    "absent": (lambda f: f.pet.unlink(), [TABLE, "no sidecar", PET]),
    "a folder": (lambda f: instead(f.pet), [PET, "is a folder"]),
}

CURVES = {
    "no reference": (
        lambda f: f.without("cerebellum"),
        [PLAN, "line 7", "reference is absent", "'cerebellum'", "thalamus"],
    ),
    "no reference anywhere": (
        lambda f: [f.without("cerebellum", path=table) for table in f.tables()],
        [PLAN, "line 7", "reference is absent", "every scan", "'cerebellum'"],
    ),
    "an empty reference": (
        lambda f: f.column("cerebellum", lambda _: ""),
        [PLAN, "line 7", "sub-01_ses-baseline", "'cerebellum' is empty"],
    ),
    "a reference of NaN": (
        lambda f: f.column("cerebellum", lambda _: "NaN"),
        ["sub-01_ses-baseline", "'cerebellum' is empty"],
    ),
    "a reference of zeros": (
        lambda f: f.column("cerebellum", lambda _: 0),
        [TABLE, "reference region 'cerebellum' is zero", "another reference"],
    ),
    "a reference of zeros in every scan": (
        lambda f: [f.column("cerebellum", lambda _: 0, table) for table in f.tables()],
        [TABLE, "'cerebellum' is zero", "sub-02_ses-rescan_seg-test"],
    ),
    "a negative reference": (
        lambda f: f.column("cerebellum", lambda cell: -float(cell)),
        [TABLE, "reference region 'cerebellum'", "negative"],
    ),
    "a reference with a hole": (
        lambda f: f.cell(10, "cerebellum", "n/a"),
        [TABLE, "'cerebellum'", "frame 10", "line 11", "give the value"],
    ),
    "a region with a hole": (lambda f: f.cell(10, "putamen", ""), [TABLE, "'putamen'", "frame 10", "line 11"]),
    "a frame without values": (
        lambda f: [f.cell(10, region, "NaN") for region in REGIONS],
        [TABLE, "frame 10", "line 11", "4 more"],
    ),
    "an infinite value": (lambda f: f.cell(10, "putamen", "inf"), [TABLE, "'putamen'", "line 11", "'inf'"]),
    "a value that is too large": (
        lambda f: f.cell(10, "putamen", "1e400"),
        [TABLE, "'putamen'", "'1e400'", "too large"],
    ),
    "a value that nothing living holds": (lambda f: f.cell(10, "putamen", "1e200"), [TABLE, "Bq/mL", "1e+197"]),
    "a region without values": (
        lambda f: f.column("putamen", lambda _: "n/a"),
        [PLAN, "line 16", "sub-01_ses-baseline", "'putamen' is empty"],
    ),
    "a region is missing in one scan": (
        lambda f: f.without("putamen"),
        [PLAN, "line 16", "1 of 4 scans", "sub-01_ses-baseline", "'putamen'"],
    ),
    "a region is missing in all": (
        lambda f: [f.without("putamen", path=table) for table in f.tables()],
        [PLAN, "line 16", "every scan", "'putamen'"],
    ),
    "one side of a region": (
        lambda f: other_text(f, "putamen", "left_putamen"),
        [PLAN, "line 16", "only one side", "left_putamen"],
    ),
    "a column twice": (lambda f: f.copied("putamen", "putamen"), [TABLE, "'putamen' stands 2 times"]),
    "a region twice but for case": (
        lambda f: f.copied("putamen", "Putamen"),
        [TABLE, "'Putamen'", "duplicate of 'putamen'"],
    ),
    "a column without name": (lambda f: other_text(f, "putamen", ""), [TABLE, "column 5 of 7", "no name"]),
    "a column too many": (lambda f: f.save([[*row, ""] for row in f.rows()]), [TABLE, "column 8 of 8", "no name"]),
    "a cell too few": (
        lambda f: f.save([row[:-1] if at == 5 else row for at, row in enumerate(f.rows())]),
        [TABLE, "line 6", "6 cells", "7 columns"],
    ),
    "a cell too many": (
        lambda f: f.save([[*row, "1"] if at == 5 else row for at, row in enumerate(f.rows())]),
        [TABLE, "line 6", "8 cells", "7 columns"],
    ),
    "a word in a cell": (lambda f: f.cell(4, "putamen", "low"), [TABLE, "'putamen'", "line 5", "'low'"]),
    "thousands": (lambda f: f.cell(14, "putamen", "12,345.6"), [TABLE, "'putamen'", "line 15", "'12,345.6'"]),
    "a hexadecimal number": (lambda f: f.cell(14, "putamen", "0x10"), [TABLE, "'putamen'", "line 15", "'0x10'"]),
    "digits of another script": (lambda f: f.cell(14, "putamen", "\u0661\u0662"), [TABLE, "'putamen'", "line 15"]),
    "decimal commas": (lambda f: other_text(f, ".", ","), [TABLE, "decimal comma", "line 2"]),
    "decimal commas between commas": (
        lambda f: (other_text(f, ".", ","), other_text(f, "\t", ",")),
        [TABLE, "decimal commas", "line 2"],
    ),
    "decimal commas between semicolons": (
        lambda f: (other_text(f, ".", ","), other_text(f, "\t", ";")),
        [TABLE, "decimal comma", "line 2"],
    ),
    "a stray quote": (lambda f: f.cell(14, "putamen", '"12'), [TABLE, "line 15", "quote"]),
    "an empty line": (
        lambda f: f.table.write_text(f.table.read_text().replace("\n", "\n\n", 3)),
        [TABLE, "line 2 is empty"],
    ),
    "no header": (lambda f: f.save(f.rows()[1:]), [TABLE, "frame_start"]),
    "a header alone": (lambda f: f.save(f.rows()[:1]), [TABLE, "no rows"]),
    "an empty file": (lambda f: f.table.write_text(""), [TABLE, "is empty"]),
    "blank lines": (lambda f: f.table.write_text("\n\n\n"), [TABLE, "is empty"]),
    "a web page": (lambda f: f.table.write_text("<html>\n<body>\n</body>\n"), [TABLE]),
    "a binary file": (lambda f: f.table.write_bytes(bytes(range(256))), [TABLE, "binary"]),
    "a packed file": (lambda f: f.table.write_bytes(gzip.compress(f.table.read_bytes())), [TABLE, "binary"]),
    "UTF-16": (lambda f: recoded(f, encoding="utf-16"), [TABLE, "UTF-16", "UTF-8"]),
    "UTF-16 without its mark": (lambda f: recoded(f, encoding="utf-16-le"), [TABLE, "binary"]),
    "Latin-1": (
        lambda f: f.table.write_bytes(f.table.read_bytes().replace(b"putamen", b"putam\xe9n")),
        [TABLE, "line 1", "0xe9", "UTF-8"],
    ),
    "a folder": (lambda f: instead(f.table), [TABLE, "is a folder"]),
    "a link to itself": (lambda f: linked_to(f.table, f.table), [TABLE, "cannot be read"]),
    "a link to nowhere": (lambda f: linked_to(f.table, f.root / "nowhere"), [TABLE, "does not exist"]),
    "one frame": (lambda f: f.cut(1), [PET, "10 s after injection"]),
    "three frames": (lambda f: f.cut(3), [PET, "30 s after injection"]),
}

FOLDERS = {
    "no curves": (lambda f: shutil.rmtree(f.root / "derivatives"), ["no time-activity curves", "--derivatives"]),
    "a broken description": (
        lambda f: (f.root / "dataset_description.json").write_text("{"),
        ["dataset_description.json", "not valid JSON"],
    ),
    "a participant twice": (
        lambda f: (f.root / "participants.tsv").write_text("participant_id\nsub-01\nsub-01\nsub-02\n"),
        ["participants.tsv", "line 3", "'sub-01'", "delete line 3"],
    ),
    "participants without their column": (
        lambda f: (f.root / "participants.tsv").write_text("id\nsub-01\nsub-02\n"),
        ["participants.tsv", "'participant_id'"],
    ),
    "participants without their key": (
        lambda f: (f.root / "participants.tsv").write_text("participant_id\n01\nsub-02\n"),
        ["participants.tsv", "line 2", "'01'", "write sub-01"],
    ),
    "participants in UTF-16": (
        lambda f: (f.root / "participants.tsv").write_text("participant_id\nsub-01\n", encoding="utf-16"),
        ["participants.tsv", "UTF-16"],
    ),
    "a table of another participant": (
        lambda f: renamed(f, "sub-01", "sub-02"),
        ["sub-02_ses-baseline", "its name says sub-02", "stands in sub-01"],
    ),
    "a table of another session": (
        lambda f: renamed(f, "baseline", "rescan"),
        ["its name says ses-rescan", "stands in ses-baseline"],
    ),
    "a table of nobody": (lambda f: renamed(f, TABLE, "seg-test_tacs.tsv"), ["seg-test_tacs.tsv", "sub-LABEL"]),
    "a name that is not BIDS": (lambda f: renamed(f, "_seg-test", "_odd"), ["'odd'", "key-value"]),
    "two segmentations": (
        lambda f: shutil.copy(f.table, f.table.with_name(f.table.name.replace("seg-test", "seg-other"))),
        ["sub-01_ses-baseline", "several segmentations", "other, test"],
    ),
    "two tables of one kind": (
        lambda f: shutil.copy(f.table, f.table.with_name(f.table.name.replace("preproc", "mc"))),
        ["sub-01_ses-baseline", "several tables", "desc-mc"],
    ),
    "two datasets of curves": (
        lambda f: shutil.copytree(f.root / "derivatives/curves", f.root / "derivatives/others"),
        ["sub-01_ses-baseline", "others", "--derivatives"],
    ),
    "two scans of one tracer in a session": (
        two_scans_in_a_session,
        [PLAN, "line 25", "sub-01 has 2 scans with DASB", "run-1", "run-2"],
    ),
    "nobody with both sessions": (
        lambda f: (f.forget("01", "rescan"), f.forget("02", "baseline")),
        [PLAN, "line 25", "'change'", "nobody"],
    ),
    "a session without scans": (
        lambda f: (f.forget("01", "rescan"), f.forget("02", "rescan")),
        [PLAN, "line 13", "'rescan' has no scan", "baseline"],
    ),
    "two tracers in one contrast": (
        lambda f: f.tell(f.pet_of("01", "rescan"), f.pet_of("02", "rescan"), TracerName="AZ10419369"),
        [PLAN, "line 25", "'DASB'", "'rescan' are of AZ10419369", "one tracer"],
    ),
    "another tracer in one scan of a contrast": (
        lambda f: f.tell(f.pet_of("02", "rescan"), TracerName="AZ10419369"),
        [PLAN, "line 25", "sub-02", "'rescan' is AZ10419369", "one tracer"],
    ),
    "a tracer without a name in a contrast": (
        lambda f: f.tell(TracerName=...),
        [PLAN, "line 25", "sub-01", "without TracerName"],
    ),
    "no name of a tracer": (
        lambda f: f.tell(*f.sidecars(), TracerName=...),
        [PLAN, "line 5", "'DASB' has no scan", "without TracerName"],
    ),
    "a folder in another case": (
        lambda f: (f.root / "sub-01").rename(f.root / "Sub-01"),
        [TABLE, "no sidecar", PET],
    ),
}

CASES = {
    f"{kind}: {name}": case
    for kind, cases in (("times", TIMES), ("sidecar", SIDECARS), ("curves", CURVES), ("folders", FOLDERS))
    for name, case in cases.items()
}


@pytest.mark.parametrize(("spoil", "words"), CASES.values(), ids=CASES)
def test_a_study_that_cannot_be_used_is_refused(files, raphe, refused, spoil, words):
    spoil(files)
    refused("run", files.root, files.out, "all", words=words)
    checked = raphe("check", files.root)
    assert checked.code == 2
    errors = [part for part in checked.out.split("\n\n") if part.startswith("error: ")]
    assert any(all(word in error for word in words) for error in errors), checked.out


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, ["does not exist"]),
        (lambda path: path.write_text("x"), ["is not a folder"]),
        (lambda path: path.mkdir(), ["no time-activity curves", "--derivatives"]),
        (lambda path: path.symlink_to(path), ["does not exist"]),
    ],
    ids=["absent", "a file", "empty", "a link to itself"],
)
def test_what_is_no_study_is_refused(tmp_path, raphe, refused, make, words):
    make(tmp_path / "study")
    refused("run", tmp_path / "study", tmp_path / "out", "all", words=["study", *words])
    assert raphe("check", tmp_path / "study").code == 2


def test_without_a_plan_the_reference_of_the_catalog_is_looked_at(files, raphe, refused):
    files.plan.unlink()
    files.column("cerebellum", lambda _: 0)
    refused("run", files.root, files.out, "all", words=[TABLE, "reference region 'cerebellum' is zero"])
    checked = raphe("check", files.root)
    assert checked.code == 2
    assert "reference region 'cerebellum' is zero" in checked.out


def test_a_reference_in_a_table_of_its_own_is_looked_at_too(files, raphe, refused):
    for table in files.tables():
        own = table.with_name(table.name.replace("seg-test", "label-cerebellum"))
        own.write_text(table.read_text())
        files.without("thalamus", "putamen", "caudate", "hippocampus", path=own)
        files.without("cerebellum", path=table)
    assert raphe("run", files.root, files.out, "participant").code == 0
    own = files.table.with_name(files.table.name.replace("seg-test", "label-cerebellum"))
    files.column("cerebellum", lambda cell: -float(cell), own)
    words = [TABLE, "reference region 'cerebellum'", "negative"]
    refused("run", files.root, files.out.with_name("other"), "all", words=words)


def test_scans_that_the_plan_leaves_out_cannot_be_asked_for(files, refused):
    files.add("03", "baseline")
    files.tell(files.pet_of("03", "baseline"), TracerName="raclopride")
    command = ["run", files.root, files.out, "all", "--tracer", "raclopride"]
    refused(*command, words=["none of the scans", "tracer of the plan"])


def test_a_reference_in_a_table_of_its_own_with_other_frames(files, refused):
    """It ended in an error of numpy, which was called a fault of raphe."""
    for table in files.tables():
        own = table.with_name(table.name.replace("seg-test", "label-cerebellum"))
        own.write_text(table.read_text())
        files.without("thalamus", "putamen", "caudate", "hippocampus", path=own)
        files.without("cerebellum", path=table)
    own = files.table.with_name(files.table.name.replace("seg-test", "label-cerebellum"))
    rows = files.rows(own)
    files.save(rows[:-3], own)
    n = len(rows) - 1
    words = [f"{TABLE}: the table has {n} frames, but", f"{own.name} has {n - 3}; mend whichever is wrong"]
    refused("run", files.root, files.out, "all", words=words)
