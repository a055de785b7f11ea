"""The trials of each method of a study, drawn before anything is read.

A draw is keyed by the seed of tuning and the method's name: neither the other methods nor folds,
seeds and protocols act on it. Numbers of ranges are rounded to three digits, to be read and told.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from math import prod
from typing import Any, TypeVar

from pydantic import ValidationError
from scipy import stats
from sklearn.model_selection import ParameterGrid, ParameterSampler

from mmmed.config import Spec, explain, nearest
from mmmed.document import brief, spell
from mmmed.errors import Collecting, StudyError, join
from mmmed.models.building import weights_file
from mmmed.models.options import MethodOptions
from mmmed.pipelines.study import Study
from mmmed.pipelines.tune import TUNABLE, Range, Tune
from mmmed.training.randomness import key as key_of
from mmmed.training.settings import TrainingSpec

DIGITS = 3
ATTEMPTS = 100
"""Draws per trial before a space counts as too small: ranges of whole numbers repeat themselves."""
BUDGET = "training"
IDENTITY = ("kind", "name")
"""Options that say which method it is."""

AnySpec = TypeVar("AnySpec", bound=Spec)


@dataclass(frozen=True)
class Trial:
    """One choice of settings.

    Attributes:
        method: with its options as chosen.
        training: with its fields as chosen; the budget is everyone's.
        drawn: key of the space -> value; nothing for the settings as they stand.
    """

    method: MethodOptions
    training: TrainingSpec
    drawn: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """`hypermm.dropout=0.2 training.learning_rate=0.00131`."""
        told = [f"{key}={json.dumps(value)}" for key, value in sorted(self.drawn.items())]
        return " ".join(told) or "as they stand"

    def values(self) -> dict[str, Any]:
        """As plain values: what a result depends on."""
        return {
            "method": self.method.model_dump(mode="json"),
            "training": self.training.model_dump(mode="json"),
        }


def trials(study: Study) -> dict[str, tuple[Trial, ...]]:
    """The trials of each method, by its name; nothing for a study that does not tune.

    Raises:
        StudyError: one line per key of the space that nothing has, value that does not fit, and
            method with fewer settings than trials.
    """
    tune = study.tune
    if tune is None:
        return {}
    faults: list[str] = []
    owners = {key: _owners(study, key, faults) for key in tune.space}
    faults += [
        line
        for key, methods in owners.items()
        for value in _ends(tune.space[key])
        for line in _value_faults(study, methods, key, value)
    ]
    if faults:
        raise StudyError(join(dict.fromkeys(faults)))
    found = {}
    for method in study.methods:
        with Collecting(faults):
            mine = [key for key, methods in owners.items() if method in methods]
            found[method.name] = _of(study, tune, method, mine)
    if faults:
        raise StudyError(join(dict.fromkeys(faults)))
    return found


def _owners(study: Study, key: str, faults: list[str]) -> list[MethodOptions]:
    """The methods that a key of the space is about."""
    place = f"study {study.study}: tune.space.{key}"
    head, _, rest = key.partition(".")
    if head == BUDGET:
        if rest not in TUNABLE:
            reason = "is the same for every method" if rest in TrainingSpec.model_fields else ""
            faults.append(f"{place}: {reason or 'is no such field'}{nearest(rest, TUNABLE)}")
            return []
        return list(study.methods)
    named = [one for one in study.methods if head in (one.name, one.kind)]
    if not named:
        heads = [BUDGET, *(name for one in study.methods for name in (one.name, one.kind))]
        faults.append(f"{place}: no method is called {head!r}{nearest(head, heads)}")
        return []
    owners = [one for one in named if rest in _options(one)]
    if not owners:
        known = dict.fromkeys(name for one in named for name in _options(one))
        faults.append(f"{place}: {head} has no option {rest!r}{nearest(rest, known)}")
    return owners


def _options(spec: Spec, above: str = "") -> list[str]:
    """The options of a method by their paths, those inside others behind them."""
    found = []
    for name in type(spec).model_fields:
        if name in IDENTITY:
            continue
        found.append(f"{above}{name}")
        inner = getattr(spec, name)
        if isinstance(inner, Spec):
            found += _options(inner, f"{above}{name}.")
    return found


def _ends(space: Sequence[Any] | Range) -> Sequence[Any]:
    return (space.low, space.high) if isinstance(space, Range) else space


def _value_faults(
    study: Study, methods: Iterable[MethodOptions], key: str, value: object
) -> Iterator[str]:
    """What keeps a value of the space from being a setting, told before anything is drawn."""
    place = f"study {study.study}: tune.space.{key}: {brief(value)}"
    for method in methods:
        try:
            trial = _trial(method, study.training, {key: value})
        except ValidationError as error:
            spec = TrainingSpec if key.startswith(f"{BUDGET}.") else type(method)
            yield from _told(error, spec, place)
            continue
        if weights_file(trial.method) != weights_file(method):
            yield f"{place}: starts from other weights; make it a method of the study"
        elif trial.method.lacks:
            yield f"{place}: {trial.method.lacks}"


def _told(error: ValidationError, spec: type[Spec], place: str) -> list[str]:
    """The faults of settings; of those that contradict each other no option is named."""
    lines = explain(error, spec, lambda _: place)
    return [line.replace(f"{place}: {spell(())}: ", f"{place}: ") for line in lines]


def _of(study: Study, tune: Tune, method: MethodOptions, keys: Sequence[str]) -> tuple[Trial, ...]:
    """The trials of one method, no two alike.

    Raises:
        StudyError: its part of the space has too few settings, or some that contradict each other.
    """
    found = [Trial(method, study.training)]
    place = f"study {study.study}: tune.space"
    for drawn in _draws(tune, method.name, keys):
        try:
            one = _trial(method, study.training, drawn)
        except ValidationError as error:
            told = ", ".join(f"{key}={brief(value)}" for key, value in sorted(drawn.items()))
            lines = _told(error, type(method), f"{place}: {method.name}: {told}")
            raise StudyError(join(lines)) from error
        if all((one.method, one.training) != (other.method, other.training) for other in found):
            found.append(one)
        if len(found) == tune.trials:
            return tuple(found)
    raise StudyError(
        f"{place}: {method.name} has {len(found)} settings there, those as they stand included, "
        f"and {tune.trials} trials; widen the space of {method.name} or of training, or lower "
        "tune.trials"
    )


def _draws(tune: Tune, method: str, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Values of these keys, as often as asked; lists alone are drawn without repetition."""
    space = {key: tune.space[key] for key in keys}
    seed = key_of(tune.seed, "tune", method) % 2**32
    lists = {key: one for key, one in space.items() if not isinstance(one, Range)}
    if len(lists) == len(space):
        size = prod(len(one) for one in lists.values())
        grid = ParameterGrid({key: list(one) for key, one in lists.items()})
        places = range(min(size, sys.maxsize))
        chance = random.Random(seed)  # noqa: S311 - of an experiment; NumPy counts to 2**63 only
        for place in chance.sample(places, min(size, tune.trials)):
            yield dict(grid[place])
        return
    numbers = {
        key: _distribution(one) if isinstance(one, Range) else list(one)
        for key, one in space.items()
    }
    for drawn in ParameterSampler(numbers, ATTEMPTS * tune.trials, random_state=seed):
        yield {key: _rounded(space[key], value) for key, value in drawn.items()}


