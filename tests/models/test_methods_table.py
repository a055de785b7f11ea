"""The literal table of methods."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mmmed.modality import Modality
from mmmed.models import METHODS
from mmmed.models.building import build, options

DEMO = (Modality("mri", "volume", (1, 40, 48, 48)), Modality("pet", "volume", (1, 40, 48, 48)))
CARDS = Path(__file__).parents[2] / "docs" / "methods"


@pytest.mark.parametrize("method", METHODS, ids=lambda one: one.kind)
def test_its_parameters_are_those_the_demo_trains(method, parameters_trained):
    model = build(options(method.kind)(), DEMO, classes=2, standards={})
    assert parameters_trained(model) == method.parameters


def test_hypermm_has_the_parameters_its_card_s_formula_gives(parameters_trained):
    kernels = 27 * (1 * 8 + 8 * 16 + 16 * 32 + 32 * 64)
    affine = 2 * (8 + 16 + 32 + 64)
    head = 2 * kernels + (2 + 1) * affine
    code = 2 * 8 + (8 + 1) * 32 + (32 + 1) * 2
    classifier, decoder = (64 + 1) * 2, (64 + 1) * 4**3
    set_head = (64 + 1) * 32 + (32 + 1) * 32 + (32 + 1) * 2
    by_hand = head + code + classifier + decoder + set_head
    model = build(options("hypermm")(reconstruction=0.1), DEMO, classes=2, standards={})
    assert parameters_trained(model) == by_hand


def test_joint_embedding_has_the_parameters_its_card_s_formula_gives(parameters_trained):
    stem = 27 * (1 * 8 + 8 * 16 + 16 * 32 + 32 * 64) + 2 * (8 + 16 + 32 + 64)
    width, tokens = 64, 3 * 3 * 3
    attention = (width + 1) * 3 * width + (width + 1) * width
    mlp = (width + 1) * 4 * width + (4 * width + 1) * width
    blocks = 2 * (2 * 2 * width + attention + mlp)
    encoder = stem + width + (1 + tokens) * width + blocks + 2 * width
    classifier, prompts = (width + 1) * 2, 6 * width
    predictor = 2 * (width + 1) * width
    model = build(options("joint-embedding")(), DEMO, classes=2, standards={})
    assert parameters_trained(model) == 2 * (encoder + classifier + prompts + predictor) + 2


def test_mmp_has_the_parameters_its_card_s_formula_gives(parameters_trained):
    net = 27 * (1 * 8 + 8 * 16 + 16 * 32 + 32 * 64) + 2 * (8 + 16 + 32 + 64)
    width, tokens, hidden, learned = 64, 3 * 3 * 3, 128, 8
    branch = net + (width + 1) * 2
    enter = (width + 1) * width + 2 * width + tokens * width
    leave = 2 * width + (width + 1) * hidden + 2 * hidden + (hidden + 1) * width
    attention = 4 * (width + 1) * width
    block = 2 * (learned * width + enter + leave + attention) + 2 * attention
    correction = (2 * width + 1) * 32 + (32 + 1) * 2
    model = build(options("mmp")(), DEMO, classes=2, standards={})
    assert parameters_trained(model) == 2 * branch + block + 2 * width + correction


def test_ume_mma_has_the_parameters_its_card_s_formula_gives(parameters_trained):
    net = 27 * (1 * 8 + 8 * 16 + 16 * 32 + 32 * 64) + 2 * (8 + 16 + 32 + 64)
    head = (64 + 1) * 2
    joint = (64 + 64 + 1) * 2
    for fusion, pretrain, expected in (
        ("sum", True, 2 * (net + head)),
        ("concat", True, 2 * (net + head) + joint),
        ("concat", False, 2 * net + joint),
    ):
        chosen = options("ume-mma")(fusion=fusion, pretrain=pretrain)
        model = build(chosen, DEMO, classes=2, standards={})
        assert parameters_trained(model) == expected


def test_hypermm_paper_has_the_parameters_its_card_s_formula_gives(parameters_trained):
    embedding, generator = 2 * 5, (5 + 1) * 20 + (20 + 1) * (512 * 512 + 512)
    decoder = 512 * 512 + 512
    mlp = (512 * 7 * 7 + 1) * 512 + (512 + 1) * 2
    model = build(options("hypermm-paper")(), DEMO, classes=2, standards={})
    assert parameters_trained(model) == embedding + generator + decoder + 2 * mlp


def test_a_model_per_pattern_has_the_parameters_its_card_s_formula_gives(parameters_trained):
    net = 27 * (1 * 8 + 8 * 16 + 16 * 32 + 32 * 64) + 2 * (8 + 16 + 32 + 64) + (64 + 1) * 2
    head = (64 + 64 + 1) * 32 + (32 + 1) * 2
    model = build(options("per-pattern")(), DEMO, classes=2, standards={})
    assert parameters_trained(model) == 4 * net + head


@pytest.mark.parametrize("method", METHODS, ids=lambda one: one.kind)
def test_what_is_built_is_the_model_the_row_names(method):
    model = build(options(method.kind)(), DEMO, classes=2, standards={})
    assert (type(model).__module__, type(model).__name__) == (method.module, method.model)


@pytest.mark.parametrize("method", METHODS, ids=lambda one: one.kind)
def test_kind_module_and_card_have_one_name(method):
    folder, name = method.module.removeprefix("mmmed.models.").split(".")
    kind = method.kind.replace("-", "_")
    assert kind in {name, folder, f"{folder}_{name}"}
    assert options(method.kind)().model_dump()["kind"] == method.kind
    card = (CARDS / f"{method.kind}.md").read_text(encoding="utf-8")
    assert "Differs from the paper" in card
    assert f"{method.parameters:,}".replace(",", " ") in card


def test_reading_the_table_imports_neither_torch_nor_a_method():
    code = (
        "import sys, mmmed.models; "
        "print([n for n in sys.modules if n.split('.')[0] in ('torch', 'monai', 'pydantic') "
        "or n.startswith('mmmed.models.')])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
