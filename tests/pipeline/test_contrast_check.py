"""Contrasts held against scans and people, with lines of the plan."""

import pytest

from raphe.data.scan import Scan
from raphe.pipeline.people_of import people_of
from raphe.pipeline.plan import read_plan
from raphe.pipeline.plan_check import check_plan

HEAD = """\
[[tracer]]
name = "DASB"
model = "SRTM"

[[arm]]
name = "placebo"

[[arm]]
name = "ketamine"

[[session]]
label = "before"

[[session]]
label = "after"

[[contrast]]
name = "c"
"""

ANCOVA = 'kind = "ancova"\nterms = ["placebo", "ketamine"]\nsessions = ["before", "after"]\n'
CORRELATION = 'kind = "correlation"\nx = ["before"]\nscore = "madrs"\nscore_sessions = ["first", "last"]\n'
NAMES = [f"{i:02d}" for i in range(8)]
SCANS = [Scan(who, session, tracer="DASB") for who in NAMES for session in ("before", "after")]
ARMS = {who: "ketamine" if i % 2 else "placebo" for i, who in enumerate(NAMES)}
AGE = {who: str(30 + i**2) for i, who in enumerate(NAMES)}
MANY = {name: {who: str((7 * i + j**3) % 11 + i * j) for i, who in enumerate(NAMES)} for j, name in enumerate("abcdef")}
MADRS = "participant_id\tfirst\tlast\n" + "".join(f"sub-{who}\t{30 - i}\t{20 - i}\n" for i, who in enumerate(NAMES))


def check(tmp_path, contrast, columns=None, scans=SCANS, scores=MADRS):
    """Findings as (severity, line and message)."""
    path = tmp_path / "raphe.toml"
    path.write_text(HEAD + contrast, encoding="utf-8")
    columns = {"arm": ARMS, "age": AGE} if columns is None else columns
    rows = ["\t".join((f"sub-{who}", *(column.get(who, "n/a") for column in columns.values()))) for who in NAMES]
    table = tmp_path / "participants.tsv"
    table.write_text("\n".join(["\t".join(("participant_id", *columns)), *rows]) + "\n", encoding="utf-8")
    folder = tmp_path / "phenotype"
    folder.mkdir()
    (folder / "madrs.tsv").write_text(scores, encoding="utf-8")
    plan = read_plan(path)
    people, unknown = people_of(plan, table, folder)
    found = [*unknown, *check_plan(plan, scans, {}, people=people)]
    return [(one.severity, one.message.removeprefix(f"{tmp_path}/")) for one in found]


def test_contrasts_that_fit_are_without_remark(tmp_path):
    more = ANCOVA + 'covariates = ["age"]\n[[contrast]]\nname = "d"\n' + CORRELATION
    assert check(tmp_path, more) == []


@pytest.mark.parametrize(
    ("contrast", "columns", "said"),
    [
        (ANCOVA, {"age": AGE}, "line 19: arms are needed, but participants.tsv has no column 'arm'; there is only age"),
        (ANCOVA, {"Arm": ARMS}, "but participants.tsv has no column 'arm'; did you mean 'Arm'?"),
        (
            ANCOVA,
            {"arm": {**ARMS, "03": "ketamin"}},
            "participants.tsv: arm, line 5: sub-03 is in arm 'ketamin', which has no [[arm]] in raphe.toml; did you",
        ),
        (
            ANCOVA,
            {"arm": {**dict.fromkeys(NAMES, "ketamine"), "02": "placebo"}},
            "line 20: contrast 'c': one subject (sub-02) is left in arm 'placebo'",
        ),
        (ANCOVA, {"arm": dict.fromkeys(NAMES, "ketamine")}, "line 20: contrast 'c': nobody is left in arm 'placebo'"),
        (ANCOVA + 'covariates = ["aeg"]\n', None, "line 22: contrast 'c': 'aeg' is no column of participants.tsv"),
        (ANCOVA + 'covariates = ["madrs:frist"]\n', None, "has no visit 'frist' in madrs.tsv; did you mean 'first'?"),
        (ANCOVA + 'covariates = ["madrs"]\n', None, "'madrs' has several visits (first, last); name one"),
        (
            ANCOVA + 'covariates = ["age"]\n',
            {"arm": ARMS, "age": {**AGE, "01": "n/a", "04": "n/a"}},
            "line 22: contrast 'c': covariates are missing for 2 people: sub-01 (age), sub-04 (age); give",
        ),
        (
            ANCOVA + 'covariates = ["site"]\n',
            {"arm": ARMS, "site": {who: arm[:1] for who, arm in ARMS.items()}},
            "line 22: contrast 'c': ",
        ),
        (
            ANCOVA + 'covariates = ["a", "b", "c", "d", "e", "f"]\n',
            {"arm": ARMS, **MANY},
            "line 22: contrast 'c': ",
        ),
        (CORRELATION.replace('"madrs"', '"madr"'), None, "line 21: contrast 'c': 'madr' is no column"),
        (CORRELATION.replace('"last"', '"lst"'), None, "'madrs' has no visit 'lst' in madrs.tsv; did you mean 'last'"),
    ],
)  # fmt: skip
def test_errors_with_lines(tmp_path, contrast, columns, said):
    errors = [message for severity, message in check(tmp_path, contrast, columns) if severity == "error"]
    assert any(said in message for message in errors), errors


