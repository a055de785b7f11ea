"""The first paragraph of a report: what was found, in words that a clinician can act on."""
