from __future__ import annotations

import gzip
import os
import struct
import tracemalloc
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mmmed.errors import DataError, GeometryError
from mmmed.readers import nifti
from mmmed.readers.nifti import read_volume

SHAPE = (4, 5, 6)


def ramp(dtype: str = "float32") -> np.ndarray:
    return np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(dtype)


def header_bytes(**fields: object) -> bytes:
    header = nib.Nifti1Header()
    header.set_data_shape(SHAPE)
    header.set_data_dtype(np.float32)
    header.set_sform(np.eye(4), code=1)
    header["magic"] = b"n+1"
    header["vox_offset"] = 352
    for key, value in fields.items():
        header[key] = value
    return header.binaryblock + bytes(4)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content) if path.name.endswith(".gz") else content)
    return path


@pytest.mark.parametrize("name", ["volume.nii", "volume.nii.gz"])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_voxels_and_affine_are_those_nibabel_reads(save_volume, name, version, dtype):
    affine = np.array([[2.0, 0, 0, -3], [0, 2.5, 0, 4], [0, 0, 3, 5], [0, 0, 0, 1]])
    path = save_volume(ramp(dtype), affine=affine, name=name, version=version)
    volume = read_volume(path)
    expected = nib.load(path)
    assert volume.data.dtype == np.float32
    assert volume.data.flags.c_contiguous
    np.testing.assert_array_equal(volume.data, expected.get_fdata(dtype=np.float32))
    np.testing.assert_allclose(volume.affine, expected.affine)


@pytest.mark.parametrize("axes", [("L", "P", "S"), ("A", "R", "I"), ("S", "L", "A")])
def test_any_orientation_is_turned_to_ras(save_volume, axes):
    turn = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt(("R", "A", "S")), nib.orientations.axcodes2ornt(axes)
    )
    turned = nib.Nifti1Image(ramp(), np.diag([2.0, 3, 4, 1])).as_reoriented(turn)
    assert nib.aff2axcodes(turned.affine) == axes
    volume = read_volume(save_volume(np.asarray(turned.dataobj), affine=turned.affine))
    np.testing.assert_array_equal(volume.data, ramp())
    np.testing.assert_allclose(volume.affine, np.diag([2.0, 3, 4, 1]), atol=1e-6)


def test_slope_and_intercept_are_applied(tmp_path):
    stored = ramp("int16")
    content = header_bytes(datatype=4, bitpix=16, scl_slope=0.5, scl_inter=-3)
    path = write(tmp_path / "a.nii", content + stored.tobytes(order="F"))
    np.testing.assert_array_equal(read_volume(path).data, stored * 0.5 - 3)


def test_a_slope_of_zero_means_no_scaling(tmp_path):
    content = header_bytes(scl_slope=0, scl_inter=7)
    path = write(tmp_path / "a.nii", content + ramp().tobytes(order="F"))
    np.testing.assert_array_equal(read_volume(path).data, ramp())


def test_big_endian_files_are_read(tmp_path):
    header = nib.Nifti1Header(endianness=">")
    header.set_data_shape(SHAPE)
    header.set_data_dtype(np.dtype(">f4"))
    header.set_sform(np.eye(4), code=1)
    header["magic"], header["vox_offset"] = b"n+1", 352
    path = write(
        tmp_path / "a.nii", header.binaryblock + bytes(4) + ramp().astype(">f4").tobytes(order="F")
    )
    np.testing.assert_array_equal(read_volume(path).data, ramp())


