import numpy as np
import pytest

from raphe.core.frames import Frames
from raphe.data.regions import Merged, members, resolve
from raphe.data.tacs import TACs
from raphe.errors import InputError
from raphe.nomenclature import COMPOSITES

PETPREP = (
    "left_caudate", "left_putamen", "left_accumbens_area", "left_thalamus", "left_cerebellum_cortex",
    "right_caudate", "right_putamen", "right_accumbens_area", "right_thalamus", "right_cerebellum_cortex",
    "brain_stem", "ctx_lh_insula", "ctx_rh_insula", "ctx_lh_superiorfrontal", "ctx_rh_superiorfrontal", "pons",
    "left_vessel", "reference",
)  # fmt: skip


def curves(names, volumes=None):
    frames = Frames(np.array([0.0, 1.0, 3.0]), np.array([1.0, 2.0, 2.0]))
    values = np.arange(1.0, len(names) + 1)[:, None] * np.array([1.0, 10.0, 100.0])
    return TACs(values, frames, tuple(names), volumes)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("left_thalamus", ("left_thalamus",)),
        ("reference", ("reference",)),
        ("Left-Thalamus-Proper", ("left_thalamus",)),
        ("thalamus", ("left_thalamus", "right_thalamus")),
        ("right thalamus", ("right_thalamus",)),
        ("Thalamus_R", ("right_thalamus",)),
        ("Brain-Stem", ("brain_stem",)),
        ("insula", ("ctx_lh_insula", "ctx_rh_insula")),
        ("insular cortex", ("ctx_lh_insula", "ctx_rh_insula")),
        ("ctx-lh-insula", ("ctx_lh_insula",)),
        ("superior frontal gyrus", ("ctx_lh_superiorfrontal", "ctx_rh_superiorfrontal")),
        ("cerebellar grey", ("left_cerebellum_cortex", "right_cerebellum_cortex")),
        ("cerebellar gray matter", ("left_cerebellum_cortex", "right_cerebellum_cortex")),
        ("nucleus accumbens", ("left_accumbens_area", "right_accumbens_area")),
        (
            "striatum",
            (
                "left_caudate", "right_caudate", "left_putamen", "right_putamen", "left_accumbens_area",
                "right_accumbens_area",
            ),
        ),
        ("left striatum", ("left_caudate", "left_putamen", "left_accumbens_area")),
    ],
)  # fmt: skip
def test_a_region_is_found_in_any_spelling(wanted, expected):
    assert members(wanted, PETPREP, {}) == expected


def test_freesurfer_and_petprep_names_mean_the_same_regions():
    for petprep in PETPREP:
        freesurfer = petprep.replace("_", "-").title()
        assert members(freesurfer, PETPREP, {}) == (petprep,)


def test_every_cortical_label_belongs_to_one_lobe_or_none():
    lobes = [COMPOSITES[name] for name in ("frontal", "parietal", "temporal", "occipital", "cingulate")]
    labels = [label for lobe in lobes for label in lobe]
    assert len(labels) == len(set(labels)) == 33, "34 labels of Desikan et al. 2006, less the insula"


def test_a_lobe_is_made_of_its_labels_on_both_sides():
    names = [
        f"ctx_{side}_{label}"
        for side in ("lh", "rh")
        for label in ("lateraloccipital", "lingual", "cuneus", "pericalcarine")
    ]
    assert sorted(members("occipital lobe", names, {})) == sorted(names)


def test_a_whole_region_is_taken_before_its_sides():
    assert members("Thalamus", ("left_thalamus", "right_thalamus", "thalamus"), {}) == ("thalamus",)


def test_the_plan_says_what_a_region_is_before_anything_else_does():
    merges = {"striatum": ["caudate", "left putamen"]}
    assert members("striatum", PETPREP, merges) == ("left_caudate", "right_caudate", "left_putamen")
    assert members("Striatum", PETPREP, merges) == ("left_caudate", "right_caudate", "left_putamen")


