"""What a drug does to binding: occupancy, dose and effect, competition."""
