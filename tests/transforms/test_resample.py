from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from heads import planted
from monai.data.meta_tensor import MetaTensor
from monai.transforms import SpatialResample
from scipy.ndimage import gaussian_filter

from mmmed.transforms.raster import Raster
from mmmed.transforms.resample import resampled

RANDOM = np.random.default_rng(0)
VOLUME = Raster(RANDOM.random((1, 20, 24, 22)).astype(np.float32), np.diag([3.0, 3, 3, 1]))
IMAGE = Raster(RANDOM.random((3, 30, 40)).astype(np.float32), np.eye(3))


def by_monai(raster, affine, shape, edge, sd):
    """What MONAI makes of the same, after the smoothing that is stated."""
    smooth = gaussian_filter(raster.data, (0, *sd), mode="nearest")
    resample = SpatialResample(mode="bilinear", padding_mode=edge, dtype=np.float64)
    values = MetaTensor(torch.from_numpy(smooth), affine=torch.from_numpy(raster.affine))
    return resample(values, dst_affine=torch.from_numpy(affine), spatial_size=shape).numpy()


@pytest.mark.parametrize("edge", ["zeros", "border"])
@pytest.mark.parametrize(
    ("raster", "affine", "shape", "sd"),
    [
        (VOLUME, planted((10, 5, 3), (4, 3, 2), 2.5), (18, 20, 26), (0, 0, 0)),
        (VOLUME, np.diag([6.0, 3, 1.5, 1]), (12, 24, 50), (0.5, 0, 0)),
        (IMAGE, np.diag([2.0, 0.7, 1]), (17, 61), (0.5, 0)),
    ],
    ids=["tilted", "stretched", "image"],
)
def test_values_are_those_of_monai(raster, affine, shape, sd, edge):
    expected = by_monai(raster, affine, shape, edge, sd)
    found = resampled(raster, affine, shape, edge=edge)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_a_scan_is_prepared_without_the_import_of_torch(save_volume, tmp_path):
    """Every process that prepares would pay for it."""
    source = save_volume(affine=np.diag([4.0, 4, 4, 1]))
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from mmmed.readers.source import Source\n"
        "from mmmed.transforms.chain import Chain\n"
        "from mmmed.transforms.prepare import prepare\n"
        "steps = [{'kind': 'to-template'}, {'kind': 'z-score', 'within': 'template-brain'}]\n"
        "chain = Chain.model_validate({'item': 'volume', 'prepare': steps})\n"
        f"(item,) = prepare([Source(Path({str(source.path)!r}))], chain, kind='volume',"
        f" cache=Path({str(tmp_path)!r}))\n"
        "assert item.shape == (1, 40, 48, 48)\n"
        "assert not {'torch', 'monai'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
