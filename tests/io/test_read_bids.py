import pytest

from raphe.errors import InputError, TimingError, UnitError
from raphe.io.bids import load_curves, load_reference, read_study
from raphe.io.sessions import session_key


def add(root, name, text, participant="01", session="baseline", derivative="petprep"):
    """Put a file beside the curves of one scan."""
    path = root / f"derivatives/{derivative}/sub-{participant}/ses-{session}/pet/sub-{participant}_ses-{session}_{name}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def labels(study, **choice):
    return [one.scan.label for one in study.choose(**choice)]


def test_a_study_by_participant_and_session(study):
    found = read_study(study.root)
    assert labels(found) == [
        "sub-01_ses-baseline",
        "sub-01_ses-blocked",
        "sub-02_ses-baseline",
        "sub-02_ses-blocked",
    ]
    assert found.sessions == ("baseline", "blocked")
    assert found.participants["02"]["age"] == "40"
    first = found.tables[0]
    assert (first.scan.tracer, first.scan.radionuclide, first.pvc, first.seg) == ("DASB", "C11", "", "")
    assert first.scan.sources == (study.pet(),)
    assert load_curves(first).tacs.activity[0, 3] == 9.0


def test_participants_and_sessions_may_be_chosen_with_or_without_their_key(study):
    found = read_study(study.root, participants=["sub-02"], sessions=["blocked"])
    assert labels(found) == ["sub-02_ses-blocked"]
    with pytest.raises(InputError, match=r"sub-09; .*sub-01, sub-02"):
        read_study(study.root, participants=["09"])
    with pytest.raises(InputError, match=r"ses-x; .*ses-baseline, ses-blocked"):
        read_study(study.root, sessions=["ses-x"])


def test_a_fault_of_a_participant_who_is_not_asked_for_does_not_matter(study, absent):
    study.change("02", "blocked", Units=absent)
    with pytest.raises(InputError, match="Units is missing"):
        read_study(study.root)
    assert len(read_study(study.root, participants=["01"]).tables) == 2


def test_a_derivative_dataset_may_be_given_by_itself_or_by_its_folder(study):
    derivatives = study.root / "derivatives"
    for given in ([derivatives / "petprep"], [derivatives]):
        assert len(read_study(study.root, given).tables) == 4
    assert len(read_study(derivatives / "petprep").tables) == 4  # finds the raw sidecars above


def test_a_study_without_sessions_in_its_own_folder(tmp_path, fields, table_text, save_json):
    save_json(tmp_path / "sub-a/pet/sub-a_pet.json", fields())
    (tmp_path / "sub-a/pet/sub-a_tacs.tsv").write_text(table_text())
    found = read_study(tmp_path)
    assert labels(found) == ["sub-a"]
    assert found.sessions == (None,)
    assert found.participants == {}


def test_partial_volume_corrections_and_segmentations_are_chosen(study, table_text):
    text = study.table().read_text()
    for seg in ("gtm", "nuclei"):
        add(study.root, f"pvc-MG_seg-{seg}_tacs.tsv", text)
    add(study.root, "desc-confounds_timeseries.tsv", "trans_x\n0\n")
    found = read_study(study.root, participants=["01"], sessions=["baseline"])
    assert len(found.tables) == 3
    assert found.choose()[0].path == found.choose(pvc="nopvc")[0].path == study.table()
    assert found.choose(pvc="mg", seg="GTM")[0].name.entities["seg"] == "gtm"
    with pytest.raises(InputError, match=r"several segmentations with pvc MG.*gtm, nuclei"):
        found.choose(pvc="MG")
    with pytest.raises(InputError, match=r"no curves with pvc RBV.*pvc MG, seg gtm; pvc MG, seg nuclei; pvc none"):
        found.choose(pvc="RBV")


def test_two_derivatives_of_one_scan_are_ambiguous(study):
    other = add(study.root, "desc-other_tacs.tsv", study.table().read_text(), derivative="other")
    with pytest.raises(InputError, match="--derivatives") as caught:
        read_study(study.root).choose()
    assert str(other) in str(caught.value)
    assert len(read_study(study.root, [study.root / "derivatives/petprep"]).choose()) == 4


