"""The public face: what ``import raphe`` offers."""

import importlib
import pkgutil

import pytest

import raphe


@pytest.mark.parametrize("name", raphe.__all__)
def test_a_name_means_the_same_whatever_else_is_imported(name):
    """A name that a package of raphe has too would mean the package once that is imported."""
    found = getattr(raphe, name)
    for module in pkgutil.iter_modules(raphe.__path__, "raphe."):
        importlib.import_module(module.name)
    assert getattr(raphe, name) is found


def test_a_name_that_there_is_not_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'fitt'"):
        raphe.fitt  # noqa: B018


def test_dir_lists_the_names():
    assert set(raphe.__all__) <= set(dir(raphe))
