"""Measurements, as ratios in one run where they can be; never timed tests."""
