"""Methods that the published ones are measured against."""
