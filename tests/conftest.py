from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("raphe", derandomize=True, deadline=None)  # the same examples on every machine
settings.load_profile("raphe")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data for development; a test that reads it skips, saying so, where it is not there."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data beside the checkout ({folder})")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: where processes share the files, the longest do not remain for one of them."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
