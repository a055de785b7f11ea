"""What imputation promises beyond the contract (G1, G2, G7, G8)."""

from __future__ import annotations

import pytest
import torch

from mmmed.batch import ModalitySet, pack
from mmmed.errors import LeakageError, PresenceError, StudyError
from mmmed.modality import Modality, Pattern
from mmmed.models.building import build, options
from mmmed.models.contract import Guess
from mmmed.models.imputers.report import mean_errors

FEATURE = ("zero", "mean", "knn", "regression")
IMAGE = ("pix2pix", "cyclegan", "diffusion")
EVERY = (*FEATURE, *IMAGE)
LEARNING = tuple(kind for kind in EVERY if kind != "zero")
PAIR = (Modality("mri", "volume", (1, 9, 8, 10)), Modality("pet", "volume", (1, 9, 8, 10)))
over_all = pytest.mark.parametrize("imputer", EVERY)
over_learning = pytest.mark.parametrize("imputer", LEARNING)


def built(imputer, modalities=PAIR, **chosen):
    torch.manual_seed(0)
    what = options("imputation")(imputer={"kind": imputer, **chosen})
    return build(what, modalities, classes=2, standards={}).eval()


def sets(count=12, *, seed=0, complete=lambda number: number % 3 != 0, name="s"):
    random = torch.Generator().manual_seed(seed)
    found = []
    for number in range(count):
        items = {"mri": [torch.randn(PAIR[0].shape, generator=random)]}
        if complete(number):
            items["pet"] = [torch.randn(PAIR[1].shape, generator=random) for _ in range(2)]
        case = f"{name}{number}"
        found.append(ModalitySet(case=case, subject=case, items=items, label=number % 2))
    return found


def packed(some):
    return pack(some, modalities=("mri", "pet"))


def space(model, batch):
    """The batch as its imputer sees it."""
    return batch if model.options.imputer.kind in IMAGE else model._embedded(batch)


def fitted(imputer, some=None, **chosen):
    model = built(imputer, **chosen)
    batch = packed(some or sets())
    with torch.no_grad():
        model.imputer.fit([space(model, batch)], set(batch.subject))
    return model


def trained(imputer, some, train, *, steps=2):
    model = built(imputer)
    for phase in model.phases(steps):
        torch.manual_seed(1)
        train(model, phase, packed(some), steps=phase.steps, rate=1e-3)
    return model


@over_all
def test_g1_a_subject_outside_the_training_part_is_a_leak(imputer):
    model, batch = built(imputer), packed(sets())
    training = set(batch.subject) - {"s4"}
    with pytest.raises(LeakageError, match=r"^subject s4 is not of the training part; "):
        model.imputer.fit([space(model, batch)], training)


@over_learning
def test_g1_incomplete_training_cases_teach_an_imputer_nothing(imputer, train):
    straight = sets()
    changed = [
        one if len(one.items) == 2 else ModalitySet(
            case=one.case,
            subject=one.subject,
            items={"mri": [torch.full(PAIR[0].shape, 1e6)]},
            label=1 - one.label,
        )
        for one in straight
    ]  # fmt: skip
    phases = {"imputer"} if imputer in IMAGE else set()
    states = []
    for some in (straight, changed):
        model = fitted(imputer, some)
        for phase in model.phases(2):
            if phase.name in phases:
                train(model, phase, packed(some), steps=2, rate=1e-3)
        states.append(model.imputer.state_dict())
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@over_learning
def test_g1_complete_training_cases_do_teach_it(imputer):
    one, other = (fitted(imputer, sets(seed=seed)).imputer.state_dict() for seed in (0, 1))
    assert any(not torch.equal(one[name], other[name]) for name in one)


@over_all
def test_g2_as_many_items_are_imputed_as_there_are_holes(imputer):
    model, batch = fitted(imputer), packed(sets(seed=3))
    seen = space(model, batch)
    done = model.imputer.complete(seen)
    assert torch.equal(done.imputed, ~batch.presence)
    assert done.batch.presence.all()
    before = sum(len(items) for items in batch.items.values())
    after = sum(len(items) for items in done.batch.items.values())
    assert after - before == int((~batch.presence).sum()) == 4


@over_all
def test_g2_what_was_observed_stays_as_it_is_bit_for_bit(imputer):
    model, batch = fitted(imputer), packed(sets(seed=3))
    seen = space(model, batch)
    done = model.imputer.complete(seen)
    for column, name in enumerate(batch.modalities):
        items = done.batch.items[name]
        observed = ~done.imputed[items.owner, column]
        assert torch.equal(items.data[observed], seen.items[name].data)
        assert torch.equal(items.owner[observed], seen.items[name].owner)


@over_all
def test_g2_a_batch_without_holes_comes_back_as_it_was(imputer):
    model, batch = fitted(imputer), packed(sets(complete=lambda _: True))
    done = model.imputer.complete(batch)
    assert not done.imputed.any()
    assert all(done.batch.items[name] is items for name, items in batch.items.items())


