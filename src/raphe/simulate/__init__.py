"""Studies of known truth."""
