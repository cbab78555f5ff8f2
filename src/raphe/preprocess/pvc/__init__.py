"""Partial-volume correction: one file a method, found by a scan of this folder."""
