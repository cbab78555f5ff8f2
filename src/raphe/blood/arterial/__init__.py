"""Models of an arterial curve, one a file."""
