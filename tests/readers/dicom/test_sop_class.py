"""SOP classes fall into families by the standard's own list."""

from __future__ import annotations

import pytest
from pydicom import uid
from pydicom._uid_dict import UID_dictionary

from mmmed.readers.dicom.sop_class import VOLUME, family, name

VOLUMES = (
    uid.CTImageStorage,
    uid.EnhancedCTImageStorage,
    uid.LegacyConvertedEnhancedCTImageStorage,
    uid.MRImageStorage,
    uid.EnhancedMRImageStorage,
    uid.LegacyConvertedEnhancedMRImageStorage,
    uid.PositronEmissionTomographyImageStorage,
    uid.LegacyConvertedEnhancedPETImageStorage,
    uid.EnhancedPETImageStorage,
)
STORED = [
    one
    for one, (title, kind, *_) in UID_dictionary.items()
    if kind == "SOP Class" and "Storage" in title and "Commitment" not in title
]


def test_nine_classes_make_volumes_and_no_other() -> None:
    assert {one for one in STORED if family(one) is VOLUME} == set(VOLUMES)


def test_no_storage_class_of_the_standard_is_unknown() -> None:
    assert [name(one) for one in STORED if family(one).code == "unknown-class"] == []


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (uid.ComprehensiveSRStorage, "report"),
        (uid.XRayRadiationDoseSRStorage, "report"),
        (uid.KeyObjectSelectionDocumentStorage, "key-objects"),
        (uid.RTStructureSetStorage, "radiotherapy"),
        (uid.RTDoseStorage, "radiotherapy"),
        (uid.GrayscaleSoftcopyPresentationStateStorage, "presentation-state"),
        (uid.RawDataStorage, "raw-data"),
        (uid.SpatialRegistrationStorage, "registration"),
        (uid.SegmentationStorage, "segmentation"),
        (uid.VLWholeSlideMicroscopyImageStorage, "slide-microscopy"),
        (uid.SecondaryCaptureImageStorage, "secondary-capture"),
        (uid.MultiFrameGrayscaleWordSecondaryCaptureImageStorage, "secondary-capture"),
        (uid.EncapsulatedPDFStorage, "document"),
        (uid.TwelveLeadECGWaveformStorage, "waveform"),
        (uid.MRSpectroscopyStorage, "spectroscopy"),
        (uid.EnhancedMRColorImageStorage, "colour"),
        (uid.MediaStorageDirectoryStorage, "directory"),
        (uid.NuclearMedicineImageStorage, "nuclear-medicine"),
        ("1.2.840.10008.5.1.4.1.1.88.999", "report"),
        ("1.2.840.10008.5.1.4.1.1.999", "unknown-class"),
        ("1.3.12.2.1107.5.9.1", "private-class"),
    ],
)
def test_an_object_is_called_by_its_family(one: str, code: str) -> None:
    assert family(one).code == code
