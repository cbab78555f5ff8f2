import math

import pytest

from raphe.quality import MEANING, Quality
from raphe.report import wording


@pytest.mark.parametrize(
    ("value", "se", "expected"),
    [
        (1.97345, 0.1312, ("1.97", "0.13")),
        (0.05926, 0.00341, ("0.0593", "0.0034")),
        (-0.02071, 0.0056, ("\N{MINUS SIGN}0.0207", "0.0056")),
        (12.3, 14.0, ("12", "14")),
        (1.5, math.nan, ("1.500", "\N{EN DASH}")),
        (math.nan, math.nan, ("\N{EN DASH}", "\N{EN DASH}")),
        (4312.0, 1e9, ("4312", "1.0\N{MULTIPLICATION SIGN}10\u2079")),
        (0.0213, 0.53, ("0.021", "0.53")),
        (0.000123, math.nan, ("0.00012", "\N{EN DASH}")),
        (1.0, 1e-12, ("1.00000", "0.00000")),
    ],
)
def test_value_and_error_share_their_digits(value, se, expected):
    assert wording.with_error(value, se) == expected


def test_no_negative_zero_and_no_signed_zero():
    assert wording.fixed(-0.0004, 3) == "0.000"
    assert wording.fixed(0.0004, 3, sign=True) == "0.000"
    assert wording.fixed(0.04, 2, sign=True) == "+0.04"


@pytest.mark.parametrize(
    ("p", "expected"),
    [(0.0004, "< 0.001"), (0.0123, "0.012"), (0.125, "0.125"), (0.5, "0.500"), (math.nan, "\N{EN DASH}")],
)
def test_probability(p, expected):
    assert wording.probability(p) == expected


def test_names_of_quantities_are_typeset_and_the_rest_is_escaped():
    assert wording.typeset("<b> 1 + BP_ND at 95 %") == ("&lt;b&gt; 1 + <i>BP</i><sub>ND</sub> at 95\N{NO-BREAK SPACE}%")
    assert wording.typeset("my_BP_NDx") == "my_BP_NDx"


@pytest.mark.parametrize(
    ("name", "radionuclide", "expected"),
    [
        ("DASB", "C11", "[11C]DASB"),
        ("[11C]DASB", "C11", "[11C]DASB"),
        ("FDG", "", "FDG"),
        ("DASB", "", "[11C]DASB"),
        ("dasb", "F18", "[18F]dasb"),
        ("AZ10419369 and X", "", "[11C]AZ10419369 and X"),
        ("", "", "unknown tracer"),
    ],
)
def test_tracer(name, radionuclide, expected):
    assert wording.tracer(name, radionuclide) == expected


def test_excluding_flags_are_told_first():
    told = wording.remarks(int(Quality.SLOW | Quality.IMPRECISE))
    assert told == (MEANING[Quality.IMPRECISE], MEANING[Quality.SLOW])


def test_listed_and_short():
    assert wording.listed([]) == ""
    assert wording.listed(["a"]) == "a"
    assert wording.listed(["a", "b", "c"]) == "a, b and c"
    assert wording.listed(list("abcdef"), most=4) == "a, b, c and 3 more"
    cut = wording.short("x" * 20 + "y" * 20, 11)
    assert cut == "xxxxx\N{HORIZONTAL ELLIPSIS}yyyyy"


def test_what_cannot_be_printed_is_replaced():
    assert wording.printable("a\x00b\nc\ud800") == "a\N{REPLACEMENT CHARACTER}b c\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("weight", "expected"),
    [(0.9999, "> 0.99"), (0.994, "0.99"), (0.5, "0.50"), (0.001, "< 0.01"), (math.nan, "\N{EN DASH}")],
)
def test_no_share_is_called_certain(weight, expected):
    assert wording.share(weight) == expected


def test_formulas_are_typeset_and_the_rest_is_escaped():
    assert wording.formula("s(u) = [1 + (u / h)^b]^(-c) exp(-k_slow u) < 1") == (
        "s(u) = [1 + (u / h)<sup>b</sup>]<sup>\N{MINUS SIGN}c</sup> exp(\N{MINUS SIGN}k<sub>slow</sub> u) &lt; 1"
    )


def test_units_are_raised():
    assert wording.unit("V_T") == "mL/cm\N{SUPERSCRIPT THREE}"
    assert wording.unit("k2") == "1/min"
    assert wording.unit("BP_ND") == wording.unit("nonsense") == ""


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-0.2, 0.31, "\N{MINUS SIGN}0.20 to 0.31"),
        (0.0004, 0.17, "0.0004 to 0.1700"),
        (0.0, 0.17, "0.00 to 0.17"),
        (-1e-9, 0.17, "0.0000 to 0.1700"),
        (float("nan"), 0.17, ""),
    ],
)
def test_an_end_that_is_not_zero_does_not_read_as_zero(low, high, words):
    assert wording.span(low, high, 2) == words


def test_numbers_of_a_column_keep_their_zeros():
    assert [wording.general(v, 3, zeros=True) for v in (0.2, 0.106, 1.03, 120.0, 2.4)] == [
        "0.200", "0.106", "1.03", "120", "2.40",
    ]  # fmt: skip
    assert wording.general(0.2, 3) == "0.2"
    assert wording.general(float("nan"), 3, zeros=True) == wording.NOTHING
