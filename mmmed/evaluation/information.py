"""What a missing modality costs the best possible reader, in bits, where the law is a table.

law       P(x_1, ..., x_M, y): one axis per modality, the classes last
shown     the modalities a reader sees; the law of the others is summed over
gap       I(missing; Y | shown): by so much the best possible log-loss rises when they go missing

With nothing shown there is nothing to read: every such figure is asked of a pattern. The identity
behind the gap is the chain rule, I(X1, X2; Y) = I(X2; Y) + I(X1; Y | X2); no reader of X2 alone
has more than I(X2; Y), whatever it was trained on (data processing). Cover, Thomas: Elements of
Information Theory, 2006, sections 2.5, 2.8 and 2.10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from mmmed.errors import DataError, PresenceError
from mmmed.modality import Pattern

TOTAL = 1e-9
"""A table of probabilities may miss 1 by this much of rounding."""


def entropy(table: np.ndarray) -> float:
    """H in bits of a table of probabilities, over all its axes together."""
    sure = table[table > 0]
    return float(-(sure * np.log2(sure)).sum())


def conditional_information(table: np.ndarray) -> float:
    """I(A; B | C) in bits of P(a, b, c), as the mean of log p(a, b | c) / p(a | c) p(b | c)."""
    a, b, c = np.nonzero(table > 0)
    logs = [
        np.log2(one)
        for one in (
            table[a, b, c],
            table.sum(axis=(0, 1))[c],
            table.sum(axis=1)[a, c],
            table.sum(axis=0)[b, c],
        )
    ]
    return float((table[a, b, c] * (logs[0] + logs[1] - logs[2] - logs[3])).sum())


def information(table: np.ndarray) -> float:
    """I(A; B) in bits of P(a, b)."""
    return conditional_information(table[:, :, None])


@dataclass(frozen=True, eq=False)
class DiscreteLaw:
    """Modalities of finitely many values, and a label, with a known joint law.

    Attributes:
        modalities: names, in the order of the table's axes.
        table: P(x_1, ..., x_M, y).

    Raises:
        DataError: the table has another number of axes, or is none of probabilities.
    """

    modalities: tuple[str, ...]
    table: np.ndarray

    def __post_init__(self) -> None:
        if self.table.ndim != len(self.modalities) + 1:
            raise DataError(
                f"a law of {len(self.modalities)} modalities has one axis each and one of "
                f"classes, not {self.table.ndim} axes"
            )
        if not bool((self.table >= 0).all()) or abs(float(self.table.sum()) - 1) > TOTAL:
            raise DataError("a law is a table of probabilities: none below 0, their sum 1")

    @property
    def classes(self) -> int:
        """K."""
        return int(self.table.shape[-1])

    def shown(self, pattern: Pattern) -> np.ndarray:
        """P(x, y) of what a pattern shows, (joint values, K); the last modality varies fastest."""
        return self._joined(self._axes(pattern))

    def posterior(self, pattern: Pattern) -> np.ndarray:
        """P(y | x), in the rows of `shown`; even where x never occurs."""
        joint = self.shown(pattern)
        total = joint.sum(axis=1, keepdims=True)
        even = np.full_like(joint, 1 / self.classes)
        return np.asarray(np.divide(joint, total, out=even, where=total > 0))

    def information(self, pattern: Pattern) -> float:
        """I(X; Y) in bits of what a pattern shows."""
        return information(self.shown(pattern))

    def uncertainty(self, pattern: Pattern) -> float:
        """H(Y | X) in bits: the log-loss of the best possible reader of a pattern."""
        joint = self.shown(pattern)
        return entropy(joint) - entropy(joint.sum(axis=1))

    def gap(self, missing: Pattern, *, shown: Pattern) -> float:
        """I(missing; Y | shown) in bits.

        Raises:
            PresenceError: a modality is both.
        """
        both = set(missing) & set(shown)
        if both:
            raise PresenceError(f"{min(both)} cannot be both missing and shown")
        first, second = self._axes(missing), self._axes(shown)
        joint = self._joined([*first, *second])
        size = prod(self.table.shape[axis] for axis in first)
        return conditional_information(joint.reshape(size, -1, self.classes).transpose(0, 2, 1))

    def bayes_accuracy(self, pattern: Pattern) -> float:
        """The accuracy of the best possible reader of a pattern."""
        return float(self.shown(pattern).max(axis=1).sum())

    def fano_error(self, pattern: Pattern) -> float:
        """What no reader of a pattern errs less than: (H(Y | X) - 1) / log2 K, at least 0."""
        return max((self.uncertainty(pattern) - 1) / float(np.log2(self.classes)), 0.0)

    def _axes(self, pattern: Pattern) -> list[int]:
        unknown = [name for name in pattern if name not in self.modalities]
        if unknown:
            raise PresenceError(
                f"the law has no modality {unknown[0]!r} ({', '.join(self.modalities)})"
            )
        return sorted(self.modalities.index(name) for name in pattern)

    def _joined(self, axes: Sequence[int]) -> np.ndarray:
        """(joint values of these axes, K), the last of them varying fastest."""
        last = self.table.ndim - 1
        others = tuple(axis for axis in range(last) if axis not in axes)
        kept = sorted(axes)
        table = self.table.sum(axis=others).transpose([*(kept.index(one) for one in axes), -1])
        return np.asarray(table.reshape(-1, self.classes))
