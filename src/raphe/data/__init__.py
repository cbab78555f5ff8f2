"""Immutable values: what flows between the parts of the program. No arithmetic beyond their own consistency."""
