import pytest

from raphe.errors import PlanError
from raphe.kinetics import registry
from raphe.pipeline.plan import read_plan

PLAN = """\
[study]
title = "Test and retest"
species = "human"

[[tracer]]
name = "DASB"
model = "mrtm2"
reference = "cerebellar grey"
k2_prime = "auto"
high_binding = ["thalamus", "striatum"]

[[condition]]
name = "rest"

[[arm]]
name = "ketamine"
allocation = 2

[[session]]
label = "ses-baseline"
condition = "rest"

[[session]]
label = "rescan"
timing = 2

[regions]
list = ["thalamus", "putamen",
        "striatum"]
pvc = "nopvc"

[regions.merge]
striatum = ["caudate", "putamen"]

[primary]
tracer = "DASB"
region = "thalamus"
contrast = "rescan-baseline"

[[contrast]]
name = "rescan-baseline"
terms = ["baseline", "ses-rescan"]
"""


def read(tmp_path, text):
    path = tmp_path / "raphe.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_plan(path)


def edited(old, new):
    assert PLAN.count(old) == 1, f"{old!r} does not stand once in the plan"
    return PLAN.replace(old, new)


def line_with(text, part):
    """Line of the only occurrence of ``part``."""
    assert text.count(part) == 1
    return text[: text.index(part)].count("\n") + 1


def test_a_plan_holds_what_the_file_says(tmp_path):
    plan = read(tmp_path, PLAN)
    assert plan.study.title == "Test and retest"
    (tracer,) = plan.tracers
    assert (tracer.name, tracer.models, tracer.k2_prime, tracer.t_star) == ("DASB", ("MRTM2",), "auto", None)
    assert tracer.high_binding == ("thalamus", "striatum")
    assert [session.label for session in plan.sessions] == ["baseline", "rescan"]
    assert plan.sessions[1].timing == 2.0
    assert plan.arms[0].allocation == 2.0
    assert plan.regions.names == ("thalamus", "putamen", "striatum")
    assert plan.regions.merge == {"striatum": ("caudate", "putamen")}
    (contrast,) = plan.contrasts
    assert (contrast.tracer, contrast.terms) == ("DASB", ("baseline", "rescan"))
    assert (contrast.kind, contrast.parameter, contrast.adjust) == ("paired", "BP_ND", "holm")
    assert plan.primary.parameter == "BP_ND"
    assert plan.line("regions", "list", 2) == line_with(PLAN, '"striatum"]\npvc')
    assert plan.path == tmp_path / "raphe.toml"


def test_a_plan_cannot_be_changed(tmp_path):
    plan = read(tmp_path, PLAN)
    with pytest.raises(ValueError, match="frozen"):
        plan.tracers[0].models = ("SRTM",)


def test_one_tracer_is_the_least_that_a_plan_says(tmp_path):
    plan = read(tmp_path, '[[tracer]]\nname = "DASB"\n')
    assert plan.regions.names == ()
    assert plan.primary is None
    assert plan.tracer("[11C]DASB") is plan.tracers[0]
    assert plan.tracer("C-11 dasb") is plan.tracers[0]
    assert plan.tracer("AZ10419369") is None


@pytest.mark.parametrize("spelling", ["SRTM", "srtm", "mrtm", "MRTM1", "loganref"])
def test_a_model_may_be_spelled_in_any_case_and_by_its_alias(tmp_path, spelling):
    plan = read(tmp_path, f'[[tracer]]\nname = "DASB"\nmodel = "{spelling}"\n')
    (model,) = plan.tracers[0].models
    assert model in registry.names()
    assert model.lower().startswith(spelling.lower())


def test_windows_text_is_read(tmp_path):
    plan = read(tmp_path, b"\xef\xbb\xbf" + PLAN.replace("\n", "\r\n").encode())
    assert plan.line("contrast", 0, "terms") == line_with(PLAN, "terms = ")


def test_atlas_is_another_word_for_seg(tmp_path):
    assert read(tmp_path, edited('pvc = "nopvc"', 'atlas = "gtm"')).regions.seg == "gtm"


def test_a_parameter_may_be_named_by_its_label_in_files(tmp_path):
    plan = read(tmp_path, edited("terms = ", 'parameter = "BPND"\nterms = '))
    assert plan.contrasts[0].parameter == "BP_ND"


