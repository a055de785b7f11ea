"""What every method of the table keeps, whatever it does inside."""

from __future__ import annotations

import math

import pytest
import torch

from mmmed.batch import ModalitySet, pack
from mmmed.errors import PresenceError
from mmmed.modality import every_pattern
from mmmed.models import METHODS
from mmmed.models.building import build, options
from mmmed.models.standard import Standard

SMALL = {"hypermm-paper": {"weights": "random", "size": 32, "axis": 1}}
"""What a method needs to be built without a file and run in a test; the others take defaults."""

PATCHES = {
    "tokens": {"kind": "patches", "size": 4, "width": 8},
    "depth": 3,
    "heads": 2,
    "pool": "class",
}
VARIANTS = [(method.kind, SMALL.get(method.kind, {})) for method in METHODS] + [
    ("hypermm", {"generate": "last", "head": "deep-sets", "agg": "mean", "joint": True}),
    ("hypermm", {"agg": "max", "joint": True}),
    ("hypermm", {"generate": "none", "head": "evidence"}),
    ("hypermm", {"generate": "last", "head": "agreement"}),
    ("hypermm", {"pretrain": False}),
    ("hypermm", {"pretrain": False, "head": "deep-sets", "agg": "mean"}),
    ("hypermm-paper", {**SMALL["hypermm-paper"], "pretrain": False}),
    ("hypermm", {"agg": "attention"}),
    ("late-fusion", {"pooling": "attention"}),
    ("per-pattern", {"pooling": "attention"}),
    ("ume-mma", {"pooling": "attention", "substitute": "mean"}),
    ("late-fusion", {"combine": "mean"}),
    *(("imputation", {"imputer": {"kind": kind}}) for kind in ("zero", "mean", "knn")),
    ("ume-mma", {"pretrain": False, "substitute": "mean"}),
    ("ume-mma", {"fusion": "concat", "lose": "one", "substitute": "noise"}),
    ("joint-embedding", {"prompts": "mutual", "fusion": "sum", "stop_gradient": True}),
    ("mmp", {"trust": "full", "masked_per": "batch", "masking": 0.5}),
    ("mmp", {"tokens": PATCHES["tokens"], "depth": 1, "stop_gradient": False}),
    ("joint-embedding", {"prompts": "ordinary", "fusion": "mean", "encoder": PATCHES}),
]
WITHOUT_VECTORS = ("hypermm-paper",)
WITHOUT_STATISTICS = ("early-fusion", "hypermm-paper", "complete-case", "incremental")
BATCH_FREE = 1e-5
"""Sums over a batch may be taken in another order than over one case."""


def over(variants):
    """A test for each of these methods and options."""
    ids = [
        "-".join([kind, *(f"{key}={value}" for key, value in chosen.items())])
        for kind, chosen in variants
    ]
    return pytest.mark.parametrize(("kind", "chosen"), variants, ids=ids)


every_variant = over(VARIANTS)
every_variant_with_statistics_by_modality = over(
    [
        (kind, chosen)
        for kind, chosen in VARIANTS
        if kind not in WITHOUT_STATISTICS
        and chosen.get("encoder") is not PATCHES
        and chosen.get("tokens") is not PATCHES["tokens"]
    ]
)
every_variant_that_reads_vectors = over(
    [variant for variant in VARIANTS if variant[0] not in WITHOUT_VECTORS]
)
every_shape = pytest.mark.parametrize(
    ("item", "count"),
    [("vector", 2), ("vector", 3), ("vector", 4), ("volume", 2), ("volume", 3), ("image", 4)],
)


@pytest.fixture
def make_modalities(make_modalities, kind):
    """As everywhere; a method that reads no vectors is given images in their place."""
    if kind not in WITHOUT_VECTORS:
        return make_modalities
    return lambda item, count: make_modalities("image" if item == "vector" else item, count)


@pytest.fixture
def mixed_modalities(mixed_modalities, kind):
    """As everywhere; without vectors for a method that reads none."""
    unread = {"vector"} if kind in WITHOUT_VECTORS else set()
    return tuple(one for one in mixed_modalities if one.kind not in unread)


def make(kind, chosen, modalities, classes=2):
    model = build(options(kind)(**chosen), modalities, classes=classes, standards={})
    return model.eval()


def ramp(shape):
    """From -2 to 2 over the entries of an item: a signal in no item's mean."""
    return torch.linspace(-2, 2, math.prod(shape)).view(shape)


def names(modalities):
    return [one.name for one in modalities]


