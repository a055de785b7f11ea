"""What the headers of a series say that helps to choose among the series of a DICOM Study.

fact   a plain value that one header of a series states, or that all of them state together.
       Where the headers do not say, it is None, "" or (): nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SeriesFacts:
    """One series as the choice sees it. Texts are one printable line.

    Attributes:
        study: Study Instance UID.
        uid: Series Instance UID.
        modality: (0008,0060): `MR`, `PT`, ...
        number: Series Number (0020,0011).
        description: Series Description (0008,103E).
        protocol: Protocol Name (0018,1030).
        image_type: values of Image Type (0008,0008): `ORIGINAL`, `PRIMARY`, ...; of enhanced
            images also those of Frame Type (0008,9007) and of Complex Image Component (0008,9208).
        body_part: Body Part Examined (0018,0015), or what the code of the anatomic region means.
        images: 2-D images of the series, frames of enhanced files counted.
        slices: different positions along the normal; fewer than `images` where the series holds
            several echoes, phases or times.
        rows: (0028,0010).
        columns: (0028,0011).
        pixel_mm: distance between the centres of neighbouring rows, and of columns.
        step_mm: distance between neighbouring slices along the normal, the usual one.
        missing_slices: how many more would fit into gaps between slices that are wider.
        orientations: different orientations of slices.
        normal: unit normal of the slices, patient coordinates (x left, y posterior, z head).
        dimensions: MR Acquisition Type (0018,0023): `2D` or `3D`.
        sequence: values of Scanning Sequence (0018,0020), or the pulse sequence's name.
        variant: values of Sequence Variant (0018,0021).
        repetition_ms: (0018,0080).
        echo_ms: (0018,0081) or, of enhanced images, (0018,9082); the shortest of the series.
        inversion_ms: (0018,0082) or (0018,9079).
        flip_degrees: (0018,1314).
        contrast_agent: Contrast/Bolus Agent (0018,0010), or what its code means.
        tracer: the substance of the radiopharmaceutical, by its name and its code; a nuclide
            alone is none.
        units: Units (0054,1001).
        corrections: values of Corrected Image (0028,0051); of enhanced images those that their
            flags say were made.
        decay_correction: (0054,1102).
        age_years: of the patient at the Study.
        sex: (0010,0040): `M`, `F` or `O`.
        site: Institution Name (0008,0080).
    """

    study: str
    uid: str
    modality: str = ""
    number: int | None = None
    description: str = ""
    protocol: str = ""
    image_type: tuple[str, ...] = ()
    body_part: str = ""
    images: int = 0
    slices: int | None = None
    rows: int | None = None
    columns: int | None = None
    pixel_mm: tuple[float, float] | None = None
    step_mm: float | None = None
    missing_slices: int | None = None
    orientations: int | None = None
    normal: tuple[float, float, float] | None = None
    dimensions: str = ""
    sequence: tuple[str, ...] = ()
    variant: tuple[str, ...] = ()
    repetition_ms: float | None = None
    echo_ms: float | None = None
    inversion_ms: float | None = None
    flip_degrees: float | None = None
    contrast_agent: str = ""
    tracer: str = ""
    units: str = ""
    corrections: tuple[str, ...] = ()
    decay_correction: str = ""
    age_years: float | None = None
    sex: str = ""
    site: str = ""

    @property
    def extent_mm(self) -> tuple[float, float, float] | None:
        """What the volume covers along columns, rows and normal; None where it cannot be known."""
        if not (self.rows and self.columns and self.slices and self.pixel_mm and self.step_mm):
            return None
        return (
            self.rows * self.pixel_mm[0],
            self.columns * self.pixel_mm[1],
            self.slices * self.step_mm,
        )

    @property
    def voxel_mm(self) -> tuple[float, float, float] | None:
        """The edges of a voxel along columns, rows and normal."""
        if not (self.pixel_mm and self.step_mm):
            return None
        return (*self.pixel_mm, self.step_mm)

    @property
    def head_to_foot_mm(self) -> float | None:
        """How much of the patient the volume covers from head to foot.

        It is the projection of the box of the volume onto the patient's long axis, the in-plane
        share being counted by the smaller side: how the plane is turned is not among the facts.
        """
        extent = self.extent_mm
        if extent is None or self.normal is None:
            return None
        along = abs(self.normal[2])
        across = float(np.sqrt(max(0.0, 1 - along**2)))
        return max(extent[2] * along, min(extent[0], extent[1]) * across)
