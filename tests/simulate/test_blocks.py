import nibabel
import numpy as np

from raphe.io.curves import read_curves
from raphe.io.dynamic import open_dynamic
from raphe.simulate.blocks import main
from raphe.simulate.study import simulate_study


def test_the_blocks_have_the_curves_of_the_table(tmp_path, capsys):
    study = tmp_path / "study"
    simulate_study("test-retest", study, participants=1, tacs_only=True)
    table = next(study.glob("derivatives/**/*_ses-baseline_trc-DASB_*_tacs.tsv"))
    out = tmp_path / "sub-01_pet.nii.gz"
    assert main([str(table), str(out)]) == 0
    (told,) = capsys.readouterr().out.splitlines()
    labels, data = nibabel.load(told).get_fdata(), nibabel.load(out).get_fdata()
    tacs = read_curves(table).tacs
    for number, name in enumerate(tacs.names, start=1):
        np.testing.assert_allclose(data[labels == number], np.tile(tacs.curve(name), (64, 1)), rtol=1e-6)
    assert (data[labels == 0] == 0).all()
    image = open_dynamic(out)
    np.testing.assert_allclose(image.frames.mid, tacs.frames.mid, rtol=1e-6)
    assert image.half_life == read_curves(table).half_life
    assert main([str(table), str(tmp_path / "pet.nii")]) == 2
    assert main([str(tmp_path / "none.tsv"), str(out)]) == 2
    assert main([]) == 2
