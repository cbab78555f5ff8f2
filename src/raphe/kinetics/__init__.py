"""Kinetic models and their fit."""