def test_segmentations_that_desc_tells_are_chosen_between(study):
    """As petprep_extract_tacs names its curves."""
    for session in ("baseline", "blocked"):
        for participant in ("01", "02"):
            path = study.table(participant, session)
            for desc in ("gtmseg", "whiteMatter"):
                path.with_name(path.name.replace("preproc", desc)).write_text(path.read_text())
            path.unlink()
    with pytest.raises(InputError, match="choose one: gtmseg, whiteMatter"):
        read_study(study.root).choose()
    assert {one.seg for one in read_study(study.root).choose(seg="whitematter")} == {"whiteMatter"}


@pytest.mark.parametrize("key", ["ref", "label"])
def test_reference_curves_belong_to_their_scan_and_correction(study, table_text, key):
    add(study.root, f"{key}-cer_desc-preproc_tacs.tsv", table_text({"cer": (1000.0,) * 8}))
    add(study.root, f"pvc-MG_{key}-cer_desc-preproc_timeseries.tsv", table_text({"cer": (2000.0,) * 8}))
    add(study.root, "pvc-MG_tacs.tsv", study.table().read_text())
    found = read_study(study.root, participants=["01"], sessions=["baseline"])
    assert len(found.tables) == 2
    for pvc, level in (("", 1.0), ("MG", 2.0)):
        (table,) = found.choose(pvc)
        assert load_reference(table, "cer").tacs.activity[0, 0] == level
    with pytest.raises(InputError, match=r"no reference curve 'pons' \(it has: cer\)"):
        load_reference(table, "pons")


def test_volumes_are_matched_by_name_whatever_its_punctuation(study):
    morph = study.root / "derivatives/petprep/sub-01/anat/sub-01_desc-x_morph.tsv"
    morph.parent.mkdir()
    morph.write_text("index\tname\tvolume-mm3\n1\tPutamen\t5000\n2\tother\t1\n")
    (table,) = read_study(study.root, participants=["01"], sessions=["baseline"]).choose()
    volumes = load_curves(table).tacs.volumes
    assert volumes[0] == 5000
    assert volumes[1] != volumes[1]
    morph.write_text("index\tname\tvolume-mm3\n1\tPutamen\tbig\n")
    with pytest.raises(InputError, match=r"sub-01_desc-x_morph\.tsv.*'big'"):
        load_curves(table)


def test_a_table_of_other_measures_brings_no_volumes(study):
    add(study.root, "morph.tsv", "name\tthickness\nputamen\t2\n")
    (table,) = read_study(study.root, participants=["01"], sessions=["baseline"]).choose()
    assert load_curves(table).tacs.volumes is None


def test_volumes_of_another_segmentation_are_left_aside(study):
    add(study.root, "seg-gtm_morph.tsv", "name\tvolume-mm3\nputamen\t1\n")
    assert read_study(study.root).tables[0].morph is None


@pytest.mark.parametrize(
    ("spelled", "in_order"),
    [
        (["retest", "test"], ["test", "retest"]),
        (["rescan", "baseline"], ["baseline", "rescan"]),
        (["ketamine", "predrug"], ["predrug", "ketamine"]),
        (["posttest", "pretest"], ["pretest", "posttest"]),
        (["before", "after"], ["before", "after"]),
        (["drug", "control"], ["control", "drug"]),
        (["10", "2", "1"], ["1", "2", "10"]),
        (["b", "a"], ["a", "b"]),
    ],
)
def test_the_order_of_sessions_by_their_labels(spelled, in_order):
    assert sorted(spelled, key=session_key) == in_order


def test_acquisition_times_order_the_sessions_of_a_participant(study):
    (study.root / "sub-01/sub-01_sessions.tsv").write_text(
        "session_id\tacq_time\nses-baseline\t2020-02-01T10:00:00\nses-blocked\t2020-01-01T10:00:00\n"
    )
    for session, day in (("baseline", "2020-01-02"), ("blocked", "n/a")):
        (study.root / f"sub-02/ses-{session}/sub-02_ses-{session}_scans.tsv").write_text(
            f"filename\tacq_time\nanat/T1w.nii.gz\t2010-01-01\npet/x_pet.nii.gz\t{day}\n"
        )
    assert labels(read_study(study.root)) == [
        "sub-01_ses-blocked",
        "sub-01_ses-baseline",
        "sub-02_ses-baseline",
        "sub-02_ses-blocked",
    ]


