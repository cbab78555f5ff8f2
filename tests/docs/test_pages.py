"""What the pages show is true: commands parse, links lead somewhere, and the plans can be used."""

import re
import shlex
from pathlib import Path

import pytest

from raphe.cli import main
from raphe.commands import parser_of
from raphe.pipeline.plan import read_plan
from raphe.quality import EXCLUDES, WORD

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page, language):
    """Contents of the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def commands(page):
    """Each call of raphe in the shell blocks of a page, as words."""
    lines = [line for block in blocks(page, "sh") for line in re.split(r"\n|&&", block)]
    words = [shlex.split(line, comments=True) for line in lines]
    return [tuple(line[1:]) for line in words if line[:1] == ["raphe"]]


def anchors(page):
    """Fragments that the headings of a page give."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


COMMANDS = [(page.name, words) for page in PAGES for words in commands(page)]
LINKS = [
    (page, link)
    for page in PAGES
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    if "://" not in link
]


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=lambda part: " ".join(part) if type(part) is tuple else part)
def test_a_command_is_one_that_there_is(page, words):
    assert parser_of(lambda options: 0).parse_args(words).command == words[0]


@pytest.mark.parametrize(("page", "link"), LINKS, ids=lambda part: part if type(part) is str else part.name)
def test_a_link_leads_somewhere(page, link):
    path, _, fragment = link.partition("#")
    target = (page.parent / path) if path else page
    assert target.exists()
    assert not fragment or fragment in anchors(target)


def test_the_index_lists_every_page_and_script():
    index = ROOT / "docs" / "index.md"
    listed = {(page.parent / link).resolve() for page, link in LINKS if page == index}
    wanted = {*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "gallery").glob("*.py")} - {index}
    assert wanted <= listed


def test_the_plans_of_the_pages_can_be_read_and_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    test_retest, crossover = blocks(ROOT / "docs" / "plan.md", "toml")
    (simulated,) = blocks(ROOT / "docs" / "simulate.md", "toml")
    for name, text in (("retest.toml", test_retest), ("crossover.toml", crossover), ("made.toml", simulated)):
        Path(name).write_text(text, encoding="utf-8")
    assert [len(read_plan(Path(name)).sessions) for name in ("retest.toml", "crossover.toml")] == [2, 2]
    for kind, plan, contrast in (
        ("made.toml", "crossover.toml", "drugeffect"),
        ("test-retest", "retest.toml", "DASBrescan"),
    ):
        study, out = f"{contrast}-study", f"{contrast}-out"
        assert main(["simulate", kind, study, "--tacs-only", "--participants", "3"]) == 0
        assert main(["check", study, "--plan", plan]) == 0
        assert main(["run", study, out, "all", "--plan", plan, "--quiet"]) == 0
        assert Path(out, "group", f"contrast-{contrast}_result.tsv").is_file()


def test_the_plan_of_the_page_on_contrasts_can_be_read(tmp_path):
    (text,) = blocks(ROOT / "docs" / "contrasts.md", "toml")
    path = tmp_path / "raphe.toml"
    path.write_text(text, encoding="utf-8")
    kinds = [contrast.kind for contrast in read_plan(path).contrasts]
    assert kinds == ["ancova", "paired", "mixed", "interaction", "correlation"]


def test_the_page_on_errors_says_of_every_flag_whether_it_excludes():
    rows = re.findall(
        r"^\| `(\w+)` \|.*\| (yes|no) \|$", (ROOT / "docs" / "errors.md").read_text("utf-8"), re.MULTILINE
    )
    assert dict(rows) == {word: "yes" if flag & EXCLUDES else "no" for flag, word in WORD.items()}
