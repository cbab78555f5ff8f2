"""``raphe occupancy`` against dose: known curves come back, and what cannot be used is refused."""

import json
import math

import pytest

from pharmacology_studies import REGIONS, binding, table

DOSES = {"01": 1.0, "02": 3.0, "03": 10.0, "04": 30.0, "05": 100.0}
SPREAD = {"01": 1.0, "02": 0.9, "03": 1.1, "04": 1.05, "05": 0.95}
ED50, E_MAX, HILL = 8.0, 0.9, 1.4


def occupied(dose, ed50=ED50, e_max=1.0, hill=1.0):
    return e_max * dose**hill / (dose**hill + ed50**hill)


def after(doses, **how):
    return {who: SPREAD[who] * (1 - occupied(dose, **how)) for who, dose in doses.items()}


@pytest.fixture
def doses(tmp_path):
    def write(lines, name="dose.tsv"):
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


def of_people(values=DOSES):
    return ["participant_id\tdose\tname", *(f"sub-{who}\t{dose}\tx" for who, dose in values.items())]


def command(estimates, exposures, *more, session="post"):
    words = ["occupancy", estimates, "--session", "pre", session, "--exposure", exposures, "--exposure-column", "dose"]
    return [*words, *more]


@pytest.mark.parametrize(
    ("more", "truth"),
    [
        ((), {"EC50": ED50, "EMax": 1.0, "Hill": 1.0}),
        (("--e-max", "fit", "--hill", "fit"), {"EC50": ED50, "EMax": E_MAX, "Hill": HILL}),
        (("--e-max", "0.9", "--hill", "1.4"), {"EC50": ED50, "EMax": E_MAX, "Hill": HILL}),
    ],
    ids=["fixed at 1", "all fitted", "fixed at the truth"],
)
def test_a_known_curve_comes_back(tmp_path, raphe, doses, more, truth):
    drug = after(DOSES, e_max=truth["EMax"], hill=truth["Hill"])
    estimates = table(tmp_path / "estimates.tsv", binding({"pre": SPREAD, "post": drug}))
    ended = raphe(*command(estimates, doses(of_people()), *more, "--json"))
    assert ended.code in (0, 1), ended.err
    (found,) = json.loads(ended.out)["DoseResponse"]
    assert (found["Region"], found["N"]) == ("all regions", 5)
    for name, value in truth.items():
        assert found[name]["Value"] == pytest.approx(value, rel=2e-3)
    half = ED50 * (0.5 / (truth["EMax"] - 0.5)) ** (1 / truth["Hill"])
    assert found["DoseFor"]["0.5"]["Value"] == pytest.approx(half, rel=5e-3)


def test_table_page_and_sidecar(tmp_path, raphe, rows_of, doses):
    estimates = table(tmp_path / "estimates.tsv", binding({"pre": SPREAD, "post": after(DOSES)}))
    out = tmp_path / "out"
    ended = raphe(*command(estimates, doses(of_people()), "--exposure-unit", "mg", "--out", out))
    stem = "ses-prepost_trc-DASB_model-SRTM_meas-BPND"
    assert {path.name for path in out.iterdir()} == {
        *(f"{stem}_occupancy.{kind}" for kind in ("tsv", "json", "html")),
        *(f"{stem}_doseresponse.{kind}" for kind in ("tsv", "json")),
    }
    assert ended.out.split()[-1] == str(out / f"{stem}_doseresponse.tsv")
    (row,) = rows_of(out / f"{stem}_doseresponse.tsv")
    assert (row["n"], row["n_scan"], row["fitted"], row["E_max"]) == ("5", "5", "EC50", "1")
    assert float(row["EC50"]) == pytest.approx(ED50, rel=1e-4)
    assert float(row["for_80"]) == pytest.approx(4 * ED50, rel=1e-4)
    told = json.loads((out / f"{stem}_doseresponse.json").read_text(encoding="utf-8"))
    assert told["ExposureUnit"] == told["EC50"]["Units"] == "mg"
    assert told["FixedAt"] == {"E_max": 1.0, "hill": 1.0}
    assert set(row) <= set(told)
    assert [scan["exposure"] for scan in told["Points"][0]["Scans"]] == list(DOSES.values())
    page = (out / f"{stem}_occupancy.html").read_text(encoding="utf-8")
    section = page[page.index('<section id="doses">') : page.index('<section id="methods">')]
    assert section.count('<circle class="estimate"') == 5
    assert ">10<" in section
    assert ">100<" in section  # a logarithmic axis
    assert "dose (mg)" in section
    assert "fitted against dose" in page


