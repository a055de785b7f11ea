"""The sections of the report, each a partial page and the function that reads its values."""