@every_variant
@every_shape
def test_every_pattern_gives_finite_logits(kind, chosen, item, count, make_modalities, make_batch):
    modalities = make_modalities(item, count)
    model = make(kind, chosen, modalities, classes=3)
    batch = make_batch(modalities)
    logits = model(batch)
    assert logits.shape == (2 * (2**count - 1), 3)
    assert torch.isfinite(logits).all()


@every_variant
def test_mixed_kinds_give_finite_logits_under_every_pattern(
    kind, chosen, mixed_modalities, make_batch
):
    logits = make(kind, chosen, mixed_modalities)(make_batch(mixed_modalities))
    assert torch.isfinite(logits).all()


@every_variant
@every_shape
def test_a_batch_equals_its_cases_one_by_one(kind, chosen, item, count, make_modalities, make_sets):
    modalities = make_modalities(item, count)
    model = make(kind, chosen, modalities)
    sets = make_sets(modalities)
    together = model(pack(sets, modalities=names(modalities)))
    alone = torch.cat([model(pack([one], modalities=names(modalities))) for one in sets])
    torch.testing.assert_close(together, alone, atol=BATCH_FREE, rtol=0)


@every_variant
@pytest.mark.parametrize("item", ["vector", "volume"])
def test_the_order_of_items_and_modalities_is_irrelevant(
    kind, chosen, item, make_modalities, make_sets
):
    modalities = make_modalities(item, 3)
    model = make(kind, chosen, modalities)
    sets = make_sets(modalities)
    turned = [
        ModalitySet(
            case=one.case,
            subject=one.subject,
            items={name: one.items[name][::-1] for name in reversed(list(one.items))},
            label=one.label,
        )
        for one in sets
    ]
    straight = pack(sets, modalities=names(modalities))
    reverse = pack(turned, modalities=names(modalities))
    torch.testing.assert_close(model(straight), model(reverse), atol=BATCH_FREE, rtol=0)


@every_variant
@pytest.mark.parametrize("item", ["vector", "volume"])
def test_the_content_of_hidden_items_changes_no_bit(kind, chosen, item, make_modalities, make_sets):
    modalities = make_modalities(item, 3)
    model = make(kind, chosen, modalities)
    sets = make_sets(modalities)
    full = pack(sets, modalities=names(modalities))
    owns_first = full.presence[:, :1]
    first = torch.arange(3) == 0
    kept = full.presence & (first | ~owns_first)
    poisoned = full.map(lambda _, data: data.clone())
    for column, name in enumerate(names(modalities)):
        items = poisoned.items[name]
        items.data[~kept[items.owner, column]] = torch.nan
    assert torch.equal(model(full.show(kept)), model(poisoned.show(kept)))


@every_variant
@every_shape
def test_gradients_reach_every_parameter_of_every_phase(
    kind, chosen, item, count, make_modalities, make_batch, in_training, total_loss
):
    modalities = make_modalities(item, count)
    model = make(kind, chosen, modalities)
    batch = make_batch(modalities)
    for phase in model.phases(10):
        in_training(model, phase)
        for turn in phase.turns:
            # A layer that starts at zero passes no gradient before its own first step.
            reached = [torch.zeros((), dtype=torch.bool)] * len(turn.parameters)
            optimiser = torch.optim.SGD(turn.parameters, lr=0.01)
            for _ in range(3):
                optimiser.zero_grad()
                seen = phase.cache(batch) if phase.cache else batch
                total_loss(turn.loss(seen)).backward()
                reached = [
                    was | (one.grad is not None and bool(one.grad.abs().sum() > 0))
                    for was, one in zip(reached, turn.parameters, strict=True)
                ]
                optimiser.step()
            of = {id(one): name for name, one in model.named_parameters()}
            missed = [
                of[id(one)] for one, has in zip(turn.parameters, reached, strict=True) if not has
            ]
            assert missed == [], phase.name


FINE_TUNING = ("joint", "fusion")
"""Phases that, after another, start where its loss ended and hide more than it did."""


@every_variant
def test_the_loss_falls_on_a_linear_signal(kind, chosen, make_modalities, train):
    modalities = make_modalities("vector", 2)
    model = make(kind, chosen, modalities)
    random = torch.Generator().manual_seed(1)
    sets = []
    for number in range(64):
        label = number % 2
        items = {
            one.name: [torch.randn(one.shape, generator=random) + (2 * label - 1) * ramp(one.shape)]
            for one in modalities
        }
        if number % 4 > 1:
            items.pop(modalities[1].name)
        sets.append(ModalitySet(case=str(number), subject=str(number), items=items, label=label))
    batch = pack(sets, modalities=names(modalities))
    for place, phase in enumerate(model.phases(40)):
        history = train(model, phase, batch, steps=phase.steps, rate=3e-3)
        if place == 0 or phase.name not in FINE_TUNING:
            assert sum(history[-3:]) < sum(history[:3]), phase.name
    right = (model(batch).argmax(dim=1) == batch.label).float().mean()
    assert right > 0.85