@over_all
def test_a_modality_that_nobody_in_the_batch_shows_is_imputed(imputer):
    model, batch = fitted(imputer), packed(sets(complete=lambda _: False))
    done = model.imputer.complete(space(model, batch))
    assert len(done.batch.items["pet"]) == len(batch)
    assert list(done.batch.items) == ["mri", "pet"]


@over_all
def test_g7_the_classifier_is_the_same_whatever_the_imputer(imputer):
    reference, model = built("zero"), built(imputer)
    shapes = [
        {name: one.shape for name, one in which.state_dict().items() if "imputer" not in name}
        for which in (reference, model)
    ]
    assert shapes[0] == shapes[1]
    phases = [
        [(one.name, one.steps, len(one.turns)) for one in which.phases(50) if one.name != "imputer"]
        for which in (reference, model)
    ]
    assert phases[0] == phases[1]


@over_all
def test_g7_on_complete_cases_no_imputer_changes_a_bit(imputer):
    reference, model = built("zero"), fitted(imputer)
    classifier = {k: v for k, v in reference.state_dict().items() if not k.startswith("imputer")}
    model.load_state_dict(classifier, strict=False)
    batch = packed(sets(complete=lambda _: True))
    assert torch.equal(model(batch), reference(batch))


def test_g8_parameters_and_errors_are_reported():
    def conv(enter, leave):
        return 27 * enter * leave + leave

    unet = conv(1, 8) + conv(8, 16) + conv(16, 32) + conv(32, 16) + conv(32, 8) + conv(16, 1)
    unet += 2 * (16 + 32 + 16 + 8)
    critic = conv(2, 8) + conv(8, 16) + 2 * 16 + conv(16, 1)
    told = fitted("pix2pix").report()
    assert told == {"imputer": "pix2pix", "parameters": 2 * (unet + critic)}


def test_g8_cyclegan_has_the_parameters_its_shape_gives():
    def conv(enter, leave):
        return 27 * enter * leave + leave

    generator = conv(1, 8) + conv(8, 16) + 6 * conv(16, 16) + conv(16, 8) + conv(8, 1)
    critic = conv(1, 8) + conv(8, 16) + conv(16, 1)
    assert fitted("cyclegan").report()["parameters"] == 2 * (generator + critic)


def test_g8_diffusion_has_the_parameters_its_shape_gives():
    def conv(enter, leave, size=27):
        return size * enter * leave + leave

    def block(enter, leave):
        """Two normed convolutions, the level of noise, and a bridge where the width changes."""
        bridge = conv(enter, leave, 1) if enter != leave else 0
        parts = (2 * enter, conv(enter, leave), conv(32, leave, 1), 2 * leave, conv(leave, leave))
        return sum(parts) + bridge

    ends = conv(2, 8) + conv(8, 32, 1) + conv(32, 32, 1) + 2 * 8 + conv(8, 1)
    down = block(8, 8) + conv(8, 8) + block(8, 16)
    middle = 2 * block(16, 16) + 2 * 16 + 4 * conv(16, 16, 1)
    up = block(32, 16) + block(24, 16) + conv(16, 16) + block(24, 8) + block(16, 8)
    told = fitted("diffusion").report()
    assert told["parameters"] == 2 * (ends + down + middle + up) == 217_858


@pytest.mark.parametrize("imputer", IMAGE)
def test_g8_imputers_of_images_report_the_error_of_volumes(imputer):
    batch = packed(sets(complete=lambda _: True))
    model = fitted(imputer)
    found = list(model.guesses([batch]))
    assert [(one.case, one.modality) for one in found] == [
        (case, name) for name in ("mri", "pet") for case in batch.case
    ]
    assert {one.space for one in found} == {"image"}
    fifth = next(one for one in found if (one.case, one.modality) == ("s4", "pet"))
    assert fifth.subject == "s4"
    truth = batch.items["pet"].data[8:10].mean(dim=0)  # the two items of the fifth case
    with torch.no_grad():
        guess = model.imputer.guess(batch, "pet", torch.tensor([4]))[0]
    away = (truth - _outer_median(truth)).abs() >= 1
    assert fifth.error["mae"] == pytest.approx(float((guess - truth)[away].abs().mean()), rel=1e-5)
    assert set(fifth.error) == {"mae", "psnr", "ssim"}


def _outer_median(volume):
    faces = [volume.select(axis, place).flatten() for axis in (1, 2, 3) for place in (0, -1)]
    return torch.cat(faces).median()


@pytest.mark.parametrize("imputer", FEATURE)
def test_g8_imputers_of_features_report_the_error_of_embeddings(imputer):
    model, batch = fitted(imputer), packed(sets(complete=lambda _: True))
    assert model.report()["parameters"] == 0
    found = list(model.guesses([batch]))
    assert len(found) == 2 * 12
    assert {one.space for one in found} == {"feature"}
    assert all(set(one.error) == {"mse"} and one.error["mse"] >= 0 for one in found)


