from __future__ import annotations

from mmmed.evaluation.study.answer import answers
from mmmed.evaluation.study.plan import Plan
from mmmed.modality import every_pattern

PLACE = {"cohort": None, "train": None, "protocol": "mcar"}


def rank(method: str, best: float) -> dict[str, object]:
    return {**PLACE, "method": method, "of": "area", "best": best}


def area(method: str, other: str, word: str) -> dict[str, object]:
    return {**PLACE, "kind": "area", "method": method, "other_method": other, "word": word}


def gain(
    method: str, word: str, *, oracle: float | None = None, low: float = 0.01
) -> dict[str, object]:
    return {
        **PLACE,
        "kind": "gain",
        "method": method,
        "word": word,
        "pattern": "mri+pet",
        "other_pattern": "mri",
        "oracle": oracle,
        "low": low,
    }


def said(comparisons: list[dict[str, object]], ranks: list[dict[str, object]]) -> list[str]:
    return list(answers(comparisons, ranks, plan=Plan(), title="AUROC"))


def test_a_leader_that_is_shown_to_beat_nobody_is_inconclusive() -> None:
    ranks = [rank("a", 0.6), rank("b", 0.4)]
    (line,) = said([area("b", "a", "inconclusive")], ranks)
    assert line == (
        "mcar: a has the highest mean AUROC over the rates in 60% of the draws of subjects; "
        "inconclusive: better than none of the 1 it is compared with"
    )


def test_a_leader_is_better_where_the_other_is_worse() -> None:
    ranks = [rank("a", 0.9), rank("b", 0.1), rank("c", 0.0)]
    words = [area("b", "a", "worse"), area("a", "c", "better"), area("b", "c", "better")]
    (line,) = said(words, ranks)
    assert line.endswith("shown to be better than 2 of the 2 it is compared with")


def test_what_holds_for_these_models_alone_is_not_shown() -> None:
    (line,) = said([area("b", "a", "worse here")], [rank("a", 0.9), rank("b", 0.1)])
    assert "inconclusive" in line


def test_a_gain_is_named_only_where_it_is_shown() -> None:
    none, some = (
        said([gain("a", word), gain("b", "inconclusive")], []) for word in ("better here", "better")
    )
    start = "mri+pet against mri, AUROC: "
    shown = "no method is shown to gain over the best readers of mri alone in this study"
    assert none == [f"{start}{shown} (1 better here, 1 inconclusive)"]
    assert some == [
        (
            f"{start}shown to gain over every reader of mri alone in this study: a "
            "(1 better, 1 inconclusive)"
        )
    ]


def test_of_many_patterns_those_with_one_modality_fewer_are_told() -> None:
    names = [str(one) for one in every_pattern("abcd")]
    rows = [
        {**gain("m", "better"), "pattern": names[-1], "other_pattern": name} for name in names[:-1]
    ]
    told = [line.split(",")[0] for line in said(rows, [])]
    assert told == [f"a+b+c+d against {fewer}" for fewer in ("a+b+c", "a+b+d", "a+c+d", "b+c+d")]


def test_the_oracles_gain_stands_beside_and_tells_who_claims_too_much() -> None:
    fair, much = (said([gain("a", "better", oracle=one)], [])[0] for one in (0.02, 0.0))
    assert fair.endswith("; the oracle gains .020")
    assert much.endswith(
        "; the oracle gains .000; more than the images can tell: a; "
        "the readers of mri in this study are poor"
    )
