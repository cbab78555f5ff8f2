"""Study plans that contradict themselves, the data or the program: file, line, value and the way out are told."""

import pytest

LIST = 'list = ["thalamus", "putamen", "caudate", "hippocampus"]'
TERMS = 'terms = ["baseline", "rescan"]'
REFERENCE = 'reference = "cerebellum"'


def tracer(line, model="SRTM"):
    """Add a line to the section of the tracer."""

    def spoil(files):
        files.edit('model = "SRTM"', f'model = "{model}"')
        files.edit(REFERENCE, f"{REFERENCE}\n{line}")

    return spoil


def contrast(line):
    return lambda files: files.edit(TERMS, f"{line}\n{TERMS}")


def instead(old, new):
    return lambda files: files.edit(old, new)


def named(name):
    """Call the contrast otherwise, in both places."""

    def spoil(files):
        files.edit('name = "change"', f'name = "{name}"')
        files.edit('contrast = "change"', f'contrast = "{name}"')

    return spoil


def text(plan, **how):
    return lambda files: files.plan.write_text(plan, **how)


def also(section):
    return lambda files: files.plan.write_text(f"{files.plan.read_text()}\n{section}\n")


def a_folder(files):
    files.plan.unlink()
    files.plan.mkdir()


CASES = {
    "empty": (text(""), ["is empty", "[[tracer]]"]),
    "not TOML": (text("[[tracer\n"), ["line 1", "not valid TOML"]),
    "no end": (text("a = " + "[" * 5000), ["not valid TOML"]),
    "UTF-16": (text("[study]\n", encoding="utf-16"), ["UTF-16"]),
    "a folder": (a_folder, ["is a folder"]),
    "a link to nowhere": (lambda f: (f.plan.unlink(), f.plan.symlink_to("nowhere")), ["does not exist"]),
    "a table that may stand several times": (instead("[[tracer]]", "[tracer]"), ["line 4", "[[tracer]]"]),
    "an unknown key": (instead("model =", "modle ="), ["line 6", "'modle'", "did you mean 'model'"]),
    "an unknown section": (instead("[study]", "[studdy]"), ["line 1", "'studdy'", "did you mean 'study'"]),
    "a section of a later version": (also("[blinding]\nsealed = true"), ["line 27", "[blinding]", "take it out"]),
    "a key of maps that there is not": (also("[maps]\nspaec = 'T1w'"), ["line 28", "'spaec'", "did you mean 'space'"]),
    "an unknown model": (instead('"SRTM"', '"SRTM3"'), ["line 6", "'SRTM3'", "did you mean SRTM"]),
    "a model like no other": (instead('"SRTM"', '"zebra"'), ["line 6", "'zebra'", "MRTM2"]),
    "a model that is a number": (instead('"SRTM"', "3"), ["line 6", "model = 3", "name of a model"]),
    "a title that is a number": (instead('"A small study"', "5"), ["line 2", "title = 5", "text"]),
    "a species with a slip": (instead("[study]", '[study]\nspecies = "humen"'), ["line 2", "'human'"]),
    "weights that nobody knows": (tracer('weights = "poisson"'), ["line 8", '"poisson"', "decay, duration, uniform"]),
    "a convention with a slip": (tracer('convention = "midfram"'), ["line 8", '"midfram"', "did you mean 'midframe'"]),
    "a t_star before injection": (tracer("t_star = -5", "LoganRef"), ["line 8", "t_star = -5"]),
    "a t_star that is no number": (tracer("t_star = nan", "LoganRef"), ["line 8", "t_star", "finite"]),
    "a t_star in quotes": (tracer('t_star = "20"', "LoganRef"), ["line 8", 't_star = "20"', "without quotes"]),
    "a t_star that the model does not take": (tracer("t_star = 20"), ["line 8", "SRTM has no t_star", "leave it out"]),
    "a t_star after the scan": (tracer("t_star = 91", "LoganRef"), ["t_star = 91", "0 of the scan's 36", "earlier"]),
    "a k2_prime of 0": (tracer("k2_prime = 0", "MRTM2"), ["line 8", "k2_prime = 0", "positive"]),
    "a negative k2_prime": (tracer("k2_prime = -0.1", "MRTM2"), ["line 8", "k2_prime = -0.1", "positive"]),
    "a k2_prime that is no number": (tracer("k2_prime = nan", "MRTM2"), ["line 8", "k2_prime", "positive"]),
    "an infinite k2_prime": (tracer("k2_prime = inf", "MRTM2"), ["line 8", "k2_prime", "positive"]),
    "a k2_prime that is true": (tracer("k2_prime = true", "MRTM2"), ["line 8", "k2_prime = true"]),
    "a k2_prime that nothing has": (tracer("k2_prime = 1e300", "MRTM2"), ["k2_prime", "1e+300", "1e+06"]),
    "a k2_prime that the model does not take": (tracer("k2_prime = 0.06"), ["line 8", "SRTM has no k2_prime"]),
    "high binding that is no list": (tracer('high_binding = "thalamus"'), ["line 8", '"thalamus"', "list"]),
    "high binding that is not there": (tracer('high_binding = ["raphe"]'), ["line 8", "'raphe'", "every scan"]),
    "high binding of the reference": (tracer('high_binding = ["Cerebellum"]'), ["line 8", "'Cerebellum'", "reference"]),
    "a reference without name": (instead('"cerebellum"', '""'), ["line 7", "reference", "empty"]),
    "a reference with a slip": (instead('"cerebellum"', '"cerebelum"'), ["line 7", "'cerebelum'", "'cerebellum'"]),
    "a region with a slip": (instead('"caudate"', '"caudat"'), ["line 16", "'caudat'", "did you mean 'caudate'"]),
    "a region twice": (instead('"caudate"', '"putamen"'), ["line 16", "'putamen' stands twice"]),
    "a region twice but for case": (
        instead('"caudate"', '"Putamen"'),
        ["line 16", "'Putamen' stands twice", "'putamen'"],
    ),
    "regions that are no list": (instead(LIST, 'list = "thalamus"'), ["line 16", '"thalamus"', "list"]),
    "regions that are numbers": (instead(LIST, "list = [1, 2]"), ["line 16", "element 1 = 1", "text"]),
    "a merge of nothing": (instead(LIST, f"{LIST}\nmerge = {{ basal = [] }}"), ["line 17", "basal", "nothing"]),
    "a merge with a slip": (
        instead(LIST, f'{LIST}\nmerge = {{ basal = ["putamn"] }}'),
        ["line 17", "'putamn'", "did you mean 'putamen'"],
    ),
    "another segmentation": (instead(LIST, f'{LIST}\nseg = "other"'), ["sub-01_ses-baseline", "seg other", "seg test"]),
    "another correction": (instead(LIST, f'{LIST}\npvc = "gtm"'), ["sub-01_ses-baseline", "pvc gtm", "seg test"]),
    "a session twice": (instead('"rescan"\n\n', '"baseline"\n\n'), ["line 13", "'baseline' stands twice", "line 10"]),
    "a session that is no label": (instead('label = "rescan"', 'label = "../x"'), ["line 13", '"../x"', "letters"]),
    "a session that nobody was scanned in": (
        lambda f: f.plan.write_text(f.plan.read_text().replace("rescan", "retest")),
        ["line 13", "'retest' has no scan", "rescan"],
    ),
    "a tracer that nobody was scanned with": (
        lambda f: f.plan.write_text(f.plan.read_text().replace("DASB", "raclopride")),
        ["line 5", "'raclopride' has no scan", "DASB"],
    ),
    "a tracer twice": (also('[[tracer]]\nname = "[11C]DASB"'), ["line 28", "'[11C]DASB' stands twice", "line 5"]),
    "an arm with a negative share": (also('[[arm]]\nname = "a"\nallocation = -1'), ["line 29", "allocation = -1"]),
    "a contrast over one session": (instead(TERMS, 'terms = ["baseline"]'), ["line 25", "'change'", "1 term", "two"]),
    "a contrast over three": (instead(TERMS, 'terms = ["a", "b", "c"]'), ["line 25", "3 term", "two"]),
    "a contrast over none": (instead(TERMS, "terms = []"), ["line 25", "0 term"]),
    "a contrast with itself": (instead(TERMS, 'terms = ["rescan", "rescan"]'), ["line 25", "'rescan' with itself"]),
    "a contrast without terms": (instead(TERMS, ""), ["line 23", "'terms'", "add it"]),
    "terms that are text": (instead(TERMS, 'terms = "rescan"'), ["line 25", '"rescan"', "list"]),
    "a term with a slip": (instead(TERMS, 'terms = ["baseline", "resan"]'), ["line 25", "'resan'", "'rescan'"]),
    "a contrast twice": (
        also(f'[[contrast]]\nname = "change"\n{TERMS}'),
        ["line 28", "'change' stands twice"],
    ),
    "two contrasts with one file": (
        also(f'[[contrast]]\nname = "Ch-ange"\n{TERMS}'),
        ["line 28", "'Ch-ange' stands twice", "'change'"],
    ),
    "a contrast that no file can be named after": (named("../.."), ["line 24", "'../..'", "letter or digit"]),
    "a contrast in another script": (named("\u5909\u5316"), ["line 24", "letter or digit"]),
    "a contrast with a name without end": (named("x" * 300), ["line 24", "at most 100"]),
    "a kind of contrast without what it needs": (
        contrast('kind = "groups"'),
        ["line 23", "groups", "'sessions'", "add"],
    ),
    "an unknown kind": (contrast('kind = "pared"'), ["line 25", '"pared"', "did you mean 'paired'"]),
    "an unknown adjustment": (
        contrast('adjust = "fdr"'),
        ["line 25", '"fdr"', "holm, hochberg, bh, bonferroni, maxt, none"],
    ),
    "a parameter that nothing gives": (contrast('parameter = "VX"'), ["line 25", '"VX"', "V_B"]),
    "a parameter that is an assumption": (contrast('parameter = "t_star"'), ["line 25", '"t_star"', "BP_ND"]),
    "a parameter that the model does not give": (
        lambda f: (f.edit('model = "SRTM"', 'model = "LoganRef"'), contrast('parameter = "R1"')(f)),
        ["line 25", "R1", "LoganRef", "BP_ND"],
    ),
    "a contrast of an unknown tracer": (contrast('tracer = "DSAB"'), ["line 25", "'DSAB'", "did you mean 'DASB'"]),
    "a primary contrast with a slip": (
        instead('contrast = "change"', 'contrast = "chnge"'),
        ["line 21", "'chnge'", "did you mean 'change'"],
    ),
    "a primary region that is not listed": (
        instead('region = "thalamus"', 'region = "pons"'),
        ["line 20", "'pons'", "list"],
    ),
    "a primary tracer that is not there": (instead('tracer = "DASB"', 'tracer = "AZ"'), ["line 19", "'AZ'", "DASB"]),
}


