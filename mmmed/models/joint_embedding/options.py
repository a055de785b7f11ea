"""What a study may say about the joint embedding."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mmmed.models.joint_embedding.vicreg import Coefficients
from mmmed.models.options import MethodOptions
from mmmed.models.transformer.encoder import EncoderOptions
from mmmed.models.transformer.prompts import PromptKind


class Options(MethodOptions):
    """What a study may say about the joint embedding.

    Attributes:
        encoder: one per modality, all alike.
        prompts: how they and the item's tokens see each other.
        prompt_length: L, prompts per encoder.
        fusion: `evidence` sums the logits of what is present and adds predicted branches with a
            learned weight that starts at zero; `sum` and `mean` treat present and predicted alike.
        vicreg: weight of the VICReg loss, averaged over directions.
        coefficients: of its three terms.
        pairs_per_batch: cases with two modalities or more that every batch of the joint phase holds
            at least, where the training part has them; 0 draws all cases alike.
        stop_gradient: VICReg does not move the true embedding.
        predicted_gradient: the task's loss moves what predicts an absent embedding.
        dropout: on the embedding, before the classifier.
        modality_dropout: share of modalities hidden in the joint phase.
        smoothing: of the labels.
        joint_rate: learning rate of prompts, predictors and fusion in the joint phase, relative to
            the study's.
        bias_rate: that of biases and classifiers.
    """

    kind: Literal["joint-embedding"] = "joint-embedding"
    encoder: EncoderOptions = EncoderOptions()
    prompts: PromptKind = "read-only"
    prompt_length: Annotated[int, Field(ge=1)] = 6
    fusion: Literal["evidence", "sum", "mean"] = "evidence"
    vicreg: Annotated[float, Field(ge=0)] = 0.1
    coefficients: Coefficients = Coefficients()
    pairs_per_batch: Annotated[int, Field(ge=0)] = 4
    stop_gradient: bool = False
    predicted_gradient: bool = True
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    modality_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.25
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    joint_rate: Annotated[float, Field(gt=0)] = 1.0
    bias_rate: Annotated[float, Field(gt=0)] = 0.25

    @property
    def needs_pairs(self) -> bool:
        """True: a predicted embedding is compared with the true one."""
        return True
