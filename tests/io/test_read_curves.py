import hashlib

import numpy as np
import pytest

from raphe.errors import InputError, TimingError, UnitError
from raphe.io.curves import read_curves
from raphe.io.sidecar import read_sidecar

START_MIN = [0, 0.5, 1, 2, 5, 10, 30, 60]
END_MIN = [0.5, 1, 2, 5, 10, 30, 60, 90]
PUTAMEN = [0.005, 0.4, 4.0, 9.0, 12.0, 14.0, 11.0, 8.0]
C11 = 20.4


def saved(tmp_path, text, name="curves.tsv"):
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.fixture
def table(tmp_path, table_text):
    """A sound wide table without sidecar, with some texts replaced, and what reads it."""

    def make(*replacements, name="curves.tsv", text=None):
        text = table_text() if text is None else text
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new, 1)
        return saved(tmp_path, text, name)

    return make


def check_sound(curves, names=("putamen", "cerebellum")):
    assert curves.tacs.names == names
    np.testing.assert_allclose(curves.tacs.frames.start, START_MIN)
    np.testing.assert_allclose(curves.tacs.frames.end, END_MIN)
    np.testing.assert_allclose(curves.tacs.activity[0], PUTAMEN)


# Formats


def test_a_bids_table_in_seconds(table):
    check_sound(read_curves(table(), unit="Bq/mL", half_life=C11))


@pytest.mark.parametrize(
    ("columns", "per_min"),
    [
        (("FrameTimesStart", "FrameTimesEnd"), 60),
        (("start_s", "end_s"), 60),
        (("Start (sec)", "End (sec)"), 60),
        (("start_min", "end_min"), 1),
        (("frame_start_min", "frame_end_min"), 1),
        (("start[minutes]", "end_minutes"), 1),
        (("start_ms", "end_ms"), 60000),
    ],
)
def test_times_in_the_unit_that_their_columns_say(tmp_path, columns, per_min):
    rows = zip(START_MIN, END_MIN, PUTAMEN, strict=True)
    lines = ["\t".join((*columns, "putamen")), *(f"{per_min * a}\t{per_min * b}\t{v}" for a, b, v in rows)]
    path = saved(tmp_path, "\n".join(lines))
    check_sound(read_curves(path, unit="kBq/mL", half_life=C11), ("putamen",))


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("start_min,dur_min", "{a},{d}"),
        ("frame_start,frame_duration", "{a60},{d60}"),
        ("FrameTimesStart,FrameDuration", "{a60},{d60}"),
        ("frame,start_min,dur_min,mid_min,weight", "1,{a},{d},{m},0.7"),
        ("mid_min,dur_min", "{m},{d}"),
        ("end_min,dur_min", "{b},{d}"),
        ("start_min,mid_min", "{a},{m}"),
        ("start_s,dur_min", "{a60},{d}"),
    ],
)
def test_frames_from_whichever_times_there_are(tmp_path, header, row):
    lines = [header + ",putamen"]
    for a, b, v in zip(START_MIN, END_MIN, PUTAMEN, strict=True):
        lines.append(row.format(a=a, b=b, d=b - a, m=(a + b) / 2, a60=60 * a, d60=60 * (b - a)) + f",{v}")
    check_sound(read_curves(saved(tmp_path, "\n".join(lines), "x.csv"), unit="kBq/mL", half_life=C11), ("putamen",))


def long_text(columns="region\tframe_start\tframe_end\tactivity", drop=None, double=None):
    lines = [columns]
    for name, values in (("putamen", PUTAMEN), ("cerebellum", PUTAMEN[::-1])):
        for index, (a, b, v) in enumerate(zip(START_MIN, END_MIN, values, strict=True)):
            lines += [f"{name}\t{60 * a}\t{60 * b}\t{v}"] * (
                0 if (name, index) == drop else 2 if (name, index) == double else 1
            )
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("activity", ["activity", "radioactivity", "value", "TAC"])
def test_a_long_table(tmp_path, activity):
    path = saved(tmp_path, long_text(f"region\tframe_start\tframe_end\t{activity}"))
    curves = read_curves(path, unit="kBq/mL", half_life=C11)
    check_sound(curves)
    np.testing.assert_allclose(curves.tacs.activity[1], PUTAMEN[::-1])


