"""A primary question that has no answer is a warning, and the command ends with 1."""

import json

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
    assert (
        "cannot be tested in the primary region 'thalamus': it is not among its regions; there is only putamen"
        in ended.err
    )


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


def test_the_report_says_that_the_primary_contrast_could_not_be_made(files, raphe):
    """Everyone of one arm is excluded: the plan names a primary contrast all the same."""
    people, scans = ["participant_id\tarm"], ["participant_id\tsession_id\treason"]
    for person, arm in {"01": "drug", "02": "drug", "03": "placebo", "04": "placebo"}.items():
        people.append(f"sub-{person}\t{arm}")
        if arm == "placebo":
            for session in ("baseline", "rescan"):
                files.add(person, session, like=("01", session))
                scans.append(f"sub-{person}\tses-{session}\tmoved")
    (files.root / "participants.tsv").write_text("\n".join(people) + "\n")
    (files.root / "exclusions.tsv").write_text("\n".join(scans) + "\n")
    arms = "".join(f'\n[[arm]]\nname = "{name}"\n' for name in ("placebo", "drug"))
    ancova = '\n[[contrast]]\nname = "arms"\nkind = "ancova"\nterms = ["placebo", "drug"]\n'
    ancova += 'sessions = ["baseline", "rescan"]\n'
    files.edit('contrast = "change"', 'contrast = "arms"')
    files.plan.write_text(files.plan.read_text() + arms + ancova)
    ended = raphe("run", files.root, files.out, "all")
    assert ended.code == 1, ended.err
    page = (files.out / "report.html").read_text(encoding="utf-8")
    assert "The plan&#39;s primary contrast could not be made (" in page
    assert "no result here is confirmatory" in page
    assert "names no primary contrast" not in page


@pytest.mark.parametrize("spelled", ["Thalamus", "THALAMUS"])
@pytest.mark.parametrize("listed", [True, False])
def test_a_primary_region_in_another_spelling_is_the_primary_region(analysed, raphe, spelled, listed):
    """It was tested as one of several, after correction for all of them."""
    table = analysed.out / TABLE
    text = "".join(
        line for line in analysed.plan.read_text().splitlines(True) if listed or not line.startswith("list = ")
    )
    assert ("list = " in text) == listed
    analysed.plan.write_text(text)
    same = raphe("stats", analysed.plan, table)
    analysed.plan.write_text(text.replace('region = "thalamus"', f'region = "{spelled}"'))
    assert spelled in analysed.plan.read_text()
    other = raphe("stats", analysed.plan, table)
    assert (other.code, other.out, other.err) == (same.code, same.out, same.err)


def test_a_list_of_regions_in_another_spelling_than_the_table(analysed, raphe):
    table = analysed.out / TABLE
    same = raphe("stats", analysed.plan, table)
    analysed.edit('list = ["thalamus", "putamen"', 'list = ["Thalamus", "PUTAMEN"')
    other = raphe("stats", analysed.plan, table)
    assert (other.code, other.out, other.err) == (same.code, same.out, same.err)


def test_stats_warns_of_a_value_that_cannot_be(analysed, raphe):
    lines = (analysed.out / TABLE).read_text().splitlines()
    head = lines[0].split("\t")
    cells = [line.split("\t") for line in lines]
    odd = next(row for row in cells[1:] if row[head.index("region")] == "putamen" and "BP_ND" in row)
    odd[head.index("value")] = "1e6"
    path = analysed.out.parent / "estimates.tsv"
    path.write_text("".join("\t".join(row) + "\n" for row in cells))
    ended = raphe("stats", analysed.plan, path)
    assert ended.code == 1
    assert (
        f"warning: {path}: BP_ND of participant '{odd[0]}', session '{odd[1]}', region 'putamen' is 1e+06" in ended.err
    )
    odd[head.index("quality")] = "implausible"
    path.write_text("".join("\t".join(row) + "\n" for row in cells))
    assert "1e+06" not in raphe("stats", analysed.plan, path).err


@pytest.fixture
def six(files, raphe):
    """Six people of two sexes, analysed, and a way to flag the primary region of some of them."""
    for at, who in enumerate(("03", "04", "05", "06")):
        for session in ("baseline", "rescan"):
            files.add(who, session, like=("01", session))
            factor = 1.02 + at / 50
            files.column("putamen", lambda c, by=factor: round(by * float(c), 2), files.table_of(who, session))
    people = "".join(f"sub-0{at}\t{'MF'[at % 2]}\t{30 + at}\n" for at in range(1, 7))
    (files.root / "participants.tsv").write_text(f"participant_id\tsex\tage\n{people}")
    assert raphe("run", files.root, files.out, "all", "--quiet").code in (0, 1)

    def flag(*usable):
        lines = [line.split("\t") for line in (files.out / TABLE).read_text().splitlines()]
        region, quality = lines[0].index("region"), lines[0].index("quality")
        for row in lines[1:]:
            if row[region] == "thalamus" and row[0] not in usable:
                row[quality] = "at_bound"
        path = files.out.parent / "flagged.tsv"
        path.write_text("".join("\t".join(row) + "\n" for row in lines))
        return path

    return files, flag


NONE = "none of 6 people has a usable value in this region (a rate constant ended at a bound"


@pytest.mark.parametrize(
    ("keys", "usable", "told"),
    [
        ('covariates = ["sex"]', (), "no participant has a usable value in both sessions"),
        ('kind = "mixed"', (), NONE),
        ('kind = "mixed"\ncovariates = ["sex"]', (), NONE),
        ('covariates = ["sex"]', ("01",), "1 of 6 people have usable values in this region (a rate constant ended"),
        ('covariates = ["sex"]', ("02", "04", "06"), "3 of 6 people have usable values in this region (a rate"),
        ('covariates = ["age"]', ("01",), "one participant allows no inference across people"),
    ],
)
def test_a_primary_region_that_is_flagged_is_told_as_such(six, raphe, keys, usable, told):
    """And not as a fault of the covariates; the other regions have their answer."""
    files, flag = six
    files.edit('terms = ["baseline", "rescan"]', f'terms = ["baseline", "rescan"]\n{keys}')
    ended = raphe("stats", files.plan, flag(*usable))
    assert ended.code == 1, ended
    assert f"cannot be tested in the primary region 'thalamus': {told}" in ended.err
    assert [line.split()[0] for line in ended.out.splitlines() if line.startswith("putamen ")] == ["putamen"]


def test_without_a_primary_contrast_nothing_is_called_secondary(files, raphe):
    text = files.plan.read_text()
    start = text.index("[primary]")
    files.plan.write_text(text[:start] + text[text.index("[[contrast]]") :])
    assert raphe("run", files.root, files.out, "all").code == 0
    page = (files.out / "report.html").read_text(encoding="utf-8")
    assert "secondary" not in page.partition("</style>")[2].lower()
    assert "The planned comparison" in page
    assert '<span class="badge planned">planned</span>' in page
    told = json.loads((files.out / "group/contrast-change_result.json").read_text(encoding="utf-8"))
    assert told["Status"] == "planned"
