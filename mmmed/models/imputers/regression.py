"""The filler that regresses what is absent on what is shown.

The conditional mean of a Gaussian: with mean m and covariance S of the complete cases,
x_absent = m_absent + S_absent,shown S_shown,shown^-1 (x_shown - m_shown). One fitted state is a
linear map for every pattern. S is scikit-learn's Ledoit-Wolf estimate (2004,
doi 10.1016/S0047-259X(03)00096-4), as there are more columns than cases.

Scikit-learn's `IterativeImputer` regresses one column at a time on all the others; where whole
modalities are absent most of those are guesses themselves, and hundreds of columns are hundreds
of regressions per round. Where both are well defined they agree (a test).
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.covariance import LedoitWolf
from torch import Tensor

from mmmed.models.imputers.feature import Filler, Table

RIDGE = 1e-6
"""Added to variances of one, so that columns that never vary leave the system solvable."""


class RegressionFiller(Filler):
    """The best linear guess.

    Args:
        width: F.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.correlation: Tensor
        self.register_buffer("mean", torch.zeros(width, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(width, dtype=torch.float64))
        self.register_buffer("correlation", torch.eye(width, dtype=torch.float64))

    def fit(self, table: Table) -> None:
        """Learn means, scales and the shrunk correlation of the columns."""
        mean, scale = table.mean(axis=0), table.std(axis=0)
        scale[scale == 0] = 1.0
        self.mean.copy_(torch.from_numpy(mean))
        self.scale.copy_(torch.from_numpy(scale))
        if len(table) > 1:
            shrunk = LedoitWolf(assume_centered=True).fit((table - mean) / scale).covariance_
            self.correlation.copy_(torch.from_numpy(shrunk))

    def fill(self, table: Table) -> Table:
        """(n, F) with the regression's guess for NaN, pattern by pattern."""
        mean, scale = self.mean.cpu().numpy(), self.scale.cpu().numpy()
        standard = (table - mean) / scale
        holes = np.isnan(standard)
        patterns, member = np.unique(holes, axis=0, return_inverse=True)
        for number, absent in enumerate(patterns):
            rows = np.flatnonzero(member == number)
            standard[np.ix_(rows, absent.nonzero()[0])] = (
                standard[rows][:, ~absent] @ self._map(absent).T
            )
        return np.where(holes, standard * scale + mean, table)

    def _map(self, absent: np.ndarray) -> Table:
        """(absent, shown) the linear map of a pattern."""
        correlation = self.correlation.cpu().numpy()
        shown = correlation[np.ix_(~absent, ~absent)]
        across = correlation[np.ix_(~absent, absent)]
        return np.asarray(np.linalg.solve(shown + RIDGE * np.eye(len(shown)), across).T)
