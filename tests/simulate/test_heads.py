import dataclasses
from pathlib import Path

import nibabel
import numpy as np
import pytest

from raphe import catalog
from raphe.data.image import Grid
from raphe.errors import PlanError
from raphe.simulate.anatomy import GREY, OTHER_GREY, TISSUES
from raphe.simulate.coarse import coarse_head
from raphe.simulate.geometry import geometry
from raphe.simulate.individual import Spread, individual
from raphe.simulate.inia19 import inia19_head
from raphe.simulate.own_labels import labelled_head
from raphe.simulate.paint import painted

SIZE = {"human": 2.0, "macaque": 1.0}


@pytest.fixture(scope="module", params=["human", "macaque"])
def head(request):
    return request.param, coarse_head(geometry(request.param), (), SIZE[request.param])


def test_a_coarse_head_has_every_region_of_its_tracers(head):
    species, anatomy = head
    within = {part.name for part in geometry(species).parts if part.within}
    for tracer in catalog.tracers():
        for entry in tracer.species[species].region:
            assert entry.name in anatomy.names or entry.name in within
    assert catalog.species(species).reference_region in anatomy.names


def test_structures_have_the_volumes_of_the_catalog(head):
    species, anatomy = head
    for name, volume in zip(anatomy.names, anatomy.volumes, strict=True):
        try:
            known = catalog.species(species).volume(name).value
        except KeyError:
            continue
        if known > 300 * SIZE[species] ** 3:  # smaller ones have too few voxels here
            assert volume == pytest.approx(known, rel=0.3), name


def test_a_coarse_head_is_alike_on_both_sides_but_for_its_folds(head):
    _, anatomy = head
    for name in ("putamen", "hippocampus", "thalamus", "caudate"):
        here = anatomy.labels == anatomy.number(name)
        np.testing.assert_array_equal(here, here[::-1])


def test_what_is_within_a_structure_is_there_when_asked_for():
    plain = coarse_head(geometry("human"), (), 2.0)
    asked = coarse_head(geometry("human"), ("nucleus accumbens",), 2.0)
    assert "nucleus accumbens" not in plain.names
    lost = plain.volumes[plain.number("ventral striatum")] - asked.volumes[asked.number("ventral striatum")]
    assert 0 < lost <= asked.volumes[asked.number("nucleus accumbens")] + 1e-6


def test_parcels_are_told_by_tissue(head):
    _, anatomy = head
    assert set(anatomy.tissues) == {*TISSUES} - {OTHER_GREY}
    assert len(set(anatomy.names)) == len(anatomy.names)
    assert all(tissue in {GREY, name} for name, tissue in zip(anatomy.names, anatomy.tissues, strict=True))


def test_individuals_differ_and_the_same_stream_gives_the_same():
    anatomy = coarse_head(geometry("macaque"), (), 1.0)
    spread = geometry("macaque").spread.plain
    one, again, other = (individual(anatomy, spread, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.labels, again.labels)
    assert 0.01 < (one.labels != other.labels).mean() < 0.3
    none = individual(anatomy, Spread(0.0, 0.0, 5.0, 0.0), np.random.default_rng(1))
    np.testing.assert_array_equal(none.labels, anatomy.labels)


def test_a_larger_head_is_larger_in_proportion():
    anatomy = coarse_head(geometry("macaque"), (), 1.0)

    class Fixed:
        def standard_normal(self, shape):
            return np.array([1.0, 0.0, 0.0, 0.0]) if shape == 4 else np.zeros(shape)

    large = individual(anatomy, Spread(0.05, 0.0, 5.0, 0.0), _With(Fixed(), np.random.default_rng(0)))
    ratio = large.volumes[anatomy.number("white")] / anatomy.volumes[anatomy.number("white")]
    assert ratio == pytest.approx(np.exp(3 * 0.05), rel=0.03)


class _With:
    """Gives the first draws of one and the rest of another."""

    def __init__(self, first, rest):
        self.first, self.rest = first, rest

    def standard_normal(self, shape=None):
        return self.rest.standard_normal() * 0 if shape is None else self.first.standard_normal(shape)


@pytest.mark.parametrize("reach", [-1.0, 1.0])
def test_atrophy_takes_tissue_and_its_opposite_gives_it_back(reach):
    anatomy = coarse_head(geometry("macaque"), (), 1.0)

    class Reach:
        def standard_normal(self, shape=None):
            return reach if shape is None else np.zeros(shape)

    changed = individual(anatomy, Spread(0.0, 0.0, 5.0, 0.8), Reach())
    fluid, before = changed.volumes[anatomy.number("fluid")], anatomy.volumes[anatomy.number("fluid")]
    assert (fluid - before) * reach > 0.05 * before


def test_painting_is_the_mean_over_points_in_each_voxel():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, (7, 6, 5)).astype(np.uint8)
    value, matrix = (
        np.array([0.0, 1.0, 5.0, -2.0]),
        np.array([[0.9, 0.1, 0, 0.3], [0, 1.1, 0, -0.4], [0.05, 0, 0.8, 0.2]]),
    )
    found = painted(labels, matrix, (6, 5, 6), 3, value)
    points = (np.arange(3) + 0.5) / 3 - 0.5
    for i, j, k in ((0, 0, 0), (2, 3, 1), (5, 4, 5)):
        total = 0.0
        for a in points:
            for b in points:
                for c in points:
                    at = np.floor(matrix @ [i + a, j + b, k + c, 1] + 0.5).astype(int)
                    inside = (at >= 0).all() and (at < labels.shape).all()
                    total += value[labels[tuple(at)]] if inside else value[0]
        assert found[i, j, k] == pytest.approx(total / 27, abs=1e-12)