def test_a_long_table_may_bring_unit_volumes_and_columns_that_do_not_matter(tmp_path):
    lines = ["sub\troi\tvolume_mm3\tframe_start\tframe_end\tactivity (Bq/mL)"]
    rows = zip(START_MIN, END_MIN, PUTAMEN, strict=True)
    lines += [f"01\tputamen\t5000\t{60 * a}\t{60 * b}\t{1000 * v}" for a, b, v in rows]
    curves = read_curves(saved(tmp_path, "\n".join(lines)), half_life=C11)
    check_sound(curves, ("putamen",))
    np.testing.assert_array_equal(curves.tacs.volumes, [5000.0])


@pytest.mark.parametrize(
    ("header", "per_min", "scale"),
    [
        ("start[seconds]\tend[kBq/cc]", 60, 1),
        ("start[seconds] \tend[Bq/cc]", 60, 1000),
        ("start[minutes]\tend[kBq/mL]", 1, 1),
        ("Start[sec]\tEnd[nCi/cc]", 60, 1 / 0.037),
    ],
)
def test_a_pmod_tac(tmp_path, header, per_min, scale):
    rows = zip(START_MIN, END_MIN, PUTAMEN, strict=True)
    lines = [header + "\tputamen", *(f"{per_min * a}\t{per_min * b}\t{scale * v}" for a, b, v in rows)]
    check_sound(read_curves(saved(tmp_path, "\n".join(lines), "x.tac"), half_life=C11), ("putamen",))


def test_a_pmod_tac_that_blanks_separate(tmp_path):
    rows = zip(START_MIN, END_MIN, PUTAMEN, strict=True)
    lines = ["start[seconds] end[kBq/cc] putamen", *(f"{60 * a}  {60 * b}  {v}" for a, b, v in rows)]
    check_sound(read_curves(saved(tmp_path, "\n".join(lines), "x.tac"), half_life=C11), ("putamen",))


def test_a_pmod_tac_whose_end_has_a_unit_of_time_leaves_that_of_the_activity_open(tmp_path):
    rows = zip(START_MIN, END_MIN, PUTAMEN, strict=True)
    lines = ["start[seconds]\tend[seconds]\tputamen", *(f"{60 * a}\t{60 * b}\t{v}" for a, b, v in rows)]
    path = saved(tmp_path, "\n".join(lines), "x.tac")
    with pytest.raises(UnitError, match="--unit"):
        read_curves(path, half_life=C11)
    check_sound(read_curves(path, unit="kBq/cc", half_life=C11), ("putamen",))


def dft_text(kind="Times (min)", per_min=1, unit="kBq/ml", sep="\t"):
    title = [
        ["DFT1", "put", "cer", "weight"],
        ["s123", "dx", ".", "."],
        [unit, "Pl03", ".", "."],
        [kind, "10", "20", "."],
    ]
    rows = [
        [str(cell) for cell in (per_min * a, per_min * b, v, 2 * v, 1)]
        for a, b, v in zip(START_MIN, END_MIN, PUTAMEN, strict=True)
    ]
    if kind.startswith("Time "):
        rows = [[str((float(row[0]) + float(row[1])) / 2), *row[2:]] for row in rows]
    return "# made for a test\n" + "\n".join(sep.join(line) for line in title + rows) + "\n# the end\n"


@pytest.mark.parametrize("sep", ["\t", "   "])
@pytest.mark.parametrize(("kind", "per_min"), [("Times (min)", 1), ("Times (sec)", 60)])
def test_a_turku_dft(tmp_path, kind, per_min, sep):
    curves = read_curves(saved(tmp_path, dft_text(kind, per_min, sep=sep), "x.dft"), half_life=C11)
    check_sound(curves, ("put_dx_Pl03", "cer"))


def test_regions_of_a_dft_without_names_are_numbered(tmp_path):
    text = dft_text().replace("DFT1\tput\tcer\tweight", "DFT1\t.\t.\t.").replace("dx", ".").replace("Pl03", ".")
    assert read_curves(saved(tmp_path, text, "x.dft"), half_life=C11).tacs.names == ("1", "2", "3")