def _distribution(one: Range) -> Any:
    if one.scale == "log":
        return stats.loguniform(one.low, one.high)
    if one.whole:
        return stats.randint(one.low, one.high + 1)
    return stats.uniform(one.low, one.high - one.low)


def _rounded(space: Sequence[Any] | Range, value: Any) -> Any:
    if not isinstance(space, Range):
        return value
    if space.whole:
        return round(float(value))
    return min(max(float(f"{value:.{DIGITS}g}"), space.low), space.high)


def _trial(method: MethodOptions, training: TrainingSpec, drawn: Mapping[str, Any]) -> Trial:
    """The settings with these values in their places; what is said by name counts before kind.

    Raises:
        ValidationError: a value does not fit.
    """
    options = method.model_dump(mode="json")
    budget = training.model_dump(mode="json")
    for key in sorted(drawn, key=lambda key: key.startswith(f"{method.name}.")):
        head, _, rest = key.partition(".")
        _put(budget if head == BUDGET else options, rest.split("."), drawn[key])
    return Trial(_checked(method, options), _checked(training, budget), dict(drawn))


def _put(values: dict[str, Any], path: Sequence[str], value: Any) -> None:
    reduce(lambda inner, name: inner[name], path[:-1], values)[path[-1]] = value


def _checked(spec: AnySpec, values: Mapping[str, Any]) -> AnySpec:
    """The settings of a Spec with other values, as strictly read as a YAML."""
    return type(spec).model_validate_json(json.dumps(values), strict=True)