def test_what_is_no_study_is_refused(tmp_path, study):
    with pytest.raises(InputError, match="does not exist"):
        read_study(tmp_path / "none")
    with pytest.raises(InputError, match="is not a folder"):
        read_study(study.table())
    with pytest.raises(InputError, match="does not exist"):
        read_study(study.root, [tmp_path / "none"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no time-activity curves.*--derivatives"):
        read_study(tmp_path / "empty")


def test_a_table_without_sidecar_says_which_one_it_should_have(study):
    study.pet().unlink()
    with pytest.raises(InputError, match=r"has no sidecar.*sub-01_ses-baseline_pet\.json"):
        read_study(study.root)


def test_a_misplaced_table_is_refused(study):
    study.table().rename(study.table().with_name("sub-02_ses-baseline_tacs.tsv"))
    with pytest.raises(InputError, match="says sub-02, but it stands in sub-01"):
        read_study(study.root)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"Units": "SUV"}, UnitError),
        ({"FrameDuration": [30, 60, 120, 300, 600, 1800, 3600, 5400]}, TimingError),
        ({"TracerRadionuclide": None}, InputError),
    ],
)
def test_an_unusable_sidecar_stops_the_study_before_any_work(study, changes, kind):
    path = study.change("02", "blocked", **changes)
    with pytest.raises(kind, match="sub-02_ses-blocked") as caught:
        read_study(study.root)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("participant_id\nsub-01\nsub-01\n", ["line 3", "'sub-01'", "line 2"]),
        ("participant_id\n01\n", ["line 2", "'01'", "sub-01"]),
        ("name\nsub-01\n", ["'participant_id'"]),
        ("participant_id\tage\nsub-01\n", ["line 2"]),
        ("participant_id\n", ["no rows"]),
    ],
)
def test_a_bad_table_of_participants_is_refused(study, text, words):
    path = study.root / "participants.tsv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_study(study.root)
    for word in (str(path), *words):
        assert word in str(caught.value)


def test_what_is_near_a_study_is_told_with_the_way_to_it(study, tmp_path):
    """A study in a folder of its own inside of that which was named, one participant's folder, and an archive."""
    with pytest.raises(
        InputError, match=f"there are no time-activity curves .*; the data set seems to be {study.root}$"
    ):
        read_study(tmp_path)
    (study.root / "sub-01/ses-other").mkdir()
    with pytest.raises(InputError, match="sub-01 is the folder of one participant or session: name the data set"):
        read_study(study.root / "sub-01")
    archive = tmp_path / "study.ZIP"
    archive.write_bytes(b"PK")
    with pytest.raises(InputError, match=r"study\.ZIP is not a folder; unpack it, and name the folder that it held"):
        read_study(archive)


@pytest.mark.parametrize(("cell", "right"), [("SUB-01", "sub-01"), ("sub_01", "sub-01"), ("01", "sub-01")])
def test_an_id_that_is_nearly_one_is_told_as_it_should_be(study, cell, right):
    (study.root / "participants.tsv").write_text(f"participant_id\n{cell}\n")
    with pytest.raises(InputError, match=f"line 2: '{cell}' does not begin with 'sub-'; write {right}$"):
        read_study(study.root)


def test_a_negative_volume_is_refused(study):
    """Regions were merged by their plain mean then, without a word."""
    table = study.table()
    morph = table.with_name(table.name.replace("_tacs.tsv", "_morph.tsv"))
    morph.write_text("name\tvolume-mm3\nputamen\t-4000\ncerebellum\t9000\n")
    (first, *_) = read_study(study.root).tables
    with pytest.raises(InputError, match=r"_morph\.tsv: volume-mm3 of 'putamen' is -4000, .*; mend it, or write n/a"):
        load_curves(first)
