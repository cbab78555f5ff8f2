import hashlib
import json

import numpy as np
import pytest

from raphe.data.record import Step
from raphe.errors import InputError
from raphe.io.provenance import fingerprint, is_done, read_record, sha256, versions, write_record

STEPS = (
    Step("read", {"unit": "Bq/mL"}, (), {"sub-01_tacs.tsv": "ab" * 32}, 0.25),
    Step(
        "fit",
        {"model": "MRTM2", "k2_prime": 0.061, "frames": (1, 36), "t_star": None, "auto": True},
        ("ichise2003",),
        {},
        1.5,
    ),
)


def write(tmp_path, steps=STEPS, print_="f" * 64):
    output = tmp_path / "pet" / "a.tsv"
    output.parent.mkdir(exist_ok=True)
    output.write_text("a\n", encoding="utf-8")
    path = tmp_path / "provenance" / "sub-01.json"
    write_record(
        path, steps, fingerprint=print_, root=tmp_path, outputs=[output], command_line="raphe run in out participant"
    )
    return path


def test_sha256_is_that_of_the_standard(tmp_path):
    file = tmp_path / "x"
    file.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert sha256(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="absent does not exist"):
        sha256(tmp_path / "absent")


def test_a_record_comes_back_as_it_was_written(tmp_path):
    record = read_record(write(tmp_path))
    assert record.steps == STEPS
    assert record.fingerprint == "f" * 64
    assert record.outputs == {"pet/a.tsv": hashlib.sha256(b"a\n").hexdigest()}
    assert record.versions == versions()
    assert set(record.versions) == {"raphe", "python", "numpy", "scipy", "platform"}
    assert record.command_line.startswith("raphe run")


def test_only_one_field_depends_on_the_clock(tmp_path):
    first = json.loads(write(tmp_path).read_text(encoding="utf-8"))
    second = json.loads(write(tmp_path).read_text(encoding="utf-8"))
    assert first.pop("written").endswith("+00:00")
    second.pop("written")
    assert first == second


def test_keys_are_sorted(tmp_path):
    content = json.loads(write(tmp_path).read_text(encoding="utf-8"))
    assert list(content) == sorted(content)
    assert list(content["steps"][1]["parameters"]) == sorted(content["steps"][1]["parameters"])


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"steps": 3, "fingerprint": "f", "outputs": {}}', '{"steps": [{}]}']
)
def test_a_damaged_record_is_said_and_means_that_the_work_is_not_done(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"x\.json"):
        read_record(path)
    assert not is_done(path, "f", tmp_path)


def test_work_is_done_when_fingerprint_and_outputs_are_the_same(tmp_path):
    path = write(tmp_path)
    assert is_done(path, "f" * 64, tmp_path)
    assert not is_done(path, "e" * 64, tmp_path)
    assert not is_done(tmp_path / "absent.json", "f" * 64, tmp_path)


@pytest.mark.parametrize("harm", ["removed", "changed"])
def test_work_is_not_done_when_an_output_is_not_what_it_was(tmp_path, harm):
    path = write(tmp_path)
    output = tmp_path / "pet" / "a.tsv"
    output.unlink() if harm == "removed" else output.write_text("b\n", encoding="utf-8")
    assert not is_done(path, "f" * 64, tmp_path)


INPUTS = {"sub-01_tacs.tsv": "aa", "sub-01_pet.json": "bb"}
SETTINGS = {"model": "MRTM2", "k2_prime": 0.06, "regions": ("thalamus", "putamen"), "reference": None}


def test_a_fingerprint_does_not_depend_on_order_or_kind_of_number():
    same = fingerprint(dict(reversed(INPUTS.items())), dict(reversed(SETTINGS.items())))
    assert fingerprint(INPUTS, SETTINGS) == same
    other_kind = SETTINGS | {"k2_prime": np.float64(0.06), "regions": ["thalamus", "putamen"]}
    assert fingerprint(INPUTS, other_kind) == same
    assert fingerprint(INPUTS, SETTINGS | {"n": np.int64(3)}) == fingerprint(INPUTS, SETTINGS | {"n": 3})


@pytest.mark.parametrize(
    ("inputs", "settings"),
    [
        ({"sub-01_tacs.tsv": "ac"}, {}),
        ({"another": "aa"}, {}),
        ({}, {"model": "SRTM"}),
        ({}, {"k2_prime": 0.060001}),
        ({}, {"regions": ("putamen", "thalamus")}),
        ({}, {"reference": "cerebellar grey"}),
        ({}, {"t_star": 30.0}),
    ],
)
def test_a_fingerprint_tells_every_change(inputs, settings):
    assert fingerprint(INPUTS | inputs, SETTINGS | settings) != fingerprint(INPUTS, SETTINGS)


def test_a_fingerprint_tells_another_version(monkeypatch):
    before = fingerprint(INPUTS, SETTINGS)
    monkeypatch.setattr("raphe.io.provenance.software_version", lambda: "99.0")
    assert fingerprint(INPUTS, SETTINGS) != before


def test_a_setting_that_has_no_lasting_form_is_refused():
    with pytest.raises(TypeError, match="object is not a setting"):
        fingerprint({}, {"x": object()})
