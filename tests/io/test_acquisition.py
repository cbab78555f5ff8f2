"""Times of scans that contradict those of sessions and sidecars are doubts; shifted dates and time zones are not."""

import pytest

from raphe.io.check import check_dataset

DAY = "2020-03-02T10:00:00"
LATER = "2020-03-16T10:30:00"


@pytest.fixture
def told(study):
    """Write when the two scans of the first person were made, and give the warnings."""

    def check(baseline=DAY, blocked=LATER, *, sessions=None, sidecars=({}, {}), own=False):
        for session, time, fields in zip(("baseline", "blocked"), (baseline, blocked), sidecars, strict=True):
            name = f"pet/sub-01_ses-{session}_pet.nii.gz"
            folder = study.root / "sub-01"
            table = folder / "sub-01_scans.tsv" if own else folder / f"ses-{session}/sub-01_ses-{session}_scans.tsv"
            row = f"ses-{session}/{name}\t{time}\n" if own else f"{name}\t{time}\n"
            before = table.read_text() if own and session == "blocked" else "filename\tacq_time\n"
            table.write_text(before + row)
            study.change("01", session, **fields)
        if sessions is not None:
            rows = "".join(f"ses-{one}\t{at}\n" for one, at in zip(("baseline", "blocked"), sessions, strict=True))
            (study.root / "sub-01/sub-01_sessions.tsv").write_text(f"session_id\tacq_time\n{rows}")
        return [one.message for one in check_dataset(study.root) if "acq_time" in one.message]

    return check


@pytest.mark.parametrize(
    ("sessions", "words"),
    [
        (
            (DAY, "2020-04-16"),
            ["_ses-blocked_scans.tsv: acq_time, line 2", LATER, "line 3, after that; mend whichever"],
        ),
        ((DAY, "2020-03-16T15:00:00"), ["began at 2020-03-16T15:00:00 by sub-01_sessions.tsv, line 3, after that"]),
        (("2019-03-02", LATER), ["_ses-baseline_scans.tsv", "began at 2019-03-02", "366 days before"]),
    ],
)
def test_a_scan_that_its_session_does_not_hold(told, sessions, words):
    (message,) = told(sessions=sessions)
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    "sessions",
    [
        (DAY, LATER),
        ("2020-03-02", "2020-03-16"),
        ("2020-03-02T08:00:00", "2020-03-10"),  # an MRI of some days before
        ("2020-03-02T10:30:00", "n/a"),
        ("1920-05-11", "1920-05-25"),  # shifted in one table alone
        ("1920-05-11", "n/a"),
        ("2024-05-11", "2024-05-25"),
    ],
)
def test_sessions_that_agree_or_are_shifted(told, sessions):
    assert told(sessions=sessions) == []


@pytest.mark.parametrize(
    ("sidecars", "words"),
    [
        (
            ({"ScanDate": "2020-03-02"}, {"ScanDate": "2019-03-16"}),
            ["_ses-blocked_scans.tsv: acq_time, line 2", "but ScanDate of", "is 2019-03-16 (366 days apart, and 0 in"],
        ),
        (
            ({"TimeZero": "2020-02-02T10:00:00"}, {"TimeZero": LATER}),
            ["_ses-baseline_scans.tsv", "TimeZero", "29 days apart"],
        ),
        (({"TimeZero": "15:47:00"}, {}), ["_ses-baseline_pet.nii.gz", DAY, "but TimeZero of", "is 15:47:00; mend"]),
    ],
)
def test_a_sidecar_that_tells_another_time(told, sidecars, words):
    (message,) = told(sidecars=sidecars)
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    "sidecars",
    [
        ({"ScanDate": "2020-03-02", "TimeZero": "10:00:00"}, {"ScanDate": "2020-03-16", "TimeZero": "10:30"}),
        ({"ScanDate": "1919-03-02"}, {"ScanDate": "1919-03-16"}),  # shifted alike
        ({"ScanDate": "1919-03-02"}, {}),
        ({"ScanDate": "somewhen", "TimeZero": "noon"}, {}),
        ({"TimeZero": "00:00:00"}, {"TimeZero": "ScanStart"}),
        ({"TimeZero": "11:10:00"}, {}),  # a transmission scan before
        ({"TimeZero": "18:00:30"}, {"TimeZero": "02:30:00"}),  # other time zones
        ({"TimeZero": "13:47:00"}, {"TimeZero": "14:17:00"}),  # shifted alike
        ({"TimeZero": "15:47:00"}, {"TimeZero": "15:47:00"}),  # the same for all
        ({"TimeZero": "06:00:00", "ScanStart": 14400}, {"ScanStart": "late"}),
    ],
)
def test_sidecars_that_agree_or_are_shifted(told, sidecars):
    assert told(sidecars=sidecars) == []


def test_a_date_alone_is_no_time_of_the_day(told):
    assert told("2020-03-02", "2020-03-16T00:00:00", sidecars=({"TimeZero": "15:47:00"}, {"TimeZero": "17:47"})) == []


def test_the_table_of_a_person_is_read(told):
    (message,) = told(own=True, sidecars=({"TimeZero": "15:47:00"}, {}))
    assert "sub-01_scans.tsv: acq_time, line 2: sub-01_ses-baseline_pet.nii.gz" in message
    (message,) = told("yesterday", own=True)
    assert "sub-01_scans.tsv: acq_time, line 2: 'yesterday' is no date and time" in message