def test_a_table_without_times_takes_those_of_its_sidecar(tmp_path, fields, save_json):
    save_json(tmp_path / "x.json", fields(Units="kBq/mL"))
    path = saved(tmp_path, "putamen\n" + "\n".join(map(str, PUTAMEN)), "x.tsv")
    check_sound(read_curves(path), ("putamen",))
    dft = saved(tmp_path, dft_text("Time (min)"), "y.dft")
    check_sound(read_curves(dft, sidecar=read_sidecar([tmp_path / "x.json"])), ("put_dx_Pl03", "cer"))


def test_negative_values_are_noise_and_read(table):
    curves = read_curves(table(("\t5.0\t", "\t-5.0\t")), unit="Bq/mL", half_life=C11)
    assert curves.tacs.activity[0, 0] == pytest.approx(-0.005)


def test_frames_that_are_not_asked_for_may_be_wrong(table):
    path = table(("0\t30\t5.0", "0\t0\tn/a"))
    with pytest.raises(TimingError, match=r"line 2.*zero length"):
        read_curves(path, unit="Bq/mL", half_life=C11)
    curves = read_curves(path, unit="Bq/mL", half_life=C11, frames=slice(1, None))
    np.testing.assert_allclose(curves.tacs.frames.start, START_MIN[1:])
    with pytest.raises(InputError, match=r"frames 8: were asked for.*has 8"):
        read_curves(path, unit="Bq/mL", half_life=C11, frames=slice(8, None))


def test_a_region_without_any_value_is_left_out_with_a_warning(table):
    path = table(
        text="\n".join(line + "\tn/a" for line in table().read_text().splitlines()).replace(
            "cerebellum\tn/a", "cerebellum\tvessel"
        )
    )
    curves = read_curves(path, unit="Bq/mL", half_life=C11)
    check_sound(curves)
    assert [(one.severity, one.field) for one in curves.findings] == [("warning", "vessel")]


def test_the_record_says_what_was_read_and_how(tmp_path, table, fields, save_json):
    path = table()
    own = save_json(tmp_path / "curves.json", fields())
    step = read_curves(path).step
    assert step.name == "read"
    assert step.parameters["unit"] == "Bq/mL"
    assert dict(step.inputs) == {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in (path, own)}


# Decay correction


def true_decay(half_life):
    """Mean of the decay over each frame, by fine sampling."""
    times = [np.linspace(a, b, 4001) for a, b in zip(START_MIN, END_MIN, strict=True)]
    return np.array([np.trapezoid(0.5 ** (t / half_life), t) / (t[-1] - t[0]) for t in times])


def test_activity_that_is_not_decay_corrected_is_corrected_to_injection(table, tmp_path, fields, save_json):
    save_json(tmp_path / "curves.json", fields(ImageDecayCorrected=False))
    curves = read_curves(table())
    np.testing.assert_allclose(curves.tacs.activity[0], PUTAMEN / true_decay(curves.half_life), rtol=1e-6)
    assert "none in the file" in curves.step.parameters["decay_correction"]


@pytest.mark.parametrize("seconds", [-600, 0, 1200])
def test_activity_that_is_corrected_to_another_time_is_moved_to_injection(table, tmp_path, fields, save_json, seconds):
    save_json(tmp_path / "curves.json", fields(ImageDecayCorrectionTime=seconds))
    curves = read_curves(table())
    np.testing.assert_allclose(curves.tacs.activity[0], np.array(PUTAMEN) * 2 ** (seconds / 60 / curves.half_life))
    assert ("moved to injection" in curves.step.parameters["decay_correction"]) == (seconds != 0)


def test_injection_after_the_zero_of_times_moves_frames_and_decay(table, tmp_path, fields, save_json):
    save_json(tmp_path / "curves.json", fields(InjectionStart=30, ImageDecayCorrectionTime=0))
    curves = read_curves(table(), frames=slice(1, None))
    np.testing.assert_allclose(curves.tacs.frames.start, np.array(START_MIN[1:]) - 0.5)
    np.testing.assert_allclose(curves.tacs.activity[0], np.array(PUTAMEN[1:]) * 2 ** (-0.5 / curves.half_life))


