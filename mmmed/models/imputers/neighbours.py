"""The filler that asks the most similar complete cases, by scikit-learn's `KNNImputer`.

donor   a complete training case; its embeddings are part of the model
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.impute import KNNImputer

from mmmed.models.imputers.feature import Filler, Table
from mmmed.models.rows import Rows


class NeighbourFiller(Filler):
    """The mean of the nearest donors, nearest by what the case shows.

    Args:
        width: F.
        neighbours: how many donors are asked; all of them where there are fewer.
    """

    def __init__(self, width: int, *, neighbours: int) -> None:
        super().__init__()
        self.neighbours = neighbours
        self.donors = Rows(width)

    def fit(self, table: Table) -> None:
        """Keep the complete cases."""
        self.donors.put(torch.from_numpy(table))

    def fill(self, table: Table) -> Table:
        """(n, F) with the neighbours' mean for NaN."""
        if not len(self.donors):
            return np.nan_to_num(table, nan=0.0)
        imputer = KNNImputer(n_neighbors=self.neighbours)
        imputer.fit(self.donors.data.double().cpu().numpy())
        return np.asarray(imputer.transform(table))
