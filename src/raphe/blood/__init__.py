"""Plasma input: parent fraction, plasma-to-blood ratio, arterial curves, dispersion and image-derived input."""
