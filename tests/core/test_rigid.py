import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from raphe.core import rigid

NUMBERS = st.floats(-1.4, 1.4)
CENTRE = (10.0, -20.0, 5.0)


@given(st.lists(NUMBERS, min_size=6, max_size=6))
def test_matrix_is_that_of_scipys_rotations(values):
    made = rigid.matrix(values, CENTRE)
    turn = Rotation.from_euler("xyz", values[3:]).as_matrix()
    np.testing.assert_allclose(made[:3, :3], turn, atol=1e-12)
    np.testing.assert_allclose(made @ [*CENTRE, 1], [*(np.array(CENTRE) + values[:3]), 1], atol=1e-12)


@given(st.lists(NUMBERS, min_size=6, max_size=6))
def test_pose_undoes_matrix(values):
    np.testing.assert_allclose(rigid.pose(rigid.matrix(values, CENTRE), CENTRE), values, atol=1e-10)


def test_shifts_are_distances():
    quarter = rigid.matrix([0, 0, 0, 0, 0, np.pi / 2], (0, 0, 0))
    np.testing.assert_allclose(rigid.shifts(quarter, np.array([[1.0, 0, 0], [0, 0, 7]])), [np.sqrt(2), 0], atol=1e-12)
