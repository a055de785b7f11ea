"""DICOM: from files of any kind to the series they make, and from a series to volumes."""
