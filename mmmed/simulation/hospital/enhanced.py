"""From an order to one enhanced DICOM file that holds all slices, MR or PET.

What classic files state at their top stands in functional groups here, shared by all frames
(DICOM PS3.3 C.7.6.16, C.8.13, C.8.22).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedMRImageStorage, EnhancedPETImageStorage

from mmmed.simulation.hospital.files import (
    AXIAL,
    common,
    item_of,
    pixels_of,
    position,
    spacing,
    step,
)
from mmmed.simulation.hospital.identity import uid
from mmmed.simulation.hospital.order import Order


def enhanced(order: Order) -> Dataset:
    """All slices of an order in one data set, pixels not encoded yet."""
    planes = [pixels_of(order, index) for index in range(order.values.shape[2])]
    pet = order.attributes["Modality"] == "PT"
    kind = EnhancedPETImageStorage if pet else EnhancedMRImageStorage
    whole = common(order, np.stack(planes), kind, "whole")
    whole.NumberOfFrames = len(planes)
    whole.ContentDate, whole.ContentTime = "20310303", "100000"
    groups = {**_geometry(order), **_scale(order), **(_unit(order) if pet else _timing(order))}
    whole.SharedFunctionalGroupsSequence = [
        item_of(**{name: [item_of(**values)] for name, values in groups.items()})
    ]
    whole.PerFrameFunctionalGroupsSequence = [_frame(order, index) for index in range(len(planes))]
    whole.DimensionOrganizationSequence = [item_of(DimensionOrganizationUID=uid(order.uid, "axes"))]
    whole.DimensionIndexSequence = [
        item_of(
            DimensionOrganizationUID=uid(order.uid, "axes"),
            DimensionIndexPointer=pointer,
            FunctionalGroupPointer=0x00209111,
        )
        for pointer in (0x00209056, 0x00209057)
    ]
    return whole


Groups = dict[str, Mapping[str, Any]]
"""Functional group -> keyword -> value."""


def _geometry(order: Order) -> Groups:
    return {
        "PlaneOrientationSequence": {"ImageOrientationPatient": AXIAL},
        "PixelMeasuresSequence": {
            "PixelSpacing": spacing(order),
            "SliceThickness": step(order),
            "SpacingBetweenSlices": step(order),
        },
        "FrameAnatomySequence": {
            "FrameLaterality": "U",
            "AnatomicRegionSequence": [_code("69536005", "SCT", "Head")],
        },
    }


def _scale(order: Order) -> Groups:
    return {
        "PixelValueTransformationSequence": {
            "RescaleSlope": order.slope,
            "RescaleIntercept": order.intercept,
            "RescaleType": "US",
        }
    }


def _timing(order: Order) -> Groups:
    """What an MR states of its sequence, from the order's `groups`."""
    return {
        "MREchoSequence": {"EffectiveEchoTime": order.groups["echo_ms"]},
        "MRModifierSequence": {"InversionTimes": [order.groups["inversion_ms"]]},
        "MRTimingAndRelatedParametersSequence": {
            "RepetitionTime": order.groups["repetition_ms"],
            "FlipAngle": order.groups["flip_degrees"],
        },
        "MRImageFrameTypeSequence": {"FrameType": order.attributes["ImageType"]},
    }


def _unit(order: Order) -> Groups:
    """What the rescaled values of a PET are: activity, by a mapping that repeats the rescale."""
    return {
        "PETFrameTypeSequence": {"FrameType": order.attributes["ImageType"]},
        "RealWorldValueMappingSequence": {
            "RealWorldValueSlope": float(order.slope),
            "RealWorldValueIntercept": float(order.intercept),
            "MeasurementUnitsCodeSequence": [_code("Bq/ml", "UCUM", "Becquerels/milliliter")],
        },
    }


def _frame(order: Order, index: int) -> Dataset:
    content = item_of(
        StackID="1", InStackPositionNumber=index + 1, DimensionIndexValues=[1, index + 1]
    )
    return item_of(
        FrameContentSequence=[content],
        PlanePositionSequence=[item_of(ImagePositionPatient=position(order, index))],
    )


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    return item_of(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)
