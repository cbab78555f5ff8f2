"""The version is told alike wherever it stands."""

import re
from pathlib import Path

import raphe
from raphe.io.provenance import software_version

ROOT = Path(__file__).parents[1]


def test_the_citation_and_the_record_of_a_run_have_the_version():
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited is not None
    assert cited[1] == raphe.__version__ == software_version()


def test_the_changelog_begins_with_the_version_that_is_worked_on():
    first, *others = re.findall(r"^## (\S+)(.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    number, dot, _ = raphe.__version__.partition(".dev")
    assert first == (number, " (unreleased)" if dot else "")
    assert not any("unreleased" in rest for _, rest in others)
