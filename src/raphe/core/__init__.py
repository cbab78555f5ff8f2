"""Arithmetic on arrays: no file, no log, no progress, no hidden bound. Time is the last axis, others broadcast."""
