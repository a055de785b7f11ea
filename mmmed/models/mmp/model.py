"""MMP: tokens of what a case lacks are projected from those of what it has.

Nezakati, Reza, Patil, Solh, Asif: Masked Modality Projection, 2024, arXiv 2410.03010.

branch       a modality's token encoder, the reader of its tokens and a linear classifier
projected    the estimate of a lacking modality's tokens (`projection.py`), which its branch reads
correction   a two-layer net over the embeddings of all branches side by side

Phase `warm-up`: branch by branch, each on its own items, so that no modality starves another.
Phase `projection`: everything; of every case a random subset of what it owns is shown, what is
masked is projected and pulled to its own tokens, and the case is classified.

Logits are the sum of the branches' logits plus the correction, whose last layer starts at zero. An
estimate knows nothing that its sources do not know, so a branch that reads one starts at zero as
well: each entry of its embedding is multiplied by a learned trust, zero at first. A case that lacks
a modality thus starts at the sum of the branches it has, and the projection enters as far as
training under masking finds it worth. `trust: full` reads estimates like the tokens themselves.

Differs from the paper:
- warm-up, trust and a correction that starts at zero: the paper trains from the start and fuses
  with its backbone's own network;
- a case's items of one modality are averaged token by token before anything is projected;
- widths differ by modality: tokens are brought to one width, with a learned position, and the MLP's
  last layer is linear and leads to the target's width;
- interpolation to fewer tokens averages over stretches, so that no source is passed over;
- subsets are drawn evenly from all that are not empty; the paper does not say how;
- the targets of the alignment pass no gradient (`stop_gradient`), and it is averaged over masked
  modalities of cases;
- K classes with cross entropy and AdamW, counted in steps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmmed.batch import Batch, segment_mean
from mmmed.modality import Modality
from mmmed.models.baselines.unimodal import item_turns
from mmmed.models.contract import Loss, Model, Phase, Turn, all_but, parameters_of
from mmmed.models.loss import cross_entropy, labels, smooth_l1
from mmmed.models.mmp.branch import BlockReader, Branch, MeanReader
from mmmed.models.mmp.masking import draw_shown
from mmmed.models.mmp.options import Options
from mmmed.models.mmp.projection import Projection, TokenShape
from mmmed.models.standard import Standard
from mmmed.models.tokens.building import token_encoder
from mmmed.models.tokens.encoder import TokenEncoder

HIDDEN = 32
"""Width of the correction."""
PROJECTION_SHARE = 5
"""The projection phase has a fifth of the warm-up's steps."""


