"""Does absence depend on what is recorded: the first table a reviewer asks for.

absent       a case without a readable item of the modality
MCAR         absence depends on nothing: what a table can speak against, never prove
effect       of two groups the risk difference and the odds ratio of being absent, of a number the
             standardised difference (absent minus present, over the pooled standard deviation), of
             more groups Cramer's V

With one case per subject intervals and tests of two groups are exact or score-based (Fisher;
Newcombe 1998, "Interval estimation for the difference between independent proportions", method 10),
of numbers Welch's test and the large-sample interval of Hedges and Olkin (1985), of more groups a
permutation test and a bootstrap interval. With several cases per subject variances are
linearised and summed by subject. P values are adjusted by Holm over all comparisons of a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from mmmed.evaluation.bootstrap import Resampling
from mmmed.evaluation.holm import holm

Floats = NDArray[np.float64]
Groups = NDArray[np.object_]

FEWEST = 5
"""Cases absent, cases present and cases of a group, below which asymptotic figures are not given;
smaller groups of a factor with several are taken together."""

DRAWS = 2000
PERMUTATIONS = 9999
LEVEL = 0.95
OTHER = "other"


@dataclass(frozen=True)
class Effect:
    """How absence of one modality goes with one factor.

    Attributes:
        modality: that is absent or present.
        factor: `diagnosis`, `age`, `sex`, `site`.
        measure: what the number is.
        groups: what is compared: `AD - CN`, `absent - present`, or the number of groups.
        present: cases with the modality of which the factor is known.
        absent: cases without it of which the factor is known.
        value: of the measure; None where it cannot be given.
        low: of its 95 % interval.
        high: of its 95 % interval.
        p: of the comparison, the same for all measures of one factor.
        holm: the same, adjusted over all comparisons of the table.
        reason: why there is no number.
    """

    modality: str
    factor: str
    measure: str
    groups: str
    present: int
    absent: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    holm: float | None = None
    reason: str = ""


def dependence(
    owned: pd.DataFrame, factors: Mapping[str, pd.Series], subject: pd.Series
) -> list[Effect]:
    """The effects of every factor on the absence of every modality.

    Args:
        owned: boolean (cases x modalities).
        factors: name -> value per case, same index: numbers, or names of groups; missing where
            unknown.
        subject: of each case, same index.
    """
    effects: list[Effect] = []
    for modality in owned.columns:
        for factor, values in factors.items():
            known = values.notna()
            effects += _compared(
                str(modality), factor, ~owned.loc[known, modality], values[known], subject[known]
            )
    return _adjusted(effects)


def _compared(
    modality: str, factor: str, absent: pd.Series, values: pd.Series, subject: pd.Series
) -> list[Effect]:
    y = absent.to_numpy(dtype=np.float64)
    lost, kept = int(y.sum()), int(len(y) - y.sum())
    blank = Effect(modality, factor, "", "", present=kept, absent=lost)
    who = subject.to_numpy(dtype=object)
    if len(set(who)) < FEWEST:
        return [replace(blank, reason=f"too few: below {FEWEST} subjects")]
    if pd.api.types.is_numeric_dtype(values):
        return [_difference(blank, y, values.to_numpy(dtype=np.float64), who)]
    groups = values.astype(str).to_numpy(dtype=object)
    names = sorted(set(groups))
    if len(names) < 2:
        said = f"all are {names[0]}" if names else "not recorded"
        return [replace(blank, measure="risk difference", reason=said)]
    if len(names) == 2:
        return _two_groups(blank, y, groups == names[1], names, who)
    return [_association(blank, y, _merged(groups), who)]


def _two_groups(
    blank: Effect, y: Floats, second: NDArray[np.bool_], names: Sequence[str], who: Groups
) -> list[Effect]:
    """Risk difference and odds ratio of absence, second group against the first."""
    named = replace(blank, groups=f"{names[1]} - {names[0]}")
    risk = replace(named, measure="risk difference")
    odds = replace(named, measure="odds ratio", groups=f"{names[1]} / {names[0]}")
    if not blank.absent or not blank.present:
        reason = "nobody lacks it" if not blank.absent else "nobody has it"
        return [replace(risk, reason=reason), replace(odds, reason=reason)]
    table = [[float(y[part].sum()), float((1 - y[part]).sum())] for part in (second, ~second)]
    if len(set(who)) == len(who):
        return [_risk_exact(risk, table), _odds_exact(odds, table)]
    if min(blank.absent, blank.present, *(sum(row) for row in table)) < FEWEST:
        reason = f"too few: below {FEWEST} cases absent, present or in a group"
        return [replace(risk, reason=reason), replace(odds, reason=reason)]
    return _clustered(risk, odds, y, second, who)


def _risk_exact(effect: Effect, table: list[list[float]]) -> Effect:
    (lost_1, kept_1), (lost_0, kept_0) = table
    low_1, high_1, rate_1 = _wilson(lost_1, lost_1 + kept_1)
    low_0, high_0, rate_0 = _wilson(lost_0, lost_0 + kept_0)
    value = rate_1 - rate_0
    return replace(
        effect,
        value=value,
        low=value - float(np.hypot(rate_1 - low_1, high_0 - rate_0)),
        high=value + float(np.hypot(high_1 - rate_1, rate_0 - low_0)),
        p=float(stats.fisher_exact(table).pvalue),
    )


def _odds_exact(effect: Effect, table: list[list[float]]) -> Effect:
    counts = np.array(table, dtype=np.int64)
    found = stats.contingency.odds_ratio(counts, kind="conditional")
    interval = found.confidence_interval(LEVEL)
    return replace(
        effect,
        value=float(found.statistic),
        low=float(interval.low),
        high=float(interval.high),
        p=float(stats.fisher_exact(counts).pvalue),
    )


def _wilson(count: float, total: float) -> tuple[float, float, float]:
    """Wilson's score interval of a share, and the share."""
    z = float(stats.norm.ppf((1 + LEVEL) / 2))
    rate = count / total
    middle = (rate + z * z / (2 * total)) / (1 + z * z / total)
    spread = rate * (1 - rate) / total + z * z / (4 * total * total)
    half = z * float(np.sqrt(spread)) / (1 + z * z / total)
    return max(0.0, middle - half), min(1.0, middle + half), rate