@every_variant
def test_a_state_dict_makes_the_same_model_again(kind, chosen, mixed_modalities, make_batch, train):
    model = make(kind, chosen, mixed_modalities)
    batch = make_batch(mixed_modalities)
    train(model, model.phases(2)[0], batch, steps=2, rate=1e-2)
    torch.manual_seed(7)
    other = make(kind, chosen, mixed_modalities)
    assert not torch.equal(other(batch), model(batch))
    bare = dict(model.state_dict())  # what a file of plain tensors gives back
    other.load_state_dict(bare)
    assert torch.equal(other(batch), model(batch))


@every_variant
@every_shape
def test_one_case_with_one_item_can_be_trained_on(
    kind, chosen, item, count, make_modalities, make_sets, in_training, total_loss
):
    modalities = make_modalities(item, count)
    model = make(kind, chosen, modalities)
    alone = pack(make_sets(modalities)[:1], modalities=names(modalities))
    for phase in model.phases(10):
        in_training(model, phase)
        seen = phase.cache(alone) if phase.cache else alone
        losses = [turn.loss(seen) for turn in phase.turns]
        assert all(torch.isfinite(total_loss(loss)) for loss in losses if loss)


@every_variant_with_statistics_by_modality
def test_a_modality_without_items_leaves_its_running_statistics(
    kind, chosen, make_modalities, make_batch, train
):
    modalities = make_modalities("volume", 2)
    model = make(kind, chosen, modalities)
    batch, _ = make_batch(modalities).only(every_pattern([modalities[0].name])[0])
    before = {name: value.clone() for name, value in model.named_buffers()}
    train(model, model.phases(3)[0], batch, steps=3, rate=1e-3)
    moved = {name for name, value in model.named_buffers() if not torch.equal(value, before[name])}
    assert any("running_mean" in name and "v0" in name for name in moved)
    assert not any("v1" in name for name in moved)


@every_variant
def test_a_modality_that_was_never_trained_is_one_clear_error(
    kind, chosen, make_modalities, make_batch
):
    one, two, three = make_modalities("vector", 3)
    model = make(kind, chosen, (one, two))
    told = rf"'{three.name}' was never seen in training \({one.name}, {two.name}\)"
    with pytest.raises(PresenceError, match=told):
        model(make_batch((one, two, three)))


@every_variant
def test_features_are_one_row_per_item(kind, chosen, mixed_modalities, make_batch):
    batch = make_batch(mixed_modalities)
    features = make(kind, chosen, mixed_modalities).features(batch)
    assert {name: len(rows) for name, rows in features.items()} == {
        name: len(items) for name, items in batch.items.items()
    }


@every_variant_that_reads_vectors
def test_vectors_are_standardised_inside_the_model(kind, chosen, make_modalities, make_batch):
    modalities = make_modalities("vector", 2)
    standards = {
        one.name: Standard(torch.full(one.shape, 5.0), torch.full(one.shape, 2.0))
        for one in modalities
    }
    torch.manual_seed(0)
    plain = make(kind, chosen, modalities)
    torch.manual_seed(0)
    standardising = build(
        options(kind)(**chosen), modalities, classes=2, standards=standards
    ).eval()
    batch = make_batch(modalities)
    scaled = batch.map(lambda _, data: 2 * data + 5)
    torch.testing.assert_close(standardising(scaled), plain(batch), atol=1e-5, rtol=1e-5)


@every_variant
def test_phases_are_what_the_table_says(kind, chosen, make_modalities):
    row = next(method for method in METHODS if method.kind == kind)
    phases = [one.name for one in make(kind, chosen, make_modalities("vector", 2)).phases(50)]
    expected = ["x0", "x1"] if row.phases == ("one per modality",) else list(row.phases)
    if chosen.get("pretrain") is False:
        expected = ["fusion"] if kind == "ume-mma" else ["joint"]
    if chosen.get("head") == "evidence":
        expected.remove("set")
    assert phases[: len(expected)] == expected
    assert phases[len(expected) :] == (["joint"] if chosen.get("joint") else [])


@every_variant
def test_the_longest_phase_has_the_study_s_steps(kind, chosen, make_modalities):
    phases = make(kind, chosen, make_modalities("vector", 2)).phases(50)
    assert max(one.steps for one in phases) == 50
