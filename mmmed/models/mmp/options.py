"""What a study may say about MMP."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mmmed.models.mmp.masking import MaskedPer
from mmmed.models.options import MethodOptions
from mmmed.models.tokens.encoder import Grid, Patches, TokenOptions


class Options(MethodOptions):
    """What a study may say about MMP.

    Attributes:
        tokens: of volumes and images; vectors become a few tokens of their own.
        depth: transformer blocks between a branch's tokens and their mean.
        width: d, the width of the projection's attentions.
        aggregated: learned tokens per modality.
        heads: of each attention; they divide `width`, and the tokens' own where `depth` is not 0.
        hidden: width inside the projection's MLPs.
        projection_dropout: inside the projection's MLPs.
        alignment: weight of the smooth L1 between projected and true tokens.
        stop_gradient: the true tokens are not pulled to the projected ones.
        trust: how a branch reads projected tokens, `learned` (from zero) or `full` (as its own).
        masking: share of the cases (or batches) from which a subset is drawn.
        masked_per: a subset for every `case`, or one for the `batch`.
        dropout: on the embeddings and inside the correction.
        smoothing: of the labels.
        projection_rate: learning rate of the projection phase, relative to the study's.
    """

    kind: Literal["mmp"] = "mmp"
    tokens: TokenOptions = Grid()
    depth: Annotated[int, Field(ge=0)] = 0
    width: Annotated[int, Field(ge=1)] = 64
    aggregated: Annotated[int, Field(ge=1)] = 8
    heads: Annotated[int, Field(ge=1)] = 4
    hidden: Annotated[int, Field(ge=1)] = 128
    projection_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    alignment: Annotated[float, Field(ge=0)] = 1.0
    stop_gradient: bool = True
    trust: Literal["learned", "full"] = "learned"
    masking: Annotated[float, Field(ge=0, le=1)] = 1.0
    masked_per: MaskedPer = "case"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    projection_rate: Annotated[float, Field(gt=0)] = 0.25

    @model_validator(mode="after")
    def _heads_fit(self) -> Options:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is no multiple of {self.heads} heads")
        return self

    @model_validator(mode="after")
    def _patches_are_read(self) -> Options:
        if isinstance(self.tokens, Patches) and self.depth == 0:
            raise ValueError("patches are linear in the voxels: set depth to 1 or more")
        return self
