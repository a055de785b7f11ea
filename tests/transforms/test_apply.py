from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import map_coordinates

from mmmed.errors import DataError, GeometryError
from mmmed.readers import template
from mmmed.readers.volume import Volume
from mmmed.transforms.apply import apply
from mmmed.transforms.raster import Raster, of_image, of_volume
from mmmed.transforms.step import (
    BiasField,
    BrainMask,
    Clip,
    Colour,
    CropOrPad,
    Normalise,
    ReferenceRegion,
    Register,
    Resize,
    RobustScale,
    ShorterSide,
    Spacing,
    ToTemplate,
    ZScore,
)

TO_TEMPLATE = ToTemplate(kind="to-template", voxel_mm=4)


def plane(shape, affine):
    """A volume whose value is a linear function of the mm of its voxels."""
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    mm = index @ affine[:3, :3].T + affine[:3, 3]
    return of_volume(Volume((mm @ [0.5, -1.0, 2.0] + 300).astype(np.float32), affine))


def noise(shape=(8, 9, 10), affine=None):
    data = np.random.default_rng(0).normal(50, 5, shape).astype(np.float32)
    return of_volume(Volume(data, np.eye(4) if affine is None else affine))


def test_a_file_in_the_template_space_skips_registration_and_says_so():
    applied = apply(noise(), [Register(kind="register")], space="sidecar MNI152NLin2009aSym")
    assert applied.record == ("register: skipped, sidecar MNI152NLin2009aSym is declared",)


def test_what_is_no_head_ends_at_register_with_its_checks():
    affine = np.diag([8.0, 8, 8, 1])
    applied = apply(
        noise((24, 24, 24), affine), [Register(kind="register"), TO_TEMPLATE], space=None
    )
    assert applied.registered.quality.verdict == "fail"
    assert len(applied.record) == 1


def test_a_volume_on_the_grid_is_left_as_it_is():
    grid = template.grid(4.0)
    volume = noise(grid.shape, grid.affine)
    applied = apply(volume, [TO_TEMPLATE], space=None)
    assert applied.raster.data is volume.data
    assert applied.record == ("to-template: skipped, lies on the grid",)


@pytest.mark.parametrize("voxel_mm", [2.0, 3.0, 5.0])
def test_resampling_onto_the_template_keeps_what_is_where(voxel_mm):
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    affine[:3, 3] = (-100, -130, -90)
    shape = tuple(np.ceil(np.array([200, 230, 220]) / voxel_mm).astype(int))
    applied = apply(plane(shape, affine), [TO_TEMPLATE], space=None)
    grid = template.grid(4.0)
    assert applied.raster.space == grid.shape == (40, 48, 48)
    expected = plane(grid.shape, grid.affine)
    np.testing.assert_allclose(applied.raster.data, expected.data, rtol=1e-4)


def test_upsampling_is_trilinear_as_scipys():
    affine = np.diag([8.0, 8, 8, 1])
    affine[:3, 3] = (-100, -130, -90)
    volume = noise((26, 30, 28), affine)
    done = apply(volume, [TO_TEMPLATE], space=None).raster
    grid = template.grid(4.0)
    index = (grid.centres.reshape(-1, 3) - affine[:3, 3]) / 8
    expected = map_coordinates(volume.data[0].astype(float), index.T, order=1).reshape(grid.shape)
    np.testing.assert_allclose(done.data[0], expected, rtol=1e-4)


def test_downsampling_does_not_alias():
    """A checkerboard of 1 mm has no 4 mm content: what is left of it is close to its mean."""
    shape = (160, 192, 192)
    affine = np.diag([1.0, 1, 1, 1])
    affine[:3, 3] = (-80, -112, -74)
    data = (np.indices(shape).sum(axis=0) % 2).astype(np.float32)
    done = apply(of_volume(Volume(data, affine)), [TO_TEMPLATE], space=None).raster.data[0]
    assert np.abs(done[2:-2, 2:-2, 2:-2] - 0.5).max() < 0.01


def test_a_volume_far_from_the_template_is_refused():
    affine = np.eye(4)
    affine[:3, 3] = 5000
    with pytest.raises(GeometryError, match="does not reach the template's brain"):
        apply(noise(affine=affine), [TO_TEMPLATE], space=None)


def test_spacing_changes_the_voxels_and_keeps_the_field_of_view():
    volume = plane((12, 12, 12), np.diag([1.0, 2.0, 3.0, 1]))
    done = apply(volume, [Spacing(kind="spacing", voxel_mm=(2, 2, 2))], space=None).raster
    assert done.space == (6, 12, 18)
    np.testing.assert_allclose(np.diag(done.affine), [2, 2, 2, 1])
    inner = (0, *(slice(2, -2),) * 3)
    np.testing.assert_allclose(
        done.data[inner], plane(done.space, done.affine).data[inner], rtol=1e-4
    )


