"""Maps are written as nibabel reads them, on the grid of their image."""

import json

import nibabel
import numpy as np
import pytest

from raphe.errors import OutputError
from raphe.io import mimap
from raphe.io.derivatives import map_sidecar
from raphe.io.derivatives import mimap as name
from raphe.io.mimap import write_mimap
from raphe.io.nifti import open_image

AFFINE = np.diag([-2.0, 2, 3, 1])


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("block", [1 << 18, 37])
@pytest.mark.parametrize("endianness", ["<", ">"])
def test_a_map_holds_its_values_and_nothing_else(tmp_path, monkeypatch, kind, block, endianness):
    monkeypatch.setattr(mimap, "BLOCK", block)
    shape = (6, 5, 4)
    header = kind.header_class(endianness=endianness)
    header.set_data_dtype("i2")
    header.set_xyzt_units("mm", "sec")
    image = kind(np.ones((*shape, 3)), AFFINE, header)
    image.set_qform(AFFINE, 1)
    image.set_sform(AFFINE, 2)
    nibabel.save(image, tmp_path / "pet.nii")
    source = open_image(tmp_path / "pet.nii")
    voxels = np.array([0, 3, 36, 37, 40, 80, 119])
    numbers = np.arange(7, dtype=np.float32) / 3
    for values in (numbers, numbers.astype(np.uint8)):
        path = tmp_path / "map.nii.gz"
        write_mimap(path, source, voxels, [values[:3], values[3:3], values[3:]], {"Units": "1/min"})
        found = nibabel.load(path)
        truth = np.full(120, 255 if values.dtype == np.uint8 else np.nan)
        truth[voxels] = values
        np.testing.assert_array_equal(np.asarray(found.dataobj).ravel(order="F"), truth)
        assert found.get_data_dtype() == values.dtype
        assert found.shape == shape
        np.testing.assert_array_equal(found.affine, AFFINE)
        assert (found.header["qform_code"], found.header["sform_code"]) == (1, 2)
        assert found.header.get_xyzt_units()[0] == "mm"
        assert (found.header["scl_slope"], found.header["scl_inter"]) != (0, 1)
        first = path.read_bytes()
        write_mimap(path, source, voxels, [values], {"Units": "1/min"})
        assert path.read_bytes() == first  # neither the clock nor the pieces stand in the file
    assert json.loads(map_sidecar(path).read_text()) == {"Units": "1/min"}
    with pytest.raises(OutputError, match="cannot be written"):
        write_mimap(tmp_path / "none" / "map.nii.gz", source, voxels, [numbers], {})


@pytest.mark.parametrize(
    ("image", "made"),
    [
        ("sub-01_ses-a_trc-DASB_desc-preproc_pet.nii.gz", "sub-01_ses-a_trc-DASB_model-SRTM_meas-BPND_mimap.nii.gz"),
        ("sub-01_space-T1w_pet.nii", "sub-01_space-T1w_model-SRTM_meas-BPND_mimap.nii.gz"),
        ("sub-01_space-MNI_pvc-GTM_desc-x_pet.nii.zst", "sub-01_space-MNI_pvc-GTM_model-SRTM_meas-BPND_mimap.nii.gz"),
        ("scan.v2.nii.gz", "scan.v2_model-SRTM_meas-BPND_mimap.nii.gz"),
        ("pet.nii", "model-SRTM_meas-BPND_mimap.nii.gz"),
    ],
)
def test_names(tmp_path, image, made):
    assert name(tmp_path, tmp_path / image, "SRTM", "BPND") == tmp_path / made
    assert name(tmp_path, tmp_path / image, "SRTM", "BPND", "se").name == made.replace("_mimap", "_stat-se_mimap")
