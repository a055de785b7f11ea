"""The statistics of a study: a table of predictions in, values, comparisons and answers out."""
