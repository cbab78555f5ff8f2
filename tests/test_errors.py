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
        ("1", ("01", "10"), "did you mean '01'? The zeros are part of the name; there are 01, 10"),
        ("sub-003", ("sub-3",), "did you mean 'sub-3'? The zeros are part of the name; there is only sub-3"),
        ("V10", ("v100", "V1"), "did you mean 'v100' or 'V1'?"),
    ],
)
def test_the_nearest_names_are_the_way_out(name, known, said):
    assert nearest(name, known) == said
