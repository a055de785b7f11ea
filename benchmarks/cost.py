"""What each method costs beside late fusion: floating-point operations and memory.

`python -m benchmarks cost` builds the methods for the demo (two volumes of 1x40x48x48, batch 16,
half of the PETs missing), all but `hypermm-paper`, and gives

training     operations of a whole training at 1000 steps, forward and backward, over all phases;
             without what fills a cache or is fitted once before a phase
prediction   operations of one case with both volumes, and of one without its PET
memory       MiB that building and one step of each phase add to a fresh process, at the peak
parameters   trained in at least one phase

Operations are multiplications and additions of convolutions and matrix products, as torch counts
them. Seconds of real trainings stand in each run folder (`jobs/*/seconds.json`).
"""

from __future__ import annotations

import multiprocessing
import resource
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import torch

from benchmarks.hypermm_step import MODALITIES, batch
from mmmed.batch import Batch
from mmmed.models.building import build, options
from mmmed.models.contract import Model, Phase
from mmmed.training.operations import operations, step_operations

STEPS = 1000
SIZE = 16
BESIDE = "late-fusion"
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    BESIDE: (BESIDE, {}),
    **{
        kind: (kind, {})
        for kind in (
            "hypermm",
            "joint-embedding",
            "mmp",
            "ume-mma",
            "late-sum",
            "early-fusion",
            "best-unimodal",
            "complete-case",
            "per-pattern",
        )
    },
    "hypermm, generate: last": ("hypermm", {"generate": "last"}),
    **{
        f"imputation, {kind}": ("imputation", {"imputer": {"kind": kind}})
        for kind in ("mean", "knn", "regression", "pix2pix", "cyclegan", "diffusion")
    },
}


def measure() -> dict[str, Any]:
    """A line per method, each measured in a process of its own."""
    found = {}
    for name in METHODS:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
            found[name] = fresh.submit(cost, name).result()
    beside = found[BESIDE]
    return {name: _line(one, beside) for name, one in found.items()}


def cost(name: str) -> dict[str, float]:
    """Operations, MiB and parameters of one method; changes the process it runs in."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    kind, chosen = METHODS[name]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model = build(
        options(kind).model_validate({"kind": kind, **chosen}), MODALITIES, classes=2, standards={}
    )
    complete, half, mri = (batch(SIZE, every=every) for every in (1, 2, None))
    trained = {
        one for phase in model.phases(STEPS) for turn in phase.turns for one in turn.parameters
    }
    training = sum(_training(model, phase, half) for phase in model.phases(STEPS))
    return {
        "training": training,
        "complete": operations(lambda: model.eval()(complete)) / SIZE,
        "mri": operations(lambda: model.eval()(mri)) / SIZE,
        "memory": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
        "parameters": sum(one.numel() for one in trained),
    }


def _training(model: Model, phase: Phase, images: Batch) -> float:
    """Operations of all steps of a phase."""
    model.eval()
    if phase.fit is not None:
        with torch.no_grad():
            phase.fit([images], set(images.subject))
    return phase.steps * step_operations(model, phase, images)


def _line(one: dict[str, float], beside: dict[str, float]) -> str:
    return (
        f"training {one['training'] / 1e12:.1f} T ({one['training'] / beside['training']:.2f}x), "
        f"prediction {one['complete'] / 1e6:.0f} M a case "
        f"({one['complete'] / beside['complete']:.2f}x), "
        f"without PET {one['mri'] / 1e6:.0f} M ({one['mri'] / beside['mri']:.2f}x), "
        f"memory {one['memory']:.0f} MiB, {one['parameters']:.0f} parameters"
    )
