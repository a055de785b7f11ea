from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from mmmed import library
from mmmed.errors import DataError
from mmmed.readers import template
from mmmed.readers.source import Source
from mmmed.transforms import prepare as preparing
from mmmed.transforms.chain import Chain, load_chain
from mmmed.transforms.prepare import load, prepare
from mmmed.transforms.prepared import Prepared, Refused

BRAIN = load_chain(library.find("transforms", "brain-mri", start=None))
VECTOR = load_chain(library.find("transforms", "vector", start=None))


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "kept"


def one(source, cache, chain=BRAIN):
    (prepared,) = prepare([source], chain, kind=chain.item, cache=cache)
    return prepared


def test_a_volume_becomes_one_channel_z_scored_in_the_brain(save_volume, cache):
    prepared = one(save_volume(), cache)
    data = load(prepared)
    assert (data.shape, data.dtype, data.flags.c_contiguous) == ((1, 40, 48, 48), np.float32, True)
    assert prepared.shape == data.shape
    inside = data[0][template.brain_mask(4.0)]
    assert abs(inside.mean(dtype=float)) < 1e-5
    assert prepared.record[0] == "register: skipped, sidecar MNI152NLin2009aSym is declared"


def test_a_second_time_nothing_is_computed(save_volume, cache, monkeypatch):
    source = save_volume()
    first = one(source, cache)
    monkeypatch.setattr(preparing, "read_volume", lambda _: pytest.fail("was read again"))
    assert one(source, cache) == first


def test_the_same_bytes_elsewhere_are_the_same_array(save_volume, cache):
    data = np.random.default_rng(0).normal(size=(40, 48, 48)).astype(np.float32)
    first = one(save_volume("sub-1_T1w.nii", data), cache)
    second = one(save_volume("sub-2_T1w.nii", data), cache)
    assert first.path == second.path
    assert first.digest == second.digest


def test_other_bytes_chains_and_spaces_are_other_arrays(save_volume, cache):
    loose = Chain.model_validate(
        {"item": "volume", "prepare": [{"kind": "z-score", "within": "all"}]}
    )
    source = save_volume()
    paths = {one(source, cache).path, one(source, cache, loose).path}
    source.path.with_name("sub-1_T1w.json").write_text('{"SpatialReference": "MNI152Lin"}')
    paths.add(one(source, cache).path)
    paths.add(one(save_volume("sub-22_T1w.nii.gz"), cache).path)
    assert len(paths) == 4


def test_refusals_stand_in_their_place_and_the_rest_goes_on(save_volume, cache):
    undeclared = save_volume("sub-2_T1w.nii.gz", space=None)
    empty = save_volume("sub-3_T1w.nii.gz")
    empty.path.write_bytes(b"")
    sidecar = save_volume("sub-4_T1w.nii.gz")
    sidecar.path.with_name("sub-4_T1w.json").write_text("{")
    gone = Source(empty.path.with_name("sub-9_T1w.nii.gz"))
    seen = []
    done = prepare(
        [undeclared, save_volume(), empty, gone, sidecar],
        BRAIN,
        kind="volume",
        cache=cache,
        progress=lambda *counts: seen.append(counts),
    )
    assert [type(item) for item in done] == [Refused, Prepared, Refused, Refused, Refused]
    reasons = [item.reason for item in done if isinstance(item, Refused)]
    for item, reason, text in zip(
        [undeclared, empty, gone, sidecar],
        reasons,
        ["is no head in its place", "is empty", "is not there", "is no JSON"],
        strict=True,
    ):
        assert text in reason
        assert reason.startswith(str(item.path.parent))
        assert "\n" not in reason
    assert seen == [(count, 5) for count in range(1, 6)]


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-8]),
        lambda path: path.write_bytes(path.read_bytes()[:-8] + bytes(8)),
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
        lambda path: path.with_suffix(".json").unlink(),
        lambda path: path.with_suffix(".json").write_text("{"),
        lambda path: path.with_suffix(".json").write_text("[]"),
    ],
)
def test_a_damaged_array_is_made_again_never_trusted(save_volume, cache, damage):
    source = save_volume()
    first = one(source, cache)
    expected = np.array(load(first))
    damage(first.path)
    np.testing.assert_array_equal(load(one(source, cache)), expected)


def test_an_array_that_is_gone_is_named_when_it_is_loaded(save_volume, cache):
    prepared = one(save_volume(), cache)
    prepared.path.unlink()
    with pytest.raises(DataError, match="is gone or damaged"):
        load(prepared)


