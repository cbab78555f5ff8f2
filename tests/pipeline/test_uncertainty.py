"""Uncertainty by bootstrap and by profile, from the words of a command or a plan to the files."""

import json

import pytest

from raphe.io.kinpar import read_kinpar
from raphe.pipeline.choices import choose

NAMES = ("BPND", "R1", "k2", "k2prime", "k2a")


def table(path):
    head, *rows = (line.split("\t") for line in path.read_text().splitlines())
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.mark.parametrize("how", ["bootstrap", "profile"])
def test_fit_writes_the_ends_of_the_intervals(how, files, raphe):
    words = ["--model", "SRTM", "--uncertainty", how, "--quiet", "--out", files.out]
    words += ["--repeats", "60"] if how == "bootstrap" else []
    ended = raphe("fit", files.table, "--reference", "cerebellum", *words)
    assert (ended.code, ended.err) == (0, "")
    (path,) = files.out.glob("*_kinpar.tsv")
    head = path.read_text().split("\n")[0].split("\t")
    wanted = ["name", *(f"{name}{end}" for name in NAMES for end in ("", "-se", "-low", "-high"))]
    assert head == [*wanted, "sigma", "aicc", "n_frames", "quality"]
    for row in table(path):
        for name in NAMES:
            assert float(row[f"{name}-low"]) < float(row[name]) < float(row[f"{name}-high"])
    told = json.loads(path.with_suffix(".json").read_text())
    assert "95 %" in told["BPND-high"]["Description"]
    assert how in told["BPND-low"]["Description"]
    assert told["k2-low"]["Units"] == told["k2"]["Units"]
    assert "Interval" in told["Notes"]
    if how == "bootstrap":
        assert "60 repeats" in told["Notes"]["Interval"]
        assert "seed 1" in told["Notes"]["Interval"]
        assert "standard deviations" in told["Notes"]["SE"]
    read = read_kinpar(path)
    assert {one.parameter for one in read} == {"BP_ND", "R1", "k2", "k2_prime", "k2a"}
    assert len(read) == len(table(path)) * len(NAMES)


def test_without_it_nothing_is_added(files, raphe):
    plain = raphe("fit", files.table, "--reference", "cerebellum", "--model", "SRTM", "--quiet")
    said = raphe("fit", files.table, "--reference", "cerebellum", "--model", "SRTM", "--uncertainty", "jacobian")
    assert said.out == plain.out
    assert "-low" not in plain.out


@pytest.mark.parametrize("words", [[], ["--uncertainty", "profile"]])
def test_lpntpet_has_the_ends_of_its_binding_by_itself(words, files, raphe):
    """Neither asked for nor refused."""
    words = ["--model", "lpntPET", "--reference", "cerebellum", "--quiet", "--out", files.out, *words]
    ended = raphe("fit", files.table, *words)
    assert (ended.code, ended.err) == (0, "")
    (path,) = files.out.glob("*_kinpar.tsv")
    assert [name for name in table(path)[0] if name.endswith(("-low", "-high"))] == ["BPND-low", "BPND-high"]
    assert all(float(row["BPND-low"]) <= float(row["BPND"]) * (1 + 1e-9) for row in table(path))
    told = json.loads(path.with_suffix(".json").read_text())
    assert "profile likelihood" in told["Notes"]["Interval"]
    assert {"Venzon", "Fieller"} <= {one.split()[0] for one in told["References"]}


def test_models_that_do_not_offer_it_keep_their_own(files, raphe):
    words = ["--model", "SRTM", "MRTM1", "--uncertainty", "profile", "--out", files.out]
    assert raphe("fit", files.table, "--reference", "cerebellum", *words).code == 0
    with_ends = {path.name.split("model-")[1].split("_")[0]: "-low" in path.read_text() for path in
                 files.out.glob("*_kinpar.tsv")}  # fmt: skip
    assert with_ends == {"SRTM": True, "MRTM1": False}


def test_the_plan_says_it_and_the_record_tells_it(files, raphe):
    files.plan.write_text(
        files.plan.read_text().replace('model = "SRTM"', 'model = "SRTM"\nuncertainty = "bootstrap"\nrepeats = 60')
    )
    assert raphe("run", files.root, files.out, "participant").code in (0, 1)
    paths = sorted(files.out.rglob("*_kinpar.tsv"))
    assert paths
    assert all("BPND-low" in path.read_text() for path in paths)
    records = [path.read_text() for path in files.out.rglob("*.json") if "bootstrap" in path.read_text()]
    assert any('"repeats": 60' in text and '"seed": 1' in text for text in records)
    over = raphe("run", files.root, files.out, "participant", "--uncertainty", "jacobian")
    assert over.code in (0, 1)  # the repeats of the plan are then left aside
    assert not any("BPND-low" in path.read_text() for path in files.out.rglob("*_kinpar.tsv"))


def test_progress_is_told_in_the_log(files, raphe, tmp_path):
    log = tmp_path / "log.jsonl"
    words = ["--model", "SRTM", "--uncertainty", "bootstrap", "--repeats", "60", "--log-file", log]
    assert raphe("fit", files.table, "--reference", "cerebellum", *words).code == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert any(line["level"] == "progress" and "repeats of SRTM" in line["message"] for line in lines)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model", "MRTM1", "--uncertainty", "profile"], "MRTM1 has no profile; take --uncertainty bootstrap"),
        (["--model", "SRTM", "--uncertainty", "bootstrap", "--repeats", "10"], "10 repeats are too few"),
        (["--model", "SRTM", "--repeats", "100"], "of the bootstrap alone"),
        (["--model", "SUVR", "--window", "60:90", "--uncertainty", "bootstrap"], "SUVR has no bootstrap; leave it out"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(words, said, files, raphe):
    ended = raphe("fit", files.table, "--reference", "cerebellum", *words)
    assert ended.code == 2
    assert said in ended.err


def test_repeats_of_a_weaker_layer_are_left_aside():
    layers = [("command line", {"models": ("SRTM",), "reference": ("cerebellum",)}), ("plan", {"repeats": 200})]
    assert choose(layers, None, "").repeats == 1000
