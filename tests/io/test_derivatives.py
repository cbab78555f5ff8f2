import json
from pathlib import Path

import pytest

from raphe.data.scan import Scan
from raphe.errors import OutputError
from raphe.io import derivatives

OUT = Path("out")
SCAN = Scan("01", "baseline", (("trc", "DASB"), ("run", "1")))
PLAIN = Scan("02")


def test_names_are_those_of_the_interface():
    names = {
        derivatives.study_report(OUT): "report.html",
        derivatives.scan_report(OUT, SCAN): "sub-01/ses-baseline/report.html",
        derivatives.scan_report(OUT, PLAIN): "sub-02/report.html",
        derivatives.tacs(OUT, SCAN, "gtm"): "sub-01/ses-baseline/pet/"
        "sub-01_ses-baseline_trc-DASB_run-1_seg-gtm_desc-preproc_tacs.tsv",
        derivatives.tacs(OUT, PLAIN, None, "agtm"): "sub-02/pet/sub-02_pvc-agtm_desc-preproc_tacs.tsv",
        derivatives.kinpar(OUT, PLAIN, "gtm", "SRTM"): "sub-02/pet/sub-02_seg-gtm_model-SRTM_kinpar.tsv",
        derivatives.kinpar(OUT, PLAIN, "gtm", "MRTM2", "agtm"): "sub-02/pet/"
        "sub-02_seg-gtm_pvc-agtm_model-MRTM2_kinpar.tsv",
        derivatives.input_function(OUT, PLAIN): "sub-02/pet/sub-02_inputfunction.tsv",
        derivatives.estimated_input(OUT, PLAIN, "gtm", "SIMEAIF"): "sub-02/pet/"
        "sub-02_seg-gtm_model-SIMEAIF_inputfunction.tsv",
        derivatives.estimates(OUT): "group/estimates.tsv",
        derivatives.contrast(OUT, "ketamine"): "group/contrast-ketamine_result.tsv",
        derivatives.agreement(OUT, "[11C]DASB", "SRTM", "BP_ND", "test", "retest"): "group/"
        "agreement-testretest_trc-11CDASB_model-SRTM_meas-BPND_result.tsv",
        derivatives.occupancy(
            OUT,
            [Path(f"sub-1_ses-{name}_trc-X_desc-a_model-MA1_kinpar.tsv") for name in ("a", "b")],
            "V_T",
            trc="other",
            ses=None,
        ): "sub-1_trc-X_model-MA1_meas-VT_occupancy.tsv",
        derivatives.occupancy(OUT, [Path("estimates.tsv")], "BP_ND", trc="DASB"): "trc-DASB_meas-BPND_occupancy.tsv",
        derivatives.provenance(OUT, SCAN.label): "provenance/sub-01_ses-baseline_trc-DASB_run-1.json",
        derivatives.description(OUT): "dataset_description.json",
    }
    assert {path.relative_to(OUT).as_posix(): name for path, name in names.items()} == {n: n for n in names.values()}


def test_scans_of_one_session_have_reports_of_their_own():
    other = Scan("01", "baseline", (("trc", "AZ"),))
    assert derivatives.scan_report(OUT, SCAN, alone=False) != derivatives.scan_report(OUT, other, alone=False)


def test_a_sidecar_stands_beside_its_table():
    assert derivatives.sidecar(derivatives.estimates(OUT)) == OUT / "group" / "estimates.json"


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("sub-01_ses-a_pvc-nopvc_desc-mc_tacs.tsv", "sub-01_ses-a_pvc-nopvc_model-SRTM_kinpar.tsv"),
        ("sub-01_desc-preproc_seg-gtm_timeseries.tsv", "sub-01_seg-gtm_model-SRTM_kinpar.tsv"),
        ("monkey 3.csv", "monkey 3_model-SRTM_kinpar.tsv"),
        ("tacs.tsv", "model-SRTM_kinpar.tsv"),
    ],
)
def test_a_table_fitted_by_itself_gives_its_name(table, name):
    assert derivatives.fitted_table(OUT, Path("elsewhere") / table, "SRTM") == OUT / name
    other = OUT / name.replace("kinpar", "inputfunction")
    assert derivatives.fitted_table(OUT, Path("elsewhere") / table, "SRTM", "inputfunction") == other


@pytest.mark.parametrize("name", ["../../etc/x", "a b", "a/b", "a_b-c"])
def test_no_name_leads_out_of_the_folder(name):
    path = derivatives.contrast(OUT, name)
    assert path.parent == OUT / "group"
    assert path.name.count("-") == path.name.count("_") == 1


def test_a_name_without_letters_names_no_file():
    with pytest.raises(OutputError, match=r"'\.\./'"):
        derivatives.contrast(OUT, "../")


def test_a_source_is_named_by_its_dataset(tmp_path):
    raw = tmp_path / "study"
    inner = raw / "derivatives" / "petprep"
    datasets = {"raw": raw, "petprep": inner}
    assert derivatives.source_uri(raw / "sub-01" / "x.json", datasets) == "bids:raw:sub-01/x.json"
    assert derivatives.source_uri(inner / "sub-01" / "x.tsv", datasets) == "bids:petprep:sub-01/x.tsv"
    assert derivatives.source_uri(tmp_path / "else" / "x.tsv", datasets) == "x.tsv"


def test_the_folder_is_a_bids_derivative(tmp_path):
    raw, out = tmp_path / "raw data", tmp_path / "out"
    derivatives.write_description(out, "Étude", {"raw": raw})
    content = json.loads((out / "dataset_description.json").read_text(encoding="utf-8"))
    assert content["Name"] == "Étude"
    assert content["DatasetType"] == "derivative"
    assert [set(tool) for tool in content["GeneratedBy"]] == [{"Name", "Version"}]
    assert content["GeneratedBy"][0]["Name"] == "raphe"
    assert content["SourceDatasets"] == [{"URL": raw.as_uri()}]
    assert content["DatasetLinks"] == {"raw": raw.as_uri()}
    assert content["BIDSVersion"]
    ignored = (out / ".bidsignore").read_text(encoding="utf-8").splitlines()
    for line in ("*_kinpar.*", "*_tacs.*", "group/", "provenance/", "*.html"):
        assert line in ignored
