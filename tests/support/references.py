"""Real series, and the NIfTI files that other programs made of them."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

SMALL = "mr-multivendor-small"
NIH, SYNTAXES = "mr-siemens-nih", "mr-transfer-syntaxes"
ENHANCED = "mr-enhanced"
STS = "pet-mr-ct-sts"

COARSE = 1.5e-5
"""The field map's reference states its slope with five digits; of the largest value."""

REFERENCES = [
    *(
        (f"{SMALL}/{name}/*.dcm", (f"{SMALL}/{name}_ground_truth.nii.gz",))
        for name in (
            "siemens/anatomical/001",
            "ge/anatomical/001",
            "ge/anatomical/001_single_slice",
            "philips/anatomical/001",
            "philips/fmri/001",
            "generic/compressed_j2k/001",
            "generic/compressed_rle/001",
            "generic/compressed_jpeg/001",
        )
    ),
    (
        f"{SMALL}/generic/anatomical/002_non_isotropic/*.dcm",
        (f"{SMALL}/generic/anatomical/002_non_isotropic_ground_truth.nii.gz",),
    ),
    *(
        (f"{NIH}/In/20180918Si/mr_000{number}/*.dcm", (f"{NIH}/Ref/EPI_PE={name}.nii",))
        for number, name in ((3, "AP_3"), (4, "PA_4"), (5, "RL_5"), (6, "LR_6"))
    ),
    *((f"{SYNTAXES}/In/{one}.dcm", (f"{SYNTAXES}/Ref/{one}.nii",)) for one in range(1, 10)),
    (
        f"{ENHANCED}/In/Philips/IM_0027_fMAP.dcm",
        (
            f"{ENHANCED}/Ref/Philips_WIP_B0_NS_801_e1.nii",
            f"{ENHANCED}/Ref/Philips_WIP_B0_NS_801_e2_fieldmaphz.nii",
        ),
    ),
    (
        f"{ENHANCED}/In/Siemens/XA10/*.dcm",
        (f"{ENHANCED}/Ref/Siemens_REST1_w_SMS_PF7-8_6.nii",),
    ),
    *(
        (f"{STS}/dicom/{who}/{what}/image/*.dcm", (f"{STS}/nifti/{who}/{what}_image.nii.gz",))
        for who in ("STS_003", "STS_018")
        for what in ("PET", "MR_T1")
    ),
]
"""Files of a series -> its references, one per stack or with one stack per time point."""


def volumes(path: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Canonical arrays and affines of a reference, one per time point."""
    image = nib.as_closest_canonical(nib.load(path))
    array = image.get_fdata()
    times = np.moveaxis(array, -1, 0) if array.ndim == 4 else array[None]
    return [(time, image.affine) for time in times]


def coarseness(files: str) -> float:
    """What a reference's voxels may differ by, of its largest value."""
    return COARSE if "fMAP" in files else 1e-6