FAULTS = [
    # what to put in place of what, part of the line that the message has to point at, what it has to say
    ("title =", "titel =", "titel", r"\[study\] has no key 'titel'; did you mean 'title'\?"),
    ("model =", "modle =", "modle", r"\[\[tracer\]\] has no key 'modle'; did you mean 'model'\?"),
    ("[study]", "[stduy]", "[stduy]", "no key 'stduy'; did you mean 'study'"),
    ("list = [", "liste = [", "liste", "did you mean 'list'"),
    ("[study]", "[blinding]\n[study]", "[blinding]", r"\[blinding\] is not in this version"),
    ("[[arm]]", "[arm]", "[arm]", r"write \[\[arm\]\]"),
    ("[study]", "[[study]]", "[[study]]", r"write \[study\]"),
    ('"mrtm2"', '"MRTM3"', "MRTM3", "'MRTM3'.* did you mean"),
    ('"mrtm2"', '"9TCM"', "9TCM", "no kinetic model '9TCM'.*SRTM2"),
    ('"mrtm2"', '"SRTM"', "k2_prime", "SRTM has no k2_prime; leave it out"),
    ('"mrtm2"', '"SRTM2"\nt_star = 30', "t_star", "SRTM2 has no t_star; leave it out"),
    ('"mrtm2"', "2", "model = 2", "model = 2: it must be the name of a model"),
    ('"Test and retest"', "['x']", "title = ['x']", "it must be text"),
    ('k2_prime = "auto"', 'k2_prime = "automatic"', "automatic", 'must be "auto" or a positive number'),
    ('k2_prime = "auto"', "k2_prime = 0", "k2_prime = 0", "positive number in 1/min"),
    ('k2_prime = "auto"', "k2_prime = -0.1", "k2_prime", "positive number in 1/min"),
    ('k2_prime = "auto"', "k2_prime = true", "k2_prime", "positive number in 1/min"),
    ('k2_prime = "auto"', "k2_prime = inf", "k2_prime", "positive number in 1/min"),
    ('k2_prime = "auto"', "k2_prime = nan", "k2_prime", "positive number in 1/min"),
    ('k2_prime = "auto"', "t_star = -5", "t_star", "greater than or equal to 0"),
    ('k2_prime = "auto"', 't_star = "35"', "t_star", "must be a number, without quotes"),
    ('k2_prime = "auto"', 'weights = "decays"', "weights", "duration, uniform, residual; did you mean 'decay'"),
    ('k2_prime = "auto"', 'convention = "end"', "convention", "one of average, midframe"),
    ('["thalamus", "striatum"]', '"thalamus"', "high_binding", "must be a list"),
    ("timing = 2", 'timing = "2 h"', "timing", "must be a number"),
    ("timing = 2", "timing = nan", "timing", "finite"),
    ("allocation = 2", "allocation = 0", "allocation", "greater than 0"),
    ('name = "DASB"', 'name = ""', 'name = ""', "must not be empty"),
    ('name = "DASB"', 'name = "a\\nb"', 'name = "a', "printable"),
    ('label = "rescan"\n', "\n", "[[session]]\n\ntiming", r"\[\[session\]\] lacks the key 'label'"),
    ('label = "rescan"', 'label = "re scan"', "re scan", "letters and digits only"),
    ('label = "rescan"', 'label = "baseline"', 'label = "baseline"', "'baseline' stands twice, first at line 20"),
    ('label = "rescan"', "label = 2", "label = 2", "must be text"),
    ('condition = "rest"', 'condition = "reset"', "reset", "'reset', which has no .*did you mean 'rest'"),
    ("[[condition]]", '[[condition]]\nname = "rest"\n[[condition]]', None, "'rest' stands twice"),
    ("[[arm]]", '[[arm]]\nname = "ketamine"\n[[arm]]', None, "'ketamine' stands twice"),
    ("[[arm]]", '[[tracer]]\nname = "[11C]DASB"\n[[arm]]', "[11C]DASB", "stands twice, first at line 6 as 'DASB'"),
    ('"putamen",\n', '"Thalamus",\n', "Thalamus", "'Thalamus' stands twice, first at line 28 as 'thalamus'"),
    ('"putamen",\n', "7,\n", '"thalamus", 7', r"\[regions\] list element 2 = 7: it must be text"),
    ('["caudate", "putamen"]', "[]", "striatum = []", "made of nothing"),
    ('["caudate", "putamen"]', '["caudate", "Caudate"]', "Caudate", "'Caudate' stands twice"),
    ('["caudate", "putamen"]', '"caudate"', 'striatum = "caudate"', "must be a list"),
    ('"nopvc"', '"no pvc"', "no pvc", "letters and digits only"),
    ('"nopvc"', '"nopvc"\nseg = "gtm"\natlas = "gtm"', None, "has no key"),
    ('tracer = "DASB"\nregion', 'tracer = "AZ"\nregion', 'tracer = "AZ"', r"\[primary\] tracer 'AZ' has no"),
    ('region = "thalamus"', 'region = "thalmus"', "thalmus", "not in .*did you mean 'thalamus'"),
    ('contrast = "rescan-baseline"', 'contrast = "rescan"', 'contrast = "rescan"', "contrast 'rescan' has no"),
    ('contrast = "rescan-baseline"', 'contrast = "rescan-baseline"\nparameter = "R1"', "parameter", "R1, but its"),
    ('contrast = "rescan-baseline"', 'contrast = "rescan-baseline"\nparameter = "BP"', "parameter", "BP_ND"),
    ('"ses-rescan"]', '"ses-baseline"]', "terms", "compares session 'baseline' with itself"),
    ('"ses-rescan"]', '"rescam"]', "terms", "names session 'rescam', .*did you mean 'rescan'"),
    (', "ses-rescan"]', "]", "terms", r"has 1 term\(s\)"),
    ('"ses-rescan"]', '"rescan", "third"]', "terms", r"has 3 term\(s\)"),
    ("terms = ", 'kind = "groups"\nterms = ', "[[contrast]]", "a groups contrast, which lacks the key 'sessions'"),
    ("terms = ", 'kind = "pared"\nterms = ', "kind", "did you mean 'paired'"),
    ("terms = ", 'adjust = "fdr"\nterms = ', "adjust", "one of holm, hochberg"),
    ("terms = ", 'tracer = "AZ"\nterms = ', 'tracer = "AZ"', "tracer 'AZ', which has no"),
    ("terms = ", 'parameter = "V_X"\nterms = ', "parameter", "is no parameter of a model"),
    ("terms = ", 'parameter = "k2_prime"\nterms = ', "parameter", "MRTM2, the model of DASB, gives BP_ND"),
    ("[[arm]]", '[[tracer]]\nname = "AZ10419369"\n[[arm]]', "[[contrast]]", "does not say of which tracer"),
    ('name = "rescan-baseline"\nterms', 'name = "--"\nterms', 'name = "--"', "needs a letter or digit"),
    ("[[contrast]]", '[[contrast]]\nname = "rescan baseline"\nterms = ["a", "b"]\n[[contrast]]', None, "stands twice"),
    ('name = "DASB"', 'name = "DASB', 'name = "DASB', "not valid TOML"),
    ('name = "DASB"', 'name = "DASB"\nname = "DASB"', None, "not valid TOML"),
    ("[[arm]]", "[study]\n[[arm]]", None, r"not valid TOML.*double brackets"),
    ("[[arm]", "[arm]", "[arm]]", "not valid TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "where", "said"), FAULTS)
def test_a_fault_is_said_with_its_line_and_the_way_out(tmp_path, old, new, where, said):
    text = edited(old, new)
    with pytest.raises(PlanError, match=said) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert "\n" not in message
    assert str(tmp_path / "raphe.toml") in message
    if where is not None:
        assert f"line {line_with(text, where)}" in message


def test_the_first_of_several_faults_is_said_with_their_count(tmp_path):
    text = edited('title = "Test and retest"', "title = 1").replace("timing = 2", "time = 2")
    with pytest.raises(PlanError, match=r"line 2: .*\(1 more fault in this file\)"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"# nothing but this\n", "is empty"),
        (b"[[tracer]]\nname = '\xe9'\n", "not UTF-8"),
        (PLAN.encode("utf-16"), "UTF-8"),
        (b"tracer = []\n", "no tracer"),
        (b'[study]\ntitle = "x"\n', r"the plan lacks \[\[tracer\]\]"),
        (b"a = " + b"[" * 20000, "not valid TOML"),
        (b"a = " + b"9" * 20000, "not valid TOML"),
        (b"\x00", "binary"),
    ],
)
def test_a_file_that_holds_no_plan_is_refused(tmp_path, content, said):
    with pytest.raises(PlanError, match=said):
        read(tmp_path, content)


@pytest.mark.parametrize(("name", "said"), [("absent.toml", "does not exist"), ("", "is a folder")])
def test_a_plan_that_is_not_there_is_said(tmp_path, name, said):
    with pytest.raises(PlanError, match=said):
        read_plan(tmp_path / name)
