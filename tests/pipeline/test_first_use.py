from numba import njit

from raphe.pipeline.first_use import telling_of_compilation


def test_what_is_compiled_is_told_once():
    told = []
    with telling_of_compilation(told.append):
        one, other = (njit(lambda x: x + 1), njit(lambda x: x + 2))
        assert one(1) + other(1) == 5
        assert one(2) == 3
    njit(lambda x: x)(1)
    assert len(told) == 1
    assert "first use" in told[0]