def test_resize_gives_the_shape_and_keeps_the_field_of_view():
    volume = plane((10, 20, 30), np.diag([3.0, 2.0, 1.0, 1]))
    done = apply(volume, [Resize(kind="resize", shape=(20, 20, 20))], space=None).raster
    assert done.space == (20, 20, 20)
    for edge in (-0.5, 19.5):
        before = volume.affine @ [*((edge + 0.5) / 20 * n - 0.5 for n in (10, 20, 30)), 1]
        after = done.affine @ [edge, edge, edge, 1]
        np.testing.assert_allclose(after, before)


def test_crop_or_pad_keeps_the_centre_and_pads_with_the_lowest_value():
    volume = noise((8, 4, 6))
    done = apply(volume, [CropOrPad(kind="crop-or-pad", shape=(4, 8, 6))], space=None).raster
    assert done.space == (4, 8, 6)
    np.testing.assert_array_equal(done.data[0, :, 2:6], volume.data[0, 2:6])
    assert set(done.data[0, :, 0].ravel()) == {volume.data.min()}
    np.testing.assert_allclose(done.affine[:3, 3], [2, -2, 0])


def test_clip_is_at_the_volumes_own_percentiles():
    volume = noise()
    done = apply(volume, [Clip(kind="clip", low=10, high=90)], space=None).raster.data
    low, high = np.percentile(volume.data, [10, 90])
    np.testing.assert_allclose(done, np.clip(volume.data, low, high), rtol=1e-6)


@pytest.mark.parametrize("within", ["all", "nonzero", "template-brain"])
def test_z_scores_have_mean_0_and_sd_1_where_they_are_counted(within):
    grid = template.grid(4.0)
    volume = noise(grid.shape, grid.affine)
    volume.data[:, :5] = 0
    done = apply(volume, [ZScore(kind="z-score", within=within)], space=None).raster.data[0]
    counted = {
        "all": np.ones(grid.shape, dtype=bool),
        "nonzero": volume.data[0] != 0,
        "template-brain": template.brain_mask(4.0),
    }[within]
    assert abs(done[counted].mean(dtype=float)) < 1e-5
    assert abs(done[counted].std(dtype=float) - 1) < 1e-5


def test_a_brain_z_score_needs_the_template_grid():
    with pytest.raises(GeometryError, match="put `to-template` before"):
        apply(noise(), [ZScore(kind="z-score", within="template-brain")], space=None)


@pytest.mark.parametrize("value", [0.0, 7.0])
@pytest.mark.parametrize("within", ["all", "nonzero"])
def test_a_volume_that_does_not_vary_is_refused(value, within):
    flat = of_volume(Volume(np.full((4, 4, 4), value, dtype=np.float32), np.eye(4)))
    with pytest.raises(DataError, match=r"do not vary|nothing but zeros"):
        apply(flat, [ZScore(kind="z-score", within=within)], space=None)


def test_the_input_is_never_changed():
    volume = noise()
    before = volume.data.copy()
    steps = [
        Clip(kind="clip"),
        Resize(kind="resize", shape=(4, 4, 4)),
        ZScore(kind="z-score", within="all"),
    ]
    applied = apply(volume, steps, space=None)
    np.testing.assert_array_equal(volume.data, before)
    assert [words.split(":")[0] for words in applied.record] == ["clip", "resize", "z-score"]


def picture(shape=(3, 6, 8)):
    return of_image(np.random.default_rng(0).random(shape, dtype=np.float32))


def test_an_image_is_resized_as_pillow_resizes_it_up():
    """Up, so that no smoothing enters; away from the border, which Pillow weighs otherwise."""
    image = picture((1, 8, 12))
    done = apply(image, [Resize(kind="resize", shape=(16, 36))], space=None).raster
    whole = Image.fromarray(image.data[0]).resize((36, 16), Image.Resampling.BILINEAR)
    assert done.space == (16, 36)
    np.testing.assert_allclose(done.data[0], np.asarray(whole), atol=1e-5)


def test_an_image_that_shrinks_does_not_alias():
    stripes = np.tile(np.arange(64, dtype=np.float32) % 2, (3, 64, 1))
    done = apply(of_image(stripes), [Resize(kind="resize", shape=(8, 8))], space=None).raster
    assert np.abs(done.data[:, :, 1:-1] - 0.5).max() < 0.02