def test_a_score_outside_of_its_scale(tmp_path):
    ((severity, message),) = check(tmp_path, CORRELATION, scores=MADRS.replace("\t30\t", "\t66\t"))[:1]
    assert severity == "error"
    assert "line 2: sub-00 has 66, but madrs goes from 0 to 60" in message


def test_a_score_that_is_the_same_in_everyone(tmp_path):
    scores = "participant_id\tfirst\tlast\n" + "".join(f"sub-{who}\t20\t12\n" for who in NAMES)
    ((severity, message),) = check(tmp_path, CORRELATION, scores=scores)
    assert severity == "error"
    assert "madrs:first is 20, madrs:last is 12 in all 8 people with binding" in message


def test_people_without_a_covariate_an_arm_or_a_score_are_named_in_warnings(tmp_path):
    columns = {"arm": {**ARMS, "05": "n/a"}, "age": {**AGE, "01": "n/a"}}
    contrast = ANCOVA + 'covariates = ["age"]\nmissing = "exclude"\n[[contrast]]\nname = "d"\n' + CORRELATION
    found = check(tmp_path, contrast, columns, scores=MADRS.replace("\t20\n", "\tn/a\n"))
    assert {severity for severity, _ in found} == {"warning"}
    told = "\n".join(message for _, message in found)
    assert "leaves out those without an arm in participants.tsv: sub-05" in told
    assert "leaves out 1 person without a covariate: sub-01 (age)" in told
    assert "leaves out 1 person without the score madrs:first and madrs:last: sub-00" in told


def test_nobody_is_left_whom_a_score_could_be_told_of(tmp_path):
    scores = "participant_id\tfirst\tlast\n" + "".join(f"sub-{who}\t{30 - i}\tn/a\n" for i, who in enumerate(NAMES))
    found = check(tmp_path, CORRELATION + 'covariates = ["age"]\n', scores=scores)
    assert [one for one, _ in found] == ["warning", "error"]
    assert "line 23: contrast 'c': nobody has all the values that it needs" in found[1][1]


def test_people_without_one_scan_are_named_and_a_mixed_model_keeps_them(tmp_path):
    scans = [one for one in SCANS if (one.participant, one.session) != ("03", "after")]
    ((severity, message),) = check(tmp_path, ANCOVA, scans=scans)
    assert severity == "warning"
    assert message.endswith("leaves out those with only one of its two sessions: sub-03")


def test_a_mixed_model_keeps_people_with_one_scan(tmp_path):
    scans = [one for one in SCANS if (one.participant, one.session) != ("03", "after")]
    mixed = 'kind = "mixed"\nterms = ["before", "after"]\nlevels = ["placebo", "ketamine"]\n'
    assert check(tmp_path, mixed, scans=scans) == []


def test_a_primary_question_within_an_arm_is_warned_about(tmp_path):
    inside = 'terms = ["before", "after"]\narm = "ketamine"\n'
    primary = '[primary]\ntracer = "DASB"\nregion = "putamen"\ncontrast = "c"\n'
    found = [message for severity, message in check(tmp_path, inside + primary) if severity == "warning"]
    assert any("line 24: [primary] contrast 'c' compares no arms, though the plan has 2" in one for one in found)


def test_a_difference_between_tracers_is_warned_about(tmp_path):
    text = HEAD.replace("[[arm]]", '[[tracer]]\nname = "AZ10419369"\nmodel = "SRTM"\n\n[[arm]]', 1)
    path = tmp_path / "raphe.toml"
    levels = 'kind = "interaction"\nby = "tracer"\nlevels = ["DASB", "AZ10419369"]\nterms = ["before", "after"]\n'
    path.write_text(text + levels, encoding="utf-8")
    scans = [*SCANS, *(Scan(who, session, tracer="AZ10419369") for who in NAMES for session in ("before", "after"))]
    (finding,) = check_plan(read_plan(path), scans, {})
    assert finding.severity == "warning"
    assert 'take scale = "percent" or "log"' in finding.message


BLOCKS = ANCOVA + 'test = "permutation"\nblocks = "site"\n'
SITES = {who: "east" if i < 4 else "west" for i, who in enumerate(NAMES)}


