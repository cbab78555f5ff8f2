"""The first use of a compiled part takes some seconds, and a user is told why."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

COMPILES = "numba:compile"
"""Event that numba tells when it compiles what is not in its cache."""


@contextmanager
def telling_of_compilation(say: Callable[[str], None]) -> Iterator[None]:
    """Say once that something is being compiled, where it is, inside the block."""
    if "numba" not in sys.modules:  # nothing that is compiled has been imported
        yield
        return
    from numba.core import event

    class Once(event.Listener):
        told = False

        def on_start(self, _: object) -> None:
            if not self.told:
                self.told = True
                say("compiling for the first use on this machine, which takes some seconds; it is kept for later")

        def on_end(self, _: object) -> None:
            pass

    listener = Once()
    event.register(COMPILES, listener)
    try:
        yield
    finally:
        event.unregister(COMPILES, listener)
