"""A simulated hospital: the cohort's scans as DICOM Studies, with planted faults and the truth.

order    one series as it is to be written: whose, which values, which attributes, how encoded
way      how a PET states its values: units, decay correction, a vendor's private factors
fault    something that goes wrong on the way to a disk, planted in a study of its own
truth    a row of `truth.tsv`: what must come out of a series or a file

The same seed gives the same bytes. No person was scanned; names and dates are made up.
"""
