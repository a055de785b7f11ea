"""Proof that hidden scans were not used: a run is repeated with something else in their place.

poison   what takes the place of a hidden scan: noise of its own kind, or another case's scan
shadow   a folder that shows a cohort's files as they are, the poisoned ones apart
pass     one pattern for each test case; what a case owns beyond it is poisoned
fault    a result that depends on a scan that was said to be hidden, or a table that says otherwise

A shadow is read, prepared and predicted from the beginning, by the same code as the run. So it does
not matter where a leak is: in the reading of a cohort, in preparation, in a cache, in the loader or
in a model. Whatever reaches a result changes its bits.
"""
