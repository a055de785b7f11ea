"""The methods of a study as a paper tells them, each sentence from the record of the run.

What the record does not hold is `not recorded`; nothing is said of what was meant.
"""