# Units


def test_a_unit_that_nobody_says_is_asked_for(table):
    with pytest.raises(UnitError, match=r"curves\.tsv.*--unit"):
        read_curves(table(), half_life=C11)


@pytest.mark.parametrize("unit", ["SUV", "mBq/mL", ""])
def test_an_unknown_unit_is_refused(table, unit):
    with pytest.raises(UnitError, match=r"--unit.*kBq/mL"):
        read_curves(table(), unit=unit, half_life=C11)


def test_a_unit_that_contradicts_the_sidecar_or_the_header_is_refused(table, tmp_path, fields, save_json):
    own = save_json(tmp_path / "curves.json", fields())
    check_sound(read_curves(table(), unit="Bq/ml"))
    with pytest.raises(UnitError, match=r"kBq/mL was given.*curves\.json says Bq/mL"):
        read_curves(table(), unit="kBq/mL")
    pmod = table(("frame_start\tframe_end", "start[seconds]\tend[kBq/cc]"), name="curves.tac")
    with pytest.raises(UnitError, match=r"header says kBq/cc.*curves\.json is Bq/mL"):
        read_curves(pmod)
    other = table(("frame_start\tframe_end", "start[seconds]\tend[kBq/cc]"), name="other.tac")
    with pytest.raises(UnitError, match=r"Bq/mL was given, but .*other\.tac: the header says kBq/cc"):
        read_curves(other, unit="Bq/mL", half_life=C11)
    assert read_curves(other, sidecar=read_sidecar([own])).tacs.activity[0, 1] == 400.0


def test_a_description_of_the_columns_tells_their_unit(table, tmp_path, fields, save_json):
    """What is said of a region's column is of these curves; ``Units`` of a scan's sidecar is the image's."""
    path = table(name="sub-1_desc-x_tacs.tsv")
    image = save_json(tmp_path / "sub-1_pet.json", fields(Units="kBq/mL"))
    assert read_curves(path).tacs.activity[0, 3] == 9000.0
    own = {"putamen": {"Description": "a region", "Units": "Bq/mL"}, "cerebellum": {"Description": "another"}}
    save_json(path.with_suffix(".json"), own)
    check_sound(read_curves(path))
    image.unlink()
    check_sound(read_curves(path, half_life=C11))
    with pytest.raises(UnitError, match=r"kBq/mL was given, but .*tacs\.json: Units of 'putamen' says Bq/mL"):
        read_curves(path, half_life=C11, unit="kBq/mL")
    save_json(path.with_suffix(".json"), {**own, "cerebellum": {"Units": "kBq/mL"}})
    with pytest.raises(UnitError, match=r"'putamen' says Bq/mL, but .*'cerebellum' says kBq/mL"):
        read_curves(path, half_life=C11)
    save_json(path.with_suffix(".json"), {**fields(Units="kBq/mL"), **own})
    with pytest.raises(UnitError, match=r"'putamen' says Bq/mL, but Units of .*tacs\.json is kBq/mL"):
        read_curves(path)
    save_json(path.with_suffix(".json"), {**own, "putamen": {"Units": "counts"}})
    with pytest.raises(UnitError, match=r"Units of 'putamen': .*'counts'"):
        read_curves(path, half_life=C11)


def test_a_header_with_an_unknown_unit_is_refused(table):
    path = table(("frame_start\tframe_end", "start[seconds]\tend[counts]"), name="x.tac")
    with pytest.raises(UnitError, match=r"x\.tac.*'counts'"):
        read_curves(path, half_life=C11)


def test_an_absurd_activity_is_a_question_of_units(table):
    with pytest.raises(UnitError, match=r"curves\.tsv.*nothing living.*MBq/mL"):
        read_curves(table(("14000.0", "14000000.0")), unit="MBq/mL", half_life=C11)
    with pytest.raises(UnitError, match="nothing living"):
        read_curves(table(("14000.0", "1e308")), unit="MBq/mL", half_life=C11)


# Times


