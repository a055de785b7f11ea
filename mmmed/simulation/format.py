"""The number of the format of simulated trees."""

FORMAT = 1
"""Raised when the same settings give other files: what was written before is then not gone on with,
nor found in the cache."""
