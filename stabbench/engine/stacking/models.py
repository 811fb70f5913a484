"""One interface over a stack of seeds and over one seed of a model that cannot be stacked."""

from __future__ import annotations

import contextlib
import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.pytorch_utils import Conv1D

from stabbench.engine.stacking.context import forward_pass, packed_inside
from stabbench.engine.stacking.dropout import dropout_functions
from stabbench.engine.stacking.packing import Packing
from stabbench.engine.stacking.patches import PACKED
from stabbench.engine.stacking.stack import LINEAR, StackedEmbedding, StackedLinear, stack_leaves_
from stabbench.engine.stacking.streams import SeedStreams
from stabbench.models.families import FAMILIES
from stabbench.models.layout import Layout

# The papers' initialisation of what starts anew, BERT's initializer_range.
INIT_STD = 0.02


class SeedModel(ABC):
    """The models of a group of seeds.

    Attributes:
        model: The ``transformers`` model behind them.
        parameters: Every trainable parameter by its name in the ``transformers`` model, each ``[seeds, ...]``.
        linear_weights: Names of the weights of all Linear layers.
        transposed: Those among them that a layer keeps as ``[in, out]`` (GPT-2's ``Conv1D``).
        precision: Of a forward pass: ``"bf16"`` is bfloat16 where autocast deems it safe. ``"tf32"`` is a setting of
            the whole process (:func:`stabbench.engine.run.settings`), under which a model runs as with ``"fp32"``.
    """

    model: PreTrainedModel
    parameters: dict[str, nn.Parameter]
    linear_weights: Sequence[str]
    transposed: frozenset[str]
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"

    def logits(
        self,
        inputs: Mapping[str, Tensor],
        weights: Mapping[str, Tensor],
        real: NDArray[np.bool_],
        streams: SeedStreams | None = None,
        noise: Callable[[Sequence[int]], Tensor] | None = None,
    ) -> Tensor:
        """Run the model on a merged batch.

        Args:
            inputs: The tokenizer's outputs, each ``[seeds * batch, length]``.
            weights: Replacements for some Linear weights, each of its parameter's shape.
            real: Which of the positions are tokens and no padding, ``[seeds, batch, length]``: on the host: reading it
                from a GPU would stop the queue of kernels.
            streams: What masks of dropout are drawn from, in training.
            noise: Draws ``[seeds, *shape]`` numbers that are added to the token embeddings.

        Returns:
            ``[seeds, batch, outputs]``.
        """
        with contextlib.ExitStack() as stack:
            stack.enter_context(forward_pass(streams))
            if noise is not None:
                stack.enter_context(self._noisy_embeddings(noise))
            if streams is not None and self._calls_dropout:
                stack.enter_context(dropout_functions())
            if self.precision != "bf16":
                return self._forward(inputs, weights, real)
            stack.enter_context(torch.autocast(next(iter(inputs.values())).device.type, torch.bfloat16))
            return self._forward(inputs, weights, real).float()

    @contextlib.contextmanager
    def _noisy_embeddings(self, noise: Callable[[Sequence[int]], Tensor]) -> Iterator[None]:
        """While active, noise is added to what the model looks up for its tokens."""
        seeds = next(iter(self.parameters.values())).shape[0]

        def add(_: nn.Module, __: object, output: Tensor) -> Tensor:
            return output + noise((output.shape[0] // seeds, *output.shape[1:])).view_as(output)

        hook = self.model.get_input_embeddings().register_forward_hook(add)
        try:
            yield
        finally:
            hook.remove()

    @property
    def _calls_dropout(self) -> bool:
        """Whether it may call dropout as a function, and not only as modules of the stack."""
        return True

    @property
    def buffers(self) -> dict[str, Tensor]:
        """What a forward pass may change besides the parameters, by name, ``[seeds, ...]`` each."""
        return {}

    @abstractmethod
    def _forward(
        self, inputs: Mapping[str, Tensor], weights: Mapping[str, Tensor], real: NDArray[np.bool_]
    ) -> Tensor: ...

    @abstractmethod
    def train(self, mode: bool) -> None:
        """Switch dropout on or off."""

    @torch.no_grad()
    def initialise(self, fresh: frozenset[str], layout: Layout, streams: SeedStreams) -> None:
        """Draw the ``fresh`` parameters anew, in the model's order, from each seed's initialisation stream."""
        for info in layout.parameters:
            if info.name in fresh:
                parameter = self.parameters[info.name]
                if info.initial == "normal":
                    parameter.copy_(streams.normal(parameter.shape[1:], INIT_STD))
                else:
                    parameter.fill_(1.0 if info.initial == "ones" else 0.0)

    @torch.no_grad()
    def perturb(self, noise: Mapping[str, float], layout: Layout, streams: SeedStreams) -> None:
        """Add to each parameter named U(-f/2, f/2) times its standard deviation, in the model's order."""
        for info in layout.parameters:
            if (factor := noise.get(info.name, 0)) and (parameter := self.parameters[info.name])[0].numel() > 1:
                sizes = torch.stack([values.std() for values in parameter]).cpu()
                drawn = (streams.uniform(parameter.shape[1:]) - 0.5) * factor
                parameter.add_((drawn * sizes.view(-1, *[1] * (drawn.dim() - 1))).to(parameter.device))


class StackedModel(SeedModel):
    """All seeds in one forward pass.

    Raises:
        StackError: The model has parameters that cannot be stacked.
    """

    def __init__(self, model: PreTrainedModel, seeds: int) -> None:
        self.model = copy.deepcopy(model)
        stack_leaves_(self.model, seeds)
        self.seeds = seeds
        self.parameters = {n: p for n, p in self.model.named_parameters() if p.requires_grad}
        modules = dict(self.model.named_modules())
        self._linears = {f"{n}.weight": m for n, m in modules.items() if isinstance(m, StackedLinear)}
        self._embeddings = [m for m in modules.values() if isinstance(m, StackedEmbedding)]
        self.linear_weights = list(self._linears)
        self.transposed = frozenset(name for name, linear in self._linears.items() if linear.transposed)
        self._encoder = modules[encoder] if (encoder := _encoder_of(model.config)) else None
        if self._encoder is not None:
            self.model.config._attn_implementation = PACKED

    @property
    def _calls_dropout(self) -> bool:
        # An encoder without padding has attention with dropout of its own; the check would find any other call.
        return self._encoder is None

    def _forward(self, inputs: Mapping[str, Tensor], weights: Mapping[str, Tensor], real: NDArray[np.bool_]) -> Tensor:
        rows = next(iter(inputs.values())).shape[0]
        for embedding in self._embeddings:
            embedding.merged_rows = rows
        for name, linear in self._linears.items():
            linear.active_weight = weights.get(name)
        packed: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
        if self._encoder is not None:
            device = inputs["input_ids"].device
            packing = Packing(real, self.model.config.hidden_size, device, even=device.type == "cuda")
            packed = packed_inside(self._encoder, packing)
        with packed:
            logits: Tensor = self.model(**inputs).logits
        return logits.view(self.seeds, -1, logits.shape[-1])

    def train(self, mode: bool) -> None:
        self.model.train(mode)


class OneSeedModel(SeedModel):
    """One seed of any model: its own modules, called with parameters that carry a leading axis of one."""

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = copy.deepcopy(model)
        self.parameters = {
            name: nn.Parameter(parameter.detach().unsqueeze(0).clone())
            for name, parameter in self.model.named_parameters()
            if parameter.requires_grad
        }
        linears = {f"{n}.weight": type(m) for n, m in self.model.named_modules() if type(m) in LINEAR}
        self.linear_weights = [name for name in linears if name in self.parameters]
        self.transposed = frozenset(name for name in self.linear_weights if linears[name] is Conv1D)

    @property
    def buffers(self) -> dict[str, Tensor]:
        return {name: buffer.unsqueeze(0) for name, buffer in self.model.named_buffers()}

    def _forward(
        self,
        inputs: Mapping[str, Tensor],
        weights: Mapping[str, Tensor],
        real: NDArray[np.bool_],  # noqa: ARG002
    ) -> Tensor:
        current = {name: value[0] for name, value in {**self.parameters, **weights}.items()}
        logits: Tensor = torch.func.functional_call(self.model, current, args=(), kwargs=dict(inputs)).logits
        return logits.unsqueeze(0)

    def train(self, mode: bool) -> None:
        self.model.train(mode)


def _encoder_of(config: PreTrainedConfig) -> str:
    """The module in which the padding can be left out; empty where there is none."""
    causal = getattr(config, "is_decoder", False) or getattr(config, "is_causal", False)
    family = FAMILIES.get(config.model_type)
    return family.encoder if family and not causal else ""