@pytest.mark.parametrize(
    ("old", "new", "kind", "words"),
    [
        ("30\t60\t400.0", "0\t60\t400.0", TimingError, ["line 3", "backwards"]),
        ("30\t60\t400.0", "20\t60\t400.0", TimingError, ["line 2", "overlap"]),
        ("30\t60\t400.0", "60\t60\t400.0", TimingError, ["line 3", "zero length"]),
        ("30\t60\t400.0", "60\t30\t400.0", TimingError, ["line 3", "negative length"]),
        ("0\t30\t5.0", "0\t0\t5.0", TimingError, ["line 2", "zero length"]),
        ("30\t60\t400.0", "n/a\t60\t400.0", InputError, ["line 3", "'frame_start'", "missing"]),
        ("30\t60\t400.0", "30\tx\t400.0", InputError, ["line 3", "'frame_end'", "'x'"]),
        ("frame_start\tframe_end", "begin\tstop", InputError, ["frame_start", "sidecar"]),
        ("frame_start\tframe_end", "start\tend", UnitError, ["'start'", "start_s"]),
        ("frame_start\tframe_end", "frame_start\tstart_s", InputError, ["'start_s'", "second time"]),
        ("frame_start\tframe_end", "frame_start\tx", InputError, ["frame_end"]),
        ("frame_start\tframe_end", "frame_start\tframe_mid", TimingError, ["line 2", "overlap"]),
        ("putamen\tcerebellum", "frame\tweight", InputError, ["no column with a curve"]),
        ("putamen\tcerebellum", "frame_duration\tcerebellum", TimingError, ["line 2", "duration", "5 s"]),
    ],
)
def test_bad_times_are_refused_by_line(table, old, new, kind, words):
    path = table((old, new))
    with pytest.raises(InputError) as caught:
        read_curves(path, unit="Bq/mL", half_life=C11)
    assert type(caught.value) is kind
    for word in (str(path), *words):
        assert word in str(caught.value)


def many_frames(step, n_frame=20):
    rows = "".join(f"{index * step}\t{(index + 1) * step}\t{index + 1}\n" for index in range(n_frame))
    return "frame_start\tframe_end\tputamen\n" + rows


def test_minutes_in_a_table_of_seconds_are_asked_about(tmp_path):
    path = saved(tmp_path, many_frames(4.65))
    with pytest.raises(TimingError, match=r"20 frames end at 93 s.*minutes.*--half-life"):
        read_curves(path, unit="kBq/mL")
    with pytest.raises(TimingError, match=r"ends 93 s after injection.*minutes\?"):
        read_curves(path, unit="kBq/mL", half_life=C11)
    assert len(read_curves(path, unit="kBq/mL", half_life=2.04).tacs.frames) == 20  # a water scan
    named = saved(tmp_path, many_frames(4.65).replace("frame_start\tframe_end", "start_min\tend_min"))
    assert read_curves(named, unit="kBq/mL").tacs.frames.end[-1] == pytest.approx(93)


def test_a_start_in_minutes_beside_a_duration_without_unit_is_asked_about(tmp_path):
    rows = "".join(f"{2.0 * index},2.0,{index + 1}\n" for index in range(20))
    path = tmp_path / "curves.csv"
    path.write_text("start_min,frame_duration,putamen\n" + rows)
    with pytest.raises(TimingError, match=r"curves.csv: frames last a sixtieth .* minutes\?"):
        read_curves(path, unit="kBq/mL", half_life=C11)


def test_seconds_in_a_column_of_minutes_are_asked_about(tmp_path):
    path = saved(tmp_path, many_frames(270).replace("frame_start\tframe_end", "start_min\tend_min"))
    with pytest.raises(TimingError, match="265 half-lives"):
        read_curves(path, unit="kBq/mL", half_life=C11)