@pytest.mark.parametrize(
    ("shape", "expected"), [((40, 60), (20, 30)), ((60, 40), (30, 20)), ((33, 100), (20, 61))]
)
def test_the_shorter_side_is_stated_and_proportions_stay(shape, expected):
    step = ShorterSide(kind="shorter-side", pixels=20)
    assert apply(picture((3, *shape)), [step], space=None).raster.space == expected


def test_a_strip_is_refused_before_it_becomes_a_huge_image():
    step = ShorterSide(kind="shorter-side", pixels=128)
    with pytest.raises(GeometryError, match=r"has 2 x 200 pixels.* 128 x 12800; at most 8192"):
        apply(picture((1, 2, 200)), [step], space=None)


@pytest.mark.parametrize(("padding", "choose"), [("lowest", np.min), ("highest", np.max)])
def test_an_image_is_cropped_and_padded_around_its_centre(padding, choose):
    image = picture((3, 4, 10))
    step = CropOrPad(kind="crop-or-pad", shape=(8, 6), padding=padding)
    done = apply(image, [step], space=None).raster
    assert (done.space, done.affine.shape) == ((8, 6), (3, 3))
    np.testing.assert_array_equal(done.data[:, 2:6], image.data[:, :, 2:8])
    assert set(done.data[:, :2].ravel()) == {choose(image.data)}


def test_colour_becomes_grey_as_pillow_makes_it_and_grey_becomes_rgb():
    image = picture()
    grey = apply(image, [Colour(kind="colour", to="grey")], space=None).raster
    stored = np.round(image.data.transpose(1, 2, 0) * 255).astype(np.uint8)
    expected = np.asarray(Image.fromarray(stored).convert("L")) / 255
    assert grey.channels == 1
    np.testing.assert_allclose(grey.data[0], expected, atol=0.01)
    again = apply(grey, [Colour(kind="colour", to="rgb")], space=None).raster
    np.testing.assert_array_equal(again.data, np.repeat(grey.data, 3, axis=0))
    assert apply(image, [Colour(kind="colour", to="rgb")], space=None).record == (
        "colour: skipped, is rgb",
    )


def test_each_channel_is_normalised_by_its_own_figures():
    image = picture()
    step = Normalise(kind="normalise", mean=(0.1, 0.2, 0.3), sd=(1.0, 0.5, 0.25))
    done = apply(image, [step], space=None).raster.data
    for place, (mean, sd) in enumerate([(0.1, 1.0), (0.2, 0.5), (0.3, 0.25)]):
        np.testing.assert_allclose(done[place], (image.data[place] - mean) / sd, rtol=1e-5)


def test_figures_for_other_channels_are_refused():
    step = Normalise(kind="normalise", mean=(0.1, 0.2, 0.3), sd=(1.0, 0.5, 0.25))
    with pytest.raises(DataError, match=r"has 1 channels and `normalise` states 3; put `colour`"):
        apply(picture((1, 4, 4)), [step], space=None)


def test_channels_are_clipped_and_scored_together():
    """So that colours keep their relation: one shift and one factor for all channels."""
    image = picture()
    steps = [Clip(kind="clip", low=10, high=90), ZScore(kind="z-score", within="all")]
    done = apply(image, steps, space=None).raster.data
    low, high = np.percentile(image.data, [10, 90])
    clipped = np.clip(image.data, low, high)
    np.testing.assert_allclose(done, (clipped - clipped.mean()) / clipped.std(), rtol=1e-4)


@pytest.mark.parametrize("region", ["brain", "cerebellum", "cerebellum-grey"])
def test_a_reference_region_becomes_one_and_a_unit_falls_out(region):
    grid = template.grid(4.0)
    step = ReferenceRegion(kind="reference-region", region=region)
    volume = of_volume(Volume(np.asarray(template.pet(4.0)) + 0.5, grid.affine))
    one = apply(volume, [step], space=None).raster.data
    other = apply(Raster(volume.data * 3700, volume.affine), [step], space=None).raster.data
    np.testing.assert_allclose(one, other, rtol=1e-5)
    if region == "brain":
        assert abs(one[0][template.brain_mask(4.0)].mean() - 1) < 0.02