def test_two_scans_of_each_person_under_the_drug(tmp_path, raphe, doses):
    low = {who: dose / 4 for who, dose in DOSES.items()}
    rows = binding({"pre": SPREAD, "low": after(low), "high": after(DOSES)})
    lines = ["participant_id,session_id,dose"]
    lines += [
        f"{who},ses-{session},{dose}" for session, own in (("low", low), ("high", DOSES)) for who, dose in own.items()
    ]
    estimates = table(tmp_path / "estimates.tsv", rows)
    words = command(estimates, doses(lines, "dose.csv"), session="low,high")
    ended = raphe(*words, "--out", tmp_path / "out")
    assert ended.code in (0, 1), ended.err
    path = tmp_path / "out" / "ses-prelowhigh_trc-DASB_model-SRTM_meas-BPND_doseresponse.tsv"
    assert path.is_file()
    header, row = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    found = dict(zip(header, row, strict=True))
    assert (found["n"], found["n_scan"]) == ("5", "10")
    assert float(found["EC50"]) == pytest.approx(ED50, rel=1e-3)
    assert len(list((tmp_path / "out").glob("*_occupancy.html"))) == 2


def test_one_region_is_fitted_by_itself_where_there_is_no_line(tmp_path, raphe, doses):
    estimates = table(tmp_path / "estimates.tsv", binding({"pre": SPREAD, "post": after(DOSES)}, {"putamen": 3.0}))
    (found,) = json.loads(raphe(*command(estimates, doses(of_people()), "--json")).out)["DoseResponse"]
    assert found["Region"] == "putamen"
    assert found["EC50"]["Value"] == pytest.approx(ED50, rel=1e-4)


def test_people_without_exposure_and_exposures_of_nobody_are_told(tmp_path, raphe, doses):
    estimates = table(tmp_path / "estimates.tsv", binding({"pre": SPREAD, "post": after(DOSES)}))
    ended = raphe(*command(estimates, doses(of_people({**DOSES, "02": "n/a", "77": 5})), "--json"))
    assert ended.code == 1
    assert "participant 02 has no dose in" in ended.err
    assert "has dose of 77, who have not both scans here" in ended.err
    (found,) = json.loads(ended.out)["DoseResponse"]
    assert found["N"] == 4


def test_a_dose_of_0_is_a_scan_without_drug(tmp_path, raphe, doses):
    given = {**DOSES, "01": 0.0}
    estimates = table(tmp_path / "estimates.tsv", binding({"pre": SPREAD, "post": after(given)}))
    (found,) = json.loads(raphe(*command(estimates, doses(of_people(given)), "--json")).out)["DoseResponse"]
    assert "1 of 5 scans have a dose of 0 and enter as scans without drug" in found["Statements"]
    assert found["EC50"]["Value"] == pytest.approx(ED50, rel=1e-4)


def test_an_extrapolated_dose_is_told(tmp_path, raphe, doses):
    estimates = table(tmp_path / "estimates.tsv", binding({"pre": SPREAD, "post": after(DOSES, ed50=300.0)}))
    ended = raphe(*command(estimates, doses(of_people())))
    assert "lies above the highest dose" in ended.err
    assert "the dose for 80 % lies outside of those measured" in ended.err


BAD = {
    "negative": (of_people({**DOSES, "03": -2}), ["line 4", "dose of 03 is -2", "below 0"]),
    "doubled": ([*of_people(), "sub-01\t4\tx"], ["line 7", "01 stands in line 2 already", "session_id"]),
    "no number": (of_people({**DOSES, "04": "much"}), ["column 'dose', line 5", "much"]),
    "all zero": (of_people(dict.fromkeys(DOSES, 0)), ["every dose is 0"]),
    "nobody": (of_people({"77": 1.0}), ["has no dose of any scan under the drug"]),
    "too few": (of_people({"01": 1.0}), ["a curve with EC50 to fit needs at least 2 scans"]),
    "no ids": (["person\tdose", "01\t3"], ["no column 'participant_id'"]),
    "no column": (["participant_id\tdoze", "sub-01\t3"], ["no column 'dose' of exposures", "'doze'"]),
}


