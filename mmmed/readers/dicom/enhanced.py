"""Enhanced and legacy-converted enhanced files: many frames, each described by functional groups.

functional group   a sequence of one item that says one thing of a frame: where it lies, its echo;
                   it stands with the frame, or once for all of them (PS3.3, C.7.6.16)

highdicom reads these too, but refuses files without a frame of reference and makes one volume only;
here every frame is read as it stands, and the tests compare with highdicom.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pydicom

from mmmed.errors import SeriesError
from mmmed.readers.dicom.classic import (
    INSTANCE_UID,
    PER_FRAME,
    REFERENCE,
    check_directions,
    check_position,
    check_spacing,
    instance_number,
    read_stored,
)
from mmmed.readers.dicom.damage import DAMAGED
from mmmed.readers.dicom.elements import Elements, read_data_set
from mmmed.readers.dicom.frame import Frame, Stored, triple
from mmmed.readers.dicom.quantity import spelled
from mmmed.readers.dicom.remark import MAPPED, SCALED, remarks, surplus
from mmmed.readers.dicom.rescale import of_philips
from mmmed.readers.silence import silent

_DIMENSIONS = {
    "StackID": (("FrameContentSequence", "StackID"),),
    "EchoNumbers": (("UnassignedPerFrameConvertedAttributesSequence", "EchoNumbers"),),
    "EchoTime": (
        ("MREchoSequence", "EffectiveEchoTime"),
        ("UnassignedPerFrameConvertedAttributesSequence", "EchoTime"),
    ),
    "ComplexImageComponent": (("MRImageFrameTypeSequence", "ComplexImageComponent"),),
    "ImageType": (
        ("MRImageFrameTypeSequence", "FrameType"),
        ("PETFrameTypeSequence", "FrameType"),
        ("CTImageFrameTypeSequence", "FrameType"),
    ),
    "InversionTime": (("MRModifierSequence", "InversionTimes"),),
    "FlipAngle": (("MRTimingAndRelatedParametersSequence", "FlipAngle"),),
    "BValue": (("MRDiffusionSequence", "DiffusionBValue"),),
    "GradientOrientation": (
        ("MRDiffusionSequence", "DiffusionGradientDirectionSequence"),
        ("MRDiffusionSequence", "DiffusionDirectionality"),
    ),
    "TemporalPositionIndex": (("FrameContentSequence", "TemporalPositionIndex"),),
    "TemporalPositionIdentifier": (
        ("UnassignedPerFrameConvertedAttributesSequence", "TemporalPositionIdentifier"),
    ),
    "TemporalPositionTimeOffset": (("TemporalPositionSequence", "TemporalPositionTimeOffset"),),
    "ASLContext": (("MRArterialSpinLabelingSequence", "ASLContext"),),
    "VelocityEncodingDirection": (("MRVelocityEncodingSequence", "VelocityEncodingDirection"),),
    "VelocityEncodingMaximumValue": (
        ("MRVelocityEncodingSequence", "VelocityEncodingMaximumValue"),
    ),
    "RespiratoryTriggerDelayTime": (
        ("RespiratorySynchronizationSequence", "NominalRespiratoryTriggerDelayTime"),
    ),
    "TubeVoltage": (("CTXRayDetailsSequence", "KVP"),),
    "ReceiveCoilName": (("MRReceiveCoilSequence", "ReceiveCoilName"),),
    "FrameReferenceTime": (("FrameContentSequence", "FrameReferenceDateTime"),),
    "TriggerTime": (
        ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
        ("UnassignedPerFrameConvertedAttributesSequence", "TriggerTime"),
    ),
    "AcquisitionNumber": (("FrameContentSequence", "FrameAcquisitionNumber"),),
    "AcquisitionDateTime": (("FrameContentSequence", "FrameAcquisitionDateTime"),),
}
"""Name of a dimension -> the functional groups and attributes that state it; the first counts."""

_PHILIPS_FRAME, _PHILIPS_SCALE, _PHILIPS_CREATOR = 0x2005140F, 0x2005100E, 0x20050010


def is_enhanced(elements: Elements) -> bool:
    """Whether a file describes its frames by functional groups."""
    return PER_FRAME in elements.values


def read_frames(elements: Elements) -> tuple[Frame, ...]:
    """Every frame of an enhanced file.

    Raises:
        SeriesError: functional groups are missing, malformed or fewer than the frames.
    """
    stored = read_stored(elements)
    data_set = read_data_set(elements.path)
    try:
        with silent():
            return tuple(_frames(elements, stored, data_set))
    except SeriesError:
        raise
    except DAMAGED as error:
        why = " ".join(str(error).split())[:120]
        raise SeriesError(f"{elements.path}: malformed functional groups ({why})") from error


def _frames(elements: Elements, stored: Stored, data_set: pydicom.Dataset) -> Iterator[Frame]:
    shared = data_set.get("SharedFunctionalGroupsSequence") or [pydicom.Dataset()]
    groups = data_set.PerFrameFunctionalGroupsSequence
    if len(groups) != stored.frames:
        raise SeriesError(
            f"{elements.path}: states {stored.frames} frames and describes {len(groups)}; "
            "export it again"
        )
    uid, reference = elements.text(INSTANCE_UID), elements.text(REFERENCE)
    first = (instance_number(elements) or 0) << 24
    told = surplus(stored) + remarks(elements)
    for index, group in enumerate(groups):
        where = f"{elements.path} frame {index + 1}"
        one = _Groups(group, shared[0], data_set, where=where)
        frame = one.frame(stored, index)
        yield dataclasses.replace(
            frame,
            uid=f"{uid} frame {index + 1}",
            number=first + index,
            reference=reference,
            notes=tuple(dict.fromkeys(told + frame.notes)),
        )


@dataclasses.dataclass(frozen=True)
class _Groups:
    """The functional groups of one frame: its own, then those of all; and the top level."""

    own: pydicom.Dataset
    shared: pydicom.Dataset
    top: pydicom.Dataset
    where: str

    def frame(self, stored: Stored, index: int) -> Frame:
        orientation = self._numbers("PlaneOrientationSequence", "ImageOrientationPatient", 6)
        row, column = triple(orientation[:3]), triple(orientation[3:])
        check_directions(row, column, where=self.where)
        spacing = self._numbers("PixelMeasuresSequence", "PixelSpacing", 2)
        check_spacing(spacing[0], spacing[1], where=self.where)
        position = triple(self._numbers("PlanePositionSequence", "ImagePositionPatient", 3))
        check_position(position, where=self.where)
        slope, intercept, scaled = self._rescale()
        return Frame(
            stored=stored,
            index=index,
            corner=(0, 0),
            uid="",
            number=index,
            rows=stored.rows,
            columns=stored.columns,
            position=position,
            along_row=row,
            along_column=column,
            spacing=(spacing[0], spacing[1]),
            thickness=_length(self._value("PixelMeasuresSequence", "SliceThickness")),
            gap=_length(self._value("PixelMeasuresSequence", "SpacingBetweenSlices")),
            slope=slope,
            intercept=intercept,
            rescaled=self._transformed("RescaleSlope") is not None,
            notes=self._notes(scaled),
            reference="",
            dimensions=self._dimensions(),
        )

    def _value(self, group: str, attribute: str) -> object:
        """An attribute of a functional group; None where it is absent or empty."""
        for source in (self.own, self.shared):
            item = (source.get(group) or [None])[0]
            value = None if item is None else item.get(attribute)
            if value is not None and str(value) != "":
                return value
        return None

    def _numbers(self, group: str, attribute: str, count: int) -> tuple[float, ...]:
        value = self._value(group, attribute)
        if value is None:
            raise SeriesError(
                f"{self.where}: {attribute} in {group} missing; where its pixels lie is unknown"
            )
        numbers = tuple(float(one) for one in value)  # type: ignore[attr-defined]  # else TypeError
        if len(numbers) != count or not all(abs(one) < float("inf") for one in numbers):
            raise SeriesError(f"{self.where}: {attribute} is {numbers}, not {count} finite numbers")
        return numbers

    def _rescale(self) -> tuple[float, float, bool]:
        slope, intercept = self._transformed("RescaleSlope"), self._transformed("RescaleIntercept")
        private = self.own.get(_PHILIPS_FRAME)
        item = private.value[0] if private is not None and private.VR == "SQ" else None
        scale = None
        if item is not None and "Philips MR Imaging DD 001" in str(item.get(_PHILIPS_CREATOR, "")):
            scale = item[_PHILIPS_SCALE].value if _PHILIPS_SCALE in item else None
        return of_philips(
            1.0 if slope is None else float(str(slope)),
            0.0 if intercept is None else float(str(intercept)),
            scale=scale,
            where=self.where,
        )

    def _notes(self, scaled: bool) -> tuple[str, ...]:
        mapped = self._value("RealWorldValueMappingSequence", "RealWorldValueSlope") is not None
        return (SCALED,) * scaled + (MAPPED,) * mapped

    def _transformed(self, attribute: str) -> object:
        """Of Pixel Value Transformation; some files state it as classic ones do."""
        value = self._value("PixelValueTransformationSequence", attribute)
        return self.top.get(attribute) if value is None else value

    def _dimensions(self) -> dict[str, str]:
        found = {}
        for name, sources in _DIMENSIONS.items():
            value = next(filter(None, (_text(self._value(*source)) for source in sources)), "")
            if value:
                found[name] = value
        indices = self._value("FrameContentSequence", "DimensionIndexValues")
        found |= {f"Index{place}": value for place, value in enumerate(_texts(indices), start=1)}
        return found


def _text(value: object) -> str:
    """A value of any kind, numbers spelled in one way; of a sequence, the gradient's direction."""
    if isinstance(value, pydicom.Sequence):
        return _text(value[0].get("DiffusionGradientOrientation")) if len(value) else ""
    return "\\".join(_texts(value))


def _texts(value: object) -> list[str]:
    if value is None:
        return []
    parts = value if isinstance(value, (list, pydicom.multival.MultiValue)) else [value]
    return [spelled([one]) if isinstance(one, (int, float)) else str(one) for one in parts]


def _length(value: object) -> float | None:
    return None if value is None else abs(float(str(value))) or None
