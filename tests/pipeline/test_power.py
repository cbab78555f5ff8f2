"""``raphe power``."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from raphe.cli import main

AGREEMENT = (
    "region\tn\ticc\twscv\nputamen\t8\t0.8\t5\nhippocampus\t8\t-0.2\t12\nraphe\t1\tn/a\t20\ncortex\t0\tn/a\tn/a\n"
)


def lines(capsys):
    return capsys.readouterr().out.splitlines()


def cells(capsys, region):
    return next(line.split() for line in lines(capsys) if line.startswith(region))


def test_four_animals(capsys):
    """t(3): the change that 80 % of studies show is 2.13 standard deviations of a change, which is 6 sqrt(2) %."""
    assert main(["power", "--design", "paired", "--n", "4", "--wscv", "6"]) == 0
    out, told = capsys.readouterr()
    row = next(line for line in out.splitlines() if line.startswith("-")).split()
    assert float(row[row.index("4") + 1]) == pytest.approx(2.13 * 6 * math.sqrt(2), abs=0.1)
    assert row[-1] == "0.125"
    assert "cannot give a p below 0.125" in told


def test_twenty_against_ten_by_the_catalog(capsys, tmp_path):
    words = ["power", "--design", "groups", "--n", "30", "--allocation", "2:1", "--tracer", "AZ10419369"]
    assert main([*words, "--region", "hippocampus", "--out", str(tmp_path / "power")]) == 0
    row = cells(capsys, "hippocampus")
    # Nord 2014, 14 % absolute variability: 12.4 % within people; 2.77 standard errors of sqrt(2) 12.4 % sqrt(3 / 20).
    assert float(row[1]) == pytest.approx(14 * math.sqrt(math.pi) / 2, abs=0.05)
    assert (row[4], row[5], row[6]) == ("30", "(20", "v")
    table = (tmp_path / "power" / "power.tsv").read_text().splitlines()
    assert table[0].split("\t")[:4] == ["region", "sd_within", "sd_between", "icc"]
    assert len(table) == 2
    sidecar = json.loads((tmp_path / "power" / "power.json").read_text())
    assert (sidecar["Design"], sidecar["Allocation"]) == ("groups", [2, 1])
    figure = (tmp_path / "power" / "power.svg").read_text()
    assert figure.startswith("<svg xmlns=")
    assert figure.count('class="curve"') == 2


def test_agreement_table_of_raphe(capsys, tmp_path):
    path = tmp_path / "agreement.tsv"
    path.write_text(AGREEMENT)
    assert main(["power", "--design", "ancova", "--change", "10", "--from", str(path)]) == 0
    out = lines(capsys)
    assert "0.80" in next(line for line in out if line.startswith("putamen"))
    assert "0.00" in next(line for line in out if line.startswith("hippocampus"))
    assert "one person's two scans are too few" in next(line for line in out if line.startswith("raphe"))
    assert "no scatter within people" in next(line for line in out if line.startswith("cortex"))


@pytest.mark.parametrize("design", ["paired", "groups", "ancova", "interaction", "correlation", "equivalence"])
def test_two_give_the_third(design, tmp_path):
    scatter = ["--wscv", "6", "--icc", "0.8", "--quiet", "--out", str(tmp_path / "power")]

    def answer(*words):
        assert main(["power", "--design", design, *words, *scatter]) == 0
        names, values = ((tmp_path / "power" / "power.tsv").read_text().splitlines()[at].split("\t") for at in (0, 1))
        return dict(zip(names, values, strict=True))

    change = answer("--n", "20", "--power", "0.9")["change"]
    assert float(answer("--n", "20", "--change", change)["power"]) == pytest.approx(0.9, abs=1e-6)
    assert int(answer("--change", change, "--power", "0.899")["n"]) == 20


def test_scatter_of_one_person_plans_nothing(capsys, tmp_path):
    path = tmp_path / "agreement.tsv"
    path.write_text("region\tn\ticc\twscv\nputamen\t1\tn/a\t5\n")
    assert main(["power", "--design", "paired", "--n", "8", "--from", str(path)]) == 2
    assert "one person's two scans are too few to know the scatter by; give --wscv" in capsys.readouterr().out
    assert main(["power", "--design", "correlation", "--n", "8", "--from", str(path)]) == 0


@pytest.mark.parametrize(("n", "factors"), [(2, "0.52 to 6.28"), (8, "0.68 to 1.92"), (10, "")])
def test_scatter_of_few_people_says_how_uncertain_it_is(n, factors, capsys, tmp_path):
    """Chi-square of n degrees of freedom, as of the wSCV's interval: 7.378 and 0.0506 of 2, 17.535 and 2.180 of 8."""
    path = tmp_path / "agreement.tsv"
    path.write_text(f"region\tn\ticc\twscv\nputamen\t{n}\t0.8\t5\n")
    assert main(["power", "--design", "paired", "--n", "8", "--from", str(path)]) == 0
    told = capsys.readouterr().err
    assert (f"the true one may be {factors} times as large" in told) == bool(factors)
    assert ("rests on" in told) == bool(factors)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--design", "paired", "--wscv", "6"], "give --n or --change"),
        (["--design", "paired", "--n", "4", "--change", "5", "--power", "0.8", "--wscv", "6"], "nothing to find"),
        (["--design", "paired", "--n", "4"], "no scatter is given"),
        (["--design", "paired", "--n", "4", "--wscv", "6", "--tracer", "DASB"], "both give the scatter"),
        (["--design", "paired", "--n", "4", "--wscv", "6", "--sd-between", "0.2"], "mixed"),
        (["--design", "paired", "--n", "4", "--wscv", "6", "--region", "putamen"], "--region picks"),
        (["--design", "paired", "--n", "4", "--wscv", "6", "--allocation", "2:1"], "one group"),
        (["--design", "paired", "--n", "4", "--tracer", "DASB", "--region", "putamne"], "putamen"),
        (["--design", "paired", "--n", "4", "--tracer", "DASB", "--species", "dog"], "dog"),
        (
            ["--design", "paired", "--n", "4", "--tracer", "FOO"],
            "'FOO', which --wscv can give instead; there are AZ10419369, DASB",
        ),
        (
            ["--design", "paired", "--n", "4", "--tracer", "DSAB"],
            "'DSAB', which --wscv can give instead; did you mean 'DASB'?",
        ),
        (["--design", "paired", "--n", "4", "--tracer", "SCH23390"], "'SCH23390', which --wscv can give"),
        (["--design", "paired", "--n", "4", "--wscv", "6", "--outcome", "post"], "--outcome"),
        (["--design", "ancova", "--n", "20", "--wscv", "6"], "between people"),
        (["--design", "paired", "--n", "1", "--wscv", "6"], "too few"),
        (["--design", "paired", "--n", "4", "--wscv", "6", "--alpha", "0.9"], "level"),
        (["--design", "correlation", "--change", "1.5"], "not possible"),
    ],
    ids=lambda value: value.split()[0] if isinstance(value, str) else "",
)
def test_unusable_words_end_with_two_and_a_reason(words, told, capsys):
    assert main(["power", *words]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("ratio", ["2", "2:0", "a:b", "1e300:1e-300"])
def test_allocation_is_read_or_refused(ratio, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["power", "--design", "groups", "--n", "9", "--wscv", "6", "--allocation", ratio])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("n", ["1000001", "10000000000000000000000"])
def test_more_people_than_there_can_be_are_refused(n, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["power", "--design", "paired", "--n", n, "--wscv", "6"])
    assert ended.value.code == 2
    assert f"{n} people are too many; give at most 1,000,000" in capsys.readouterr().err
    assert main(["power", "--design", "paired", "--n", "1000000", "--wscv", "6", "--quiet"]) == 0


def test_same_words_write_the_same_bytes(tmp_path):
    words = ["power", "--design", "correlation", "--n", "20", "--quiet", "--out"]
    for name in ("one", "two"):
        assert main([*words, str(tmp_path / name)]) == 0
    for name in ("power.tsv", "power.svg"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert Path(tmp_path / "one" / "power.json").is_file()
