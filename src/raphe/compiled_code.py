"""Where compiled code is kept between runs: beside the sources, or else where this user may write."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

CACHE = "NUMBA_CACHE_DIR"


def keep_compiled_code() -> None:
    """See that numba finds a place for what it compiles, which else ends the program.

    It takes the folders of the sources, or the user's own cache; neither may be written to in a container or on a
    cluster's node. A temporary folder of this user's alone is its place then.
    """
    if os.environ.get(CACHE) or _writable(Path(__file__).parent) or _writable(_own_cache()):
        return
    folder = Path(tempfile.gettempdir()) / f"raphe-compiled-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.stat()
        if folder.is_symlink() or status.st_uid != os.getuid() or status.st_mode & 0o077:
            folder = Path(tempfile.mkdtemp(prefix="raphe-compiled-"))  # code is loaded from it: nobody else's will do
    except OSError:
        return
    os.environ[CACHE] = str(folder)


def _own_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())


def _writable(folder: Path) -> bool:
    """Whether a folder can be written to, or made by the nearest one that there is."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
