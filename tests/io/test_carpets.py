import numpy as np

from raphe.data.carpet import Carpet
from raphe.io.carpets import read_carpets, write_carpets


def test_carpets_come_back_as_they_were_written(tmp_path):
    values = np.round(np.random.default_rng(2).normal(0, 0.2, (5, 12)), 3)
    values[0, 0] = np.nan
    tissue = ("grey matter", "grey matter", "white matter", "fluid", "reference")
    there = {"as measured": Carpet(tissue, values), "without head motion": Carpet(tissue, -values)}
    path = tmp_path / "sub-01_carpet.tsv"
    write_carpets(path, there, {})
    found = read_carpets(path)
    assert list(found) == list(there)
    for name, carpet in there.items():
        assert found[name].tissue == tissue
        np.testing.assert_array_equal(found[name].departure, carpet.departure)
