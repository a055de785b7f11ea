"""What a modality has to itself: a transformer encoder and a classifier, without prompts."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from mmmed.modality import Modality
from mmmed.models.standard import Standard
from mmmed.models.transformer.encoder import EncoderOptions, TransformerEncoder
from mmmed.models.transformer.weights import load_encoder


class Branch(nn.Module):
    """One modality's encoder and classifier.

    Args:
        modality: what its items are.
        options: of the encoder.
        dropout: on the embedding, before the classifier.
        classes: K.
        standards: of the vector modalities.

    Attributes:
        is_pretrained: whether the encoder starts from a file; a vector's never does.
    """

    def __init__(
        self,
        modality: Modality,
        options: EncoderOptions,
        *,
        dropout: float,
        classes: int,
        standards: Mapping[str, Standard],
    ) -> None:
        super().__init__()
        self.encoder = TransformerEncoder(modality, options, standards=standards)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.encoder.width, classes))
        self.is_pretrained = options.weights is not None and modality.kind != "vector"
        if options.weights is not None and self.is_pretrained:
            load_encoder(self.encoder, options.weights)

    def forward(self, x: Tensor) -> Tensor:
        """Items (n, C, *space) or (n, F) -> logits (n, K)."""
        logits: Tensor = self.classifier(self.encoder(x))
        return logits