def _clustered(
    risk: Effect, odds: Effect, y: Floats, second: NDArray[np.bool_], who: Groups
) -> list[Effect]:
    rates = {group: float(y[second == group].mean()) for group in (True, False)}
    sizes = {group: int((second == group).sum()) for group in (True, False)}
    centre = np.where(second, rates[True], rates[False])
    weight = np.where(second, 1 / sizes[True], -1 / sizes[False])
    value = rates[True] - rates[False]
    error, freedom = _error((y - centre) * weight, who)
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * error
    p = float(2 * stats.t.sf(abs(value) / error, freedom)) if error > 0 else None
    first = replace(risk, value=value, low=value - half, high=value + half, p=p)
    if not all(0 < rate < 1 for rate in rates.values()):
        return [first, replace(odds, p=p, reason="a group is absent or present as a whole")]
    log = float(np.log(rates[True] / (1 - rates[True])) - np.log(rates[False] / (1 - rates[False])))
    error, _ = _error((y - centre) * weight / (centre * (1 - centre)), who)
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * error
    bounds = np.exp([log, log - half, log + half])
    return [
        first,
        replace(odds, value=float(bounds[0]), low=float(bounds[1]), high=float(bounds[2]), p=p),
    ]


def _error(influence: Floats, who: Groups) -> tuple[float, int]:
    """Standard error of a sum of influences that go together by subject; degrees of freedom."""
    totals = pd.Series(influence).groupby(who).sum().to_numpy()
    count = len(totals)
    return float(np.sqrt(count / (count - 1) * (totals**2).sum())), count - 1


def _difference(blank: Effect, y: Floats, values: Floats, who: Groups) -> Effect:
    """The standardised difference of a number, absent minus present."""
    effect = replace(blank, measure="standardised difference", groups="absent - present")
    if min(blank.absent, blank.present) < FEWEST:
        return replace(effect, reason=f"too few: below {FEWEST} cases absent or present")
    lost, kept = values[y == 1], values[y == 0]
    n1, n0 = len(lost), len(kept)
    pooled = float(
        np.sqrt(((n1 - 1) * lost.var(ddof=1) + (n0 - 1) * kept.var(ddof=1)) / (n1 + n0 - 2))
    )
    if pooled == 0:
        return replace(effect, reason="it does not vary")
    value = float(lost.mean() - kept.mean()) / pooled
    if len(set(who)) == len(who):
        error = float(np.sqrt((n1 + n0) / (n1 * n0) + value**2 / (2 * (n1 + n0))))
        half = float(stats.norm.ppf((1 + LEVEL) / 2)) * error
        p: float | None = _welch(lost, kept)
    else:
        centre = np.where(y == 1, lost.mean(), kept.mean())
        weight = np.where(y == 1, 1 / n1, -1 / n0)
        error, freedom = _error((values - centre) * weight / pooled, who)
        half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * error
        p = float(2 * stats.t.sf(abs(value) / error, freedom)) if error > 0 else None
    return replace(effect, value=value, low=value - half, high=value + half, p=p)


