"""How much of the ceiling each method reaches: three cohort seeds by three job seeds.

share         (AUROC - 0.5) / (oracle AUROC - 0.5) on the same test cases
MRI alone     the late sum under the pattern `mri` is a net that was trained on MRI alone
difference    paired AUROC difference on the same cases, the mean over job and cohort seeds

Every method runs on the first cohort; on the others HyperMM stands beside the late sum alone.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from mmmed.evaluation.predictions import read_predictions
from mmmed.pipelines.run import run
from mmmed.pipelines.study import load_study
from mmmed.progress import Silent

COHORTS, JOBS = (0, 1, 2), (0, 1, 2)
RATES = (0.0, 0.5, 1.0)
OWED = {0.0: 0.92, 0.5: 0.90, 1.0: 0.88}
PLACE = Path(os.environ.get("MMMED_BENCHMARK_RUNS", "runs/ceiling"))


def measure() -> dict[str, Any]:
    """Train where no run is there yet, and put the figures together."""
    frames = [_cohort(seed) for seed in COHORTS]
    scores = pd.concat(frames, ignore_index=True)
    return {"table": _table(scores), "differences": _differences(scores), "seconds": _seconds()}


def _cohort(seed: int) -> pd.DataFrame:
    """AUROC and oracle AUROC per method, job seed and rate on one cohort."""
    where = PLACE / f"cohort-{seed}"
    if not (where / "chain.json").exists():
        settings = [
            f"cohort.seed={seed}",
            f"splits.seed={seed}",
            f"protocols.train.0.seed={seed}",
            f"protocols.test.1.seed={seed}",
            f"seeds=[{', '.join(map(str, JOBS))}]",
        ]
        if seed != COHORTS[0]:
            settings.append("methods=[{kind: hypermm}, {kind: late-sum}]")
        study = load_study("ad/train", settings=settings, start=None)
        run(study, start=None, out=where, resume=where.exists(), listener=_Spoken())
    truth = json.loads((where / "truth.json").read_text())["cases"]
    predictions = read_predictions(where / "predictions.tsv")
    observed = predictions[predictions["protocol"] == "mcar"].copy()
    observed["odds"] = [
        truth[case]["log_odds"][pattern]
        for case, pattern in zip(observed["case_id"], observed["pattern"], strict=True)
    ]
    rows = []
    for (method, job, rate), part in observed.groupby(["method", "seed", "rate"]):
        positive = part["label"] == "AD"
        rows.append(
            {
                "cohort": seed,
                "method": method,
                "job": job,
                "rate": rate,
                "auroc": roc_auc_score(positive, part["logit_AD"] - part["logit_CN"]),
                "oracle": roc_auc_score(positive, part["odds"]),
            }
        )
    return pd.DataFrame(rows)


def _table(scores: pd.DataFrame) -> list[str]:
    scores = scores.assign(share=(scores["auroc"] - 0.5) / (scores["oracle"] - 0.5))
    lines = ["| method | " + " | ".join(f"{rate:.0%} hidden" for rate in RATES) + " |"]
    lines.append("|---|" + "---|" * len(RATES))
    for method, part in scores.groupby("method"):
        cells = [_cell(part[np.isclose(part["rate"], rate)]) for rate in RATES]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    owed = " | ".join(f"{OWED[rate]:.0%}" for rate in RATES)
    return [*lines, f"| owed of hypermm | {owed} |"]


def _cell(part: pd.DataFrame) -> str:
    by_cohort = part.groupby("cohort")["share"].mean()
    each = ", ".join(f"{100 * share:.1f}" for share in by_cohort)
    return (
        f"{100 * part['share'].mean():.1f} % ({each}; sd {100 * part['share'].std():.1f}), "
        f"AUROC {part['auroc'].mean():.3f}"
    )


def _differences(scores: pd.DataFrame) -> list[str]:
    """HyperMM against the untrained late sum, per cohort; at 100 % that sum is MRI alone."""
    wide = scores.pivot_table(index=["cohort", "job", "rate"], columns="method", values="auroc")
    lines = []
    for rate in RATES:
        gap = (wide["hypermm"] - wide["late-sum"]).xs(rate, level="rate")
        by_cohort = gap.groupby("cohort").mean()
        each = ", ".join(f"{value:+.4f}" for value in by_cohort)
        lines.append(f"{rate:.0%}: {gap.mean():+.4f} ({each})")
    return lines


def _seconds() -> list[str]:
    """Median training seconds of a job, by method."""
    found: dict[str, list[float]] = defaultdict(list)
    for path in PLACE.glob("cohort-*/jobs/*/seconds.json"):
        settings = json.loads(path.with_name("settings.json").read_text())
        found[settings["method"]["kind"]].append(json.loads(path.read_text())["training"])
    return [f"{name}: {statistics.median(times):.0f}" for name, times in sorted(found.items())]


class _Spoken(Silent):
    """Says the sentences of a run."""

    def note(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)
