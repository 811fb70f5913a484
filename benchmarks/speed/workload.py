"""What every contender trains: a model on disk, examples as tensors, a recipe."""

from __future__ import annotations

import copy
import dataclasses
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
import transformers
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, BertConfig, PreTrainedModel

from stabbench.engine.inputs import Inputs, encode, label_tensor
from stabbench.models.families import defaults_of
from stabbench.models.loading import load_tokenizer
from stabbench.models.source import ModelSource, find_model
from stabbench.recipes import Recipe
from stabbench.recipes.bias_correction import BiasCorrection
from stabbench.tasks.registry import load_task
from stabbench.tasks.task import Examples

Precision = Literal["fp32", "bf16"]

LAB_TASK = "lab/entailment"
OUTPUTS = 2
EVALUATION_BATCH = 100

# Wang et al. 2020 (six layers of width 384) and Devlin et al. 2019; everything else is BertConfig's default.
SHAPES: dict[str, dict[str, Any]] = {
    "minilm": {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536},
    "bert-base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072},
    "bert-large": {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096},
}
TINY: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "vocab_size": 100,
}
# Examples to train on and to evaluate on.
RTE_SIZES, TINY_SIZES = (2490, 277), (40, 8)
# RTE's pairs in the tokens of BERT's uncased vocabulary: median 56, mean 67 when cut at 128, which 12% reach.
# A lognormal distribution of this median and deviation comes near: mean 65, 11%.
MEDIAN_LENGTH, LENGTH_DEVIATION, LEAST_LENGTH, MOST_LENGTH = 57, 0.65, 8, 128


@dataclass(frozen=True)
class Workload:
    """One training, to be repeated with many seeds.

    Attributes:
        name: ``"lab"`` or one of the shapes.
        source: Where the model is.
        recipe: With the model's defaults filled in; its ``steps`` are those that each seed makes.
        whole_steps: The steps of a training that is not cut short.
        train: The training examples, padded to the longest, on the CPU.
        evaluation: Likewise the examples to evaluate on.
    """

    name: str
    source: ModelSource
    recipe: Recipe
    whole_steps: int
    train: Inputs
    evaluation: Inputs

    @property
    def steps(self) -> int:
        assert self.recipe.steps is not None
        return self.recipe.steps

    @property
    def lr(self) -> float:
        return self.recipe.family_value("lr") * self.source.lr_multiplier

    @cached_property
    def mean_length(self) -> float:
        """Tokens of a training example without its padding."""
        return lengths(self.train).float().mean().item()


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def make_workload(name: str, folder: Path, *, tiny: bool, precision: Precision, steps: int | None) -> Workload:
    """The lab's model and task, or a BERT of random weights (saved in ``folder``) on examples made up."""
    if name == "lab":
        source, task = find_model("lab"), load_task(LAB_TASK)
        tokenizer = load_tokenizer(source)

        def tensors(examples: Examples) -> Inputs:
            return encode(examples, tokenizer, BiasCorrection().max_length, label_tensor(task, examples))

        train, evaluation = tensors(task.train), tensors(task.evaluation)
    else:
        quieten()
        torch.manual_seed(0)
        config = BertConfig(**(TINY if tiny else SHAPES[name]))
        AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
        source = ModelSource(name, folder)
        train, evaluation = (made_up(size, config.vocab_size) for size in (TINY_SIZES if tiny else RTE_SIZES))
    recipe = BiasCorrection(precision=precision).resolved(defaults_of("bert"))
    whole_steps = recipe.total_steps(len(train))
    recipe = dataclasses.replace(recipe, steps=min(steps or whole_steps, whole_steps))
    return Workload(name, source, recipe, whole_steps, train, evaluation)


def made_up(examples: int, vocabulary: int) -> Inputs:
    """Random tokens in sequences as long as RTE's are; token 0 is padding."""
    generator = torch.Generator().manual_seed(examples)
    normal = torch.randn(examples, generator=generator)
    drawn = (normal * LENGTH_DEVIATION + math.log(MEDIAN_LENGTH)).exp().round().long().clamp(LEAST_LENGTH, MOST_LENGTH)
    mask = (torch.arange(int(drawn.max())) < drawn.unsqueeze(1)).long()
    ids = torch.randint(1, vocabulary, mask.shape, generator=generator) * mask
    labels = torch.randint(OUTPUTS, (examples,), generator=generator)
    tokens = {"input_ids": ids, "token_type_ids": torch.zeros_like(ids), "attention_mask": mask}
    return Inputs(tokens, labels, mask.numpy().astype(bool))


def lengths(inputs: Inputs) -> Tensor:
    """Tokens of each example without its padding."""
    return torch.from_numpy(inputs.real.sum(1))


def quieten() -> None:
    """A new head is what we want, not news."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def load_pretrained(workload: Workload) -> PreTrainedModel:
    """As anyone loads it, with the attention that ``transformers`` takes by itself."""
    quieten()
    model: PreTrainedModel = AutoModelForSequenceClassification.from_pretrained(
        workload.source.folder, num_labels=OUTPUTS, dtype="float32"
    )
    model.to(device())  # type: ignore[arg-type]  # transformers' wrapper hides nn.Module's own signature
    return model


def fresh_copy(pretrained: PreTrainedModel, seed: int) -> PreTrainedModel:
    """A model to fine-tune, with a new head."""
    torch.manual_seed(seed)
    model = copy.deepcopy(pretrained)
    head = model.get_submodule("classifier")
    assert isinstance(head, nn.Linear)
    nn.init.normal_(head.weight, std=0.02)
    nn.init.zeros_(head.bias)
    return model
