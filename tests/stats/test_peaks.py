import numpy as np
import pytest

from raphe.errors import InputError
from raphe.stats.peaks import peaks

AFFINE = np.array([[-2.0, 0, 0, 90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]])


def volume(**at):
    """Zeros with values at voxels, written as ``v1_2_3=4.0``."""
    values = np.zeros((20, 20, 20))
    for place, value in at.items():
        values[tuple(int(i) for i in place[1:].split("_"))] = value
    return values


def test_places_values_clusters_and_regions():
    values = volume(v5_5_5=4.0, v5_5_6=3.0, v15_10_5=-5.0)
    clusters, regions = np.zeros(values.shape, int), np.zeros(values.shape, int)
    clusters[5, 5, 5:7], clusters[15, 10, 5] = 1, -2
    regions[5, 5, 5], regions[15, 10, 5] = 26, 7
    found = peaks(values, AFFINE, 2.0, clusters=clusters, regions=regions, names={26: "accumbens"})
    assert [(p.x, p.y, p.z, p.value, p.cluster, p.region, p.voxel) for p in found] == [
        (60, -106, -62, -5, 2, "7", (15, 10, 5)),
        (80, -116, -62, 4, 1, "accumbens", (5, 5, 5)),
    ]


@pytest.mark.parametrize(("distance", "count"), [(0, 3), (8, 3), (8.1, 2), (30, 1)])
def test_of_near_peaks_the_highest_is_kept(distance, count):
    found = peaks(volume(v5_5_5=4.0, v5_5_9=5.0, v5_15_5=3.0), AFFINE, 1.0, distance=distance)
    assert len(found) == count
    assert found[0].value == 5


def test_a_neighbour_by_a_corner_is_one():
    assert len(peaks(volume(v5_5_5=4.0, v6_6_6=5.0), AFFINE, 1.0, distance=0)) == 1
    assert len(peaks(volume(v5_5_5=-4.0, v6_6_6=5.0), AFFINE, 1.0, distance=0)) == 2


def test_no_value_is_no_peak_and_hides_none():
    values = volume(v5_5_5=4.0)
    values[5, 5, 6] = np.nan
    assert [p.voxel for p in peaks(values, AFFINE, 1.0)] == [(5, 5, 5)]
    assert peaks(values, AFFINE, 4.1) == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"regions": np.zeros((3, 3, 3), int)}, r"volume of regions has shape \(3, 3, 3\), the map \(20, 20, 20\)"),
        ({"clusters": np.zeros((3, 3, 3), int)}, "volume of clusters has shape"),
        ({"distance": -1.0}, "-1 mm apart cannot be sought"),
    ],
    ids=["regions", "clusters", "distance"],
)
def test_bad_input_is_said(options, message):
    with pytest.raises(InputError, match=message):
        peaks(volume(), AFFINE, 1.0, **options)
