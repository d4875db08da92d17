"""A crop to scores: the networks, their weights and calibration."""
