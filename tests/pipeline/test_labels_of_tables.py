"""Labels of people in the tables of a study: ``sub-`` may stand before them, and zeros that are missing are told."""

import pytest

ZEROS = "did you mean 'sub-01'? The zeros are part of the name; there are sub-01, sub-02"

CORRELATION = (
    '[[contrast]]\nname = "with scores"\nkind = "correlation"\ntracer = "DASB"\nx = ["baseline"]\nscore = "madrs"\n'
)


def people(files, *labels, name="participants.tsv", column="age"):
    path = files.root / name
    path.parent.mkdir(exist_ok=True)
    rows = "".join(f"{label}\t{30 + at}\n" for at, label in enumerate(labels))
    path.write_text(f"participant_id\t{column}\n{rows}")


def with_three(files):
    """A third person, and a contrast of the scores of all."""
    for session in ("baseline", "rescan"):
        files.add("03", session, like=("01", session))
        files.column("putamen", lambda cell: round(1.1 * float(cell), 2), files.table_of("03", session))
    files.plan.write_text(files.plan.read_text() + CORRELATION)


def test_a_covariate_of_people_without_their_zeros_is_refused(files, raphe):
    files.edit('terms = ["baseline", "rescan"]', 'terms = ["baseline", "rescan"]\ncovariates = ["age"]')
    people(files, "sub-1", "sub-02")
    ended = raphe("run", files.root, files.out, "all")
    assert (ended.code, files.out.exists()) == (2, False)
    assert "participants.tsv: participant_id, line 2: there is no scan of 'sub-1'" in ended.err
    assert ZEROS in ended.err
    checked = raphe("check", files.root)
    assert checked.code == 2
    assert checked.out.count(ZEROS) == 1


def test_people_that_no_contrast_needs_are_a_doubt(files, raphe):
    people(files, "sub-1", "sub-02")
    checked = raphe("check", files.root)
    assert checked.code == 1
    assert f"warning: {files.root}/participants.tsv: participant_id, line 2: " in checked.out
    assert ZEROS in checked.out
    assert raphe("run", files.root, files.out, "all").code == 0


def test_scores_of_people_without_their_zeros_are_refused(files, raphe):
    with_three(files)
    people(files, "sub-01", "sub-02", "sub-03")
    people(files, "sub-1", "sub-2", "sub-3", name="phenotype/madrs.tsv", column="madrs")
    ended = raphe("run", files.root, files.out, "all")
    assert (ended.code, files.out.exists()) == (2, False)
    assert "madrs.tsv: participant_id, line 2: there is no scan of 'sub-1'; did you mean 'sub-01'? The" in ended.err


def test_someone_whose_label_is_a_number_of_another_is_nobody_else(files, raphe):
    """Both 1 and 01 may be people: who has a row is not doubted."""
    files.edit('terms = ["baseline", "rescan"]', 'terms = ["baseline", "rescan"]\ncovariates = ["age"]')
    people(files, "sub-01", "sub-1", "sub-02")
    assert "zeros" not in raphe("check", files.root).out


def test_visits_may_be_called_as_bids_calls_sessions(files, raphe):
    with_three(files)
    files.edit('score = "madrs"\n', 'score = "madrs"\nscore_sessions = ["ses-baseline"]\n')
    people(files, "sub-01", "sub-02", "sub-03")
    path = files.root / "phenotype/madrs.tsv"
    path.parent.mkdir()
    path.write_text("participant_id\tses-baseline\tses-rescan\nsub-01\t30\t9\nsub-02\t31\t9\nsub-03\t33\t9\n")
    assert raphe("check", files.root).code == 0


@pytest.mark.parametrize("label", ["1", "sub-1"])
def test_a_label_of_the_command_line_without_its_zeros(files, refused, label):
    words = ["there are no curves of sub-1", ZEROS]
    refused("run", files.root, files.out, "all", "--participant-label", label, words=words)


@pytest.mark.parametrize("label", ["1", "sub-1"])
def test_an_exclusion_without_its_zeros(files, refused, label):
    (files.root / "exclusions.tsv").write_text(f"participant_id\treason\n{label}\tmoved\n")
    words = ["exclusions.tsv: participant_id, line 2: there is no scan of 'sub-1'", ZEROS]
    refused("run", files.root, files.out, "all", words=words)


def test_estimates_whose_labels_have_their_keys_are_those_of_the_plan(files, raphe):
    """Prefixes change nothing of what stats prints."""
    assert raphe("run", files.root, files.out, "all", "--quiet").code == 0
    path = files.out / "group/estimates.tsv"
    plain = raphe("stats", files.plan, path)
    lines = path.read_text().splitlines()
    cells = [line.split("\t") for line in lines[1:]]
    path.write_text("\n".join([lines[0], *("\t".join([f"sub-{c[0]}", f"ses-{c[1]}", *c[2:]]) for c in cells), ""]))
    assert raphe("stats", files.plan, path) == plain
    assert plain.code == 0
    people(files, "sub-1", "sub-02")
    files.edit('terms = ["baseline", "rescan"]', 'terms = ["baseline", "rescan"]\ncovariates = ["age"]')
    ended = raphe("stats", files.plan, path)
    assert ended.code == 2
    assert ZEROS in ended.err