@pytest.mark.parametrize(
    ("sites", "more", "severity", "said"),
    [
        (SITES, "", None, ""),
        (
            None,
            "",
            "error",
            "line 23: contrast 'c': blocks 'site' is no column of participants.tsv; there are arm, age",
        ),
        ({**SITES, "03": "n/a"}, "", "error", "line 23: contrast 'c': blocks are missing for 1 person: sub-03 (site)"),
        (
            {**SITES, "03": "n/a"},
            'missing = "exclude"\n',
            "warning",
            "line 23: contrast 'c' leaves out 1 person without a block: sub-03 (site)",
        ),
        (ARMS, "", "error", "line 23: contrast 'c': no class of site holds people of both arms"),
        (
            {**SITES, "00": "north"},
            "",
            "warning",
            "line 23: contrast 'c': people of site north are of one arm, which they keep in every permutation",
        ),
    ],
)
def test_blocks_are_held_against_the_people(tmp_path, sites, more, severity, said):
    columns = {"arm": ARMS, "age": AGE} | ({} if sites is None else {"site": sites})
    found = check(tmp_path, BLOCKS + more, columns)
    assert [one for one, _ in found] == ([severity] if severity else [])
    assert all(said in message for _, message in found)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"02": "thirty"}, "participants.tsv: column 'age', line 4: 'thirty' is not a number, but most cells"),
        ({"02": "2+", "05": "3+"}, "in every line if they are classes (likewise line 7)"),
        ({"02": "34,5"}, "participants.tsv: column 'age', line 4: '34,5' has a decimal comma; write a decimal point"),
        ({who: f"{value},5" for who, value in AGE.items()}, "line 2: '30,5' has a decimal comma; write a decimal"),
    ],
)
def test_a_covariate_of_numbers_with_a_cell_that_is_none(tmp_path, cells, said):
    """It alone is told, not what the many classes would do to the design."""
    columns = {"arm": ARMS, "age": {**AGE, "07": "n/a", **cells}}
    ((severity, message),) = check(tmp_path, ANCOVA + 'covariates = ["age"]\nmissing = "exclude"\n', columns)
    assert severity == "error"
    assert said in message


def test_a_covariate_that_nobody_can_have(tmp_path):
    columns = {"arm": ARMS, "age": {**AGE, "07": "340"}}
    ((severity, message),) = check(tmp_path, ANCOVA + 'covariates = ["age"]\n', columns)
    assert (severity, "sub-07 (line 9) has 340" in message) == ("warning", True)


SITE = {who: "south" if i in (0, 3, 6) else "north" for i, who in enumerate(NAMES)}


@pytest.mark.parametrize(
    ("name", "cells", "said"),
    [
        ("site", {"03": "South"}, "column 'site': 'south' (sub-00, sub-06) and 'South' (sub-03) count as different"),
        ("site", {"03": "so uth"}, "'so uth' (sub-03) count as different classes; write them alike if they are one"),
        (
            "sex",
            {who: {"south": "M", "north": "F"}[site] for who, site in SITE.items()} | {"03": "male"},
            "'male' (sub-03)",
        ),
        ("sex", {"03": "?"}, "column 'sex': '?' (sub-03) counts as a class of its own; write n/a"),
    ],
)
def test_spellings_of_one_class_are_told(tmp_path, name, cells, said):
    columns = {"arm": ARMS, name: {**SITE, **cells}}
    ((severity, message),) = check(tmp_path, ANCOVA + f'covariates = ["{name}"]\n', columns)
    assert severity == "warning"
    assert said in message


@pytest.mark.parametrize(
    "cells",
    [
        SITE,
        {who: {"south": "1", "north": "2"}[site] for who, site in SITE.items()},
        {who: {"south": "1e1", "north": "1E1"}[site] if who != "07" else "20" for who, site in SITE.items()},
        {**SITE, "01": "1", "04": "1"},
    ],
)
def test_classes_and_numbers_that_are_meant_are_without_remark(tmp_path, cells):
    assert check(tmp_path, ANCOVA + 'covariates = ["site"]\n', {"arm": ARMS, "site": cells}) == []


def test_arms_that_are_numbers_or_differ_in_case(tmp_path):
    contrast = ANCOVA.replace("placebo", "1").replace("ketamine", "2")
    head = HEAD.replace("placebo", "1").replace("ketamine", "2")
    path, table = tmp_path / "raphe.toml", tmp_path / "participants.tsv"
    path.write_text(head + contrast, encoding="utf-8")
    table.write_text("participant_id\tarm\nsub-1\t1\nsub-2\t2\nsub-3\t1\nsub-4\tn/a\n", encoding="utf-8")
    assert people_of(read_plan(path), table, tmp_path / "none")[1] == ()
    path.write_text(HEAD + 'terms = ["before", "after"]\n', encoding="utf-8")
    table.write_text("participant_id\tarm\nsub-1\tketamine\nsub-2\tKetamine\n", encoding="utf-8")
    (finding,) = people_of(read_plan(path), table, tmp_path / "none")[1]
    assert finding.severity == "warning"
    assert "column 'arm': 'ketamine' (sub-1) and 'Ketamine' (sub-2)" in finding.message
