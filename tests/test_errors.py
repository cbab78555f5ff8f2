import pytest

from raphe.errors import nearest


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("putmen", ("caudate", "Putamen"), "did you mean 'Putamen'?"),
        ("SRMT", ("SRTM", "MRTM2"), "did you mean 'SRTM'?"),
        ("mrtm", ("SRTM2", "MRTM1", "MRTM2"), "did you mean 'MRTM2' or 'MRTM1' or 'SRTM2'?"),
        ("xyz", ("a", "b"), "there are a, b"),
        ("xyz", map(str, range(20)), "there are 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 8 more"),
        ("xyz", (), "there are none"),
    ],
)
def test_the_nearest_names_are_the_way_out(name, known, said):
    assert nearest(name, known) == said