def test_a_mask_file_on_another_grid_is_a_reference_region(tmp_path):
    grid = template.grid(4.0)
    data = np.ones(grid.shape, np.float32)
    data[:20] = 4
    left = np.zeros((20, 24, 24), np.uint8)
    left[:10] = 1
    path = tmp_path / "left.nii.gz"
    nib.save(nib.Nifti1Image(left, template.grid(8.0).affine), path)
    step = ReferenceRegion(kind="reference-region", region="mask", mask=path)
    done = apply(of_volume(Volume(data, grid.affine)), [step], space=None).raster.data[0]
    assert abs(done[0, 0, 0] - 1) < 0.05
    assert abs(done[-1, 0, 0] - 0.25) < 0.02


def test_grey_matter_of_the_cerebellum_takes_up_more_than_the_whole():
    pet = Raster(np.asarray(template.pet(2.0))[None], template.grid(2.0).affine)
    whole, grey = (
        apply(pet, [ReferenceRegion(kind="reference-region", region=name)], space=None).raster.data
        for name in ("cerebellum", "cerebellum-grey")
    )
    assert grey.max() < whole.max()


def test_the_pons_is_what_a_mask_says_and_nothing_else(tmp_path):
    with pytest.raises(ValueError, match="state `mask`: a NIfTI file in MNI152 space"):
        ReferenceRegion(kind="reference-region", region="pons")
    path = tmp_path / "pons.nii.gz"
    grid = template.grid(4.0)
    mask = np.zeros(grid.shape, np.uint8)
    mask[18:22, 20:24, 8:14] = 1
    nib.save(nib.Nifti1Image(mask, grid.affine), path)
    step = ReferenceRegion(kind="reference-region", region="pons", mask=path)
    data = np.where(mask, 5, 10).astype(np.float32)
    done = apply(of_volume(Volume(data, grid.affine)), [step], space=None)
    np.testing.assert_allclose(done.raster.data[0], data / 5)
    assert done.record == ("reference-region: pons mean 5",)


@pytest.mark.shared
def test_a_pons_drawn_by_others_serves_as_region(data):
    """The template's grey and white matter in the pons: more uptake than white, less than grey."""
    path = data / "pet-reference-regions" / "masks" / "region-pons_eroded-6mm_mask.nii.gz"
    pet = Raster(np.asarray(template.pet(2.0))[None], template.grid(2.0).affine)
    step = ReferenceRegion(kind="reference-region", region="pons", mask=path)
    words = apply(pet, [step], space=None).record[0]
    assert template.WHITE_UPTAKE * 0.7 < float(words.split()[-1]) < 1


def test_a_region_outside_the_field_of_view_is_refused():
    affine = np.eye(4)
    affine[:3, 3] = 300
    step = ReferenceRegion(kind="reference-region", region="brain")
    with pytest.raises(GeometryError, match="covers 0 of its voxels"):
        apply(noise((10, 10, 10), affine), [step], space=None)


def test_percentiles_become_zero_and_one():
    step = RobustScale(kind="robust-scale", low=10, high=90, within="all")
    done = apply(noise((20, 20, 20)), [step], space=None).raster.data
    np.testing.assert_allclose(np.percentile(done, [10, 90]), [0, 1], atol=1e-3)


def test_nothing_is_left_outside_the_brain():
    grid = template.grid(4.0)
    done = apply(noise(grid.shape, grid.affine), [BrainMask(kind="brain-mask")], space=None)
    np.testing.assert_array_equal(done.raster.data[0] != 0, template.brain_mask(4.0))


def test_a_strong_slanting_field_is_taken_away_in_few_steps():
    """Nearly a hundredfold from corner to corner; N4 alone leaves a spread of .43."""
    grid, head = template.grid(4.0), np.asarray(template.t1(4.0))
    field = np.exp(grid.centres @ np.array([0.01, -0.008, 0.008])).astype(np.float32)
    volume = of_volume(Volume(head * field, grid.affine))
    done = apply(volume, [BiasField(kind="bias-field")], space=None).raster.data[0]
    inside = template.brain_mask(4.0) & (head > 0.2)
    assert np.log(done[inside] / head[inside]).std() < 0.08


def test_a_planted_bias_field_is_taken_away():
    grid, clean = template.grid(4.0), np.asarray(template.t1(4.0))
    places = [np.linspace(-1, 1, size) for size in grid.shape]
    x, y, z = np.meshgrid(*places, indexing="ij")
    field = np.exp(0.6 * x + 0.5 * z - 0.4 * x * y).astype(np.float32)
    volume = of_volume(Volume(clean * field, grid.affine))
    done = apply(volume, [BiasField(kind="bias-field")], space=None).raster.data[0]
    brain = template.brain_mask(4.0) & (clean > 0.3)
    left = np.std(np.log(done[brain] / clean[brain]))
    assert left < 0.5 * np.std(np.log(field[brain]))
