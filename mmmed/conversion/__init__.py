"""A folder of DICOM to NIfTI, sidecars and an index that accounts for every file."""
