"""One seed after the other by a plain PyTorch loop, as an experienced person writes it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from transformers import PreTrainedModel, get_linear_schedule_with_warmup

from stabbench.engine.inputs import Inputs

from .contender import Outcome, cpu_threads
from .workload import EVALUATION_BATCH, Workload, device, fresh_copy, lengths, load_pretrained


class Loop:
    """The data stay on the device, a batch is as long as its longest example, and no step waits for the device."""

    def __init__(self, workload: Workload, threads: int) -> None:
        self.workload, self.threads = workload, threads
        self.pretrained = load_pretrained(workload)
        self.examples, self.evaluation = workload.train.to(device()), workload.evaluation.to(device())

    def __call__(self, seeds: Sequence[int], steps: int) -> list[Outcome]:
        with cpu_threads(self.threads):
            return [self._one(seed, steps) for seed in seeds]

    def _one(self, seed: int, steps: int) -> Outcome:
        recipe, model = self.workload.recipe, fresh_copy(self.pretrained, seed)
        parameters = list(model.parameters())
        groups = [
            {"params": [p for p in parameters if p.dim() > 1], "weight_decay": recipe.family_value("weight_decay")},
            {"params": [p for p in parameters if p.dim() == 1], "weight_decay": 0.0},
        ]
        betas = (recipe.beta1, recipe.family_value("beta2"))
        optimizer = torch.optim.AdamW(groups, lr=self.workload.lr, betas=betas, eps=recipe.eps, fused=True)
        schedule = get_linear_schedule_with_warmup(optimizer, round(recipe.warmup * steps), steps)
        model.train()
        updates = 0
        for tokens, labels in self._batches(steps):
            with self._autocast():
                loss = model(**tokens, labels=labels).loss
            loss.backward()
            clip_grad_norm_(parameters, recipe.family_value("max_grad_norm"))
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            updates += 1
        return Outcome(updates, self._score(model))

    def _batches(self, steps: int) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
        size, made = self.workload.recipe.batch_size, 0
        long = lengths(self.workload.train)
        while made < steps:
            order = torch.randperm(len(long))
            on_device = order.to(device())
            for start in range(0, len(long), size)[: steps - made]:
                batch = slice(start, start + size)
                # The longest is found on the CPU, where the lengths are.
                yield cut(self.examples, on_device[batch], int(long[order[batch]].max()))
                made += 1

    @torch.no_grad()
    def _score(self, model: PreTrainedModel) -> float:
        model.eval()
        long = lengths(self.workload.evaluation)
        right = []
        for index in torch.arange(len(long)).split(EVALUATION_BATCH):
            tokens, labels = cut(self.evaluation, index.to(device()), int(long[index].max()))
            with self._autocast():
                right.append(model(**tokens).logits.argmax(-1) == labels)
        return torch.cat(right).float().mean().item()

    def _autocast(self) -> contextlib.AbstractContextManager[object]:
        return torch.autocast(device().type, torch.bfloat16, enabled=self.workload.recipe.precision == "bf16")


def cut(inputs: Inputs, index: Tensor, length: int) -> tuple[dict[str, Tensor], Tensor]:
    """A batch without the columns that are nothing but padding."""
    tokens = {name: values[:, :length][index] for name, values in inputs.tokens.items()}
    # transformers asks a mask of two dimensions whether anything is masked, and waits for the answer.
    tokens["attention_mask"] = tokens["attention_mask"][:, None, None, :].bool()
    return tokens, inputs.labels[index]
