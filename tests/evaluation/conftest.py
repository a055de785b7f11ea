"""A gaussian law in a few lines of numpy, and predictions drawn from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, ndtr

from mmmed.evaluation.bootstrap import Interval
from mmmed.evaluation.result import score_tables
from mmmed.evaluation.summary import metrics_document

OWN = ("", "")
"""A study of one cohort and one training."""
D_MRI, D_PET, RHO = 1.466, 1.987, 0.2


def oracle_log_odds(z: np.ndarray, pattern: str) -> np.ndarray:
    """Log-odds of y given the shown part of z | y ~ N(y d, [[1, rho], [rho, 1]])."""
    kept = [("mri", "pet").index(name) for name in pattern.split("+")]
    mean = np.array([D_MRI, D_PET])[kept]
    inverse = np.linalg.inv(np.array([[1, RHO], [RHO, 1]])[np.ix_(kept, kept)])
    return np.asarray((z[:, kept] - mean / 2) @ inverse @ mean)


def population_auroc(pattern: str) -> float:
    kept = [("mri", "pet").index(name) for name in pattern.split("+")]
    mean = np.array([D_MRI, D_PET])[kept]
    inverse = np.linalg.inv(np.array([[1, RHO], [RHO, 1]])[np.ix_(kept, kept)])
    return float(ndtr(np.sqrt(mean @ inverse @ mean / 2)))


def draw_cases(n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n,) in turn and burdens (n, 2)."""
    generator = np.random.default_rng(seed)
    label = np.arange(n) % 2
    noise = generator.multivariate_normal([0, 0], [[1, RHO], [RHO, 1]], size=n)
    return label, noise + label[:, None] * np.array([D_MRI, D_PET])


class Study:
    """Predictions of noisy oracles on one test set, with the oracle beside them."""

    def __init__(
        self,
        *,
        n: int,
        methods: dict[str, float],
        rates: tuple[float, ...],
        seeds: int = 1,
        seed: int = 0,
    ) -> None:
        self.label, self.z = draw_cases(n, seed=seed)
        self.case = [f"sub-{i:03d}" for i in range(n)]
        order = np.random.default_rng(seed + 1).permutation(n)
        self.rank = np.argsort(order)
        self._generator = np.random.default_rng(seed + 2)
        parts = [
            self._rows(method, noise, job, protocol, rate)
            for method, noise in methods.items()
            for job in range(seeds)
            for protocol, rate in [("every-pattern", np.nan), *(("mcar", r) for r in rates)]
        ]
        self.predictions = pd.concat([one for part in parts for one in part], ignore_index=True)
        patterns = ("mri", "pet", "mri+pet")
        self.oracle = pd.concat(
            [
                pd.DataFrame(
                    {
                        "case_id": self.case,
                        "pattern": pattern,
                        "log_odds": oracle_log_odds(self.z, pattern),
                    }
                )
                for pattern in patterns
            ],
            ignore_index=True,
        )

    def _rows(
        self, method: str, noise: float, job: int, protocol: str, rate: float
    ) -> list[pd.DataFrame]:
        n = len(self.case)
        if protocol == "every-pattern":
            shown = {pattern: np.ones(n, dtype=bool) for pattern in ("mri", "pet", "mri+pet")}
        else:
            hidden = self.rank < round(rate * n)
            shown = {"mri": hidden, "mri+pet": ~hidden}
        return [
            self._view(method, noise, job, protocol, rate, pattern, rows)
            for pattern, rows in shown.items()
            if rows.any()
        ]

    def _view(
        self,
        method: str,
        noise: float,
        job: int,
        protocol: str,
        rate: float,
        pattern: str,
        rows: np.ndarray,
    ) -> pd.DataFrame:
        odds = oracle_log_odds(self.z[rows], pattern)
        odds = odds + noise * self._generator.normal(size=len(odds))
        case = np.array(self.case)[rows]
        return pd.DataFrame(
            {
                "case_id": case,
                "subject_id": case,
                "session_id": "n/a",
                "site": "A",
                "split": "test",
                "fold": "0",
                "seed": str(job),
                "method": method,
                "protocol": protocol,
                "rate": rate,
                "owned": "mri+pet",
                "pattern": pattern,
                "label": np.where(self.label[rows] == 1, "AD", "CN"),
                "logit_CN": 0.0,
                "logit_AD": odds,
                "p_CN": expit(-odds),
                "p_AD": expit(odds),
                "decision": np.where(odds > 0, "AD", "CN"),
                "set": "CN|AD",
            }
        )


@pytest.fixture(scope="session")
def make_study() -> Callable[..., Study]:
    return Study


@pytest.fixture(scope="session")
def summarise() -> Callable[..., list[dict[str, Any]]]:
    """The rows of `metrics.json` of some predictions."""

    def rows(
        predictions: pd.DataFrame,
        *,
        classes: tuple[str, ...],
        positive: str | None,
        interval: Interval,
        oracle: pd.DataFrame | None = None,
        ceilings: dict[str, Any] | None = None,
        methods: tuple[str, ...] = (),
    ) -> list[dict[str, Any]]:
        results = score_tables(
            predictions,
            classes=classes,
            positive=positive,
            interval=interval,
            oracle=oracle,
            methods=methods,
        )
        document = metrics_document(
            {OWN: results}, main=OWN, classes=classes, interval=interval, ceilings=ceilings
        )
        return list(document["rows"])

    return rows