def test_a_fourth_axis_of_one_volume_is_dropped(save_volume):
    assert read_volume(save_volume(ramp()[..., None])).data.shape == SHAPE


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.nii.gz", b"", "is empty"),
        ("a.nii.gz", b"\n\n<!DOCTYPE html><html></html>", "web page"),
        ("a.nii", b"\n\n <html lang=en>", "web page"),
        ("a.nii", b"hello, this is no image at all", "is no NIfTI"),
        ("a.nii", b"\n", "is no NIfTI"),
        ("a.nii.gz", b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        ("a.nii", gzip.compress(b"x" * 400, mtime=0), "its name does not end in .gz"),
        ("a.nii.gz", header_bytes() + bytes(480), "not compressed"),
        ("a.nii.gz", gzip.compress(b"<html>" + b" " * 400, mtime=0), "web page"),
        ("a.nii.gz", gzip.compress(header_bytes()[:200], mtime=0), "truncated inside its header"),
        ("a.nii", header_bytes()[:200], "truncated inside its header"),
        ("a.nii", header_bytes() + bytes(10), "truncated"),
        ("a.nii", header_bytes(magic=b"ni1") + bytes(480), "pair"),
        ("a.nii", header_bytes(magic=b"zzz") + bytes(480), "no NIfTI magic"),
        ("a.nii", header_bytes(datatype=32, bitpix=64) + bytes(960), "real numbers"),
        ("a.nii", header_bytes(datatype=999) + bytes(960), "unreadable header"),
        ("a.nii", header_bytes(vox_offset=float("nan")) + bytes(960), "unreadable header"),
        ("a.nii", header_bytes(vox_offset=1e9) + bytes(960), "header states"),
    ],
)
def test_a_file_that_is_not_what_it_claims_is_named_with_its_reason(
    tmp_path, name, content, reason
):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        read_volume(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("dim", "reason"),
    [
        ([4, 4, 5, 6, 2, 1, 1, 1], "4-D with 2 volumes"),
        ([5, 4, 5, 6, 1, 3, 1, 1], "5-D with 3 volumes"),
        ([3, 4, 0, 6, 1, 1, 1, 1], "no axis may be below 1"),
        ([3, 4, -5, 6, 1, 1, 1, 1], "no axis may be below 1"),
        ([2, 4, 5, 1, 1, 1, 1, 1], "three axes"),
        ([3, 4, 5, 1, 1, 1, 1, 1], "three axes"),
        ([0, 4, 5, 6, 1, 1, 1, 1], "unreadable header"),
        ([99, 4, 5, 6, 1, 1, 1, 1], "unreadable header"),
    ],
)
def test_dimensions_other_than_one_volume_are_refused(tmp_path, dim, reason):
    path = write(tmp_path / "a.nii.gz", header_bytes(dim=dim) + bytes(2000))
    with pytest.raises(GeometryError, match=reason):
        read_volume(path)


def test_a_file_without_orientation_is_refused(tmp_path):
    path = write(tmp_path / "a.nii", header_bytes(sform_code=0, qform_code=0) + bytes(480))
    with pytest.raises(GeometryError, match="left and right are unknown"):
        read_volume(path)