@pytest.fixture
def own(tmp_path):
    labels = np.zeros((6, 6, 6), dtype=np.int16)
    labels[1:3], labels[3:5], labels[5, 1:] = 7, 12, 300
    nibabel.save(nibabel.Nifti1Image(labels, np.diag([2.0, 2.0, 2.0, 1.0])), tmp_path / "labels.nii.gz")
    (tmp_path / "labels.tsv").write_text(
        "index\tname\ttissue\n7\tLeft-Putamen\t\n12\tcerebellar_grey\t\n300\tskull\tbone\n"
    )
    return tmp_path / "labels.nii.gz", tmp_path / "labels.tsv"


def test_labels_of_the_user_make_a_head(own):
    head = labelled_head(*own, ("putamen",))
    assert head.names == ("air", "putamen", "cerebellar grey", "bone")
    assert head.tissues == ("air", "grey", "grey", "bone")
    assert head.volumes[1] == pytest.approx(2 * 36 * 8)
    assert head.grid.zooms == (2.0, 2.0, 2.0)


@pytest.mark.parametrize("row", ["300\tother_grey\t", "300\tclaustrum\tother_grey"])
def test_grey_matter_of_no_region_is_a_tissue_by_its_name_or_its_column(own, row):
    own[1].write_text(own[1].read_text().replace("300\tskull\tbone", row))
    head = labelled_head(*own, ("putamen",))
    assert (head.names[-1], head.tissues[-1]) == ("other_grey", "other_grey")
    assert head.regions == ("putamen", "cerebellar grey")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("300\tskull\tbone\n", "", ["labels.nii.gz", "label 300", "add a row"]),
        ("bone", "steel", ["labels.tsv", "'steel'", "bone"]),
        ("12\t", "x\t", ["labels.tsv", "'x'", "whole number"]),
        ("12\t", "7\t", ["labels.tsv", "index 7", "two rows"]),
        ("index", "number", ["labels.tsv", "no column 'index'"]),
        ("Left-Putamen", "pallidum", ["labels.nii.gz", "'putamen'", "labels.tsv"]),
    ],
)
def test_tables_of_labels_that_do_not_fit_are_refused(own, old, new, words):
    image, table = own
    table.write_text(table.read_text().replace(old, new, 1))
    with pytest.raises(PlanError) as error:
        labelled_head(image, table, ("putamen",))
    assert all(word in str(error.value) for word in words)


@pytest.mark.parametrize("kind", ["absent", "text", "4D", "fractions"])
def test_label_images_that_are_none_are_refused(own, kind):
    image, table = own
    if kind == "absent":
        image.unlink()
    elif kind == "text":
        image.write_text("no image")
    else:
        data = np.zeros((4, 4, 4, 2), np.int16) if kind == "4D" else np.full((4, 4, 4), 0.5, np.float32)
        nibabel.save(nibabel.Nifti1Image(data, np.eye(4)), image)
    with pytest.raises(PlanError, match=r"labels\.nii\.gz"):
        labelled_head(image, table, ("putamen",))


def test_centre_and_radius_are_those_of_a_ball():
    at = np.indices((41, 41, 41)) - 20
    labels = (np.sqrt((at**2).sum(axis=0)) <= 15).astype(np.uint8)
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = [-40 + 3, -40 - 5, -40 + 7]
    head = coarse_head(geometry("macaque"), (), 2.0)
    ball = dataclasses.replace(head, grid=Grid((41, 41, 41), affine), labels=labels)
    np.testing.assert_allclose(ball.centre, [3, -5, 7], atol=1e-9)
    assert ball.radius == pytest.approx(30, rel=0.02)


ATLAS = Path(__file__).parents[3] / "shared/data/atlases/macaque/inia19-NeuroMaps.nii.gz"


@pytest.mark.skipif(not ATLAS.is_file(), reason="../shared is not there")
def test_the_macaque_template_has_the_volumes_of_its_labels():
    head = inia19_head(ATLAS)
    for name in ("caudate", "putamen", "nucleus accumbens", "anterior cingulate", "insula", "hippocampus"):
        # the catalog's volumes were counted in the same labels, and rounded
        assert head.volumes[head.number(name)] == pytest.approx(catalog.species("macaque").volume(name).value, rel=0.01)
    assert set(head.regions) >= {entry.name for entry in catalog.tracer("DASB").species["macaque"].region}
    assert 1000 < head.volumes[head.number("other_grey")] < 1600
    both = head.labels == head.number("putamen")
    middle = np.argwhere(both) @ head.grid.affine[:3, :3].T + head.grid.affine[:3, 3]
    assert abs(middle[:, 0].mean()) < 1
    np.testing.assert_allclose(head.labels[0], 0)


def test_labels_of_another_atlas_are_not_taken_for_the_macaque_template(own, tmp_path):
    with pytest.raises(PlanError, match="INIA19"):
        inia19_head(own[0])
    with pytest.raises(PlanError, match="no such label image"):
        inia19_head(tmp_path / "absent.nii.gz")
