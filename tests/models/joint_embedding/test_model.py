"""The invariants R1 to R11 that concern the whole method; R3, R4, R6, R7 stand by their parts."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from mmmed.batch import ModalitySet, pack
from mmmed.errors import PresenceError, StudyError
from mmmed.modality import Modality, Pattern, every_pattern
from mmmed.models.joint_embedding.bitfit import bias_names
from mmmed.models.joint_embedding.model import JointEmbedding
from mmmed.models.joint_embedding.options import Options
from mmmed.models.joint_embedding.vicreg import vicreg
from mmmed.models.tokens.encoder import Patches
from mmmed.models.transformer.encoder import EncoderOptions

SAME = 1e-5
"""float32 sums in another order."""

fusions = pytest.mark.parametrize("fusion", ["evidence", "sum", "mean"])
kinds = pytest.mark.parametrize("prompts", ["read-only", "mutual", "ordinary"])
PATCHES = EncoderOptions(tokens=Patches(kind="patches", size=4, width=8), depth=3, heads=2)


def model_of(modalities, *, classes=2, **chosen) -> JointEmbedding:
    torch.manual_seed(3)
    model = JointEmbedding(Options(**chosen), modalities, classes=classes, standards={})
    if model.trust is not None:
        nn.init.constant_(model.trust, 0.4)
    for encoder in (model.branches[name].encoder for name in model.names):
        for block in encoder.blocks:  # as after training: blocks far from the identity
            for parameter in block.parameters():
                nn.init.normal_(parameter, std=0.2)
    return model.eval()


def case_of(name, *, label=0, **items) -> ModalitySet:
    return ModalitySet(
        case=name, subject=name, items={key: [one] for key, one in items.items()}, label=label
    )


def shake(module: nn.Module) -> None:
    for parameter in module.parameters():
        nn.init.normal_(parameter)


@pytest.fixture
def pair(make_modalities):
    return make_modalities("vector", 2)


@pytest.fixture
def complete(pair):
    sets = [
        case_of(str(number), label=number % 2, x0=torch.randn(3), x1=torch.randn(4))
        for number in range(6)
    ]
    return pack(sets, modalities=["x0", "x1"])


@pytest.fixture
def unpaired(pair):
    """Three cases with the first modality, three with the second, no pair."""
    sets = [case_of(f"a{n}", label=n % 2, x0=torch.randn(3)) for n in range(3)]
    sets += [case_of(f"b{n}", label=n % 2, x1=torch.randn(4)) for n in range(3)]
    return pack(sets, modalities=["x0", "x1"])


@pytest.mark.parametrize(("prompts", "same"), [("read-only", True), ("ordinary", False)])
@pytest.mark.parametrize("encoder", [EncoderOptions(), PATCHES], ids=["grid", "patches"])
def test_r1_what_is_present_is_seen_as_without_prompts(
    prompts, same, encoder, make_modalities, make_batch
):
    modalities = make_modalities("volume", 2)
    model = model_of(modalities, prompts=prompts, encoder=encoder)
    batch = make_batch(modalities)
    alone = {name: model.branches[name].encoder(items.data) for name, items in batch.items.items()}
    for name, seen in model.features(batch).items():
        assert torch.equal(seen, alone[name]) is same
    full = batch.only(every_pattern(["v0", "v1"])[-1])[0]
    before = model(full)
    shake(model.prompts)
    assert torch.equal(model(full), before) is same


@fusions
def test_r2_logits_of_present_modalities_pass_no_gradient_to_prompts(fusion, pair, complete):
    model = model_of(pair, fusion=fusion)
    seen = model.see(model.tokens(complete))
    for logits in seen.logits.values():
        found = torch.autograd.grad(
            logits.sum(), list(model.prompts.parameters()), retain_graph=True, allow_unused=True
        )
        assert all(one is None for one in found)
    found = torch.autograd.grad(
        model(complete).sum(), list(model.prompts.parameters()), allow_unused=True
    )
    assert all(one is None for one in found)


@kinds
@pytest.mark.parametrize("encoder", [EncoderOptions(), PATCHES], ids=["grid", "patches"])
def test_r5_in_the_joint_phase_only_biases_of_an_encoder_move(
    prompts, encoder, make_modalities, make_batch, train
):
    modalities = make_modalities("volume", 2)
    model = model_of(modalities, prompts=prompts, encoder=encoder)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    train(model, model.phases(10)[1], make_batch(modalities), steps=3, rate=1e-2)
    moved = {
        name for name, value in model.state_dict().items() if not torch.equal(value, before[name])
    }
    in_encoder = {name for name in moved if ".encoder." in name}
    expected = {
        f"branches.{name}.encoder.{bias}"
        for name in model.names
        for bias in bias_names(model.branches[name].encoder)
    }
    assert in_encoder == expected
    assert all(name.endswith(".bias") for name in in_encoder)
    assert {name.split(".")[0] for name in moved - in_encoder} == {
        "branches",
        "prompts",
        "predictors",
        "trust",
    }


@pytest.mark.parametrize(("encoder", "cached"), [(EncoderOptions(), True), (PATCHES, False)])
def test_what_frozen_stems_make_of_an_item_is_computed_once(
    encoder, cached, make_modalities, make_batch
):
    modalities = make_modalities("volume", 2)
    model = model_of(modalities, encoder=encoder, modality_dropout=0, dropout=0)
    joint = model.phases(10)[1]
    assert (joint.cache is not None) is cached
    if joint.cache is None:
        return
    batch = make_batch(modalities)
    tokens = joint.cache(batch)
    stem = model.branches["v0"].encoder.patch_embed
    assert torch.equal(tokens.items["v0"].data, stem(batch.items["v0"].data))
    expected = functional.cross_entropy(model(batch), batch.label, reduction="sum")
    torch.testing.assert_close(model.joint_loss(tokens)["class"].sum, expected)


@fusions
def test_r8_a_complete_case_does_not_depend_on_the_predictors(fusion, pair, complete):
    model = model_of(pair, fusion=fusion)
    before = model(complete)
    shake(model.predictors)
    assert torch.equal(model(complete), before)


@fusions
def test_r8_an_incomplete_case_depends_on_them_and_on_nothing_hidden(fusion, pair, complete):
    model = model_of(pair, fusion=fusion)
    shown = torch.tensor([[True, False]] * 6)
    poisoned = complete.map(lambda name, data: data if name == "x0" else data * torch.nan)
    before = model(complete.show(shown))
    assert torch.equal(model(poisoned.show(shown)), before)
    assert torch.isfinite(before).all()
    shake(model.predictors)
    assert not torch.allclose(model(complete.show(shown)), before, atol=1e-3)


@fusions
def test_r9_fusion_commutes_with_a_permutation_of_classes(fusion, pair, make_batch):
    model = model_of(pair, classes=3, fusion=fusion)
    batch = make_batch(pair)
    before = model(batch)
    order = torch.tensor([2, 0, 1])
    with torch.no_grad():
        for name in model.names:
            layer = model.branches[name].classifier[-1]
            layer.weight.copy_(layer.weight[order])
            layer.bias.copy_(layer.bias[order])
    torch.testing.assert_close(model(batch), before[:, order], atol=1e-6, rtol=1e-6)


def test_r9_the_mean_of_identical_logits_returns_them(pair, make_batch):
    model = model_of(pair, fusion="mean")
    with torch.no_grad():
        for name in model.names:
            model.branches[name].classifier[-1].weight.zero_()
            model.branches[name].classifier[-1].bias.copy_(torch.tensor([0.3, -0.7]))
    batch = make_batch(pair)
    torch.testing.assert_close(model(batch), torch.tensor([[0.3, -0.7]]).expand(len(batch), -1))


@fusions
def test_r9_present_and_predicted_logits_are_fused_as_the_option_says(fusion, pair, complete):
    model = model_of(pair, fusion=fusion)
    only = complete.show(torch.tensor([[True, False]] * 6))
    read = model.prompts["x0"](
        model.branches["x0"].encoder,
        model.branches["x0"].encoder.patch_embed(only.items["x0"].data),
    )
    present = model.branches["x0"].classifier(read.embedding)
    guess = model.predictors["x0"]["x1"](read.prompts.mean(dim=1))
    predicted = model.branches["x1"].classifier(guess)
    expected = {
        "evidence": present + 0.4 * predicted,
        "sum": present + predicted,
        "mean": (present + predicted) / 2,
    }[fusion]
    torch.testing.assert_close(model(only), expected, atol=1e-6, rtol=1e-6)


def test_fusion_starts_at_the_evidence_that_is_present(pair, make_batch):
    model = JointEmbedding(Options(), pair, classes=2, standards={}).eval()
    batch = make_batch(pair)
    torch.testing.assert_close(model(batch), model.evidence(batch), atol=1e-6, rtol=1e-6)


def test_with_three_modalities_predictions_are_averaged_over_those_present(make_modalities):
    modalities = make_modalities("vector", 3)
    model = model_of(modalities, fusion="sum")
    one = case_of("a", x0=torch.randn(3), x1=torch.randn(4))
    batch = pack([one], modalities=["x0", "x1", "x2"])
    seen = model.see(model.tokens(batch))
    rows, guess = model.foresee("x2", seen, batch.presence)
    each = [model.predictors[name]["x2"](seen.prompts[name]) for name in ("x0", "x1")]
    assert rows.tolist() == [0]
    torch.testing.assert_close(guess, sum(each) / 2)


@kinds
@fusions
def test_r10_any_mix_of_patterns_equals_its_cases_one_by_one(prompts, fusion, pair, make_sets):
    model = model_of(pair, prompts=prompts, fusion=fusion)
    sets = make_sets(pair)
    together = model(pack(sets, modalities=["x0", "x1"]))
    alone = torch.cat([model(pack([one], modalities=["x0", "x1"])) for one in sets])
    torch.testing.assert_close(together, alone, atol=SAME, rtol=0)


def test_r10_a_case_without_either_modality_is_refused(pair, complete):
    with pytest.raises(PresenceError, match="owns no item"):
        complete.show(torch.tensor([[True, True]] * 5 + [[False, False]]))


def test_r11_unpaired_subjects_are_in_no_vicreg(pair, complete, unpaired):
    model = model_of(pair, vicreg=1.0)
    sets = [*_sets(complete), *_sets(unpaired)]
    both = pack(sets, modalities=["x0", "x1"])
    alone, mixed = (
        model.pair_losses(model.see(model.tokens(batch)), batch.presence)
        for batch in (complete, both)
    )
    assert set(alone) == {"x0 to x1", "x1 to x0"}
    for name, loss in alone.items():
        assert mixed[name].count == loss.count == 6
        torch.testing.assert_close(mixed[name].sum, loss.sum)


def test_r11_its_value_is_that_of_predicted_and_true_embeddings(pair, complete):
    model = model_of(pair, vicreg=0.5)
    seen = model.see(model.tokens(complete))
    guess = model.predictors["x0"]["x1"](seen.prompts["x0"])
    expected = 0.5 / 2 * vicreg(guess, seen.embedding["x1"])
    found = model.pair_losses(seen, complete.presence)["x0 to x1"]
    torch.testing.assert_close(found.sum / found.count, expected)


@pytest.mark.parametrize("pairs", [0, 1])
def test_r11_fewer_than_two_pairs_leave_the_task_alone(pairs, pair, complete, unpaired, total_loss):
    model = model_of(pair)
    sets = [*_sets(complete)[:pairs], *_sets(unpaired)]
    losses = model.joint_loss(model.stem_tokens(pack(sets, modalities=["x0", "x1"])))
    assert losses["class"].count == 6 + pairs
    assert losses["x0 to x1"].count == losses["x1 to x0"].count == 0
    assert torch.isfinite(total_loss(losses))


def test_the_phase_with_vicreg_asks_for_pairs_and_the_other_for_nothing(pair):
    unimodal, joint = model_of(pair).phases(10)
    assert unimodal.quota is None
    assert joint.quota.cases == 4
    assert [str(one) for one in every_pattern(["x0", "x1"]) if joint.quota.wanted(one)] == ["x0+x1"]
    assert model_of(pair, pairs_per_batch=7).phases(10)[1].quota.cases == 7


@pytest.mark.parametrize("chosen", [{"vicreg": 0.0}, {"pairs_per_batch": 0}])
def test_without_vicreg_or_without_a_wish_nothing_is_asked_of_batches(chosen, pair):
    assert all(phase.quota is None for phase in model_of(pair, **chosen).phases(10))


def test_vicreg_counts_a_pair_also_where_the_task_hides_one_of_it(pair, complete):
    model = model_of(pair, modality_dropout=0.9)
    assert model.joint_loss(model.stem_tokens(complete))["x0 to x1"].count == 6


@pytest.mark.parametrize(("stops", "reached"), [(False, True), (True, False)])
def test_the_true_embedding_is_moved_unless_the_gradient_stops(stops, reached, pair, complete):
    model = model_of(pair, stop_gradient=stops)
    seen = model.see(model.tokens(complete))
    loss = model.pair_losses(seen, complete.presence)["x0 to x1"].sum
    bias = model.branches["x1"].encoder.norm.bias
    (found,) = torch.autograd.grad(loss, [bias], allow_unused=True)
    assert (found is not None) is reached


@pytest.mark.parametrize("reached", [True, False])
def test_the_task_moves_the_predictors_where_it_is_told_to(reached, pair, unpaired):
    model = model_of(pair, predicted_gradient=reached)
    loss = model.joint_loss(model.stem_tokens(unpaired))["class"].sum
    weight = model.predictors["x0"]["x1"][0].weight
    (found,) = torch.autograd.grad(loss, [weight], allow_unused=True)
    assert (found is not None) is reached


def test_the_unimodal_phase_moves_encoders_and_classifiers_alone(pair, unpaired, train):
    model = model_of(pair)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    train(model, model.phases(10)[0], unpaired, steps=3, rate=1e-2)
    moved = {
        name.split(".")[0]
        for name, value in model.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert moved == {"branches"}


def test_the_unimodal_phase_is_validated_without_prompts_and_predictors(pair, make_batch):
    model = model_of(pair, fusion="sum")
    phase = model.phases(10)[0]
    batch = make_batch(pair)
    before = phase.predict(batch)
    shake(model.prompts)
    shake(model.predictors)
    assert torch.equal(phase.predict(batch), before)


def test_it_learns_from_unpaired_cohorts_with_a_handful_of_pairs(pair, train):
    sets = []
    for number in range(60):
        sign = 2.0 * (number % 2) - 1
        items = {"x0": torch.randn(3) + sign, "x1": torch.randn(4) + sign}
        kept = items if number < 4 else {f"x{number % 3 % 2}": items[f"x{number % 3 % 2}"]}
        sets.append(case_of(str(number), label=number % 2, **kept))
    batch = pack(sets, modalities=["x0", "x1"])
    model = JointEmbedding(Options(), pair, classes=2, standards={})
    for phase in model.phases(40):
        train(model, phase, batch, steps=phase.steps, rate=3e-3)
    for pattern in every_pattern(["x0", "x1"]):
        shown, _ = batch.only(pattern)
        assert (model(shown).argmax(dim=1) == shown.label).float().mean() > 0.85, str(pattern)


def test_a_cohort_without_pairs_is_refused(pair):
    model = model_of(pair)
    alone = [Pattern.of(["x0"])] * 5 + [Pattern.of(["x1"])] * 5
    with pytest.raises(StudyError, match=r"0 of 10 training cases do; add such cases"):
        model.require_teachable(alone)
    both = Pattern.of(["x0", "x1"])
    with pytest.raises(StudyError, match=r"1 of 11 training cases do"):
        model.require_teachable([*alone, both])
    model.require_teachable([*alone, both, both])


def test_heads_that_do_not_divide_the_width_are_refused(pair):
    with pytest.raises(StudyError, match="x0: 3 heads do not divide tokens of width 64"):
        JointEmbedding(Options(encoder=EncoderOptions(heads=3)), pair, classes=2, standards={})


def test_where_weights_are_given_vectors_alone_are_trained_first(tmp_path):
    volume, vector = Modality("v", "volume", (1, 8, 8, 8)), Modality("x", "vector", (3,))
    source = JointEmbedding(Options(encoder=PATCHES), (volume,), classes=2, standards={})
    state = source.branches["v"].encoder.state_dict()
    path = tmp_path / "weights.pt"
    torch.save({name.replace(".project.", ".proj."): one for name, one in state.items()}, path)
    chosen = Options(encoder=PATCHES.model_copy(update={"weights": path}))
    model = JointEmbedding(chosen, (volume, vector), classes=2, standards={})
    loaded = model.branches["v"].encoder.state_dict()
    assert all(torch.equal(loaded[name], one) for name, one in state.items())
    unimodal, joint = model.phases(50)
    trained = {id(one) for turn in unimodal.turns for one in turn.parameters}
    assert trained == {id(one) for one in model.branches["x"].parameters()}
    assert (unimodal.steps, joint.steps) == (50, 50)
    alone = JointEmbedding(chosen, (volume,), classes=2, standards={})
    assert [phase.name for phase in alone.phases(50)] == ["joint"]


def _sets(batch) -> list[ModalitySet]:
    return [
        ModalitySet(
            case=batch.case[row],
            subject=batch.subject[row],
            items={
                name: [
                    item
                    for owner, item in zip(items.owner.tolist(), items.data, strict=True)
                    if owner == row
                ]
                for name, items in batch.items.items()
                if row in items.owner.tolist()
            },
            label=int(batch.label[row]),
        )
        for row in range(len(batch))
    ]
