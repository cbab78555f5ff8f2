import re
from dataclasses import replace

import pytest

from raphe.data.scan import Scan
from raphe.pipeline.plan import read_plan
from raphe.pipeline.plan_check import check_plan

PLAN = """\
[[tracer]]
name = "DASB"
model = "MRTM2"
reference = "cerebellar grey"
high_binding = ["thalamus"]

[[session]]
label = "baseline"

[[session]]
label = "rescan"

[regions]
list = ["thalamus", "left_putamen"]

[[contrast]]
name = "change"
terms = ["baseline", "rescan"]
"""

NAMES = (
    "left_thalamus", "right_thalamus", "left_putamen", "right_putamen", "left_cerebellum_cortex",
    "right_cerebellum_cortex",
)  # fmt: skip


def scan(participant, session, tracer="[11C]DASB", **more):
    return Scan(participant, session, tracer=tracer, **more)


BOTH = [scan(who, session) for who in ("01", "02") for session in ("baseline", "rescan")]


def check(tmp_path, text=PLAN, scans=BOTH, names=NAMES, only=None):
    """Findings as (severity, field, message); ``only`` maps a scan's label to names that are its own."""
    path = tmp_path / "raphe.toml"
    path.write_text(text, encoding="utf-8")
    regions = {one.label: (only or {}).get(one.label, names) for one in scans}
    found = check_plan(read_plan(path), scans, regions)
    assert all(finding.path == path for finding in found)
    assert all(finding.message.startswith(f"{path}, line ") for finding in found)
    return [(finding.severity, finding.field, finding.message.removeprefix(f"{path}, ")) for finding in found]


def test_a_plan_that_fits_the_data_is_without_remark(tmp_path):
    assert check(tmp_path) == []


def test_a_session_of_the_plan_without_a_scan(tmp_path):
    text = PLAN.replace('label = "rescan"', 'label = "rescan"\n[[session]]\nlabel = "rescann"')
    assert check(tmp_path, text) == [
        ("error", "session.label", "line 13: session 'rescann' has no scan in the data; did you mean 'rescan'?")
    ]


def test_a_misspelt_session_or_tracer_of_the_plan_is_told_once(tmp_path):
    ((_, field, message),) = check(tmp_path, PLAN.replace('"rescan"', '"rescam"'))
    assert field == "session.label"
    assert "did you mean 'rescan'?" in message
    ((_, field, message),) = check(tmp_path, PLAN.replace('"DASB"', '"DASP"'))
    assert field == "tracer.name"


def test_a_session_of_the_data_that_the_plan_lacks(tmp_path):
    ((severity, field, message),) = check(tmp_path, scans=[*BOTH, scan("01", "third")])
    assert (severity, field) == ("warning", "session")
    assert "'third'" in message
    assert "sub-01_ses-third" in message


def test_a_plan_without_sessions_leaves_them_to_the_data(tmp_path):
    text = PLAN.replace('[[session]]\nlabel = "baseline"\n\n[[session]]\nlabel = "rescan"\n', "")
    assert check(tmp_path, text) == []
    assert check(tmp_path, text, scans=BOTH[:1] + BOTH[2:3])[0][:2] == ("error", "contrast.terms")


def test_a_tracer_without_a_scan(tmp_path):
    text = PLAN.replace("[regions]", '[[tracer]]\nname = "AZ10419369"\n\n[regions]').replace(
        'name = "change"', 'name = "change"\ntracer = "DASB"'
    )
    ((severity, field, message),) = check(tmp_path, text)
    assert (severity, field) == ("error", "tracer.name")
    assert "line 14: tracer 'AZ10419369' has no scan" in message


def test_scans_of_a_tracer_that_the_plan_lacks(tmp_path):
    other = scan("03", "baseline", tracer="AZ10419369")
    ((severity, field, message),) = check(tmp_path, scans=[*BOTH, other], only={other.label: ()})
    assert (severity, field) == ("warning", "tracer")
    assert "'AZ10419369'" in message
    assert "sub-03_ses-baseline" in message


@pytest.mark.parametrize(
    ("old", "new", "field", "said"),
    [
        ('"left_putamen"]', '"putmen"]', "regions.list", "line 14: in every scan: .*'putmen'.*putamen"),
        ('"cerebellar grey"', '"reference"', "tracer.reference", "line 4: the reference is absent: .*'reference'"),
        ('["thalamus"]\n', '["amygdala"]\n', "tracer.high_binding", "line 5: in every scan: .*'amygdala'"),
        (
            "[[contrast]]",
            '[regions.merge]\nx = ["pons"]\n[[contrast]]',
            "regions.merge.x",
            "line 17: in every scan: .*merged of pons, but there is no 'pons'",
        ),
    ],
)  # fmt: skip
def test_a_region_that_the_tables_lack(tmp_path, old, new, field, said):
    assert PLAN.count(old) == 1
    ((severity, where, message),) = check(tmp_path, PLAN.replace(old, new))
    assert (severity, where) == ("error", field)
    assert re.search(said, message)


