"""``raphe run --maps``: the maps of a scan are made as its regions were fitted."""

import json

import nibabel
import numpy as np
import pytest
from tests.pipeline.conftest import AFFINE, CURVES, LABELS, LENGTHS, SHAPE


@pytest.fixture
def images(files):
    """A dynamic image of every scan, constant over regions, as a derivative; and where each region is."""
    labels = np.zeros(SHAPE, dtype=int)
    for label, at in zip(LABELS.values(), np.array_split(np.arange(400), 5), strict=True):
        labels.flat[at] = label
    for (participant, session), curves in CURVES.items():
        data = np.zeros((*SHAPE, len(LENGTHS)), dtype=np.float32)
        for name, label in LABELS.items():
            data[labels == label] = curves[name]
        path = files.table_of(participant, session)
        stem = path.name.replace("_seg-test_desc-preproc_tacs.tsv", "")
        nibabel.save(nibabel.Nifti1Image(data, AFFINE), path.parent / f"{stem}_space-T1w_desc-preproc_pet.nii.gz")
    return labels


def maps_of(files, participant="01", session="baseline"):
    folder = files.out / f"sub-{participant}/ses-{session}/pet"
    return {path.name: path for path in folder.glob("*_mimap.nii.gz")}


def test_maps_of_constant_regions_are_the_regions_estimates(files, images, raphe, rows_of):
    ended = raphe("run", files.root, files.out, "all", "--maps")
    assert ended.code == 0, ended.err
    for participant, session in CURVES:
        table = next((files.out / f"sub-{participant}/ses-{session}/pet").glob("*_kinpar.tsv"))
        found = maps_of(files, participant, session)
        assert len(found) == 11
        value = nibabel.load(found[f"sub-{participant}_ses-{session}_space-T1w_model-SRTM_meas-BPND_mimap.nii.gz"])
        np.testing.assert_allclose(value.affine, AFFINE, atol=1e-4)
        data = np.asarray(value.dataobj)
        for row in rows_of(table):
            inside = data[images == LABELS[row["name"]]]
            np.testing.assert_allclose(inside, float(row["BPND"]), rtol=1e-5)
        assert np.isnan(data[images == 0]).all()


def test_the_report_shows_them_and_the_record_names_the_image(files, images, raphe):
    assert raphe("run", files.root, files.out, "participant", "--maps").code == 0
    page = (files.out / "sub-01/ses-baseline/report.html").read_text()
    assert "Parametric maps" in page
    assert page.count("data:image/png;base64,") == 2
    record = json.loads(next((files.out / "provenance").glob("sub-01_ses-baseline*.json")).read_text())
    assert "sub-01_ses-baseline_space-T1w_desc-preproc_pet.nii.gz" in json.dumps(record)


def test_k2_prime_of_the_regions_is_taken_over(files, images, raphe):
    files.edit('model = "SRTM"', 'model = "MRTM2"\nhigh_binding = ["thalamus", "putamen"]')
    assert raphe("run", files.root, files.out, "participant", "--maps").code == 0
    table = next((files.out / "sub-01/ses-baseline/pet").glob("*model-MRTM2_kinpar.json"))
    sidecar = next((files.out / "sub-01/ses-baseline/pet").glob("*model-MRTM2_meas-BPND_mimap.json"))
    regions, voxels = (json.loads(path.read_text()) for path in (table, sidecar))
    assert voxels["InputValues"] == regions["InputValues"]


def test_a_plan_may_ask_for_them_and_name_the_space(files, images, raphe, refused):
    path = files.table.parent / "sub-01_ses-baseline_space-MNI_desc-preproc_pet.nii.gz"
    path.write_bytes(next(files.table.parent.glob("*_space-T1w_*_pet.nii.gz")).read_bytes())
    plan = files.plan.read_text()
    files.plan.write_text(plan + "\n[maps]\n")
    refused("run", files.root, files.out, "all", words=["2 images of this scan", "space"])
    files.plan.write_text(plan + '\n[maps]\nspace = "T2w"\n')
    refused("run", files.root, files.out, "all", words=["no image of this scan is in space 'T2w'", "MNI, T1w"])
    files.plan.write_text(plan + '\n[maps]\nspace = "T1w"\n')
    assert raphe("run", files.root, files.out, "participant").code == 0
    assert all("space-T1w" in name for name in maps_of(files))


def test_a_scan_without_an_image_is_refused_before_any_work(files, images, raphe, refused):
    next(files.table.parent.glob("*_pet.nii.gz")).unlink()
    refused("run", files.root, files.out, "all", "--maps", words=["there is no dynamic image of this scan"])


def test_without_being_asked_no_maps_are_made(files, images, raphe):
    assert raphe("run", files.root, files.out, "participant").code == 0
    assert not maps_of(files)


def test_a_changed_image_is_mapped_anew(files, images, raphe):
    assert raphe("run", files.root, files.out, "participant", "--maps").code == 0
    path = next(files.table.parent.glob("*_pet.nii.gz"))
    image = nibabel.load(path)
    nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj) * np.float32(0.5), image.affine), path)
    before = {name: found.read_bytes() for name, found in maps_of(files).items()}
    assert raphe("run", files.root, files.out, "participant", "--maps").code == 0
    after = {name: found.read_bytes() for name, found in maps_of(files).items()}
    changed = {name for name in before if before[name] != after[name]}
    assert any("meas-R1_mimap" in name for name in changed)