@pytest.mark.parametrize(
    ("wanted", "names", "merges", "said"),
    [
        ("putmen", PETPREP, {}, "'putmen' .*'putamen'"),
        ("hippocampus", PETPREP, {}, "'hippocampus'"),
        ("vessel", PETPREP, {}, "only one side.*left_vessel"),
        ("pons", ("Pons", "PONS"), {}, "could be any of Pons, PONS"),
        ("thalamus", ("left_thalamus", "Left-Thalamus-Proper", "right_thalamus"), {}, "any of left_thalamus, Left-"),
        ("striatum", ("left_caudate", "right_caudate"), {}, "'striatum' is made of .*no putamen, nucleus accumbens"),
        ("left striatum", ("left_caudate",), {}, "'left striatum' is made of"),
        ("mine", PETPREP, {"mine": ["thalamus", "amygdala"]}, "'mine' is merged of .*no 'amygdala'"),
        ("mine", PETPREP, {"mine": ["thalamus", "left_thalamus"]}, "'left_thalamus' more than once"),
        ("x", (), {}, "'x'"),
    ],
)  # fmt: skip
def test_what_cannot_be_resolved_is_said_by_name(wanted, names, merges, said):
    with pytest.raises(InputError, match=said):
        members(wanted, names, merges)


def test_without_volumes_the_mean_is_plain():
    tacs = curves(("left_putamen", "right_putamen", "pons"))
    got, made = resolve(["putamen", "pons"], tacs, {})
    np.testing.assert_allclose(got.activity, [[1.5, 15.0, 150.0], [3.0, 30.0, 300.0]])
    assert got.names == ("putamen", "pons")
    assert got.volumes is None
    assert made["putamen"] == Merged(("left_putamen", "right_putamen"), (0.5, 0.5))
    assert str(made["putamen"]) == "plain mean of left_putamen, right_putamen"
    assert str(made["pons"]) == "pons as it stands"


def test_known_volumes_weight_the_mean():
    tacs = curves(("left_putamen", "right_putamen", "pons"), np.array([3000.0, 1000.0, np.nan]))
    got, made = resolve(["putamen", "pons"], tacs, {})
    np.testing.assert_allclose(got.activity[0], [1.25, 12.5, 125.0])
    np.testing.assert_allclose(got.volumes, [4000.0, np.nan])
    assert made["putamen"].weights == (0.75, 0.25)
    assert "left_putamen (0.750)" in str(made["putamen"])


def test_one_unknown_volume_makes_the_mean_plain():
    tacs = curves(("left_putamen", "right_putamen"), np.array([3000.0, np.nan]))
    _, made = resolve(["putamen"], tacs, {})
    assert made["putamen"].weights == (0.5, 0.5)


def test_a_part_of_no_volume_has_no_weight_whatever_its_curve():
    tacs = curves(("left_putamen", "right_putamen"), np.array([3000.0, 0.0]))
    empty = TACs(np.vstack((tacs.activity[0], np.full(3, np.nan))), tacs.frames, tacs.names, tacs.volumes)
    got, _ = resolve(["putamen"], empty, {})
    np.testing.assert_allclose(got.activity[0], tacs.activity[0])


def test_a_curve_that_is_not_a_number_spoils_its_mean_alone():
    tacs = curves(("left_putamen", "right_putamen", "pons"))
    bad = tacs.activity.copy()
    bad[0, 1] = np.nan
    got, _ = resolve(["putamen", "pons"], TACs(bad, tacs.frames, tacs.names), {})
    assert np.isnan(got.activity[0]).tolist() == [False, True, False]
    np.testing.assert_array_equal(got.activity[1], tacs.activity[2])


def test_no_wish_means_every_curve_and_every_merge():
    tacs = curves(("left_putamen", "right_putamen", "pons"))
    got, _ = resolve([], tacs, {"both": ["left_putamen", "pons"]})
    assert got.names == ("left_putamen", "right_putamen", "pons", "both")
    np.testing.assert_array_equal(got.activity[:3], tacs.activity)
    np.testing.assert_allclose(got.activity[3], [2.0, 20.0, 200.0])


def test_a_region_that_is_wanted_twice_is_refused():
    with pytest.raises(InputError, match="'pons' stands twice"):
        resolve(["pons", "pons"], curves(PETPREP), {})
