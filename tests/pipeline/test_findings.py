"""How findings read on a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from raphe.data.finding import Finding
from raphe.pipeline.findings import paragraphs_of_page


@pytest.mark.parametrize("root", ["/data/study", "study", "../study"])
def test_a_page_names_files_from_the_root_of_their_data_set(root):
    path, other = Path(root) / "sub-01/pet/x.json", Path(root) / "derivatives/petprep/sub-01/pet/y.json"
    told = f"{path}: TracerName is missing; {other} has it"
    assert paragraphs_of_page([Finding("warning", path, "TracerName", told)], [Path(root)]) == [
        "sub-01/pet/x.json: TracerName is missing; derivatives/petprep/sub-01/pet/y.json has it"
    ]


def test_the_longest_root_is_taken_and_no_part_of_another_name():
    root, nested = Path("/data/study"), Path("/data/study/derivatives/petprep")
    told = f"{nested}/sub-01/pet/y.json: odd; see /old{root}/sub-01/pet/x.json"
    assert paragraphs_of_page([Finding("warning", nested, "", told)], [root, nested]) == [
        "sub-01/pet/y.json: odd; see /old/data/study/sub-01/pet/x.json"
    ]
