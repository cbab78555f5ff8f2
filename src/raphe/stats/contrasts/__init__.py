"""Planned comparisons of regions: a module for each kind."""
