"""How much of each lab classification task the frozen checkpoint solves: least squares on its pooled output.

    python scripts/probe_lab.py

Near 100% would mean that pretraining has left nothing to fine-tune.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from numpy.typing import NDArray

from stabbench.engine.inputs import encode
from stabbench.models.loading import load_model, load_tokenizer
from stabbench.models.source import find_model
from stabbench.tasks.lab.tasks import LAB_TASKS
from stabbench.tasks.registry import load_task
from stabbench.tasks.task import Examples


def pooled(examples: Examples, folder: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Pooled outputs with a constant appended, ``[examples, width + 1]``, and labels of -1 and 1."""
    source = find_model(folder)
    model, _ = load_model(source, 2, 0.0)
    inputs = encode(examples, load_tokenizer(source), 128, torch.tensor(examples.labels, dtype=torch.int64))
    with torch.no_grad():
        output = model.eval().base_model(**inputs.tokens).pooler_output
    return torch.cat([output, torch.ones(len(output), 1)], 1).numpy(), (2 * inputs.labels - 1).float().numpy()


def main() -> None:
    """Fit on the training set, print the accuracy on the evaluation set."""
    folder = sys.argv[1] if len(sys.argv) > 1 else "lab"
    for name, spec in LAB_TASKS.items():
        if spec.classes:
            task = load_task(name)
            x, y = pooled(task.train, folder)
            weights, *_ = np.linalg.lstsq(x, y)
            x, y = pooled(task.evaluation, folder)
            majority = max(np.mean(y > 0), np.mean(y < 0))
            print(f"{name}: frozen linear probe {np.mean(np.sign(x @ weights) == y):.3f}, majority {majority:.3f}")


if __name__ == "__main__":
    main()