@pytest.mark.parametrize("case", BAD)
def test_exposures_that_cannot_be_used_are_refused(tmp_path, refused, doses, case):
    lines, words = BAD[case]
    estimates = table(tmp_path / "estimates.tsv", binding({"pre": SPREAD, "post": after(DOSES)}))
    refused(*command(estimates, doses(lines), "--out", tmp_path / "out", "--quiet"), words=words)


def test_options_of_the_curve_need_their_file(tmp_path, refused, doses):
    estimates = table(tmp_path / "estimates.tsv", binding({"pre": SPREAD, "post": after(DOSES)}))
    start = ["occupancy", estimates, "--session", "pre", "post"]
    refused(*start, "--exposure-column", "dose", words=["--exposure FILE"])
    refused(*start, "--exposure", doses(of_people()), words=["name it with --exposure-column"])
    both = binding({"pre": SPREAD, "low": after(DOSES), "high": after(DOSES)})
    table(estimates, both)
    refused(*command(estimates, doses(of_people()), session="low,high"), words=["no column session_id", "2 sessions"])
    refused(*command(estimates, doses(of_people()), session="low,low"), words=["names 'low' twice"])


def test_an_occupancy_above_all_is_refused(tmp_path, refused, doses):
    estimates = table(tmp_path / "estimates.tsv", binding({"pre": SPREAD, "post": after(DOSES)}))
    words = ["--e-max", "1.5 is more than all", "share of 1"]
    refused(*command(estimates, doses(of_people()), "--e-max", "1.5"), words=words)


def test_the_truth_is_what_the_tables_hold():
    rows = binding({"pre": SPREAD, "post": after(DOSES)})
    assert len(rows) == 2 * 5 * len(REGIONS)
    assert math.isclose(rows[-1].value / rows[len(REGIONS) * 5 - 1].value, 1 - occupied(100.0))


def test_doses_of_people_without_their_zeros_are_refused(tmp_path, raphe, doses):
    estimates = table(tmp_path / "estimates.tsv", binding({"pre": SPREAD, "post": after(DOSES)}))
    ended = raphe(*command(estimates, doses(["participant_id\tdose", "1\t1.0", "sub-02\t3", "03\t10"])))
    assert ended.code == 2
    assert "dose.tsv: participant_id, line 2: there is no scan of 'sub-1'; did you mean 'sub-01'?" in ended.err


def test_labels_may_have_their_keys(tmp_path, raphe, doses):
    estimates = table(tmp_path / "estimates.tsv", binding({"pre": SPREAD, "post": after(DOSES)}))
    words = command(estimates, doses(of_people()), "--json", "--participant")
    plain = raphe(*words, *DOSES)
    keyed = ["ses-pre" if word == "pre" else "ses-post" if word == "post" else word for word in words]
    assert raphe(*keyed, *(f"sub-{who}" for who in DOSES)).out == plain.out
    assert plain.code in (0, 1)


def test_what_is_not_determined_is_told_with_the_curve_itself(tmp_path, raphe, doses):
    """Occupancies that rise in proportion to dose: any larger ED50 and E_max fit as well."""
    few = {"01": 1.0, "02": 2.0, "03": 3.0, "04": 4.0, "05": 5.0}
    drug = {who: SPREAD[who] * (1 - 0.02 * dose) for who, dose in few.items()}
    estimates = table(tmp_path / "estimates.tsv", binding({"pre": SPREAD, "post": drug}))
    words = command(estimates, doses(of_people(few)), "--e-max", "fit", "--exposure-unit", "mg")
    ended = raphe(*words, "--out", tmp_path / "out")
    assert ended.code == 1
    curve = next(
        line for line in ended.err.splitlines() if "occupancy against dose, all regions: not determined" in line
    )
    assert "not determined: ED50 and E_max; ED50 " in curve
    assert "to no limit) mg, E_max in per cent" in curve
    (page,) = (tmp_path / "out").glob("*.html")
    assert "not determined: ED50 and " in page.read_text()


def test_a_determined_curve_is_told_on_the_terminal_too(tmp_path, raphe, doses):
    estimates = table(tmp_path / "estimates.tsv", binding({"pre": SPREAD, "post": after(DOSES)}))
    told = raphe(*command(estimates, doses(of_people()))).err
    assert "occupancy against dose, all regions: ED50 8" in told
    assert "determined" not in told
