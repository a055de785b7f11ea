"""The JSON beside every simulated image, and the header inside it."""

from __future__ import annotations

from typing import Any

import nibabel
import numpy as np

from mmmed.readers.template import SPATIAL_REFERENCE

MNI_SPACE = 4
"""NIfTI's code for coordinates in MNI152 space."""


def nifti(volume: np.ndarray, affine: np.ndarray, *, slope: float) -> bytes:
    """An int16 volume (i, j, k) as the bytes of an uncompressed NIfTI-1 file.

    Args:
        volume: stored values.
        affine: (4, 4) voxel index to MNI mm.
        slope: what one stored unit stands for.
    """
    header: Any = nibabel.Nifti1Header()  # type: ignore[no-untyped-call]  # nibabel is untyped
    header.set_data_dtype(np.int16)
    header.set_data_shape(volume.shape)
    header.set_sform(affine, code=MNI_SPACE)
    header.set_qform(affine, code=MNI_SPACE)
    header.set_xyzt_units("mm")
    header.set_slope_inter(slope, 0)
    header["vox_offset"] = 352
    no_extension = bytes(4)
    return bytes(header.binaryblock) + no_extension + volume.astype("<i2").tobytes(order="F")


def t1w(site: str) -> dict[str, Any]:
    """The sidecar of a T1-weighted MRI."""
    return {
        "Modality": "MR",
        "Manufacturer": "simulated",
        "ManufacturersModelName": "mmmed T1",
        "InstitutionName": f"site {site}",
        "MagneticFieldStrength": 3,
        "SkullStripped": True,
        "SpatialReference": SPATIAL_REFERENCE,
    }


def pet(site: str) -> dict[str, Any]:
    """The sidecar of an FDG-PET: BIDS's required fields and the space."""
    return {
        "Modality": "PT",
        "Manufacturer": "simulated",
        "ManufacturersModelName": "mmmed PET",
        "InstitutionName": f"site {site}",
        "BodyPart": "BRAIN",
        "Units": "Bq/mL",
        "TracerName": "FDG",
        "TracerRadionuclide": "F18",
        "InjectedRadioactivity": 185,
        "InjectedRadioactivityUnits": "MBq",
        "InjectedMass": "n/a",
        "InjectedMassUnits": "n/a",
        "SpecificRadioactivity": "n/a",
        "SpecificRadioactivityUnits": "n/a",
        "ModeOfAdministration": "bolus",
        "TimeZero": "10:00:00",
        "ScanStart": 2700,
        "InjectionStart": 0,
        "FrameTimesStart": [0],
        "FrameDuration": [900],
        "AcquisitionMode": "list mode",
        "ImageDecayCorrected": True,
        "ImageDecayCorrectionTime": 2700,
        "ReconMethodName": "simulated",
        "ReconMethodParameterLabels": ["none"],
        "ReconMethodParameterUnits": ["none"],
        "ReconMethodParameterValues": [0],
        "ReconFilterType": "none",
        "AttenuationCorrection": "none: activity is rendered without attenuation",
        "SpatialReference": SPATIAL_REFERENCE,
    }
