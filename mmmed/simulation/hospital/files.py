"""From an order to DICOM files: classic, one slice each, or enhanced, all in one.

Slices are axial; rows run to posterior, columns to the left, so that Image Orientation (Patient) is
1 0 0 0 1 0 and a stored slice is the volume's plane with both axes reversed.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
)

from mmmed.simulation.hospital.identity import uid
from mmmed.simulation.hospital.order import Order

AXIAL = ["1", "0", "0", "0", "1", "0"]
CORONAL = ["1", "0", "0", "0", "0", "-1"]


def slices(order: Order) -> list[Dataset]:
    """One data set per slice, feet first, pixels not encoded yet."""
    return [_slice(order, index) for index in range(order.values.shape[2])]


def coronal(order: Order) -> list[Dataset]:
    """The same volume cut into coronal slices, numbered behind the axial ones."""
    found = []
    for index in range(order.values.shape[1]):
        pixels = order.values[::-1, index, ::-1].T
        one = _classic(order, pixels, order.values.shape[2] + index)
        one.ImageOrientationPatient = CORONAL
        one.ImagePositionPatient = _place(order, index, order.values.shape[2] - 1)
        one.PixelSpacing = [f"{order.affine[2, 2]:g}", f"{order.affine[0, 0]:g}"]
        one.SliceThickness = f"{order.affine[1, 1]:g}"
        found.append(one)
    return found


def enhanced(order: Order) -> Dataset:
    """All slices in one data set, with functional groups (DICOM PS3.3 C.7.6.16)."""
    planes = [_pixels(order, index) for index in range(order.values.shape[2])]
    whole = _common(order, np.stack(planes), EnhancedMRImageStorage, "whole")
    whole.NumberOfFrames = len(planes)
    whole.ContentDate, whole.ContentTime = "20310303", "100000"
    measures = _with(
        PixelSpacing=_spacing(order),
        SliceThickness=_step(order),
        SpacingBetweenSlices=_step(order),
    )
    whole.SharedFunctionalGroupsSequence = [
        _with(
            PlaneOrientationSequence=[_with(ImageOrientationPatient=AXIAL)],
            PixelMeasuresSequence=[measures],
            PixelValueTransformationSequence=[
                _with(RescaleSlope=order.slope, RescaleIntercept="0", RescaleType="US")
            ],
        )
    ]
    whole.PerFrameFunctionalGroupsSequence = [
        _with(
            FrameContentSequence=[
                _with(
                    StackID="1",
                    InStackPositionNumber=index + 1,
                    DimensionIndexValues=[1, index + 1],
                )
            ],
            PlanePositionSequence=[_with(ImagePositionPatient=_position(order, index))],
        )
        for index in range(len(planes))
    ]
    whole.DimensionOrganizationSequence = [_with(DimensionOrganizationUID=uid(order.uid, "axes"))]
    whole.DimensionIndexSequence = [
        _with(
            DimensionOrganizationUID=uid(order.uid, "axes"),
            DimensionIndexPointer=pointer,
            FunctionalGroupPointer=0x00209111,
        )
        for pointer in (0x00209056, 0x00209057)
    ]
    return whole


def encoded(order: Order, dataset: Dataset) -> bytes:
    """The file of a data set, its pixels in the order's transfer syntax."""
    if order.syntax != ExplicitVRLittleEndian:
        dataset.compress(order.syntax, generate_instance_uid=False)
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _slice(order: Order, index: int) -> Dataset:
    one = _classic(order, _pixels(order, index), index)
    one.ImageOrientationPatient = AXIAL
    one.ImagePositionPatient = _position(order, index)
    one.PixelSpacing = _spacing(order)
    one.SliceThickness = _step(order)
    return one


def _classic(order: Order, pixels: np.ndarray, index: int) -> Dataset:
    """One image of a classic series, its geometry not stated yet."""
    pet = order.attributes["Modality"] == "PT"
    kind = PositronEmissionTomographyImageStorage if pet else MRImageStorage
    one = _common(order, pixels, kind, str(index))
    one.InstanceNumber = index + 1
    one.RescaleSlope, one.RescaleIntercept = order.slope, "0"
    return one


def _common(order: Order, pixels: np.ndarray, sop_class: str, instance: str) -> Dataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class  # type: ignore[assignment]
    meta.MediaStorageSOPInstanceUID = uid(order.uid, instance)  # type: ignore[assignment]
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    one.SOPClassUID, one.SOPInstanceUID = sop_class, uid(order.uid, instance)
    one.StudyInstanceUID, one.SeriesInstanceUID = order.study, order.uid
    one.FrameOfReferenceUID = uid(order.patient, "frame of reference")
    one.PatientID, one.PatientName = order.patient, f"Simulated^{order.patient}"
    for keyword, value in order.attributes.items():
        setattr(one, keyword, value)
    if order.isotope:
        one.RadiopharmaceuticalInformationSequence = [_with(**order.isotope)]
    if order.private:
        block = one.private_block(0x7053, "Philips PET Private Group", create=True)
        for element, value in order.private.items():
            block.add_new(element, "DS", value)
    one.Rows, one.Columns = pixels.shape[-2:]
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.BitsAllocated = one.BitsStored = 16
    one.HighBit, one.PixelRepresentation = 15, 1
    one.PixelData = np.ascontiguousarray(pixels, dtype="<i2").tobytes()
    one["PixelData"].VR = "OW"
    return one


def _with(**values: Any) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def _pixels(order: Order, index: int) -> np.ndarray:
    return order.values[::-1, ::-1, index].T


def _position(order: Order, index: int) -> list[str]:
    return _place(order, order.values.shape[1] - 1, index)


def _place(order: Order, j: int, k: int) -> list[str]:
    """LPS mm of the first stored pixel, which is the volume's last one in i."""
    x, y, z = (order.affine @ [order.values.shape[0] - 1, j, k, 1])[:3]
    return [f"{value:.6g}" for value in (-x, -y, z)]


def _spacing(order: Order) -> list[str]:
    return [f"{order.affine[1, 1]:g}", f"{order.affine[0, 0]:g}"]


def _step(order: Order) -> str:
    return f"{order.affine[2, 2]:g}"
