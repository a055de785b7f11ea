"""Joint embedding of unimodal models, on unpaired cohorts."""
