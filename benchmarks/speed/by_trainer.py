"""The seeds by the HF ``Trainer`` at its best settings: in this process, in one process a core, in a process each."""

from __future__ import annotations

import gc
import importlib.util
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import EvalPrediction, PrinterCallback, Trainer, TrainingArguments

from stabbench._system.machine import cores
from stabbench.engine.inputs import Inputs

from .contender import Outcome, cpu_threads
from .workload import EVALUATION_BATCH, Workload, device, fresh_copy, lengths, load_pretrained

# `python -m` finds this package from there, whichever name it was imported by.
ROOT = Path(__file__).parents[__package__.count(".") + 1]


def is_available() -> bool:
    """Trainer needs accelerate, which transformers does not bring."""
    return importlib.util.find_spec("accelerate") is not None


class TrainerLoop:
    """One ``Trainer`` after the other, in this process."""

    def __init__(self, workload: Workload, threads: int) -> None:
        self.workload, self.threads = workload, threads
        self.pretrained = load_pretrained(workload)
        self.examples, self.evaluation = unpadded(workload.train), unpadded(workload.evaluation)

    def __call__(self, seeds: Sequence[int], steps: int) -> list[Outcome]:
        with cpu_threads(self.threads), tempfile.TemporaryDirectory() as folder:
            return [self._one(seed, steps, folder) for seed in seeds]

    def _one(self, seed: int, steps: int, folder: str) -> Outcome:
        on_gpu = device().type == "cuda"
        trainer = Trainer(
            fresh_copy(self.pretrained, seed),
            self._arguments(seed, steps, folder, on_gpu),
            data_collator=padded,
            train_dataset=self.examples,
            eval_dataset=self.evaluation,
            compute_metrics=accuracy,
        )
        trainer.remove_callback(PrinterCallback)  # it would print every result
        trainer.train()
        outcome = Outcome(trainer.state.global_step, trainer.evaluate()["eval_accuracy"])
        if on_gpu:
            # A Trainer refers to itself, and a GPU's memory does not wait for the garbage collector.
            del trainer
            gc.collect()
        return outcome

    def _arguments(self, seed: int, steps: int, folder: str, on_gpu: bool) -> TrainingArguments:
        recipe = self.workload.recipe
        return TrainingArguments(
            output_dir=folder,
            seed=seed,
            max_steps=steps,
            per_device_train_batch_size=recipe.batch_size,
            per_device_eval_batch_size=EVALUATION_BATCH,
            learning_rate=self.workload.lr,
            warmup_steps=round(recipe.warmup * steps),
            lr_scheduler_type="linear",
            weight_decay=recipe.family_value("weight_decay"),
            max_grad_norm=recipe.family_value("max_grad_norm"),
            adam_beta1=recipe.beta1,
            adam_beta2=recipe.family_value("beta2"),
            adam_epsilon=recipe.eps,
            optim="adamw_torch_fused",
            bf16=recipe.precision == "bf16",
            use_cpu=not on_gpu,
            dataloader_pin_memory=on_gpu,
            remove_unused_columns=False,  # there are none to look for
            logging_nan_inf_filter=False,  # it waits for the device at every step
            logging_strategy="no",
            eval_strategy="no",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )


class TrainersInParallel:
    """A ``TrainerLoop`` of one thread a core, each with its share of the seeds: several processes, started anew."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload

    def __call__(self, seeds: Sequence[int], steps: int) -> list[Outcome]:
        shares = [share for number in range(cores()) if (share := seeds[number :: cores()])]
        with ProcessPoolExecutor(len(shares), multiprocessing.get_context("spawn")) as pool:
            done = [pool.submit(train_share, self.workload, share, steps) for share in shares]
            return [outcome for share in done for outcome in share.result()]


def train_share(workload: Workload, seeds: Sequence[int], steps: int) -> list[Outcome]:
    return TrainerLoop(workload, threads=1)(seeds, steps)


class ShellLoop:
    """One process a seed, one after the other: it imports, loads, trains, evaluates and ends."""

    def __init__(self, workload: Workload, threads: int) -> None:
        self.workload, self.threads = workload, threads

    def __call__(self, seeds: Sequence[int], steps: int) -> list[Outcome]:
        with tempfile.TemporaryDirectory() as folder:
            # Tokenised already, as by a script that keeps in a cache what it tokenised.
            file = Path(folder, "workload.pickle")
            file.write_bytes(pickle.dumps(self.workload))
            return [self._one(file, seed, steps) for seed in seeds]

    def _one(self, file: Path, seed: int, steps: int) -> Outcome:
        asked = [file, "--seed", seed, "--steps", steps, "--threads", self.threads]
        done = subprocess.run(
            [sys.executable, "-m", f"{__package__}.one_seed", *map(str, asked)],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": str(self.threads)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return Outcome(**json.loads(done.stdout.splitlines()[-1]))


def unpadded(inputs: Inputs) -> list[dict[str, Tensor]]:
    """Every example by itself, as a tokenizer gives them."""
    return [
        {**{name: values[i, :length] for name, values in inputs.tokens.items()}, "labels": inputs.labels[i]}
        for i, length in enumerate(lengths(inputs).tolist())
    ]


def padded(examples: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """A batch as long as its longest example: ``DataCollatorWithPadding`` without a tokenizer."""
    labels = pad_sequence([example["labels"].view(1) for example in examples]).flatten()
    names = [name for name in examples[0] if name != "labels"]
    return {n: pad_sequence([e[n] for e in examples], batch_first=True) for n in names} | {"labels": labels}


def accuracy(predicted: EvalPrediction) -> dict[str, float]:
    chosen = np.argmax(predicted.predictions, axis=-1)
    return {"accuracy": float(np.mean(chosen == predicted.label_ids))}
