"""How much of a burden an image shows: kernel ridge regression on voxels.

The read-out is linear, so what it finds is a lower bound of what the image shows. Scored as a
classifier it gives the attainable AUROC: what a simple reader makes of these images when it is
told the burdens of the training subjects, beside the ceiling that nobody passes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sklearn.metrics import roc_auc_score

from mmmed.modality import Pattern

PENALTIES = np.logspace(-6, 0, 13)
"""Ridge penalties tried, as shares of the kernel's trace."""


def read_out(images_train: np.ndarray, z_train: np.ndarray, images_test: np.ndarray) -> np.ndarray:
    """A burden read from images, (m,).

    The penalty is the one with the smallest leave-one-out error among the training subjects.

    Args:
        images_train: (n, v) voxels, on one scale for all subjects.
        z_train: (n,) burdens.
        images_test: (m, v).
    """
    middle = images_train.mean(axis=0)
    centred = images_train - middle
    values, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    values = np.clip(values, 0, None)
    target = vectors.T @ (z_train - z_train.mean())

    def error(penalty: float) -> float:
        shrink = values / (values + penalty)
        residual = vectors @ ((1 - shrink) * target)
        leverage = (vectors**2) @ shrink
        return float(((residual / (1 - leverage)) ** 2).mean())

    penalty = min(values.sum() * PENALTIES, key=error)
    weights = vectors @ (target / (values + penalty))
    kernel = (images_test - middle) @ centred.T
    return np.asarray(z_train.mean() + kernel @ weights)


def attainable(
    images_train: Mapping[str, np.ndarray],
    z_train: Mapping[str, np.ndarray],
    images_test: Mapping[str, np.ndarray],
    *,
    label_train: np.ndarray,
    label_test: np.ndarray,
) -> dict[str, float]:
    """The AUROC on test subjects that ridge read-outs attain, by pattern.

    The read burdens of a pattern are joined by the line that best tells the classes apart among
    the training subjects' true burdens. A pattern is left out where a class has no more training
    subjects than the pattern has burdens: there is no such line.

    Args:
        images_train: modality -> (n, v).
        z_train: modality -> (n,) true burdens.
        images_test: modality -> (m, v).
        label_train: (n,) 0 or 1.
        label_test: (m,) 0 or 1.
    """
    read = {
        name: read_out(images_train[name], z_train[name], images_test[name])
        for name in images_train
    }
    patterns = [[name] for name in read] + ([list(read)] if len(read) > 1 else [])
    return {
        str(Pattern.of(names)): _auroc(
            np.stack([z_train[name] for name in names], axis=1),
            np.stack([read[name] for name in names], axis=1),
            label_train,
            label_test,
        )
        for names in patterns
        if np.bincount(label_train, minlength=2).min() > len(names)
    }


def _auroc(
    z_train: np.ndarray, z_test: np.ndarray, label_train: np.ndarray, label_test: np.ndarray
) -> float:
    """Fisher's discriminant of the training burdens, scored on the test readings."""
    classes = [z_train[label_train == value] for value in (0, 1)]
    within = sum(np.atleast_2d(np.cov(rows, rowvar=False)) for rows in classes)
    direction = np.linalg.solve(within, classes[1].mean(axis=0) - classes[0].mean(axis=0))
    return float(roc_auc_score(label_test, z_test @ direction))
