"""From an order to classic DICOM files, one slice each, and what enhanced ones share with them.

Slices are axial; rows run to posterior, columns to the left, so that Image Orientation (Patient) is
1 0 0 0 1 0 and a stored slice is the volume's plane with both axes reversed.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
)

from mmmed.simulation.hospital.identity import uid
from mmmed.simulation.hospital.order import Order

AXIAL = ["1", "0", "0", "0", "1", "0"]
CORONAL = ["1", "0", "0", "0", "0", "-1"]
KINDS = {
    "MR": MRImageStorage,
    "PT": PositronEmissionTomographyImageStorage,
    "CT": CTImageStorage,
}
"""Modality -> SOP Class."""


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


def encoded(order: Order, dataset: Dataset) -> bytes:
    """The file of a data set, its pixels in the order's transfer syntax."""
    if order.syntax != ExplicitVRLittleEndian:
        dataset.compress(order.syntax, generate_instance_uid=False)
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def common(order: Order, pixels: np.ndarray, sop_class: str, instance: str) -> Dataset:
    """What the order says of any of its files, and pixels: ([frames,] rows, columns)."""
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
        one.RadiopharmaceuticalInformationSequence = [item_of(**order.isotope)]
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


def item_of(**values: Any) -> Dataset:
    """The item of a sequence: keyword -> value."""
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def pixels_of(order: Order, index: int) -> np.ndarray:
    """(rows, columns) the stored plane of a slice."""
    return order.values[::-1, ::-1, index].T


def position(order: Order, index: int) -> list[str]:
    """Image Position (Patient) of a slice."""
    return _place(order, order.values.shape[1] - 1, index)


def spacing(order: Order) -> list[str]:
    """Pixel Spacing: between rows, between columns."""
    return [f"{order.affine[1, 1]:g}", f"{order.affine[0, 0]:g}"]


def step(order: Order) -> str:
    """Slice Thickness: slices touch each other."""
    return f"{order.affine[2, 2]:g}"


def _slice(order: Order, index: int) -> Dataset:
    one = _classic(order, pixels_of(order, index), index)
    one.ImageOrientationPatient = AXIAL
    one.ImagePositionPatient = position(order, index)
    one.PixelSpacing = spacing(order)
    one.SliceThickness = step(order)
    return one


def _classic(order: Order, pixels: np.ndarray, index: int) -> Dataset:
    """One image of a classic series, its geometry not stated yet."""
    one = common(order, pixels, KINDS[order.attributes["Modality"]], str(index))
    one.InstanceNumber = index + 1
    one.RescaleSlope, one.RescaleIntercept = order.slope, order.intercept
    return one


def _place(order: Order, j: int, k: int) -> list[str]:
    """LPS mm of the first stored pixel, which is the volume's last one in i."""
    x, y, z = (order.affine @ [order.values.shape[0] - 1, j, k, 1])[:3]
    return [f"{value:.6g}" for value in (-x, -y, z)]
