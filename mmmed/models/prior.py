"""What classes are worth before any scan: counted once per case, not once per item.

evidence   logits of one item or modality that say how far it speaks for a class: log-likelihoods up
           to a constant. Those of several add up
prior      log shares of the classes in the training part, by Laplace's rule: (n_k + 1) / (n + K)

A net that learns to tell the classes of single items learns their shares as well. Where such logits
are added up, the shares would count once per item; so every loss adds the prior to evidence, which
then need not hold it, and a prediction adds it once (logit adjustment: Menon et al., Long-tail
learning via logit adjustment, ICLR 2021, arXiv 2007.07314, equation 10). Classes of equal size have
a prior of zero.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


class ClassPrior(nn.Module):
    """Adds the prior to evidence; zero until it is set.

    Args:
        classes: K.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.log: Tensor
        self.register_buffer("log", torch.zeros(classes))

    def set(self, labels: Iterable[int]) -> None:
        """Take the shares of the labelled training cases, class indices in 0..K-1."""
        known = torch.tensor(list(labels), dtype=torch.long)
        log = torch.log(torch.bincount(known, minlength=len(self.log)).double() + 1)
        self.log.copy_(log - log.mean())

    def plus(self, evidence: Tensor) -> Tensor:
        """Evidence (n, K) -> logits (n, K)."""
        return evidence + self.log