@pytest.mark.parametrize(("spoil", "words"), CASES.values(), ids=CASES)
def test_a_plan_that_cannot_be_used_is_refused(files, raphe, refused, spoil, words):
    spoil(files)
    if words[0].startswith("line"):
        words = [f"raphe.toml, {words[0]}", *words[1:]]
    refused("run", files.root, files.out, "all", words=words)
    if "scan's 36" not in " ".join(words) and "1e+300" not in words:  # these show when a scan is fitted
        checked = raphe("check", files.root)
        assert checked.code == 2
        assert all(word in checked.out for word in words), checked.out


@pytest.mark.parametrize("plan", ["absent.toml", ".", "study/participants.tsv"])
def test_a_plan_that_is_none(files, raphe, refused, tmp_path, plan):
    refused("run", files.root, files.out, "all", "--plan", tmp_path / plan, words=[str(tmp_path / plan)])
    checked = raphe("check", files.root, "--plan", tmp_path / plan)
    assert checked.code == 2
    assert str(tmp_path / plan) in checked.out


def test_a_model_of_the_command_line_that_does_not_give_what_the_plan_contrasts(files, refused):
    contrast('parameter = "R1"')(files)
    files.edit("[primary]", '[primary]\nparameter = "R1"')
    words = ["raphe.toml, line 26", "R1", "LoganRef", "BP_ND"]
    refused("run", files.root, files.out, "all", "--model", "LoganRef", words=words)


def test_the_species_is_read_in_any_case_and_may_be_one_that_the_catalog_lacks(files, raphe):
    for name in ("Human", "mongoose"):
        files.edit("[study]\n", f'[study]\nspecies = "{name}"\n')
        assert raphe("check", files.root).code == 0
        files.edit(f'species = "{name}"\n', "")