@pytest.mark.parametrize("half_life", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_half_life_is_refused(table, half_life):
    with pytest.raises(TimingError, match="half-life must be a positive number"):
        read_curves(table(), unit="Bq/mL", half_life=half_life)


def test_a_table_that_contradicts_its_sidecar_is_refused(table, tmp_path, fields, save_json):
    own = save_json(tmp_path / "curves.json", fields())
    with pytest.raises(TimingError) as caught:
        read_curves(table(("600\t1800", "600\t1700")))
    for word in ("curves.tsv", "1 of 8 frames", "frame 6", "600-1700 s here", "600-1800 s there", str(own)):
        assert word in str(caught.value)
    longer = table(text=table().read_text() + "5400\t6000\t1\t1\n")
    with pytest.raises(TimingError, match=r"9 frames, but .* has 8"):
        read_curves(longer)


@pytest.mark.parametrize(("factor", "culprit"), [(1 / 60, "the table"), (60, "the sidecar")])
def test_a_ratio_of_sixty_is_said(tmp_path, fields, save_json, factor, culprit):
    start, end = 60 * np.array(START_MIN), 60 * np.array(END_MIN)
    if culprit == "the sidecar":  # told with a nuclide that both could belong to
        fields_of_scan = fields(FrameTimesStart=list(start * 10 / 60), FrameDuration=list((end - start) * 10 / 60))
        factor = 10.0
    else:
        fields_of_scan = fields()
    save_json(tmp_path / "x.json", fields_of_scan)
    rows = "".join(f"{a}\t{b}\t1\n" for a, b in zip(start * factor, end * factor, strict=True))
    path = saved(tmp_path, "frame_start\tframe_end\tputamen\n" + rows, "x.tsv")
    with pytest.raises(TimingError, match=f"times of {culprit} look like minutes"):
        read_curves(path)


def test_a_few_frames_of_a_scan_may_end_early(table, tmp_path, fields, save_json):
    save_json(tmp_path / "curves.json", fields())
    assert len(read_curves(table(), frames=slice(0, 2)).tacs.frames) == 2


def test_rounding_of_the_clock_is_no_contradiction(table, tmp_path, fields, save_json):
    save_json(tmp_path / "curves.json", fields())
    assert read_curves(table(("600\t1800", "600.005\t1800.4"))).findings == ()


def test_a_table_that_stops_early_is_read_with_a_warning(table, tmp_path, fields, save_json):
    save_json(tmp_path / "curves.json", fields())
    path = table(text="\n".join(table().read_text().splitlines()[:-1]))
    (finding,) = read_curves(path).findings
    assert "first 7 of the 8 frames" in finding.message


def test_a_table_that_lacks_a_frame_in_between_is_refused(table, tmp_path, fields, save_json):
    save_json(tmp_path / "curves.json", fields())
    lines = table().read_text().splitlines()
    with pytest.raises(TimingError, match=r"4 of 7 frames differ.*frame 4"):
        read_curves(table(text="\n".join(lines[:4] + lines[5:])))


def test_as_many_rows_as_frames_where_the_table_has_no_times(tmp_path, fields, absent, save_json):
    save_json(tmp_path / "x.json", fields())
    path = saved(tmp_path, "putamen\n1\n2\n3\n", "x.tsv")
    with pytest.raises(TimingError, match=r"x\.tsv: the table has 3 rows .*8 frames"):
        read_curves(path)
    save_json(tmp_path / "x.json", fields(FrameDuration=absent))
    with pytest.raises(InputError, match=r"x\.json, which lacks FrameDuration"):
        read_curves(path)


# Values


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("\t9000.0\t9000.0", "\tn/a\t9000.0", ["'putamen'", "frame 4", "line 5", "no value"]),
        ("\t9000.0\t9000.0", "\t\t9000.0", ["'putamen'", "frame 4", "line 5", "no value"]),
        ("\t9000.0\t9000.0", "\tNaN\tNaN", ["'putamen'", "frame 4", "line 5", "1 more"]),
        ("\t9000.0\t9000.0", "\tinf\t9000.0", ["'putamen'", "frame 4", "line 5", "'inf'"]),
        ("\t9000.0\t9000.0", "\t9000,5\t9000.0", ["'putamen'", "line 5", "decimal comma"]),
        ("\t9000.0\t9000.0", "\t9000.0\tlow", ["'cerebellum'", "line 5", "'low'"]),
        ("\t9000.0\t9000.0", "\t9000.0", ["line 5", "3 cells"]),
        ("putamen\tcerebellum", "putamen\tputamen", ["'putamen'", "2 times"]),
        ("putamen\tcerebellum", "putamen\t", ["column 4", "no name"]),
    ],
)
def test_bad_values_are_refused_by_region_frame_and_line(table, old, new, words):
    path = table((old, new))
    with pytest.raises(InputError) as caught:
        read_curves(path, unit="Bq/mL", half_life=C11)
    for word in (str(path), *words):
        assert word in str(caught.value)