def test_a_loaded_array_may_be_written_to_and_its_file_stays(save_volume, cache):
    prepared = one(save_volume(), cache)
    before = prepared.path.read_bytes()
    load(prepared)[:] = 0
    assert prepared.path.read_bytes() == before
    assert load(prepared).any()


def test_a_killed_writer_leaves_nothing_that_is_trusted(save_volume, cache, tmp_path):
    source = save_volume()
    script = (
        "import os\n"
        "from pathlib import Path\n"
        "from mmmed import library\n"
        "from mmmed.readers.source import Source\n"
        "from mmmed.transforms import prepare, prepared\n"
        "from mmmed.transforms.chain import load_chain\n"
        "prepared._checksum = lambda path: os._exit(9)\n"
        "chain = load_chain(library.find('transforms', 'brain-mri', start=None))\n"
        f"prepare.prepare([Source(Path({str(source.path)!r}))], chain, kind='volume',"
        f" cache=Path({str(cache)!r}))\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], check=False, env=os.environ)
    assert killed.returncode == 9
    assert len(list(cache.rglob("*.npy"))) == 1
    assert not list(cache.rglob("*.json"))
    assert load(one(source, cache)).shape == (1, 40, 48, 48)


def test_parallel_writers_agree(save_volume, cache):
    source = save_volume()
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: one(source, cache), range(16)))
    assert len({item.path for item in done}) == 1
    assert len(list(cache.rglob("*.npy"))) == 1
    assert not list(cache.rglob("*.part"))
    assert load(done[0]).any()


def test_processes_give_what_one_process_gives(save_volume, cache, tmp_path, monkeypatch):
    sources = [save_volume(f"sub-{'1' * n}_T1w.nii.gz") for n in range(1, 11)]
    alone = prepare(sources, BRAIN, kind="volume", cache=cache)
    monkeypatch.setattr(preparing, "WORTH_WORKERS", 0.0)
    together = prepare(sources, BRAIN, kind="volume", cache=tmp_path / "other", jobs=2)
    for first, second in zip(alone, together, strict=True):
        np.testing.assert_array_equal(load(first), load(second))


def test_a_scan_is_prepared_from_its_own_file_alone(save_volume, cache, tmp_path):
    """A case's PET is the same bytes whether its MRI exists, is noise, or was never there."""
    pet, mri = save_volume("sub-1_pet.nii.gz"), save_volume("sub-1_T1w.nii.gz")
    with_mri = one(pet, cache).path.read_bytes()
    mri.path.write_bytes(b"noise")
    overwritten = one(pet, tmp_path / "second").path.read_bytes()
    mri.path.unlink()
    assert with_mri == overwritten == one(pet, tmp_path / "third").path.read_bytes()


@pytest.mark.parametrize("name", ["brain-mri", "brain-pet"])
def test_what_declares_the_space_is_prepared_as_if_nothing_could_be_registered(
    save_volume, cache, name
):
    chain = load_chain(library.find("transforms", name, start=None))
    others = tuple(step for step in chain.prepare if step.kind != "register")
    source = save_volume()
    whole = one(source, cache, chain)
    bare = one(source, cache, chain.model_copy(update={"prepare": others}))
    assert whole.path.read_bytes() == bare.path.read_bytes()


def test_a_scan_that_fails_its_checks_is_refused_again_from_the_cache(save_volume, cache):
    source = save_volume(space=None)
    first = one(source, cache)
    assert isinstance(first, Refused)
    assert first.placed.checks["similarity"] < 0.4
    assert one(source, cache) == first
    assert len(list(cache.rglob("*.npy"))) == 1


def test_a_file_that_changes_while_it_is_read_is_refused(save_volume, cache, monkeypatch):
    source, other = save_volume(), save_volume("sub-22_T1w.nii.gz")
    reading = preparing.read_volume

    def read_and_overwrite(path):
        volume = reading(path)
        path.write_bytes(other.path.read_bytes())
        return volume

    monkeypatch.setattr(preparing, "read_volume", read_and_overwrite)
    assert "changed while it was read" in one(source, cache).reason
    assert not list(cache.rglob("*.npy"))


def test_a_chain_for_another_kind_of_item_is_refused(save_volume, cache):
    with pytest.raises(DataError, match="kind vector, not volume"):
        prepare([save_volume()], VECTOR, kind="volume", cache=cache)


PHOTOGRAPH = load_chain(library.find("transforms", "photograph", start=None))


