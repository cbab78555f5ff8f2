"""Models of the parent fraction, one a file."""
