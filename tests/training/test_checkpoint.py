from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mmmed.errors import RunError
from mmmed.training import checkpoint
from mmmed.training.checkpoint import Checkpoint

IDENTITY = {"seed": 0}


def state() -> Checkpoint:
    return Checkpoint(
        identity=IDENTITY,
        phase=1,
        step=7,
        model={"w": torch.arange(3.0)},
        running={"optimisers": [{"state": {0: torch.ones(2)}}]},
        history=[{"name": "one"}],
    )


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("code ran",))


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, state())
    found = checkpoint.load(tmp_path, identity=IDENTITY)
    assert found is not None
    assert (found.phase, found.step, found.history) == (1, 7, [{"name": "one"}])
    assert torch.equal(found.model["w"], torch.arange(3.0))


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    assert checkpoint.load(tmp_path, identity=IDENTITY) is None


def test_a_removed_checkpoint_is_gone(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, state())
    checkpoint.remove(tmp_path)
    checkpoint.remove(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_another_seed_is_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, state())
    with pytest.raises(RunError, match=r"another seed \(0, now 1\)"):
        checkpoint.load(tmp_path, identity={"seed": 1})


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 torn"])
def test_a_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / checkpoint.NAME).write_bytes(content)
    with pytest.raises(RunError, match="is no checkpoint; remove it"):
        checkpoint.load(tmp_path, identity=IDENTITY)


def test_code_in_a_checkpoint_is_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"version": 1, "identity": Evil()}, tmp_path / checkpoint.NAME)
    with pytest.raises(RunError):
        checkpoint.load(tmp_path, identity=IDENTITY)
    assert capsys.readouterr().out == ""