@pytest.fixture
def save_picture(tmp_path):
    """Writes a picture of noise and says where."""

    def save(name="a.png", shape=(40, 60, 3)):
        path = tmp_path / "pictures" / name
        path.parent.mkdir(exist_ok=True)
        pixels = np.random.default_rng(len(name)).integers(0, 256, shape, dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        return Source(path)

    return save


def test_a_picture_becomes_three_normalised_channels(save_picture, cache):
    prepared = one(save_picture(), cache, PHOTOGRAPH)
    data = load(prepared)
    assert (data.shape, data.dtype, prepared.shape) == ((3, 128, 128), np.float32, (3, 128, 128))
    assert data.min() >= -2
    assert data.max() <= 2
    assert abs(data.mean()) < 0.2
    assert prepared.record[1] == "shorter-side: from (40, 60)"


def test_grey_and_colour_meet_in_one_shape(save_picture, cache):
    grey = one(save_picture("grey.png", (40, 60)), cache, PHOTOGRAPH)
    assert grey.shape == (3, 128, 128)
    assert grey.record[0] == "colour: from grey"


def test_a_prepared_picture_is_found_again(save_picture, cache, monkeypatch):
    source = save_picture()
    first = one(source, cache, PHOTOGRAPH)
    monkeypatch.setattr(preparing, "read_image", lambda _: pytest.fail("was read again"))
    assert one(source, cache, PHOTOGRAPH) == first


def test_what_stands_beside_a_picture_is_not_its_sidecar(save_picture, cache):
    source = save_picture()
    first = one(source, cache, PHOTOGRAPH)
    source.path.with_suffix(".json").write_text("{")
    assert one(source, cache, PHOTOGRAPH) == first


def test_a_picture_that_cannot_be_read_is_refused_and_the_rest_goes_on(save_picture, cache):
    broken = save_picture("broken.png")
    broken.path.write_bytes(broken.path.read_bytes()[:-50])
    done = prepare([broken, save_picture()], PHOTOGRAPH, kind="image", cache=cache)
    assert [type(item) for item in done] == [Refused, Prepared]
    assert done[0].reason.startswith(f"{broken.path}: truncated")


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("id,x,y\na,1.5,2\nb,3,4\nc,word,5\n")
    return lambda row: Source(path, row, ("x", "y"), "id")


def test_vectors_are_read_straight_from_their_table(table, cache):
    prepared = one(table("a"), cache, VECTOR)
    assert (prepared.path, prepared.shape) == (None, (2,))
    assert load(prepared).tolist() == [1.5, 2]
    assert not cache.exists()


@pytest.mark.parametrize(("row", "reason"), [("c", "'x' is 'word'"), ("d", "has no row d")])
def test_a_row_that_cannot_be_read_is_refused(table, cache, row, reason):
    refused = one(table(row), cache, VECTOR)
    assert isinstance(refused, Refused)
    assert reason in refused.reason


def test_hidden_rows_of_a_table_may_be_overwritten(table, cache):
    kept = one(table("a"), cache, VECTOR)
    path = table("a").path
    path.write_text("id,x,y\na,1.5,2\nb,noise,-77\n")
    assert load(kept).tolist() == [1.5, 2]
    path.write_text("id,x,y\nb,noise,-77\na,9,9\n")
    with pytest.raises(DataError, match="row a changed; prepare it again"):
        load(kept)


@pytest.mark.shared
def test_real_volumes_go_through_the_general_chain(data, cache):
    volume = load_chain(library.find("transforms", "volume", start=None))
    paths = sorted((data / "pet-mr-ct-sts" / "nifti").rglob("*_image.nii.gz"))
    done = prepare([Source(path) for path in paths], volume, kind="volume", cache=cache)
    assert len(done) == 4
    for item in done:
        assert load(item).shape == (1, 48, 48, 48)
        assert abs(load(item).std(dtype=float) - 1) < 1e-4
    refused = prepare([Source(paths[0])], BRAIN, kind="volume", cache=cache)
    assert "is no head in its place" in refused[0].reason


@pytest.mark.shared
def test_real_tissue_goes_through_the_chain_of_photographs(data, cache):
    paths = sorted((data / "breakhis").glob("*.png"))
    done = prepare([Source(path) for path in paths], PHOTOGRAPH, kind="image", cache=cache)
    assert {item.shape for item in done} == {(3, 128, 128)}
    for item in done:
        red, green, blue = load(item).mean(axis=(1, 2))
        assert green < min(red, blue), "stained with haematoxylin and eosin: green is absorbed"
