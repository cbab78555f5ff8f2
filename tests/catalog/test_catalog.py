import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError

from raphe import catalog
from raphe.catalog.schema import ASSUMPTION, Quantity, Sourced, Tracer
from raphe.core.frames import Frames
from raphe.kinetics import registry
from raphe.nomenclature import region_key


def entries(value: object) -> Iterator[Sourced]:
    """Everything that has a source in a catalog value, however deep."""
    if isinstance(value, Sourced):
        yield value
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from entries(getattr(value, name))
    elif isinstance(value, dict):
        for part in value.values():
            yield from entries(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from entries(part)


ALL = [*catalog.tracers(), *catalog.all_species(), *catalog.radionuclides().values()]


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.name)
def test_every_source_is_in_the_reference_list(entry: BaseModel) -> None:
    found = list(entries(entry))
    assert found
    for value in found:
        assert value.source == ASSUMPTION or value.source in catalog.references(), value


def test_every_bare_number_of_a_tracer_is_part_of_a_sourced_entry() -> None:
    sourced = {"value", "sd", "low", "high", "count", "seconds"}

    def bare(value: object, inside: bool, name: str) -> Iterator[str]:
        if isinstance(value, bool):
            return
        if isinstance(value, int | float) and not (inside and name in sourced):
            yield name
        if isinstance(value, BaseModel):
            for part in type(value).model_fields:
                yield from bare(getattr(value, part), inside or isinstance(value, Sourced), part)
        elif isinstance(value, dict):
            for key, part in value.items():
                yield from bare(part, inside, str(key))
        elif isinstance(value, tuple):
            for part in value:
                yield from bare(part, inside, name)

    assert [name for entry in ALL for name in bare(entry, False, "")] == []


def test_reference_list_is_well_formed() -> None:
    dois = [entry.doi for entry in catalog.references().values() if entry.doi]
    assert len(dois) == len({doi.lower() for doi in dois})
    for key, entry in catalog.references().items():
        assert entry.key == key
        assert re.fullmatch(r"[a-z]+\d{4,6}[a-z]?", key)
        assert entry.text.endswith((".", ")."))
        year = re.search(r"(\d{4})[a-z]?$", key)
        if year and not key.startswith("ds"):
            assert year[1] in entry.text, key


def test_every_model_cites_what_the_reference_list_has() -> None:
    for example in registry.examples().values():
        for key in example.model.citations:
            assert catalog.reference(key).text


def test_an_unknown_key_is_a_key_error() -> None:
    for ask in (catalog.reference, catalog.half_life, catalog.tracer, catalog.species):
        with pytest.raises(KeyError):
            ask("unobtainium")
    assert catalog.find_tracer("unobtainium") is None


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"value": 1.0}, "source"),
        ({"value": 1.0, "source": ASSUMPTION, "status": "published"}, "contradict"),
        ({"value": 1.0, "source": "nord2014", "status": "assumption"}, "contradict"),
        ({"value": 1.0, "source": "nord2014", "status": "derived"}, "note"),
        ({"value": float("nan"), "source": "nord2014"}, "finite"),
        ({"value": "1.0", "source": "nord2014"}, "valid number"),
        ({"value": 1.0, "source": "nord2014", "sd": -1.0}, "greater"),
        ({"value": 1.0, "source": "nord2014", "sdd": 1.0}, "Extra"),
    ],
)
def test_schema_refuses_a_number_that_does_not_say_where_it_comes_from(table: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Quantity.model_validate(table)


def test_status_follows_the_source() -> None:
    assert Quantity.model_validate({"value": 1, "source": ASSUMPTION}).status == "assumption"
    assert Quantity.model_validate({"value": 1, "source": "nord2014"}).status == "published"


@pytest.mark.parametrize(
    ("nuclide", "minutes"),
    [  # NUBASE2020, Kondev et al. 2021, doi 10.1088/1674-1137/abddae; an evaluation other than the catalog's
        ("C11", 20.3402),
        ("N13", 9.965),
        ("O15", 122.266 / 60),
        ("F18", 109.734),
        ("Cu64", 12.7004 * 60),
        ("Br76", 16.2 * 60),
        ("I124", 4.176 * 1440),
    ],
)
def test_half_lives_agree_with_another_evaluation(nuclide: str, minutes: float) -> None:
    assert catalog.half_life(nuclide) == pytest.approx(minutes, rel=2e-3)


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("[11C]AZ10419369", "AZ10419369"),
        ("AZ-10419369", "AZ10419369"),
        ("az10419369", "AZ10419369"),
        ("11CAZ10419369", "AZ10419369"),
        ("11C-DASB", "DASB"),
        ("C11DASB", "DASB"),
        ("[C-11] dasb", "DASB"),
        ("3-amino-4-(2-dimethylaminomethylphenylsulfanyl)benzonitrile", "DASB"),
    ],
)
def test_tracers_are_found_by_any_spelling(spelling: str, name: str) -> None:
    assert catalog.tracer(spelling).name == name


