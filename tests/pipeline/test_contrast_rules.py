"""What a contrast of a plan may say, and how a fault is told."""

import pytest

from raphe.errors import PlanError
from raphe.pipeline.plan import read_plan

HEAD = """\
[[tracer]]
name = "AZ10419369"
model = "SRTM"

[[tracer]]
name = "DASB"
model = "MRTM2"

[[arm]]
name = "placebo"

[[arm]]
name = "ketamine"

[[session]]
label = "before"

[[session]]
label = "after"

[[session]]
label = "late"

[regions]
list = ["hippocampus", "putamen"]

[[contrast]]
name = "c"
"""

LINES = {
    "ancova": 'kind = "ancova"\ntracer = "DASB"\nterms = ["placebo", "ketamine"]\nsessions = ["before", "after"]\n',
    "interaction": 'kind = "interaction"\nby = "tracer"\nlevels = ["DASB", "[11C]AZ10419369"]\n'
    'terms = ["ses-before", "after"]\nscale = "log"\n',
    "mixed": 'kind = "mixed"\ntracer = "DASB"\nterms = ["before", "after", "late"]\nlevels = ["placebo", "ketamine"]\n',
    "correlation": 'kind = "correlation"\ntracer = "DASB"\nx = ["before"]\nscore = "madrs"\n'
    'score_sessions = ["a", "b"]\n',
    "occupancy": 'kind = "occupancy"\ntracer = "DASB"\nterms = ["before", "after"]\n',
    "paired": 'tracer = "DASB"\nterms = ["before", "after"]\narm = "ketamine"\n',
    "groups": 'kind = "groups"\ntracer = "DASB"\nterms = ["placebo", "ketamine"]\nsessions = ["after"]\n',
}


def read(tmp_path, text):
    path = tmp_path / "raphe.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    return read_plan(path)


@pytest.mark.parametrize("kind", LINES)
def test_every_kind_is_read(tmp_path, kind):
    (contrast,) = read(tmp_path, LINES[kind]).contrasts
    assert contrast.kind == kind


def test_tracers_of_an_interaction_are_spelled_as_the_plan_spells_them(tmp_path):
    (contrast,) = read(tmp_path, LINES["interaction"]).contrasts
    assert (contrast.levels, contrast.tracer) == (("DASB", "AZ10419369"), "AZ10419369")
    assert contrast.terms == ("before", "after")


