from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset
from slices import headers, save

from mmmed import library
from mmmed.readers import template
from mmmed.readers.nifti import read_volume
from mmmed.readers.source import Source
from mmmed.transforms.chain import Chain, load_chain
from mmmed.transforms.prepare import load, prepare
from mmmed.transforms.prepared import Prepared, Refused
from mmmed.transforms.series import read

BRAIN = load_chain(library.find("transforms", "brain-mri", start=None))
ANY = Chain.model_validate({"item": "volume", "prepare": [{"kind": "clip"}]})
RATIO = load_chain(library.find("transforms", "volume", start=None))


@pytest.fixture
def head(tmp_path):
    """The template as an axial MR series of 4 mm slices, in the scanner's axes."""
    grid, t1 = template.grid(4.0), np.asarray(template.t1(4.0))
    planes = np.round(t1 * 2000).astype(np.uint16)[::-1, ::-1].transpose(2, 1, 0)
    first = grid.affine @ [grid.shape[0] - 1, grid.shape[1] - 1, 0, 1]
    origin = (-first[0], -first[1], first[2])
    slices = headers(planes, origin=origin, step=4.0, PixelSpacing=[4.0, 4.0])
    return tuple(save(slices, tmp_path / "series"))


def test_a_series_is_registered_although_it_lies_on_the_template(head, tmp_path):
    (item,) = prepare([Source(head[0], files=head)], BRAIN, kind="volume", cache=tmp_path / "c")
    assert isinstance(item, Prepared)
    assert item.shape == (1, 40, 48, 48)
    assert item.record[0].startswith("register: affine, pass")
    np.testing.assert_allclose(np.asarray(item.placed.matrix), np.eye(4), atol=1.5)


def test_the_order_of_files_names_no_other_array(head, tmp_path):
    sources = [Source(head[0], files=head), Source(head[0], files=head[::-1])]
    first, second = prepare(sources, ANY, kind="volume", cache=tmp_path / "c")
    assert first.path == second.path


def test_a_series_with_a_gap_is_refused_and_named(head, tmp_path):
    files = head[:10] + head[11:]
    (item,) = prepare([Source(head[0], files=files)], ANY, kind="volume", cache=tmp_path / "c")
    assert isinstance(item, Refused)
    assert item.reason.startswith(str(head[0]))


def _tracer(dose):
    one = Dataset()
    one.RadiopharmaceuticalStartTime = "100000"
    one.RadionuclideTotalDose = dose
    one.RadionuclideHalfLife = 6586.2
    return one


def pet(folder, *, units="BQML", dose=3.7e8, **said):
    """A PET of six slices that starts an hour after its injection."""
    pixels = np.random.default_rng(3).integers(100, 2000, (6, 8, 10)).astype(np.uint16)
    stated = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.128",
        "Modality": "PT",
        "Units": units,
        "DecayCorrection": "START",
        "CorrectedImage": ["ATTN", "DECY"],
        "SeriesDate": "20260101",
        "SeriesTime": "110000",
        "AcquisitionDate": "20260101",
        "AcquisitionTime": "110000",
        "PatientWeight": 70.0,
        "RescaleSlope": 2.0,
        "RescaleIntercept": 0.0,
        "RadiopharmaceuticalInformationSequence": [_tracer(dose)],
    }
    return tuple(save(headers(pixels, **{**stated, **said}), folder)), pixels


def test_a_pet_is_multiplied_by_its_factor_and_the_derivation_kept(tmp_path):
    files, pixels = pet(tmp_path / "pet")
    found = read(files, scale_free=False)
    factor = 1000 * 70 / (3.7e8 * 2 ** (-3600 / 6586.2))
    assert found.suv
    np.testing.assert_allclose(found.raster.data.max(), pixels.max() * 2 * factor, rtol=1e-5)
    (item,) = prepare([Source(files[0], files=files)], ANY, kind="volume", cache=tmp_path / "c")
    assert item.derivation["unit"] == "SUVbw"
    assert item.derivation["factor"] == pytest.approx(factor, rel=1e-6)
    assert item.record[0].startswith("suv: SUVbw, factor 0.000")


def test_the_earliest_acquisition_counts_also_where_its_volume_is_refused(tmp_path):
    """The first of two time points lacks a slice; the series' time is that of a reconstruction."""
    common = {"SeriesInstanceUID": "1.2.3", "FrameOfReferenceUID": "1.2.4", "SeriesTime": "112000"}
    first, _ = pet(tmp_path / "1", **common, FrameReferenceTime=1.0)
    second, _ = pet(tmp_path / "2", **common, FrameReferenceTime=2.0, AcquisitionTime="114000")
    found = read((*first[:2], *first[3:], *second), scale_free=False)
    assert any("slices are missing that its siblings have" in words for words in found.words)
    factor = 1000 * 70 / (3.7e8 * 2 ** (-3600 / 6586.2))
    assert found.derivation["factor"] == pytest.approx(factor, rel=1e-6)


def test_a_scale_free_chain_takes_a_relative_unit_and_another_does_not(tmp_path):
    files, _ = pet(tmp_path / "pet", units="CNTS", dose=None)
    source = Source(files[0], files=files)
    (refused,) = prepare([source], ANY, kind="volume", cache=tmp_path / "c")
    assert "SUV cannot be computed" in refused.reason
    (item,) = prepare([source], RATIO, kind="volume", cache=tmp_path / "c")
    assert item.derivation["unit"] == "relative"
    assert not any("SUVbw" in words for words in item.record)


@pytest.mark.shared
def test_a_real_series_is_prepared_as_its_reference(data, tmp_path):
    folder = data / "pet-mr-ct-sts"
    files = tuple(sorted((folder / "dicom" / "STS_003" / "PET" / "image").iterdir()))
    reference = read_volume(folder / "nifti" / "STS_003" / "PET_image.nii.gz")
    found = read(files, scale_free=False)
    assert found.derivation["factor"] == 1
    assert found.raster.space == reference.data.shape
    np.testing.assert_allclose(found.raster.data[0], reference.data, atol=1e-3)
    (item,) = prepare([Source(files[0], files=files)], RATIO, kind="volume", cache=tmp_path)
    assert load(item).shape == (1, 48, 48, 48)