def _welch(lost: Floats, kept: Floats) -> float:
    """The p value of Welch's test; from moments, as one group may hold one value alone."""
    moments = [moment for one in (lost, kept) for moment in (one.mean(), one.std(ddof=1), len(one))]
    return float(stats.ttest_ind_from_stats(*moments, equal_var=False).pvalue)


def _merged(groups: Groups) -> Groups:
    """Groups with too few cases as one."""
    names, counts = np.unique(groups, return_counts=True)
    few = set(names[counts < FEWEST])
    return np.array([OTHER if name in few else name for name in groups], dtype=object)


def _association(blank: Effect, y: Floats, groups: Groups, who: Groups) -> Effect:
    """Cramer's V of absence and more than two groups."""
    names, place = np.unique(groups, return_inverse=True)
    effect = replace(blank, measure="Cramer's V", groups=f"{len(names)} groups")
    if min(blank.absent, blank.present) < FEWEST or len(names) < 2:
        return replace(effect, reason=f"too few: below {FEWEST} absent, present or in a group")
    member = (place[:, None] == np.arange(len(names))).astype(np.float64)

    def scores(weights: Floats) -> dict[str, Floats]:
        return {"v": _cramer((weights * y[:, None]).T @ member, weights.T @ member)}

    drawn = Resampling.draw([str(one) for one in who], draws=DRAWS, seed=0)
    estimate = drawn.estimate(scores, [str(one) for one in who])["v"]
    low, high = estimate.interval(LEVEL) or (None, None)
    single = len(set(who)) == len(who)
    p = _permuted(y, member, estimate.value) if single else _wald(y, member, who)
    return replace(effect, value=estimate.value, low=low, high=high, p=p)


def _cramer(lost: Floats, sizes: Floats) -> Floats:
    """V of tables: (tables, groups) absent, and of all."""
    total = sizes.sum(axis=1, keepdims=True)
    rate = lost.sum(axis=1, keepdims=True) / total
    with np.errstate(divide="ignore", invalid="ignore"):
        cells = (lost - rate * sizes) ** 2 / (sizes * rate * (1 - rate))
        value: Floats = np.sqrt(np.where(sizes > 0, cells, 0.0).sum(axis=1) / total[:, 0])
    return value


def _permuted(y: Floats, member: Floats, value: float) -> float:
    """How often absence dealt at random among the cases goes with the groups as much as here."""
    sizes = member.sum(axis=0)
    random = np.random.default_rng(0)
    dealt = random.multivariate_hypergeometric(
        sizes.astype(np.int64), int(y.sum()), size=PERMUTATIONS
    )
    drawn = _cramer(dealt.astype(np.float64), np.broadcast_to(sizes, dealt.shape))
    return float((1 + (drawn >= value - 1e-12).sum()) / (1 + PERMUTATIONS))


def _wald(y: Floats, member: Floats, who: Groups) -> float | None:
    """Test that all groups lack it equally often, variances summed by subject."""
    sizes = member.sum(axis=0)
    rates = (y @ member) / sizes
    influence = (y[:, None] - rates) * member / sizes
    totals = pd.DataFrame(influence).groupby(who).sum().to_numpy()
    count, groups = len(totals), len(sizes)
    contrast = np.eye(groups)[1:] - np.eye(groups)[:1]
    spread = contrast @ (totals.T @ totals) @ contrast.T * count / (count - 1)
    if np.linalg.matrix_rank(spread) < groups - 1:
        return None
    gap = contrast @ rates
    return float(stats.chi2.sf(gap @ np.linalg.solve(spread, gap), groups - 1))


def _adjusted(effects: Sequence[Effect]) -> list[Effect]:
    """The effects with Holm's p values; measures of one comparison count once."""
    raw = {(one.modality, one.factor): one.p for one in effects if one.p is not None}
    adjusted = dict(zip(raw, holm(list(raw.values())), strict=True))
    return [replace(one, holm=adjusted.get((one.modality, one.factor))) for one in effects]
