"""Contrasts of maps that other software made: a planted effect in plain NIfTI files, and what cannot be."""

import json
import shutil

import nibabel
import numpy as np
import pytest
from scipy import stats

from raphe.quality import Quality

SHAPE = (12, 12, 10)
AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])
AFFINE[:3, 3] = -16.5, -20, -12
PEOPLE = tuple(f"{number:02d}" for number in range(1, 9))
SESSIONS = ("placebo", "drug")
BLOCK = (slice(3, 7), slice(4, 8), slice(3, 7))
"""Where the drug lowers binding."""

INSIDE = np.zeros(SHAPE, dtype=bool)
INSIDE[1:-1, 1:-1, 1:-1] = True

PLAN = """[[tracer]]
name = "DASB"
model = "MRTM2"

[[session]]
label = "placebo"

[[session]]
label = "drug"

[maps]
permutations = 300

[[contrast]]
name = "change"
terms = ["placebo", "drug"]
"""

ARMS = """
[[arm]]
name = "control"

[[arm]]
name = "patient"

[[contrast]]
name = "groups"
kind = "groups"
terms = ["control", "patient"]
sessions = ["placebo"]
"""


class Maps:
    """A folder of maps, a plan, and ways to break them."""

    def __init__(self, root):
        self.root, self.folder, self.out, self.plan = root, root / "spm", root / "answers", root / "raphe.toml"
        self.plan.write_text(PLAN)
        rng = np.random.default_rng(7)
        for at, person in enumerate(PEOPLE):
            own = rng.normal(1.5, 0.2) + rng.normal(0, 0.02, SHAPE)
            for session in SESSIONS:
                values = own + rng.normal(0, 0.05, SHAPE)
                if session == "drug":
                    values[BLOCK] -= 0.4
                self.write(person, session, values, outside=np.nan if at % 2 else 0.0)

    def path(self, person, session, rest="space-TPL_meas-BPND", end=".nii"):
        return self.folder / f"sub-{person}/sub-{person}_ses-{session}_{rest}_mimap{end}"

    def write(self, person, session, values, outside=0.0, affine=AFFINE, **named):
        path = self.path(person, session, **named)
        path.parent.mkdir(parents=True, exist_ok=True)
        inside = INSIDE if values.shape == SHAPE else np.ones(values.shape, dtype=bool)
        nibabel.save(nibabel.Nifti1Image(np.where(inside, values, outside).astype(np.float32), affine), path)

    def renamed(self, old, new):
        for path in sorted(self.folder.rglob("*_mimap.nii")):
            path.rename(path.with_name(path.name.replace(old, new)))

    def edit(self, old, new):
        text = self.plan.read_text()
        assert old in text
        self.plan.write_text(text.replace(old, new, 1))

    def rows(self, session):
        """Values of one session, shape (n, x, y, z)."""
        return np.stack([np.asarray(nibabel.load(self.path(person, session)).dataobj) for person in PEOPLE])

    def volume(self, stat, name="change"):
        return np.asarray(nibabel.load(self.out / f"group/contrast-{name}_stat-{stat}_statmap.nii.gz").dataobj)

    def about(self, stat="t", name="change"):
        return json.loads((self.out / f"group/contrast-{name}_stat-{stat}_statmap.json").read_text())

    @property
    def words(self):
        return "stats", self.plan, self.folder, "--out", self.out


@pytest.fixture
def maps(tmp_path):
    return Maps(tmp_path)


def participants(maps, arms):
    rows = "".join(f"sub-{person}\t{arm}\n" for person, arm in zip(PEOPLE, arms, strict=True))
    (maps.root / "participants.tsv").write_text(f"participant_id\tarm\n{rows}")


