from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from mmmed.readers.region import sampled


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("dilated_MNI_binary_mask", 0.99),
        ("region-cerebellumPons_eroded-6mm_mask", 0.7),
        ("region-cerebellumPons_remove-extrabrain_eroded-3it_mask", 0.7),
    ],
)
def test_most_of_the_cerebellum_lies_in_masks_drawn_by_others(data, name, share):
    image = nib.load(data / "pet-reference-regions" / "masks" / f"{name}.nii.gz")
    weight = sampled("cerebellum", None, image.affine, image.shape)
    assert weight[np.asarray(image.dataobj) > 0].sum() > share * weight.sum()