def test_the_errors_of_a_modality_are_averaged_over_its_cases():
    found = [
        Guess("a", "s", "pet", "image", {"mae": 1.0}),
        Guess("b", "s", "pet", "image", {"mae": 2.0}),
        Guess("a", "s", "mri", "image", {"mae": 5.0}),
    ]
    assert mean_errors(found) == {
        "pet": {"cases": 2, "mae": 1.5},
        "mri": {"cases": 1, "mae": 5.0},
    }


def test_a_method_that_imputes_says_with_what():
    assert options("imputation")(imputer={"kind": "knn"}).imputes == "knn"
    assert options("late-sum")().imputes is None


@over_learning
def test_a_modality_never_observed_in_training_is_one_clear_line(imputer):
    alone = [Pattern.parse("mri")] * 5
    with pytest.raises(StudyError, match=rf"^imputer {imputer}: pet was never observed in tr.*$"):
        built(imputer).require_teachable(alone)


@over_learning
def test_a_training_part_without_a_complete_case_is_one_clear_line(imputer):
    halves = [Pattern.parse("mri"), Pattern.parse("pet")]
    with pytest.raises(StudyError, match=r"none of 2 training cases shows mri\+pet; hide less"):
        built(imputer).require_teachable(halves)
    built(imputer).require_teachable([*halves, Pattern.parse("mri+pet")])


def test_zeros_need_no_complete_case():
    built("zero").require_teachable([Pattern.parse("mri"), Pattern.parse("pet")])


@over_all
def test_an_imputer_asked_for_a_modality_it_never_observed_says_so(imputer):
    some = sets(3, complete=lambda _: True)
    batch = pack(some, modalities=("mri", "pet", "tau"))
    with pytest.raises(PresenceError, match=r"'tau' was never observed by the imputer \(mri, pet"):
        built(imputer).imputer.complete(batch)


@pytest.mark.parametrize("imputer", IMAGE)
@pytest.mark.parametrize(
    "modalities",
    [
        (*PAIR, Modality("tau", "volume", PAIR[0].shape)),
        PAIR[:1],
        (PAIR[0], Modality("pet", "volume", (1, 4, 8, 8))),
        (Modality("a", "vector", (3,)), Modality("b", "vector", (3,))),
    ],
    ids=["three", "one", "shapes", "vectors"],
)
def test_translators_refuse_what_is_not_two_volumes_of_one_shape(imputer, modalities):
    with pytest.raises(StudyError, match=f"^imputer {imputer} translates .* use mean, knn or reg"):
        built(imputer, modalities)


@pytest.mark.parametrize("imputer", IMAGE)
def test_translators_keep_the_contract_of_methods(imputer, train):
    model = trained(imputer, sets(), train)
    batch = packed(sets(seed=5))
    together = model(batch)
    alone = torch.cat([model(packed([one])) for one in sets(seed=5)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    assert torch.equal(model(batch), together)


@pytest.mark.parametrize("imputer", IMAGE)
def test_gradients_reach_every_parameter_of_the_translators(imputer, in_training, total_loss):
    model, batch = built(imputer), packed(sets())
    phase = model.phases(4)[0]
    in_training(model, phase)
    for turn in phase.turns:
        optimiser = torch.optim.SGD(turn.parameters, lr=0.1)
        reached = [False] * len(turn.parameters)
        for _ in range(4):  # a layer that starts at zero passes nothing on before its first step
            optimiser.zero_grad()
            total_loss(turn.loss(phase.cache(batch))).backward()
            found = [one.grad is not None and bool(one.grad.any()) for one in turn.parameters]
            reached = [was or now for was, now in zip(reached, found, strict=True)]
            optimiser.step()
        assert all(reached)


@pytest.mark.parametrize("imputer", IMAGE)
def test_a_batch_without_a_complete_case_teaches_translators_nothing(imputer):
    model = built(imputer)
    phase = model.phases(4)[0]
    incomplete = phase.cache(packed(sets(complete=lambda _: False)))
    assert not any(turn.loss(incomplete) for turn in phase.turns)


def test_several_items_of_a_source_are_averaged_whatever_their_order():
    model = fitted("pix2pix")
    first, second = torch.randn(2, *PAIR[0].shape)
    guesses = [
        model.imputer.complete(
            packed([ModalitySet(case="a", subject="a", items={"mri": items}, label=0)])
        ).batch.items["pet"].data
        for items in ([first, second], [second, first], [(first + second) / 2])
    ]  # fmt: skip
    torch.testing.assert_close(guesses[0], guesses[1])
    torch.testing.assert_close(guesses[0], guesses[2])


def test_the_head_starts_as_the_sum_of_the_evidence():
    model = built("zero")
    batch = packed(sets(complete=lambda _: True))
    torch.testing.assert_close(model(batch), super(type(model), model).forward(batch))
