"""The suite as it is shipped."""

import pytest

from raphe.conformance.suite import Suite


@pytest.fixture(scope="session")
def suite() -> Suite:
    return Suite()
