"""Unpaired joint embedding: frozen unimodal encoders that foresee each other's embeddings.

Kim, Kim: Missing Modality Prediction for Unpaired Multimodal Learning via Joint Embedding of
Unimodal Models, ECCV 2024, arXiv 2407.12616.

Phase `unimodal`: each modality's encoder and classifier on its own items, paired or not. Phase
`joint`: of the encoders the biases alone go on learning (`bitfit`); read-only prompts gather from
each encoder what a predictor per direction makes an absent modality's embedding of; logits are
fused late. The task's loss is joined by VICReg between predicted and true embeddings of the
subjects that show both.

Differs from the paper:
- the encoders are small and trained inside the fold unless a local file of weights is given; the
  paper has DeiT III for images and SimCSE for text;
- the default encoder is a hybrid: a convolutional stem, frozen in phase `joint`, and two blocks;
- the embedding is the mean of the output tokens (`encoder.pool: class` is the paper's);
- logits of present modalities are summed, and the predicted branch enters with a weight that is
  learned from zero (`fusion: evidence`); the paper combines logits, `mean` and `sum` do so;
- the predictor's layers and the weight of VICReg are not known; ours are stated on the card;
- more than two modalities: a predictor per ordered pair, whose predictions are averaged over the
  modalities present;
- phase `joint` hides modalities at random, so that complete training cases teach prediction too;
- a case with several items of a modality has their mean embedding.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmmed.batch import Batch, segment_mean
from mmmed.modality import Modality, Pattern
from mmmed.models.baselines.unimodal import item_turns
from mmmed.models.contract import Loss, Model, Phase, Quota, Turn, all_but, parameters_of
from mmmed.models.dropout import drop_modalities
from mmmed.models.joint_embedding.bitfit import biases
from mmmed.models.joint_embedding.branch import Branch
from mmmed.models.joint_embedding.options import Options
from mmmed.models.joint_embedding.pairs import is_pair, require_pairs
from mmmed.models.joint_embedding.vicreg import vicreg_loss
from mmmed.models.loss import cross_entropy, labels
from mmmed.models.standard import Standard
from mmmed.models.transformer.encoder import TransformerEncoder
from mmmed.models.transformer.prompts import Prompts

JOINT_SHARE = 5
"""After unimodal training the joint phase has a fifth of its steps."""


@dataclass(frozen=True)
class Seen:
    """What the encoders make of a batch, one row per case; zeros for a case without the modality.

    Attributes:
        embedding: modality -> (B, E).
        logits: modality -> (B, K).
        prompts: modality -> (B, E), the mean over prompts of their outputs.
    """

    embedding: Mapping[str, Tensor]
    logits: Mapping[str, Tensor]
    prompts: Mapping[str, Tensor]


class JointEmbedding(Model):
    """Branches whose prompts predict the embeddings of absent modalities."""

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
        self.names = tuple(one.name for one in modalities)
        self.branches = nn.ModuleDict()
        self.prompts = nn.ModuleDict()
        for modality in modalities:
            branch = Branch(
                modality,
                options.encoder,
                dropout=options.dropout,
                classes=classes,
                standards=standards,
            )
            self.branches[modality.name] = branch
            self.prompts[modality.name] = Prompts(
                options.prompts, length=options.prompt_length, width=branch.encoder.width
            )
        self.predictors = nn.ModuleDict(
            {
                source: nn.ModuleDict(
                    {
                        target: _predictor(self._width(source), self._width(target))
                        for target in self.names
                        if target != source
                    }
                )
                for source in self.names
            }
        )
        is_learned = options.fusion == "evidence" and len(self.names) > 1
        self.trust = nn.Parameter(torch.zeros(len(self.names))) if is_learned else None

    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, K)."""
        self.require_known(batch)
        return self.fuse(self.see(self.tokens(batch)), batch.presence)

    def features(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> (n, E) embeddings, as they are classified."""
        self.require_known(batch)
        return {
            name: self.prompts[name](self._encoder(name), items.data).embedding
            for name, items in self.tokens(batch).items.items()
        }

    def phases(self, steps: int) -> tuple[Phase, ...]:
        """`unimodal`, each branch that has no weights in turn, then `joint`."""
        fresh = {
            name: branch
            for name, branch in self.branches.items()
            if not (isinstance(branch, Branch) and branch.is_pretrained)
        }
        has_file = self.options.encoder.weights is not None
        joint = Phase(
            "joint",
            self._joint_turns(),
            steps if has_file else math.ceil(steps / JOINT_SHARE),
            learns=(self.prompts, self.predictors, *map(self._classifier, self.names)),
            cache=self.stem_tokens if self._has_stems else None,
            quota=self._quota(),
        )
        if not fresh:
            return (joint,)
        turns = item_turns(fresh, smoothing=self.options.smoothing, prior=self.prior)
        learns = tuple(fresh.values())
        return (Phase("unimodal", turns, steps, learns=learns, predict=self.evidence), joint)

    def require_teachable(self, shown: Collection[Pattern]) -> None:
        """Raise a StudyError where hardly any training case shows two modalities."""
        require_pairs(self.options.name, shown)

    def tokens(self, batch: Batch) -> Batch:
        """The batch with every item replaced by its tokens, (n, T, E)."""
        return batch.map(lambda name, data: self._encoder(name).patch_embed(data))

    def stem_tokens(self, batch: Batch) -> Batch:
        """The tokens of frozen stems: what the joint phase learns from."""
        with torch.no_grad():
            return self.tokens(batch)

    def see(self, tokens: Batch) -> Seen:
        """Embeddings, logits and prompt outputs of a batch of tokens, case by case."""
        embedding, logits, prompts = {}, {}, {}
        for name, items in tokens.items.items():
            read = self.prompts[name](self._encoder(name), items.data)
            each = (
                read.embedding,
                self._classifier(name)(read.embedding),
                read.prompts.mean(dim=1),
            )
            embedding[name], logits[name], prompts[name] = (
                segment_mean(one, items.owner, len(tokens)) for one in each
            )
        return Seen(embedding, logits, prompts)

    def fuse(self, seen: Seen, shown: Tensor) -> Tensor:
        """Logits (B, K) of cases that show (B, M) of what was seen."""
        total = next(iter(seen.logits.values())).new_zeros(len(shown), self.classes)
        shown = shown.to(total.device)
        for column, name in enumerate(self.names):
            if name in seen.logits:
                total = total + shown[:, column, None] * seen.logits[name]
            rows, guess = self.foresee(name, seen, shown)
            if len(rows):
                logits = self._classifier(name)(guess)
                trust = 1.0 if self.trust is None else self.trust[column]
                total = total.index_add(0, rows, trust * logits)
        return self.prior.plus(total / len(self.names) if self.options.fusion == "mean" else total)

    def foresee(self, target: str, seen: Seen, shown: Tensor) -> tuple[Tensor, Tensor]:
        """The cases that do not show `target`, (r,), and its predicted embedding there, (r, E).

        The mean of what each modality shown predicts.
        """
        lacking = ~shown[:, self.names.index(target)]
        rows = lacking.nonzero().flatten()
        total = shown.new_zeros(len(shown), self._width(target), dtype=torch.float)
        for column, source in enumerate(self.names):
            mine = (lacking & shown[:, column]).nonzero().flatten()
            if source in seen.prompts and source != target and len(mine):
                guess = self._predictor(source, target)(seen.prompts[source][mine])
                total = total.to(guess).index_add(0, mine, guess)
        guess = total[rows] / shown[rows].sum(dim=1, keepdim=True)
        return rows, guess if self.options.predicted_gradient else guess.detach()

    def surprise(self, batch: Batch, modality: str) -> Tensor:
        """(B, E) by how much a modality's embedding differs from the predicted one."""
        seen = self.see(self.tokens(batch))
        return seen.embedding[modality] - self._foreseen(modality, seen, all_but(batch, modality))

    def plausible(self, batch: Batch, modality: str, surprises: Tensor) -> Tensor:
        """Logits (S, B, K), were a modality's embedding the predicted one and a surprise."""
        seen = self.see(self.tokens(batch))
        guess = self._foreseen(modality, seen, batch.presence)
        there = self._classifier(modality)(guess + surprises[:, None])
        total = torch.stack(list(seen.logits.values())).sum(dim=0) + there
        return self.prior.plus(total / len(self.names) if self.options.fusion == "mean" else total)

    def _foreseen(self, target: str, seen: Seen, shown: Tensor) -> Tensor:
        """(B, E) the predicted embedding of a modality that no case shows."""
        device = next(iter(seen.prompts.values())).device
        return self.foresee(target, seen, shown.to(device))[1]

    def joint_loss(self, batch: Batch) -> dict[str, Loss]:
        """The task under hidden modalities, and VICReg on the cases that show both of a pair.

        The batch holds tokens where they come from frozen stems.
        """
        tokens = batch if self._has_stems else self.tokens(batch)
        seen = self.see(tokens)
        shown = drop_modalities(batch, self.options.modality_dropout).presence
        logits = self.fuse(seen, shown)
        task = cross_entropy(logits, labels(batch), smoothing=self.options.smoothing)
        return {"class": task, **self.pair_losses(seen, batch.presence)}

    def pair_losses(self, seen: Seen, presence: Tensor) -> dict[str, Loss]:
        """VICReg per direction over the cases that own both modalities, (B, M)."""
        if self.options.vicreg == 0:
            return {}
        directions = [(a, b) for a in self.names for b in self.names if a != b]
        return {
            f"{source} to {target}": self._pair_loss(
                seen, presence, source, target, weight=self.options.vicreg / len(directions)
            )
            for source, target in directions
        }

    def evidence(self, batch: Batch) -> Tensor:
        """(B, K) the sum of the logits present, without prompts: what phase `unimodal` learns."""
        self.require_known(batch)
        each = [
            segment_mean(self.branches[name](items.data), items.owner, len(batch))
            for name, items in batch.items.items()
        ]
        return self.prior.plus(torch.stack(each).sum(dim=0))

    def _pair_loss(
        self, seen: Seen, presence: Tensor, source: str, target: str, *, weight: float
    ) -> Loss:
        columns = [self.names.index(source), self.names.index(target)]
        rows = presence[:, columns].all(dim=1).nonzero().flatten()
        if len(rows):
            rows = rows.to(seen.embedding[target].device)
            guess = self._predictor(source, target)(seen.prompts[source][rows])
            truth = seen.embedding[target][rows]
        else:  # other ranks may hold pairs and wait for this one
            some = next(iter(seen.embedding.values()))
            guess = truth = some.new_zeros(0, self._width(target))
        if self.options.stop_gradient:
            truth = truth.detach()
        return vicreg_loss(guess, truth, coefficients=self.options.coefficients, weight=weight)

    def _joint_turns(self) -> tuple[Turn, ...]:
        """What is new at its own rate, what was trained before at another."""
        trust = () if self.trust is None else (self.trust,)
        new = (*parameters_of(self.prompts, self.predictors), *trust)
        old = [one for name in self.names for one in biases(self._encoder(name))]
        old += parameters_of(*map(self._classifier, self.names))
        return (
            Turn(new, self.joint_loss, rate=self.options.joint_rate),
            Turn(tuple(old), self.joint_loss, rate=self.options.bias_rate),
        )

    def _quota(self) -> Quota | None:
        """VICReg acts where a batch holds pairs; with many of them hardly a batch is changed."""
        if self.options.vicreg == 0 or self.options.pairs_per_batch == 0:
            return None
        return Quota(self.options.pairs_per_batch, is_pair)

    @property
    def _has_stems(self) -> bool:
        return all(self._encoder(name).has_stem for name in self.names)

    def _encoder(self, name: str) -> TransformerEncoder:
        encoder: TransformerEncoder = self.branches[name].get_submodule("encoder")  # type: ignore[assignment]
        return encoder

    def _classifier(self, name: str) -> nn.Module:
        return self.branches[name].get_submodule("classifier")

    def _predictor(self, source: str, target: str) -> nn.Module:
        return self.predictors.get_submodule(f"{source}.{target}")

    def _width(self, name: str) -> int:
        return self._encoder(name).width


def _predictor(enter: int, leave: int) -> nn.Module:
    """From the prompts' mean output to an embedding."""
    return nn.Sequential(nn.Linear(enter, enter), nn.GELU(), nn.Linear(enter, leave))
