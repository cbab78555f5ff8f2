"""Acquisition times that contradict the order of sessions are told; those of a crossover are not."""

import pytest

from raphe.io.sessions import labels_tell_order

EARLY, LATE = "2020-01-05T10:00:00", "2020-02-07T11:30:00"


def acquired(files, who, **times):
    """Write when the sessions of a person were acquired."""
    rows = "".join(f"ses-{label}\t{time}\n" for label, time in times.items())
    (files.root / f"sub-{who}/sub-{who}_sessions.tsv").write_text(f"session_id\tacq_time\n{rows}")


def scanned(files, who, session, time):
    """Write when a scan was acquired, beside an MRI of long before."""
    path = files.root / f"sub-{who}/ses-{session}/sub-{who}_ses-{session}_scans.tsv"
    name = f"pet/sub-{who}_ses-{session}_pet.nii.gz"
    path.write_text(f"filename\tacq_time\nanat/T1w.nii.gz\t1999-01-01\n{name}\t{time}\n")


def renamed(files, *labels):
    """Give the two sessions other names, everywhere."""
    for old, new in zip(("baseline", "rescan"), labels, strict=True):
        for who in ("01", "02"):
            for path in (files.pet_of(who, old), files.table_of(who, old)):
                place = path.parents[2] / f"ses-{new}/pet"
                place.mkdir(parents=True)
                path.rename(place / path.name.replace(f"ses-{old}", f"ses-{new}"))
        files.plan.write_text(files.plan.read_text().replace(f'"{old}"', f'"{new}"'))


def third(files, order):
    """A third person, with the sessions of the first."""
    for session in ("baseline", "rescan"):
        files.add("03", session, like=("01", session))
        files.column("putamen", lambda cell: round(1.1 * float(cell), 2), files.table_of("03", session))
    acquired(files, "03", **order)


def told(ended):
    return [line for line in ended.splitlines() if "acq_time" in line]


@pytest.mark.parametrize("with_plan", [True, False])
def test_a_rescan_before_the_baseline_is_a_doubt(files, raphe, with_plan):
    if not with_plan:
        files.plan.unlink()
    acquired(files, "01", baseline=EARLY, rescan=LATE)
    scanned(files, "02", "baseline", LATE)
    scanned(files, "02", "rescan", EARLY)
    for ended in (raphe("check", files.root), raphe("run", files.root, files.out, "all", "--quiet")):
        assert ended.code == 1
        (line,) = told(ended.out + ended.err)
        assert (
            f"sub-02_ses-rescan_scans.tsv: acq_time, line 3: session 'rescan' of sub-02 was acquired at {EARLY}" in line
        )
        assert f"before session 'baseline' at {LATE}" in line
        assert ("in raphe.toml" in line) == with_plan
        assert "sub-01" not in line


def test_an_excluded_scan_is_not_doubted(files, raphe):
    third(files, {"baseline": LATE, "rescan": EARLY})
    (files.root / "participants.tsv").write_text("participant_id\nsub-01\nsub-02\nsub-03\n")
    assert raphe("check", files.root).code == 1
    (files.root / "exclusions.tsv").write_text("participant_id\treason\nsub-03\ttimes not sure\n")
    assert raphe("check", files.root).code == 0


@pytest.mark.parametrize("time", ["05.01.2020 10:00", "2020-13-01T10:00:00", "yesterday"])
def test_a_time_that_cannot_be_read_is_told_and_the_labels_order(files, raphe, time):
    scanned(files, "01", "baseline", time)
    acquired(files, "02", baseline="n/a", rescan=EARLY)
    for ended in (raphe("check", files.root), raphe("run", files.root, files.out, "all", "--quiet")):
        assert ended.code == 1
        (line,) = told(ended.out + ended.err)
        assert f"sub-01_ses-baseline_scans.tsv: acq_time, line 3: {time!r} is no date and time" in line
        assert "or n/a" in line


def test_times_of_the_mri_do_not_matter(files, raphe):
    scanned(files, "01", "baseline", EARLY)
    path = files.root / "sub-01/ses-baseline/sub-01_ses-baseline_scans.tsv"
    path.write_text(path.read_text().replace("1999-01-01", "long ago"))
    scanned(files, "01", "rescan", LATE)
    assert raphe("check", files.root).code == 0


CONDITIONS = (
    ('label = "placebo"', 'label = "placebo"\ncondition = "placebo"'),
    ('label = "drug"', 'label = "drug"\ncondition = "drug"'),
    ("[regions]", '[[condition]]\nname = "placebo"\n\n[[condition]]\nname = "drug"\n\n[regions]'),
)


def test_conditions_of_a_crossover_may_come_in_any_order(files, raphe):
    renamed(files, "placebo", "drug")
    acquired(files, "01", placebo=EARLY, drug=LATE)
    acquired(files, "02", placebo=LATE, drug=EARLY)
    (line,) = told(raphe("check", files.root).out)
    assert "sub-02" in line
    assert "give each its condition in the plan" in line
    for old, new in CONDITIONS:
        files.edit(old, new)
    assert raphe("check", files.root).code == 0
    acquired(files, "01", placebo=LATE, drug=EARLY)
    assert raphe("check", files.root).code == 0  # two people tell no rule


def test_conditions_that_everybody_had_in_the_other_order_are_a_doubt(files, raphe):
    third(files, {"placebo": LATE, "drug": EARLY})
    (files.root / "participants.tsv").write_text("participant_id\nsub-01\nsub-02\nsub-03\n")
    for path in (*files.root.rglob("sub-03_ses-*"),):
        new = path.name.replace("baseline", "placebo").replace("rescan", "drug")
        place = path.parents[2] / f"ses-{new.split('_')[1][4:]}/pet"
        place.mkdir(parents=True, exist_ok=True)
        path.rename(place / new)
    renamed(files, "placebo", "drug")
    for old, new in CONDITIONS:
        files.edit(old, new)
    for who in ("01", "02"):
        acquired(files, who, placebo=LATE, drug=EARLY)
    (line,) = told(raphe("check", files.root).out)
    assert "likewise sub-02_sessions.tsv, sub-03_sessions.tsv" in line


@pytest.mark.parametrize(
    ("one", "other", "tell"),
    [
        ("baseline", "blocked", True),
        ("test", "retest", True),
        ("1", "2", True),
        ("month03", "month12", True),
        ("placebo", "drug", False),
        ("control", "drug", False),
        ("dose10", "dose20", False),
        ("visit1", "day2", False),
    ],
)
def test_which_labels_say_the_order(one, other, tell):
    assert labels_tell_order(one, other) == labels_tell_order(other, one) == tell
