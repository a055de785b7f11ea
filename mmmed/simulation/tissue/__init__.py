"""Stained tissue at four magnifications, with a known law."""
