"""The grammar of protocols: what is refused before anything is drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmmed.config import Spec, parse, validate
from mmmed.errors import StudyError
from mmmed.mechanism import Complete, Listed, Mcar, TestProtocol, TrainProtocol, at_rate, rates


class Protocols(Spec):
    train: tuple[TrainProtocol, ...] = ()
    test: tuple[TestProtocol, ...] = ()


def read(text: str) -> Protocols:
    return validate(parse(text, path=Path("f.yaml")), Protocols)


def test_a_test_protocol_has_one_table_per_rate() -> None:
    (protocol,) = read("test: [{kind: mcar, modality: pet, rate: [0, 0.5, 1]}]").test
    assert rates(protocol) == (0, 0.5, 1)
    assert rates(Mcar(modality="pet", rate=0.3)) == (0.3,)
    assert rates(Complete()) == ()


def test_a_protocol_at_a_rate_is_the_same_in_all_else() -> None:
    protocol = Mcar(modality="pet", rate=(0, 1), seed=4)
    assert at_rate(protocol, 0.5) == Mcar(modality="pet", rate=0.5, seed=4)
    with pytest.raises(ValueError, match="less than or equal to 1"):
        at_rate(protocol, 2.0)


def test_a_list_is_read_with_its_file() -> None:
    assert read("train: [{kind: list, file: a.tsv}]").train == (Listed(file=Path("a.tsv")),)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("train: [{kind: mcar, modality: pet, rate: 1.5}]", "train.0.rate: should be less than"),
        ("train: [{kind: mcar, modality: pet, rate: -0.1}]", "train.0.rate: should be greater"),
        ("train: [{kind: mcar, modality: pet}]", "train.0.rate: is missing"),
        ("train: [{kind: mcar, modality: pet, rate: [0, 1]}]", "train.0: a train protocol has one"),
        ("train: [{kind: mcar, modality: [], rate: 0}]", "train.0.modality: should list at least"),
        ("train: [{kind: mcar, modality: [a, a], rate: 0}]", "train.0.modality: an element of"),
        ("train: [{kind: every-pattern}]", "train.0.kind: unknown kind 'every-pattern'"),
        ("train: [{kind: mar, modality: a, rate: 0}]", "train.0.slopes: is missing"),
        ("train: [{kind: mnar, modality: a, rate: 0, slope: 1}]", "train.0.column: is missing"),
        ("test: [{kind: mcar, modality: pet, rate: []}]", "test.0.rate: should list at least 1"),
        ("test: [{kind: mcar, modality: pet, rate: [0.5, 0.5]}]", "test.0.rate: an element of"),
        ("test: [{kind: by-label, modality: a, rate: 0, slope: 1}]", "test.0.kind: unknown kind"),
    ],
)
def test_a_protocol_that_cannot_be_drawn_is_refused_on_its_line(text: str, fault: str) -> None:
    with pytest.raises(StudyError) as caught:
        read("\n" + text)
    assert str(caught.value).startswith(f"f.yaml:2: {fault}")
