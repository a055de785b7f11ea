"""Nobody is learned from and tested: the last look, before a job builds its model."""

from __future__ import annotations

from collections.abc import Mapping

from mmmed.cohorts.splits import Fold
from mmmed.errors import LeakageError
from mmmed.models.options import MethodOptions


def require_apart(fold: Fold, subject: Mapping[str, str], *, method: MethodOptions) -> None:
    """Raise where a method would learn from someone it is tested on.

    A study may take lists of folds as given, with the subjects they leak. An imputer is refused
    there all the same: what it fills a hole with would be a scan that it has seen.

    Args:
        fold: who is in which part.
        subject: case -> subject.
        method: what learns.

    Raises:
        LeakageError: it would.
    """
    learned, tested = (
        {subject[case] for case in cases}
        for cases in (fold.cases("train", "validation"), fold.cases("test"))
    )
    known = set() if method.imputes else {leak.subject for leak in fold.leaks}
    both = sorted(learned & tested - known)
    if not both:
        return
    others = f" and {len(both) - 1} more" if len(both) > 1 else ""
    if method.imputes:
        raise LeakageError(
            f"fold {fold.name}: {method.name}: subject {both[0]}{others} would teach the imputer "
            "and be tested on; set splits.leaks=move, or leave the method out"
        )
    raise LeakageError(
        f"fold {fold.name}: {method.name}: subject {both[0]}{others} is learned from and tested "
        "on; give all cases of a subject one part"
    )
