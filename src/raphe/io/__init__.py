"""Files in and out: the one door for units."""
