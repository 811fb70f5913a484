"""How much of each lab classification task the frozen checkpoint solves: logistic regression on its pooled output.

    python scripts/probe_lab.py [MODEL]

Near 100% would mean that pretraining has left nothing to fine-tune; close to what fine-tuning reaches, that a run has
succeeded which did not destroy what was there.
"""

from __future__ import annotations

import sys

import torch
from torch import Tensor
from torch.nn import functional

from stabbench.engine.inputs import encode
from stabbench.models.loading import load_model, load_tokenizer
from stabbench.models.source import find_model
from stabbench.tasks.lab.tasks import LAB_TASKS
from stabbench.tasks.registry import load_task
from stabbench.tasks.task import Examples, Task

# On the squared weights of standardised features: as much as keeps separable classes finite.
PENALTY = 1e-3


def pooled(examples: Examples, model: str, classes: int) -> tuple[Tensor, Tensor]:
    """The frozen pooled outputs ``[examples, width]``, without dropout, and the class numbers ``[examples]``."""
    source = find_model(model)
    network, _ = load_model(source, classes, 0.0)
    inputs = encode(examples, load_tokenizer(source), 128, torch.tensor(examples.labels, dtype=torch.int64))
    with torch.no_grad():
        return network.eval().base_model(**inputs.tokens).pooler_output, inputs.labels


def regress(features: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Multinomial logistic regression by L-BFGS: weights ``[width, classes]`` and intercepts ``[classes]``."""
    weights = torch.zeros(features.shape[1], classes, requires_grad=True)
    intercepts = torch.zeros(classes, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights, intercepts], max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = functional.cross_entropy(features @ weights + intercepts, labels) + PENALTY * weights.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)
    return weights.detach(), intercepts.detach()


def frozen_score(task: Task, model: str) -> float:
    """The task's metric on its evaluation set, of a regression fitted to its training set."""
    classes = len(task.classes)
    x, labels = pooled(task.train, model, classes)
    mean, scale = x.mean(0), x.std(0).clamp(min=1e-6)
    weights, intercepts = regress((x - mean) / scale, labels, classes)
    x, _ = pooled(task.evaluation, model, classes)
    answers = ((x - mean) / scale @ weights + intercepts).argmax(1)
    return task.score(answers.numpy(), task.evaluation)


def main() -> None:
    """Fit on the training set, print the score on the evaluation set."""
    model = sys.argv[1] if len(sys.argv) > 1 else "lab"
    for name, spec in LAB_TASKS.items():
        if spec.classes:
            task = load_task(name)
            found = f"frozen probe {task.metric} {frozen_score(task, model):.3f}"
            print(f"{name}: {found}, best constant {task.constant_score:.3f}")


if __name__ == "__main__":
    main()
