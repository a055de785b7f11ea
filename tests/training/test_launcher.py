from __future__ import annotations

import pytest
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment

from mmmed.errors import StudyError
from mmmed.training.launcher import Rank, check_launch, launched, starts_ranks
from mmmed.training.settings import TrainingSpec

TORCHRUN = {"TORCHELASTIC_RUN_ID": "none", "RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4"}
SLURM = {
    "SLURM_NTASKS": "6",
    "SLURM_NTASKS_PER_NODE": "3",
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "2",
    "SLURM_JOB_NAME": "train",
}


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*TORCHRUN, *SLURM):
        monkeypatch.delenv(name, raising=False)


def launch(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_a_process_that_nobody_launched_is_alone() -> None:
    assert launched() is None


def test_torchrun_and_slurm_are_read_as_lightning_reads_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    launch(monkeypatch, SLURM)
    theirs = SLURMEnvironment()
    assert SLURMEnvironment.detect()
    assert launched() == Rank(theirs.global_rank(), theirs.local_rank(), theirs.world_size())
    launch(monkeypatch, TORCHRUN)  # by torchrun that Slurm started
    ours = TorchElasticEnvironment()
    assert TorchElasticEnvironment.detect()
    assert launched() == Rank(ours.global_rank(), ours.local_rank(), ours.world_size())


def test_only_the_first_rank_leads() -> None:
    assert [Rank(number, 0, 2).leads for number in (0, 1)] == [True, False]


@pytest.mark.parametrize("name", ["bash", "interactive"])
def test_a_shell_in_slurm_is_no_launcher(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    launch(monkeypatch, {**SLURM, "SLURM_JOB_NAME": name})
    assert launched() is None


def test_a_single_process_that_was_launched_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    launch(monkeypatch, {**TORCHRUN, "RANK": "0", "WORLD_SIZE": "1"})
    assert launched() is None
    check_launch(TrainingSpec())


def test_the_launched_are_as_many_as_the_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    launch(monkeypatch, TORCHRUN)
    check_launch(TrainingSpec(devices=2, nodes=2))
    with pytest.raises(StudyError, match=r"4 processes were started together, but .* is 1 x 1"):
        check_launch(TrainingSpec())


def test_several_machines_need_a_launcher() -> None:
    with pytest.raises(StudyError, match=r"training.nodes is 2: .* torchrun or Slurm"):
        check_launch(TrainingSpec(nodes=2))


def test_ranks_are_started_where_nobody_launched_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert starts_ranks(TrainingSpec(devices=4))
    assert not starts_ranks(TrainingSpec())
    launch(monkeypatch, TORCHRUN)
    assert not starts_ranks(TrainingSpec(devices=4))