def test_a_region_that_one_scan_lacks_names_the_scan(tmp_path):
    found = check(tmp_path, only={"sub-02_ses-rescan": NAMES[2:]})
    assert [finding[:2] for finding in found] == [("error", "tracer.high_binding"), ("error", "regions.list")]
    assert all("in 1 of 4 scans (sub-02_ses-rescan)" in message for _, _, message in found)


def test_two_sessions_with_different_tracers_in_one_contrast(tmp_path):
    mixed = [one if one.session == "baseline" else replace(one, tracer="[11C]AZ10419369") for one in BOTH]
    errors = [message for severity, _, message in check(tmp_path, scans=mixed) if severity == "error"]
    assert errors == [
        "line 18: contrast 'change': its tracer is 'DASB', but the scans of session 'rescan' are of [11C]AZ10419369; "
        "one contrast compares sessions of one tracer"
    ]


def test_a_contrast_that_nobody_can_answer(tmp_path):
    apart = [scan("01", "baseline"), scan("02", "rescan")]
    ((severity, field, message),) = check(tmp_path, scans=apart)
    assert (severity, field) == ("error", "contrast.terms")
    assert "nobody has scans with DASB in both sessions" in message


def test_people_with_half_of_a_contrast_are_named(tmp_path):
    ((severity, _, message),) = check(tmp_path, scans=[*BOTH, scan("03", "rescan")])
    assert severity == "warning"
    assert message.endswith("sub-03")


def test_two_scans_of_one_session_cannot_be_told_apart(tmp_path):
    again = scan("01", "rescan", entities=(("run", "2"),))
    ((severity, _, message),) = check(tmp_path, scans=[*BOTH, again])
    assert severity == "error"
    assert "sub-01_ses-rescan, sub-01_ses-rescan_run-2" in message


def test_data_without_sessions_answer_no_contrast(tmp_path):
    found = check(tmp_path, scans=[scan("01", None)])
    assert {finding[1] for finding in found} == {"session.label"}
    assert all("the scans have no sessions" in message for _, _, message in found)


def test_no_scans_at_all(tmp_path):
    assert {finding[1] for finding in check(tmp_path, scans=[])} == {"session.label", "tracer.name"}


def test_findings_stand_in_the_order_of_the_plan(tmp_path):
    lines = [int(message.split(":")[0].removeprefix("line ")) for _, _, message in check(tmp_path, scans=[])]
    assert len(lines) >= 3
    assert lines == sorted(lines)


def test_a_plan_for_a_real_test_and_retest(tmp_path, shared_data):
    folder = shared_data / "tacs" / "dasb-test-retest" / "derivatives" / "PETPrep1"
    tables = sorted(folder.rglob("*_pvc-nopvc_*_tacs.tsv"))
    names = {path: path.read_text(encoding="utf-8").splitlines()[0].split("\t")[2:] for path in tables}
    scans = [scan("02", path.name.split("_")[1].removeprefix("ses-"), tracer="DASB") for path in tables]
    assert {one.session for one in scans} == {"baseline", "rescan"}
    text = PLAN.replace(
        '["thalamus", "left_putamen"]',
        '["thalamus", "putamen", "striatum", "hippocampus", "frontal", "occipital lobe", "insula", "brainstem"]',
    )
    path = tmp_path / "raphe.toml"
    path.write_text(text, encoding="utf-8")
    regions = {one.label: names[table] for one, table in zip(scans, tables, strict=True)}
    assert check_plan(read_plan(path), scans, regions) == ()


@pytest.mark.parametrize(("value", "doubted"), [("0.06", False), ("3.0", True), ("0.001", True), ('"auto"', False)])
def test_a_k2_prime_in_another_unit_is_doubted(tmp_path, value, doubted):
    found = check(tmp_path, PLAN.replace('model = "MRTM2"', f'model = "MRTM2"\nk2_prime = {value}'))
    assert len(found) == doubted
    for severity, field, message in found:
        assert (severity, field) == ("warning", "tracer.k2_prime")
        assert message.startswith(f"line 4: [[tracer]] DASB: k2' of {float(value):g} 1/min is outside of 0.005 to 1")


@pytest.mark.parametrize(
    ("reference", "doubted"),
    [("Left-Putamen", True), ("right putamen", True), ("cerebellar grey", False), ("right cerebellum cortex", False)],
)
def test_a_reference_that_binds_the_tracer_is_doubted(tmp_path, reference, doubted):
    found = check(tmp_path, PLAN.replace('reference = "cerebellar grey"', f'reference = "{reference}"'))
    told = [message for severity, field, message in found if field == "tracer.reference"]
    assert len(told) == doubted
    for message in told:
        assert message.startswith(f"line 4: [[tracer]] DASB: the reference is {reference!r}, where [11C]DASB binds")


def test_a_scan_without_a_session_beside_others_that_have_one(tmp_path):
    ((severity, field, message),) = check(tmp_path, scans=[*BOTH, scan("03", None)])
    assert (severity, field) == ("warning", "session")
    assert "there is one scan (sub-03) whose name has no session, though the plan has [[session]]" in message
