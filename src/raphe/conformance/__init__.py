"""The conformance suite: cases of known truth that any package can fit, and what raphe makes of them."""

from pathlib import Path

SUITE = Path(__file__).parent / "suite"
"""Where the files of the suite lie in the package."""
