"""Which entries of parameters matter most to a task: by the Fisher information, estimated before any training.

Xu, Luo, Zhang, Tan, Chang, Huang and Huang 2021, "Raise a Child in Large Language Model", section 2.3, as in the
released code: the mean, over batches of the training set, of the squared gradient of a batch's loss; here without
dropout, in the order of the data, and without clipping, so that a seed's masks depend on its head alone.
"""

from __future__ import annotations

import torch
from torch import Tensor

from stabbench.engine.inputs import Inputs
from stabbench.engine.stacking.models import SeedModel
from stabbench.optim import seed_losses
from stabbench.recipes import Subnetwork


def fisher_masks(model: SeedModel, data: Inputs, batch_size: int, asked: Subnetwork) -> dict[str, Tensor]:
    """Masks of the entries that are trained, 1 or 0, ``[seeds, ...]`` each.

    Args:
        model: The seeds' models before training.
        data: The training examples.
        batch_size: Examples a gradient.
        asked: Of which parameters, and which share of their entries.
    """
    names = [name for name in model.parameters if name in asked.names]
    total = {name: torch.zeros_like(model.parameters[name]) for name in names}
    seeds = next(iter(model.parameters.values())).shape[0]
    for name, parameter in model.parameters.items():
        parameter.requires_grad_(name in total)
    model.train(False)
    batches = torch.arange(len(data)).tensor_split(-(-len(data) // batch_size))
    for rows in batches:
        batch = data.rows(rows.expand(seeds, -1))
        loss = seed_losses(model.logits(batch.tokens, {}, batch.real), batch.labels)
        gradients = torch.autograd.grad(loss.sum(), [model.parameters[name] for name in names], allow_unused=True)
        for name, gradient in zip(names, gradients, strict=True):
            if gradient is not None:
                total[name].addcmul_(gradient, gradient)
    model.train(True)
    with torch.no_grad():
        # Of each seed by itself; where several are equal to the least that is kept, all of them are.
        together = torch.cat([values.flatten(1) for values in total.values()], dim=1)
        kept = max(1, round(asked.share * together.shape[1]))
        least = torch.stack([row.kthvalue(len(row) - kept + 1).values for row in together])
        return {name: (v >= least.view(-1, *[1] * (v.dim() - 1))).to(v.dtype) for name, v in total.items()}
