"""BitFit: of a trained encoder, the biases alone go on learning.

Source: Ben Zaken, Ravfogel, Goldberg: BitFit, ACL 2022, arXiv 2106.10199. Names must end in
`.bias`: a table of relative position biases is no bias.
"""

from __future__ import annotations

from torch import nn

from mmmed.models.transformer.encoder import TransformerEncoder

STEM = "patch_embed."


def bias_names(encoder: TransformerEncoder) -> tuple[str, ...]:
    """The biases that are trained, by name.

    A linear patch embedding is part of the transformer and trains its bias. A stem (a
    convolutional net, or the net that makes tokens of a vector) is frozen with all it has, the
    shifts of its batch norm too, so that what it makes of an item can be computed once.
    """
    return tuple(
        name
        for name, _ in encoder.named_parameters()
        if name.endswith(".bias") and not (encoder.has_stem and name.startswith(STEM))
    )


def biases(encoder: TransformerEncoder) -> tuple[nn.Parameter, ...]:
    """The biases that are trained."""
    found = dict(encoder.named_parameters())
    return tuple(found[name] for name in bias_names(encoder))