FAULTS = [
    # kind, what to put in place of what, line of the file (the contrast begins at 27), what is said
    ("ancova", 'sessions = ["before", "after"]\n', "", 27, "ancova contrast, which lacks the key 'sessions'; add it"),
    ("ancova", '"after"]', '"before"]', 32, "sessions compares 'before' with itself"),
    ("ancova", '"after"]', '"aftr"]', 32, "session 'aftr', which has no .*did you mean 'after'"),
    ("ancova", '"placebo",', '"placbo",', 31, r"arm 'placbo', which has no \[\[arm\]\]; did you mean 'placebo'"),
    ("ancova", '"placebo", "ketamine"', '"before", "after"', 31, "arm 'before'.*sessions stand in the key sessions"),
    (
        "ancova",
        "sessions",
        'arm = "ketamine"\nsessions',
        32,
        "an ancova contrast, which has no key 'arm'; leave it out",
    ),
    ("ancova", "sessions", 'regions = ["hipocampus"]\nsessions', 32, "'hipocampus' is not in .*did you mean"),
    ("ancova", "sessions", 'test = "perm"\nsessions', 32, "one of t, permutation; did you mean 'permutation'"),
    ("groups", '["after"]', '["before", "after", "late"]', 32, r"sessions has 3 term\(s\); a groups contrast has one"),
    ("groups", "sessions", 'scale = "percent"\nsessions', 32, "the scale is that of a change, but sessions has one"),
    ("groups", "sessions", 'test = "permutation"\ncovariates = ["age"]\nsessions', 32, 'only in kind = "ancova"'),
    ("interaction", '"DASB", ', '"DSB", ', 31, "tracer 'DSB', which has no .*did you mean 'DASB'"),
    ("interaction", 'by = "tracer"\n', "", 27, "an interaction contrast, which lacks the key 'by'"),
    ("interaction", 'by = "tracer"', 'by = "drug"', 30, "must be one of tracer, arm"),
    ("interaction", "scale", 'tracer = "DASB2"\nscale', 33, "its tracers are DASB and AZ10419369"),
    ("mixed", 'levels = ["placebo", "ketamine"]\n', "", 31, "the plan has arms .*add levels"),
    ("mixed", '"before", "after", "late"', '"before"', 31, "a mixed contrast has two session labels or more"),
    ("mixed", "levels", 'scale = "percent"\nlevels', 32, 'no scale "percent"'),
    ("mixed", "levels", 'test = "permutation"\nlevels', 32, "a mixed contrast, which has no key 'test'"),
    ("mixed", "levels", 'covariance = "unstructred"\nlevels', 32, "did you mean 'unstructured'"),
    ("mixed", "levels", 'df = "kenward"\nlevels', 32, "did you mean 'kenward-roger'"),
    ("correlation", 'score = "madrs"\n', "", 27, "lacks the key 'score'"),
    ("correlation", '"a", "b"', '"a", "b", "c"', 33, "score_sessions has 3"),
    ("correlation", "score_", 'method = "kendall"\nscore_', 33, "one of pearson, spearman, skipped"),
    ("correlation", "score_", 'method = "skipped"\ncovariates = ["age"]\nscore_', 34, "no covariates"),
    ("correlation", "score_", 'scale = "log"\nscore_', 33, "but x is one session"),
    ("occupancy", "terms", 'parameter = "R1"\nterms', 31, "R1, but MRTM2|occupancy is found from BP_ND"),
    ("occupancy", "terms", 'adjust = "maxt"\nterms', 31, "an occupancy contrast has none"),
    ("paired", "arm", 'arm = "esketamine"\n#', 31, "arm 'esketamine', which has no .*did you mean 'ketamine'"),
    ("paired", "arm", 'covariates = ["age", "age"]\narm', 31, "covariates has 'age' twice"),
    ("paired", "arm", "seed = -1\narm", 31, "greater than or equal to 0"),
    ("paired", "arm", 'missing = "drop"\narm', 31, "one of error, exclude"),
    ("paired", "arm", 'weights = "sd"\narm', 31, "one of none, se"),
    ("paired", "arm", 'weights = "se"\ntest = "permutation"\narm', 32, "people weighted by their errors have none"),
    (
        "ancova",
        "sessions",
        'adjust = "maxt"\nweights = "se"\nsessions',
        32,
        "people weighted by their errors have none",
    ),
    ("mixed", "levels", 'weights = "se"\nlevels', 32, "a mixed contrast, which has no key 'weights'"),
    ("paired", "arm", "bootstrap = 100\narm", 31, "greater than or equal to 200"),
    ("correlation", "score_", 'bootstrap = 500\nmethod = "skipped"\nscore_', 33, "a bootstrap interval already"),
    ("paired", "arm", "prior = { scale = 0.0 }\narm", 31, "greater than 0"),
    ("paired", "arm", "prior = { location = 0.1 }\narm", 31, "lacks the key 'scale'"),
    ("paired", "arm", "prior = { scale = 1, sd = 2 }\narm", 31, "no key 'sd'"),
    ("correlation", "score_", "prior = { scale = 1 }\nscore_", 33, "which has no key 'prior'"),
    ("groups", "sessions", 'blocks = "site"\nsessions', 32, 'add test = "permutation"'),
    ("paired", "arm", 'blocks = "site"\narm', 31, "a paired contrast, which has no key 'blocks'"),
    ("paired", "arm", "covarites = []\narm", 31, "did you mean 'covariates'"),
]


@pytest.mark.parametrize(
    ("kind", "old", "new", "line", "said"), FAULTS, ids=[f"{kind}-{i}" for i, (kind, *_) in enumerate(FAULTS)]
)
def test_a_fault_of_a_contrast_names_its_line_and_the_way_out(tmp_path, kind, old, new, line, said):
    assert old in LINES[kind]
    with pytest.raises(PlanError, match=said) as caught:
        read(tmp_path, LINES[kind].replace(old, new, 1))
    assert f"raphe.toml, line {line}: " in str(caught.value)


ORDER = LINES["paired"] + '\n[[contrast]]\nname = "d"\n' + LINES["groups"]


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ('["c", "e"]', "order names 'e', which has no"),
        ('["c", "c"]', "'c' stands twice"),
        ('["d", "c"]', "begins with 'd', but the primary contrast is 'c'; put that first"),
    ],
)
def test_an_order_that_does_not_fit(tmp_path, order, said):
    primary = '\n[primary]\ntracer = "DASB"\nregion = "putamen"\ncontrast = "c"\n'
    with pytest.raises(PlanError, match=said):
        read(tmp_path, f"{ORDER}{primary}\n[multiplicity]\norder = {order}\n")


def test_a_primary_interaction_is_of_either_tracer(tmp_path):
    primary = '\n[primary]\ntracer = "{}"\nregion = "putamen"\ncontrast = "c"\n'
    for tracer in ("DASB", "AZ10419369"):
        read(tmp_path, LINES["interaction"] + primary.format(tracer))
