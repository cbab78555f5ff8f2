"""A primary question that has no answer is a warning, and the command ends with 1."""

import pytest

TABLE = "group/estimates.tsv"


@pytest.fixture
def analysed(files, raphe):
    """The small study of two people, analysed: its primary region has an answer."""
    ended = raphe("run", files.root, files.out, "all")
    assert (ended.code, ended.err.count("warning")) == (0, 0)
    return files


def estimates(files, region, session="rescan"):
    """The table of estimates in which one person's value of a region may not be used."""
    lines = (files.out / TABLE).read_text().splitlines()
    head = lines[0].split("\t")
    path = files.out.parent / "estimates.tsv"
    cells = [line.split("\t") for line in lines]
    for row in cells[1:]:
        if row[:2] == ["02", session] and row[head.index("region")] == region:
            row[head.index("quality")] = "at_bound"
    path.write_text("".join("\t".join(row) + "\n" for row in cells))
    return path


def test_stats_warns_of_a_primary_region_that_cannot_be_tested(analysed, raphe):
    ended = raphe("stats", analysed.plan, estimates(analysed, "thalamus"))
    assert ended.code == 1
    assert (
        "warning: the primary contrast 'change' cannot be tested in the primary region 'thalamus': one participant "
        "allows no inference across people"
    ) in ended.err


def test_stats_is_content_where_another_region_cannot(analysed, raphe):
    ended = raphe("stats", analysed.plan, estimates(analysed, "putamen"))
    assert (ended.code, ended.err) == (0, "")


def test_stats_warns_where_the_primary_region_is_not_among_those_of_the_contrast(analysed, raphe):
    analysed.edit('terms = ["baseline", "rescan"]', 'terms = ["baseline", "rescan"]\nregions = ["putamen"]')
    ended = raphe("stats", analysed.plan, analysed.out / TABLE)
    assert ended.code == 1
    assert "cannot be tested in the primary region 'thalamus': it is not among its regions (putamen)" in ended.err


def test_stats_warns_of_a_primary_contrast_that_cannot_be_made(analysed, raphe):
    other = '\n[[contrast]]\nname = "of R1"\nterms = ["baseline", "rescan"]\nparameter = "R1"\n'
    analysed.plan.write_text(analysed.plan.read_text() + other)
    path = analysed.out.parent / "few.tsv"
    lines = (analysed.out / TABLE).read_text().splitlines()
    path.write_text("".join(f"{line}\n" for line in lines if "BP_ND" not in line))
    ended = raphe("stats", analysed.plan, path)
    assert ended.code == 1
    assert "warning: the primary contrast 'change' cannot be made: " in ended.err
    assert ended.out.startswith("of R1")


def test_a_run_warns_of_a_primary_region_that_cannot_be_tested(files, raphe):
    for session in ("baseline", "rescan"):
        files.forget("02", session)
    ended = raphe("run", files.root, files.out, "all")
    assert ended.code == 1
    assert "the primary contrast 'change' cannot be tested in the primary region 'thalamus': one part" in ended.err
    assert raphe("run", files.root, files.out, "group").code == 1
    assert (files.out / "report.html").is_file()