def test_a_table_without_any_value_is_refused(tmp_path):
    with pytest.raises(InputError, match="no region has any value"):
        read_curves(saved(tmp_path, "frame_start\tframe_end\ta\n0\t3600\tn/a\n"), unit="Bq/mL", half_life=C11)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (long_text(drop=("cerebellum", 3)), ["'cerebellum'", "120-300 s"]),
        (long_text(double=("putamen", 2)), ["'putamen'", "60-120 s", "line 4", "line 5"]),
        (long_text("region\tframe_start\tframe_end\tuptake"), ["one column of activity", "has none"]),
        (long_text("region\tframe_start\tvalue\tactivity"), ["one column of activity", "value, activity"]),
        (long_text("region\tframe_start\tx\tactivity"), ["frame_end"]),
        (long_text("region\tses\tframe_end\tactivity"), ["'ses'", "8 scans"]),
        (long_text().replace("putamen\t0\t", "\t0\t"), ["line 2", "no region name"]),
        (long_text().replace("\t12.0", "\tn/a", 1), ["'putamen'", "frame 5", "line 6"]),
        (long_text().replace("\t12.0", "\ttwelve", 1), ["'putamen'", "line 6", "'twelve'"]),
    ],
)
def test_a_bad_long_table_is_refused(tmp_path, text, words):
    path = saved(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_curves(path, unit="kBq/mL", half_life=C11)
    for word in (str(path), *words):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("DFT1\tput\n", ["4 title lines"]),
        (dft_text().replace("s123\tdx\t.\t.", "s123\tdx"), ["line 3", "cells"]),
        (dft_text().replace("Times (min)", "Frames"), ["line 5", "Times (min)"]),
        (dft_text().replace("Times (min)", "Times (lunations)"), ["line 5", "'lunations'"]),
        (dft_text().replace("\t14.0\t", "\t.\t"), ["'put_dx_Pl03'", "frame 6", "no value"]),
        (dft_text().replace("\t14.0\t", "\tx\t"), ["'put_dx_Pl03'", "frame 6", "'x'"]),
        (dft_text().replace("\t14.0\t28.0\t1\n", "\t14.0\n"), ["line 11", "3 cells"]),
        (dft_text().replace("\n5\t10", "\nfive\t10"), ["time in line 10", "'five'"]),
        (dft_text("Time (min)"), ["frame_start", "sidecar"]),
        (dft_text(unit="."), ["--unit"]),
        (dft_text(unit="cnts"), ["'cnts'"]),
        (
            dft_text().replace("DFT1\tput\tcer", "DFT1\tput\tput").replace("dx", ".").replace("Pl03", "."),
            ["'put'", "twice"],
        ),
    ],
)
def test_a_bad_dft_is_refused(tmp_path, text, words):
    path = saved(tmp_path, text, "x.dft")
    with pytest.raises(InputError) as caught:
        read_curves(path, half_life=C11)
    for word in (str(path), *words):
        assert word in str(caught.value)


def test_a_bad_pmod_unit_of_time_is_refused(table):
    path = table(("frame_start\tframe_end", "start[lunations]\tend[kBq/cc]"), name="x.tac")
    with pytest.raises(UnitError, match=r"x\.tac: start\[lunations\]"):
        read_curves(path, half_life=C11)


@pytest.mark.parametrize("name", ["index", "Unnamed: 0", "n"])
@pytest.mark.parametrize("first", [0, 1])
def test_numbers_of_rows_are_no_curve(table, name, first):
    """A column that pandas and R write beside a table was fitted as a region."""
    path = table()
    header, *rows = path.read_text().splitlines()
    lines = [f"{name}\t{header}", *(f"{first + at}\t{row}" for at, row in enumerate(rows))]
    without = read_curves(path, unit="Bq/mL", half_life=20.4).tacs.names
    path.write_text("\n".join(lines) + "\n")
    assert read_curves(path, unit="Bq/mL", half_life=20.4).tacs.names == without
