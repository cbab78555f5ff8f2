"""What a check found: a fault or a doubt about the data, for a person to read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One remark about the data.

    Parameters
    ----------
    severity : {"error", "warning"}
        An error makes the file unusable as it is; a warning is for a person to read.
    path : Path
        The file or folder that the remark is about.
    field : str
        Field, column or entity; empty where the whole file is meant.
    message : str
        One paragraph that can stand alone: what, where, the value and the way out.
    """

    severity: Literal["error", "warning"]
    path: Path
    field: str
    message: str