def test_the_maps_are_the_paired_t_test_and_the_planted_effect_is_found(maps, raphe):
    ended = raphe(*maps.words)
    assert ended.code == 0, ended.err
    before, after = (maps.rows(session) for session in SESSIONS)
    t, effect = maps.volume("t"), maps.volume("effect")
    np.testing.assert_array_equal(np.isfinite(t), INSIDE)
    expected = stats.ttest_rel(after[:, INSIDE].astype(float), before[:, INSIDE].astype(float))
    np.testing.assert_allclose(t[INSIDE], expected.statistic, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(effect[INSIDE], (after - before).mean(axis=0)[INSIDE], atol=1e-5)
    planted = np.zeros(SHAPE, dtype=bool)
    planted[BLOCK] = True
    found = np.nan_to_num(maps.volume("logpfwe")) > 1.3
    assert not (found & ~planted).any()
    assert (found & planted).sum() > 0.9 * planted.sum()


def test_the_largest_t_of_every_flip_of_signs_gives_the_same_p(maps, raphe):
    assert raphe(*maps.words).code == 0
    change = (maps.rows("drug") - maps.rows("placebo"))[:, INSIDE].astype(float)
    signs = np.array(np.meshgrid(*[[1, -1]] * 8)).reshape(8, -1).T
    means = signs @ change / 8
    sd = np.sqrt(((change**2).sum(axis=0) - 8 * means**2) / 7)
    t = np.abs(means / (sd / np.sqrt(8)))
    largest, observed = t.max(axis=1), t[(signs == 1).all(axis=1)][0]
    p = (largest[:, None] >= observed - 1e-9).mean(axis=0)
    np.testing.assert_allclose(10 ** -maps.volume("logpfwe")[INSIDE], p, atol=2.01 / 256)


def test_paths_are_printed_and_the_files_say_what_counted_as_mapped(maps, raphe):
    ended = raphe(*maps.words)
    printed = ended.out.split()
    assert str(maps.out / "group/contrast-change_stat-t_statmap.nii.gz") in printed
    assert str(maps.out / "group/contrast-change_clusters.tsv") in printed
    assert printed[-1] == str(maps.out / "group/maps.html")
    about = maps.about()
    told = "the maps have no flags of fits: what is finite and not exactly 0 counts as mapped"
    assert told in about["Mask"]
    assert about["SmoothingOfScans"] == ["smoothing is not told by the sidecars of the maps"]
    assert about["Sources"][0] == "bids:maps:sub-01/sub-01_ses-placebo_space-TPL_meas-BPND_mimap.nii"
    assert (about["ModelName"], about["Participants"]) == ("MRTM2", list(PEOPLE))
    links = json.loads((maps.out / "dataset_description.json").read_text())["DatasetLinks"]
    assert links == {"maps": maps.folder.resolve().as_uri()}
    said = "16 maps tell no model, neither by model- nor in a sidecar, and are taken for MRTM2, the plan's"
    page = (maps.out / "group/maps.html").read_text()
    assert said in ended.err
    for words in (said.replace("'", "&#39;"), told, 'aria-label="Glass brain of t: change"', "viewer-library"):
        assert words in page
    assert "were read from the folder spm (the maps have no flags of fits" in page
    read = json.loads((maps.out / "provenance/stats_maps.json").read_text())["steps"][0]
    assert len(read["inputs"]) == 17
    assert (read["parameters"]["n_maps"], read["parameters"]["n_unflagged"]) == (16, 16)


def test_zero_nan_and_infinity_in_one_scan_take_a_voxel_out(maps, raphe):
    values = maps.rows("drug")[2]
    values[5, 5, 5], values[5, 5, 6], values[5, 6, 5] = 0, np.nan, np.inf
    values[5, 6, 6] = -0.3
    maps.write("03", "drug", values)
    assert raphe(*maps.words).code == 0
    inside = INSIDE.copy()
    inside[5, 5, 5] = inside[5, 5, 6] = inside[5, 6, 5] = False
    np.testing.assert_array_equal(np.isfinite(maps.volume("t")), inside)


def test_groups_are_those_of_participants_tsv(maps, raphe):
    maps.plan.write_text(PLAN + ARMS)
    participants(maps, ["control"] * 4 + ["patient"] * 4)
    ended = raphe(*maps.words)
    assert ended.code == 0, ended.err
    before = maps.rows("placebo").astype(float)
    expected = stats.ttest_ind(before[4:, INSIDE], before[:4, INSIDE]).statistic
    np.testing.assert_allclose(maps.volume("t", "groups")[INSIDE], expected, rtol=1e-3, atol=1e-3)
    assert maps.about("t", "groups")["PossibleArrangements"] == "70"


def test_one_contrast_that_cannot_be_made_is_a_warning_and_the_other_is_made(maps, raphe):
    maps.plan.write_text(PLAN + PLAN[PLAN.index("[[contrast]]") :].replace("change", "rest").replace("drug", "rest"))
    maps.edit('label = "drug"', 'label = "drug"\n\n[[session]]\nlabel = "rest"')
    ended = raphe(*maps.words)
    assert ended.code == 1, ended.err
    assert "contrast 'rest' cannot be made voxel by voxel" in ended.err
    assert "session 'rest' has no scan" in ended.err
    assert (maps.out / "group/contrast-change_stat-t_statmap.nii.gz").is_file()
    assert not list(maps.out.glob("group/contrast-rest*"))


def test_contrasts_of_regions_are_told_without_a_warning(maps, raphe):
    maps.plan.write_text(PLAN + '\n[[contrast]]\nname = "all"\nkind = "mixed"\nterms = ["placebo", "drug"]\n')
    ended = raphe(*maps.words)
    assert ended.code == 0
    assert "contrast 'all' is not made voxel by voxel: a mixed model is fitted to regions only" in ended.err


def test_a_contrast_that_is_done_is_kept(maps, raphe):
    assert raphe(*maps.words).code == 0
    record = maps.out / "provenance/contrast-change_maps.json"
    before = record.stat().st_mtime_ns
    assert raphe(*maps.words).code == 0
    assert record.stat().st_mtime_ns == before
    maps.write("03", "drug", maps.rows("drug")[2] + 0.01)
    assert raphe(*maps.words).code == 0
    assert record.stat().st_mtime_ns != before


def test_who_lacks_a_map_is_left_out_and_named(maps, raphe):
    maps.path("05", "drug").unlink()
    ended = raphe(*maps.words)
    assert ended.code == 1
    assert "leaves out those with only one of its two sessions: sub-05" in ended.err
    assert maps.about()["Excluded"] == ["sub-05: no map in session drug"]


def test_who_is_excluded_beside_the_plan_is_left_out_with_the_reason(maps, raphe):
    assert raphe(*maps.words).code == 0
    before = maps.volume("t")
    (maps.root / "exclusions.tsv").write_text("participant_id\tsession_id\treason\nsub-05\tses-drug\tmoved\n")
    ended = raphe(*maps.words)
    assert ended.code == 1  # one of two sessions is left
    assert "takes out sub-05_ses-drug (moved)" in ended.err
    assert maps.about()["Excluded"] == ["sub-05: excluded by a person: moved in session drug"]
    assert not np.array_equal(before, maps.volume("t"), equal_nan=True)
    without = maps.volume("t")
    (maps.root / "exclusions.tsv").unlink()
    maps.path("05", "drug").unlink()
    raphe(*maps.words)
    np.testing.assert_array_equal(maps.volume("t"), without)


def test_names_and_sidecars_tell_tracer_and_model(maps, raphe):
    maps.edit("[[session]]", '[[tracer]]\nname = "raclopride"\n\n[[session]]')
    maps.edit('name = "change"', 'name = "change"\ntracer = "DASB"')
    maps.renamed("_space", "_trc-DASB_space")
    (maps.folder / "mimap.json").write_text('{"ModelName": "SRTM", "FWHM": 6, "Kernel": "Gaussian"}')
    ended = raphe(*maps.words)
    assert ended.code == 0, ended.err
    assert "tell no model" not in ended.err
    assert (maps.about()["ModelName"], maps.about()["Tracer"]) == ("SRTM", "DASB")
    assert maps.about()["SmoothingOfScans"] == ["Gaussian, 6 mm FWHM"]
    maps.renamed("_meas", "_model-Elsewhere_meas")
    assert raphe(*maps.words).code == 0
    assert maps.about()["ModelName"] == "Elsewhere"


def test_flags_beside_a_map_are_heeded(maps, raphe):
    flags = np.where(INSIDE, 0, 255)
    flags[4, 4, 4], flags[4, 4, 5] = 255, 4
    image = nibabel.Nifti1Image(flags.astype(np.uint8), AFFINE)
    nibabel.save(image, maps.path("02", "drug", "space-TPL_meas-quality"))
    assert raphe(*maps.words).code == 0
    inside = INSIDE.copy()
    inside[4, 4, 4] = inside[4, 4, 5] = False
    np.testing.assert_array_equal(np.isfinite(maps.volume("t")), inside)
    assert "15 of 16 maps have no flags" in maps.about()["Mask"]


def test_more_permutations_than_memory_holds_are_refused(maps, refused):
    maps.plan.write_text(PLAN.replace("permutations = 300", "permutations = 100000000000"))
    words = [f"{maps.plan}, line 12", "[maps] permutations = 100000000000", "less than or equal to 1000000"]
    refused(*maps.words, words=words)


def test_several_maps_of_a_scan_are_listed_and_one_can_be_chosen(maps, raphe, refused):
    for person in PEOPLE:
        for session in SESSIONS:
            values = nibabel.load(maps.path(person, session)).get_fdata()
            maps.write(person, session, 1.2 * values, rest="space-TPL_pvc-MG_meas-BPND")
    words = (
        "sub-01_ses-drug has 2 maps of BP_ND of DASB by MRTM2",
        "sub-01_ses-drug_space-TPL_meas-BPND_mimap.nii",
        "sub-01_ses-drug_space-TPL_pvc-MG_meas-BPND_mimap.nii",
        "15 more scans have several",
        "choose by --entity pvc-none or --entity pvc-MG, or name a narrower folder",
    )
    refused(*maps.words, words=words)
    ended = raphe(*maps.words, "--entity", "pvc-MG")
    assert ended.code == 0, ended.err
    corrected = maps.volume("effect")
    assert raphe(*maps.words, "--entity", "pvc-none").code == 0
    np.testing.assert_allclose(corrected[INSIDE], 1.2 * maps.volume("effect")[INSIDE], rtol=1e-4, atol=1e-6)
    refused(*maps.words, "--entity", "pvc-GTM", words=["no map is of --entity pvc-GTM; there is pvc-MG, pvc-none"])


def test_several_spaces_are_chosen_by_the_plan(maps, raphe, refused):
    for person in PEOPLE:
        for session in SESSIONS:
            shutil.copy(maps.path(person, session), maps.path(person, session, "space-T1w_meas-BPND"))
    refused(*maps.words, words=["--entity space-T1w or --entity space-TPL"])
    maps.edit("[maps]", '[maps]\nspace = "TPL"')
    assert raphe(*maps.words).code == 0
    maps.edit('"TPL"', '"MNI"')
    refused(*maps.words, words=["no map is in space-MNI", "there is T1w, TPL"])


def test_several_models_need_a_word(maps, raphe, refused):
    for person in PEOPLE:
        for session in SESSIONS:
            for model in ("SRTM", "Logan"):
                shutil.copy(
                    maps.path(person, session), maps.path(person, session, f"space-TPL_model-{model}_meas-BPND")
                )
            maps.path(person, session).unlink()
    refused(*maps.words, words=["by 2 models (Logan, SRTM)", "name one in model of [[tracer]]"])
    maps.edit("MRTM2", "SRTM")
    assert raphe(*maps.words).code == 0
    assert maps.about()["ModelName"] == "SRTM"
    maps.edit('"SRTM"', '["SRTM", "MRTM2"]')
    maps.edit('name = "change"', 'name = "change"\nmodel = "MRTM2"')
    refused(*maps.words, words=["its model is MRTM2, but the maps of BP_ND of DASB are by SRTM, Logan"])


def test_a_folder_without_maps_says_what_names_are_meant(maps, refused):
    maps.renamed("_meas-BPND_mimap", "_bp")
    words = (
        "there is no map of BPND",
        "_space-TEMPLATE[_model-MODEL]_meas-BPND_mimap.nii.gz",
        "sub-01_ses-drug_space-TPL_bp",
    )
    refused(*maps.words, words=words)
    shutil.rmtree(maps.folder)
    maps.folder.mkdir()
    refused(*maps.words, words=["there is no NIfTI image"])


def test_another_grid_is_refused_with_the_file(maps, refused):
    moved = AFFINE.copy()
    moved[0, 3] += 1
    maps.write("04", "drug", maps.rows("drug")[3], affine=moved)
    refused(*maps.words, words=["sub-04_ses-drug_space-TPL_meas-BPND_mimap.nii", "is not on the grid of"])


@pytest.mark.parametrize("space", ["space-T1w_", ""])
def test_maps_in_the_space_of_each_head_are_refused(maps, refused, space):
    maps.renamed("space-TPL_", space)
    refused(*maps.words, words=["each head has a place of its own", "bring the maps to a template's space"])


def test_arms_that_nobody_has_are_refused(maps, refused):
    maps.plan.write_text(PLAN + ARMS)
    refused(*maps.words, words=["arms are needed", "there is no participants.tsv"])


def test_maps_need_permutations_a_folder_and_a_contrast_of_voxels(maps, refused):
    refused(*maps.words[:3], words=["name a folder for them (--out)"])
    maps.edit("permutations = 300\n", "")
    refused(*maps.words, words=["raphe.toml", "permutations = 5000 under [maps]"])
    maps.edit("[maps]\n", "")
    refused(*maps.words, words=["permutations = 5000 under [maps]"])
    maps.plan.write_text(PLAN.replace('name = "change"', 'name = "change"\nkind = "mixed"'))
    refused(*maps.words, words=["a mixed model is fitted to regions only", "nothing to make of maps"])


def test_the_folder_of_maps_is_not_written_to(maps, refused):
    refused("stats", maps.plan, maps.folder, "--out", maps.folder, words=["is the data set that is read"])


def test_maps_of_a_tracer_that_cannot_be_told_are_refused(maps, refused):
    maps.edit("[[session]]", '[[tracer]]\nname = "raclopride"\n\n[[session]]')
    maps.edit('name = "change"', 'name = "change"\ntracer = "DASB"')
    refused(*maps.words, words=["tells the tracer", "add trc- to the name"])
    maps.renamed("_space", "_trc-WAY100635_space")
    refused(*maps.words, words=["WAY100635", "of which the plan has no [[tracer]] (it has DASB, raclopride)"])


def test_what_is_of_maps_is_refused_for_a_table(maps, refused):
    table = maps.root / "estimates.tsv"
    table.write_text("participant\n01\n")
    refused("stats", maps.plan, table, "--entity", "pvc-MG", words=["--entity is of maps"])


def test_a_map_in_anothers_folder_is_refused(maps, refused):
    path = maps.path("01", "drug")
    path.rename(maps.folder / "sub-02" / path.name)
    refused(*maps.words, words=["its name says sub-01, but it stands in sub-02"])


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_map_that_holds_nothing_is_named(maps, raphe, value):
    maps.write("03", "drug", np.full(SHAPE, value), outside=value)
    ended = raphe(*maps.words)
    assert ended.code == 2
    assert f"{maps.path('03', 'drug')}: the map is empty: no voxel holds a value" in ended.err
    assert not maps.out.exists()


def test_a_map_of_which_every_fit_is_flagged_is_named(maps, raphe):
    flags = maps.path("03", "drug", rest="space-TPL_meas-quality")
    nibabel.save(nibabel.Nifti1Image(np.full(SHAPE, int(Quality.AT_BOUND), np.int16), AFFINE), flags)
    ended = raphe(*maps.words)
    assert ended.code == 2
    assert f"{maps.path('03', 'drug')}: none of the {INSIDE.sum()} voxels that are analysed has a usable" in ended.err


@pytest.mark.parametrize("source", [("05", "drug"), ("03", "placebo")])
def test_a_map_that_is_a_copy_of_another_is_named_with_it(maps, raphe, source):
    """Of another person, or of the same in the other session; written anew, so that the bytes of the files differ."""
    image = nibabel.load(maps.path(*source))
    copy = nibabel.Nifti1Image(np.asarray(image.dataobj), AFFINE)
    copy.header["descrip"] = "another file"
    nibabel.save(copy, maps.path("03", "drug"))
    ended = raphe(*maps.words)
    assert ended.code == 2
    assert f"have the same value in every one of {INSIDE.sum()} voxels: one is a copy of the other" in ended.err
    assert str(maps.path("03", "drug")) in ended.err
    assert str(maps.path(*source)) in ended.err


def rewritten(maps, change, person="03", session="drug"):
    """Change the values of one map."""
    image = nibabel.load(maps.path(person, session))
    values = change(np.asarray(image.dataobj))
    nibabel.save(nibabel.Nifti1Image(values.astype(np.float32), AFFINE), maps.path(person, session))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: 100 * v, "times those of the higher ones of the others (median"),
        (lambda v: -v, "its BP_ND is below 0 in most voxels (median -"),
        (lambda v: np.where(np.indices(SHAPE)[2] < 5, v, 0), "voxels, where 800 are usual in the others"),
    ],
)
def test_a_map_that_is_unlike_the_others_is_told(maps, raphe, change, words):
    """In another unit, of another sign, or cropped: the contrast was made of it with exit code 0."""
    rewritten(maps, change)
    ended = raphe(*maps.words)
    assert ended.code == 1
    (line,) = [line for line in ended.err.splitlines() if "warning" in line]
    assert str(maps.path("03", "drug")) in line
    assert words in line


def test_maps_of_a_drug_that_leaves_next_to_nothing_are_no_doubt(maps, raphe):
    for person in PEOPLE:
        rewritten(maps, lambda values: 0.03 * values, person)
    assert raphe(*maps.words).code == 0


def test_a_map_of_one_number_is_named(maps, raphe):
    rewritten(maps, lambda values: np.where(values == 0, 0, 1.3))
    ended = raphe(*maps.words)
    assert ended.code == 2
    assert f"{maps.path('03', 'drug')}: each of the {INSIDE.sum()} voxels that are analysed is 1.3" in ended.err