@pytest.mark.parametrize(
    ("tracer", "schedule", "n_frame", "minutes"),
    [("AZ10419369", "63 min", 32, 63), ("AZ10419369", "93 min", 38, 93), ("DASB", "90 min", 36, 90)],
)
def test_schedules_follow_one_another(tracer: str, schedule: str, n_frame: int, minutes: float) -> None:
    known = next(entry for entry in catalog.tracer(tracer).schedule if entry.name == schedule)
    frames = Frames(np.array(known.start), np.array(known.duration))
    assert len(frames) == n_frame
    assert frames.start[0] == 0
    assert frames.end[-1] == pytest.approx(minutes)
    np.testing.assert_allclose(frames.end[:-1], frames.start[1:], rtol=1e-12)


@pytest.mark.parametrize("tracer", catalog.tracers(), ids=lambda tracer: tracer.name)
def test_tracers_are_complete(tracer: Tracer) -> None:
    assert re.fullmatch(r"[A-Za-z0-9]+", tracer.name)
    assert catalog.half_life(tracer.radionuclide) > 0
    assert registry.model_type(tracer.model.value).name == tracer.model.value
    low, high = tracer.k2_prime_range
    for name, known in tracer.species.items():
        species = catalog.species(name)
        assert species.volume(species.reference_region).value > 0
        assert region_key(species.reference_region)[0] in known.reference.names.names
        assert low.value <= known.reference.k2_prime.value <= high.value
        for entry in known.region:
            assert region_key(entry.name) == (entry.name, "")
            assert species.volume(entry.name).value > 0
            assert known.binding(entry.name.replace(" ", "_")) is entry


def test_scans_of_a_person_do_not_differ_more_than_people_do() -> None:
    for tracer in catalog.tracers():
        for known in tracer.species.values():
            for entry in known.region:
                first = entry.BP_ND[0]
                assert first.sd is not None
                assert np.sqrt(np.pi) / 2 * entry.test_retest.value / 100 <= first.sd / first.value


def test_binding_is_that_of_the_published_table(shared_data: Path) -> None:
    with (shared_data / "reference" / "beliveau2017_bpnd.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    column = {rows[0][i].removeprefix("[11C]"): i for i in range(1, len(rows[0]), 2)}
    table = {region_key(row[0])[0]: row for row in rows[2:] if row[1]}
    checked = 0
    for tracer in catalog.tracers():
        for entry in tracer.species["human"].region:
            for value in entry.BP_ND:
                if value.source == "beliveau2017" and value.status == "published":
                    name = "rostral anterior" if entry.name == "rostral anterior cingulate" else entry.name
                    row = table[name]
                    assert value.value == float(row[column[tracer.name]])
                    assert value.sd == float(row[column[tracer.name] + 1])
                    checked += 1
    assert checked > 15


def test_binding_and_variability_of_az10419369_are_those_of_nord_2014() -> None:
    known = catalog.tracer("AZ10419369").species["human"]
    published = {
        "occipital": (1.60, 0.17),
        "frontal": (1.51, 0.13),
        "insula": (1.48, 0.12),
        "temporal": (1.22, 0.11),
        "putamen": (1.44, 0.14),
        "caudate": (0.88, 0.15),
        "thalamus": (0.61, 0.08),
    }
    for name, figures in published.items():
        first = known.binding(name).BP_ND[0]
        assert (first.source, first.value, first.sd) == ("nord2014", *figures)
    for name in ("occipital", "frontal", "temporal", "parietal", "insula", "rostral anterior cingulate"):
        assert 5 <= known.binding(name).test_retest.value <= 7
    for name in (
        "hippocampus",
        "amygdala",
        "nucleus accumbens",
        "caudate",
        "putamen",
        "pallidum",
        "thalamus",
        "midbrain",
    ):
        assert 7 <= known.binding(name).test_retest.value <= 14
    assert known.binding("dorsal raphe").test_retest.value == 20
