"""Prepared scans as a BIDS derivative that can be read as data again."""