@pytest.mark.parametrize("row", [[0, 0, 0, 0], [np.nan, 0, 0, 0]])
def test_a_singular_or_infinite_affine_is_refused(tmp_path, row):
    path = write(tmp_path / "a.nii", header_bytes(srow_x=row) + bytes(480))
    with pytest.raises(GeometryError, match="affine"):
        read_volume(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_voxel_that_is_no_number_is_refused_with_its_place(save_volume, value):
    data = ramp()
    data[1, 2, 3] = value
    with pytest.raises(DataError, match=r"1 voxels are NaN or infinite, the first at \(1, 2, 3\)"):
        read_volume(save_volume(data))


def test_doubles_that_do_not_fit_float32_are_refused(save_volume):
    with pytest.raises(DataError, match="infinite"):
        read_volume(save_volume(np.full(SHAPE, 1e300)))


def test_a_truncated_gzip_is_refused_wherever_it_is_cut(tmp_path, save_volume):
    whole = save_volume(np.random.default_rng(0).normal(size=SHAPE)).read_bytes()
    for kept in range(0, len(whole), 7):
        path = tmp_path / "cut.nii.gz"
        path.write_bytes(whole[:kept])
        with pytest.raises(DataError):
            read_volume(path)


def test_a_damaged_gzip_is_refused(tmp_path, save_volume):
    whole = bytearray(save_volume(np.random.default_rng(0).normal(size=SHAPE)).read_bytes())
    whole[-6] ^= 0xFF
    path = tmp_path / "damaged.nii.gz"
    path.write_bytes(whole)
    with pytest.raises(DataError, match="damaged"):
        read_volume(path)


def test_a_header_that_states_100_gigabytes_is_refused_without_memory(tmp_path):
    dim = [3, 32000, 1000, 800, 1, 1, 1, 1]
    path = write(tmp_path / "bomb.nii.gz", header_bytes(dim=dim) + bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(DataError, match=r"the header states 95\.4 GiB"):
        read_volume(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_a_header_that_states_more_than_deflate_can_hold_is_refused(tmp_path):
    dim = [3, 1000, 100, 100, 1, 1, 1, 1]
    path = write(tmp_path / "short.nii.gz", header_bytes(dim=dim) + bytes(100))
    with pytest.raises(DataError, match="truncated: the header states 40000352 bytes"):
        read_volume(path)


def test_inflation_stops_behind_the_image(tmp_path, monkeypatch):
    path = write(tmp_path / "bomb.nii.gz", header_bytes() + bytes(480) + bytes(64 << 20))
    tracemalloc.start()
    with pytest.raises(DataError, match="goes on behind the image"):
        read_volume(path)
    assert tracemalloc.get_traced_memory()[1] < 8 * nifti.TRAILING
    tracemalloc.stop()


def test_a_little_padding_is_tolerated(tmp_path):
    content = header_bytes() + ramp().tobytes(order="F") + bytes(100)
    np.testing.assert_array_equal(read_volume(write(tmp_path / "a.nii.gz", content)).data, ramp())


def test_extensions_between_header_and_voxels_are_skipped(tmp_path):
    extension = struct.pack("<4bii", 1, 0, 0, 0, 48, 6) + bytes(40)
    content = header_bytes(vox_offset=400)[:348] + extension + ramp().tobytes(order="F")
    np.testing.assert_array_equal(read_volume(write(tmp_path / "a.nii", content)).data, ramp())


def test_missing_files_links_and_folders_are_told_apart(tmp_path):
    (tmp_path / "link.nii").symlink_to(tmp_path / "gone")
    (tmp_path / "folder.nii").mkdir()
    os.mkfifo(tmp_path / "pipe.nii")
    for name, reason in [
        ("none.nii", "is not there"),
        ("link.nii", "broken link"),
        ("folder.nii", "is a folder"),
        ("pipe.nii", "is a device or pipe"),
    ]:
        with pytest.raises(DataError, match=reason):
            read_volume(tmp_path / name)


@pytest.mark.shared
def test_real_volumes_are_what_nibabel_reads(data):
    paths = sorted((data / "pet-mr-ct-sts" / "nifti").rglob("*.nii.gz"))
    assert len(paths) == 8
    for path in paths:
        volume = read_volume(path)
        expected = nib.as_closest_canonical(nib.load(path))
        np.testing.assert_array_equal(volume.data, expected.get_fdata(dtype=np.float32))
        np.testing.assert_allclose(volume.affine, expected.affine)


@pytest.mark.shared
def test_every_false_image_of_the_bids_pet_examples_is_refused(data):
    paths = sorted((data / "bids-pet").rglob("*.nii*"))
    assert len(paths) == 12
    reasons = []
    for path in paths:
        with pytest.raises(DataError) as caught:
            read_volume(path)
        reasons.append(str(caught.value))
    assert sum("web page" in reason for reason in reasons) == 10
    assert sum("4-D with 21 volumes" in reason for reason in reasons) == 1
    assert sum("is no NIfTI" in reason for reason in reasons) == 1


@pytest.mark.shared
def test_real_four_dimensional_files_are_refused(data):
    for name in ("example4d.nii.gz", "example_nifti2.nii.gz", "functional.nii"):
        with pytest.raises(GeometryError, match="volumes; one 3-D volume is expected"):
            read_volume(data / "mr-nicom" / "nifti" / name)
