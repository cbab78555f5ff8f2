"""Models of the ratio of plasma to whole blood, one a file."""
