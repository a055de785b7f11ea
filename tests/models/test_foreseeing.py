"""Methods that foresee a modality: with a case's own surprise they see what was hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from mmmed.batch import Batch
from mmmed.modality import Modality, Pattern
from mmmed.models.building import build, options
from mmmed.models.contract import Model, all_but
from mmmed.models.standard import Standard

FORESEEING = [
    ("joint-embedding", {}),
    ("joint-embedding", {"fusion": "mean"}),
    ("mmp", {}),
    ("mmp", {"trust": "full"}),
    ("imputation", {}),
    ("imputation", {"imputer": {"kind": "knn"}}),
]


def made(kind: str, chosen: dict[str, Any], modalities: tuple[Modality, ...]) -> Model:
    """Every parameter away from zero, so that none is without effect."""
    torch.manual_seed(0)
    standards = {
        one.name: Standard(torch.zeros(one.shape), torch.ones(one.shape)) for one in modalities
    }
    model = build(options(kind)(**chosen), modalities, classes=3, standards=standards)
    for one in model.parameters():
        torch.nn.init.normal_(one, std=0.3)
    return model.eval()


@pytest.fixture(scope="module", autouse=True)
def without_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.fixture
def complete(make_batch: Callable[..., Batch], make_modalities: Any) -> tuple[Any, Batch]:
    modalities = make_modalities("vector", 3)
    batch, _ = make_batch(modalities).only(Pattern.of(one.name for one in modalities))
    return modalities, batch


@pytest.mark.parametrize(("kind", "chosen"), FORESEEING)
def test_a_case_with_its_own_surprise_is_the_case_with_nothing_hidden(
    kind: str, chosen: dict[str, Any], complete: tuple[Any, Batch]
) -> None:
    modalities, batch = complete
    model = made(kind, chosen, modalities)
    surprises = model.surprise(batch, "x1")
    assert surprises is not None
    hidden = batch.show(all_but(batch, "x1"))
    logits = model.plausible(hidden, "x1", surprises)  # (S, B, K), S = B
    assert logits.shape == (len(batch), len(batch), 3)
    own = torch.stack([logits[row, row] for row in range(len(batch))])
    torch.testing.assert_close(own, model(batch), atol=1e-4, rtol=1e-4)
    assert not torch.allclose(logits[0, 1], logits[1, 1])


@pytest.mark.parametrize(
    ("kind", "chosen"),
    [("hypermm", {}), ("late-sum", {}), ("imputation", {"imputer": {"kind": "mean"}})],
)
def test_other_methods_and_constant_imputers_foresee_nothing(
    kind: str, chosen: dict[str, Any], complete: tuple[Any, Batch]
) -> None:
    modalities, batch = complete
    model = made(kind, chosen, modalities)
    assert model.surprise(batch, "x1") is None
