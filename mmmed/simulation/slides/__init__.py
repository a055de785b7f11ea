"""Whole slides as pyramidal TIFF, each level drawn by the law of simulated tissue."""
