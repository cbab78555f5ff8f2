import pytest

from raphe.nomenclature import COMPOSITES, SYNONYMS, region_key, tracer_key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Left-Thalamus-Proper", ("thalamus", "L")),
        ("left_thalamus", ("thalamus", "L")),
        ("Right-Accumbens-area", ("nucleus accumbens", "R")),
        ("ctx-rh-bankssts", ("banks of the superior temporal sulcus", "R")),
        ("ctx_lh_rostralanteriorcingulate", ("rostral anterior cingulate", "L")),
        ("Left-Cerebellum-Cortex", ("cerebellar grey", "L")),
        ("Left-Cerebral-Cortex", ("cerebral cortex", "L")),
        ("Brain-Stem", ("brainstem", "")),
        ("hippocampus_R", ("hippocampus", "R")),
        ("Frontal Lobe", ("frontal", "")),
        ("entorhinal cortex", ("entorhinal", "")),
        ("wm-lh-insula", ("wm lh insula", "")),
        ("L", ("l", "")),
    ],
)
def test_a_region_has_one_plain_name_and_a_side(name, key):
    assert region_key(name) == key


def test_a_plain_name_stays_as_it_is():
    for plain in (*SYNONYMS.values(), *COMPOSITES, *(part for parts in COMPOSITES.values() for part in parts)):
        assert region_key(plain) == (plain, "")


@pytest.mark.parametrize("name", ["DASB", "[11C]DASB", "11C-DASB", "C-11 dasb", "(11C) DASB", "[C-11]DASB", " dasb "])
def test_a_tracer_is_the_same_with_its_isotope_and_without(name):
    assert tracer_key(name) == "dasb"


@pytest.mark.parametrize("name", ["MC1", "PS13", "C110", "AZ10419369", "P943"])
def test_letters_and_digits_of_a_name_are_no_isotope(name):
    assert tracer_key(name) == name.lower()