class Mmp(Model):
    """A branch per modality; a branch without items reads what the others make of it."""

    def __init__(
        self,
        options: Options,
        modalities: tuple[Modality, ...],
        *,
        classes: int,
        standards: Mapping[str, Standard],
    ) -> None:
        super().__init__(modalities, classes)
        self.options = options
        self.branches = nn.ModuleDict()
        shapes = {}
        for one in modalities:
            encoder = token_encoder(one, options.tokens, standards=standards)
            shapes[one.name] = TokenShape(encoder.count, encoder.width)
            self.branches[one.name] = Branch(
                encoder, _reader(encoder, options), classes=classes, dropout=options.dropout
            )
        self.projection = Projection(
            shapes,
            width=options.width,
            aggregated=options.aggregated,
            heads=options.heads,
            hidden=options.hidden,
            dropout=options.projection_dropout,
        )
        self.trust = nn.ParameterDict()
        if options.trust == "learned":
            for name, shape in shapes.items():
                self.trust[name] = nn.Parameter(torch.zeros(shape.width))
        width = sum(one.width for one in shapes.values())
        self.correction = _correction(width, classes, dropout=options.dropout)

    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, K)."""
        tokens = self.tokens(batch)
        shown = _shown(batch, batch.presence)
        return self.classify(tokens, shown, self.projection(tokens, shown))

    def features(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> (n, E), what the branch's reader makes of an item's tokens."""
        self.require_known(batch)
        return {
            name: self._read(name, self._encode(name, items.data))
            for name, items in batch.items.items()
        }

    def phases(self, steps: int) -> tuple[Phase, ...]:
        """`warm-up`, branch by branch, then `projection`."""
        turns = item_turns(
            dict(self.branches.items()), smoothing=self.options.smoothing, prior=self.prior
        )
        learners = (self.branches, self.projection, self.correction, self.trust)
        turn = Turn(parameters_of(*learners), self.masked_loss, rate=self.options.projection_rate)
        return (
            Phase("warm-up", turns, steps, learns=(self.branches,), predict=self._unprojected),
            Phase("projection", (turn,), math.ceil(steps / PROJECTION_SHARE), learns=learners),
        )

    def masked_loss(self, batch: Batch) -> dict[str, Loss]:
        """Cross entropy under masking, and smooth L1 from projected to masked tokens."""
        tokens = self.tokens(batch)
        owned = batch.presence
        shown = draw_shown(owned, frequency=self.options.masking, per=self.options.masked_per)
        on_device = _shown(batch, shown)
        projected = self.projection(tokens, on_device)
        logits = self.classify(tokens, on_device, projected)
        terms = {"class": cross_entropy(logits, labels(batch), smoothing=self.options.smoothing)}
        if self.options.alignment > 0:
            terms["alignment"] = self.align(tokens, projected, owned=owned, shown=shown)
        return terms

    def tokens(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> (B, T, E), the mean over a case's items; zero where it has none."""
        self.require_known(batch)
        return {
            name: segment_mean(self._encode(name, items.data), items.owner, len(batch))
            for name, items in batch.items.items()
        }

    def classify(
        self, tokens: Mapping[str, Tensor], shown: Tensor, projected: Mapping[str, Tensor]
    ) -> Tensor:
        """Logits (B, K) of the branches and the correction.

        Args:
            tokens: modality -> (B, T, E), read where it is shown.
            shown: (B, M) boolean.
            projected: modality -> (b, T, E) for the b cases that do not show it, in their order.
        """
        embeddings = []
        evidence = []
        for column, name in enumerate(self.branches):
            lacks = ~shown[:, column]
            completed = _completed(tokens.get(name), projected.get(name), lacks)
            embedding = self._read(name, completed)
            embeddings.append(embedding)
            evidence.append(self._evidence(name, embedding, lacks))
        correction: Tensor = self.correction(torch.cat(embeddings, dim=1))
        return self.prior.plus(torch.stack(evidence).sum(dim=0) + correction)

    def surprise(self, batch: Batch, modality: str) -> Tensor:
        """(B, E) by how much a modality's embedding differs from that of its projected tokens."""
        tokens = self.tokens(batch)
        projected = self.projection(tokens, _shown(batch, all_but(batch, modality)))
        return self._read(modality, tokens[modality]) - self._read(modality, projected[modality])

    def plausible(self, batch: Batch, modality: str, surprises: Tensor) -> Tensor:
        """Logits (S, B, K), were a modality's embedding that of projected tokens and a surprise."""
        tokens = self.tokens(batch)
        projected = self.projection(tokens, _shown(batch, batch.presence))
        embeddings = {name: self._read(name, one)[None] for name, one in tokens.items()}
        embeddings[modality] = self._read(modality, projected[modality]) + surprises[:, None]
        size = (len(surprises), len(batch), -1)
        each = [embeddings[name].expand(*size) for name in self.branches]
        logits: Tensor = self.correction(torch.cat(each, dim=-1))
        for name, one in zip(self.branches, each, strict=True):
            logits = logits + self._classifier(name)(one)
        return self.prior.plus(logits)

    def align(
        self,
        tokens: Mapping[str, Tensor],
        projected: Mapping[str, Tensor],
        *,
        owned: Tensor,
        shown: Tensor,
    ) -> Loss:
        """Smooth L1 between projected and true tokens of what was masked, zero where nothing was.

        The sum and the count are over the masked modalities of all cases; what a case never had
        has no true tokens and takes no part.
        """
        total = next(iter(tokens.values())).new_zeros(())
        count = 0
        for column, name in enumerate(self.branches):
            masked = owned[:, column] & ~shown[:, column]
            if not bool(masked.any()):
                continue
            guess = projected[name][masked[~shown[:, column]].to(total.device)]
            target = tokens[name][masked.to(total.device)]
            if self.options.stop_gradient:
                target = target.detach()
            loss = smooth_l1(guess, target, weight=self.options.alignment)
            total, count = total + loss.sum, count + loss.count
        return Loss(total, count)

    def _unprojected(self, batch: Batch) -> Tensor:
        """(B, K) the sum of the branches that a case has items for: what the warm-up trains."""
        tokens = self.tokens(batch)
        shown = _shown(batch, batch.presence)
        alone = []
        for column, name in enumerate(self.branches):
            if name in tokens:
                logits = self._classifier(name)(self._read(name, tokens[name]))
                alone.append(shown[:, column, None] * logits)
        return self.prior.plus(torch.stack(alone).sum(dim=0))

    def _encode(self, name: str, data: Tensor) -> Tensor:
        """(n, T, E)."""
        tokens: Tensor = self.branches[name].get_submodule("encoder")(data)
        return tokens

    def _read(self, name: str, tokens: Tensor) -> Tensor:
        """(B, T, E) -> (B, E)."""
        embedding: Tensor = self.branches[name].get_submodule("reader")(tokens)
        return embedding

    def _classifier(self, name: str) -> nn.Module:
        return self.branches[name].get_submodule("classifier")

    def _evidence(self, name: str, embedding: Tensor, lacks: Tensor) -> Tensor:
        """(B, K) of one branch.

        Where the modality is lacking, each entry of the embedding counts as far as it is trusted,
        and the bias does not count: where nothing is trusted, nothing is said.
        """
        classifier = self._classifier(name)
        if self.options.trust == "full" or not bool(lacks.any()):
            logits: Tensor = classifier(embedding)
            return logits
        read = torch.where(lacks[:, None], self.trust[name] * embedding, embedding)
        bias = classifier.get_parameter("1.bias")
        logits = classifier(read)
        return logits - lacks[:, None] * bias


def _reader(encoder: TokenEncoder, options: Options) -> nn.Module:
    if options.depth == 0:
        return MeanReader()
    return BlockReader(encoder.count, encoder.width, depth=options.depth, heads=options.heads)


def _correction(width: int, classes: int, *, dropout: float) -> nn.Module:
    last = nn.Linear(HIDDEN, classes)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(
        nn.Dropout(dropout), nn.Linear(width, HIDDEN), nn.ReLU(), nn.Dropout(dropout), last
    )


def _completed(tokens: Tensor | None, projected: Tensor | None, lacks: Tensor) -> Tensor:
    """(B, T, E): a case's own tokens, the projected ones where it lacks them."""
    if projected is None:
        if tokens is None:
            raise ValueError("a modality that no case shows is projected for all")
        return tokens
    if tokens is None:
        return projected
    return tokens.index_copy(0, lacks.nonzero().flatten(), projected.to(tokens.dtype))


def _shown(batch: Batch, shown: Tensor) -> Tensor:
    """(B, M) on the device of the batch's items."""
    return shown.to(next(iter(batch.items.values())).data.device)
