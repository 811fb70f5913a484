"""The base class of every recipe: a frozen record of hyperparameters, and a few pure hooks that the engine calls.

A recipe says *what* to do; the engine (:mod:`stabbench.engine`) owns the loop and does it for many seeds at once. So a
recipe never sees a model, only its :class:`~stabbench.models.layout.Layout` (plain data) and, in the hooks inside
a step, tensors.

A user's own recipe is a subclass with a ``name`` and whatever differs::

    from stabbench import Recipe

    class Cautious(Recipe):
        \"\"\"Half the learning rate, with bias correction.\"\"\"

        name = "cautious"
        lr = 1e-5
        bias_correction = True
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, dataclass_transform

from stabbench.errors import RecipeError
from stabbench.recipes import _optimizers
from stabbench.recipes._hook_types import ParameterGroup, Stage, Subnetwork
from stabbench.recipes._parameters import check_parameter, parameter, parameter_types
from stabbench.recipes._step_hooks import StepHooks

if TYPE_CHECKING:  # recipes are listed and checked without loading torch
    import torch
    from torch import Tensor

    from stabbench.models.families import Defaults
    from stabbench.models.layout import Layout
    from stabbench.records.seeds import Seeds


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(parameter,))
@dataclass(frozen=True, kw_only=True)
class Recipe(StepHooks):
    """The scheme that all recipes share (Devlin et al. 2019 as in Mosbach et al. 2021, section 3.2 and Table 3).

    Parameters whose explanation ends in "none: the family's" take that value (:mod:`stabbench.models.families`).
    Subclasses become frozen dataclasses by themselves; ``lr = 1e-5`` in one changes that parameter's default.

    Raises:
        RecipeError: A parameter of another type or out of its range.
    """

    name: ClassVar[str] = ""
    paper: ClassVar[str] = ""
    # Of a class of this package: raise it when a change of the class alters the numbers of its runs.
    version: ClassVar[int] = 1

    lr: float | None = parameter(
        None, "peak learning rate, before the model's multiplier; none: the family's, times the optimizer's", above=0
    )
    epochs: float = parameter(3.0, "passes over the training set", above=0)
    steps: int | None = parameter(None, "updates, in place of epochs; none: as the epochs say", least=1)
    batch_size: int = parameter(16, "examples a forward pass; a step has accumulate times as many", least=1)
    accumulate: int = parameter(1, "forward passes a step, whose gradients are added up", least=1, added=True)
    max_length: int = parameter(128, "tokens an example at most", least=4)
    warmup: float = parameter(0.1, "share of the steps that warm up", least=0, below=1)
    optimizer: _optimizers.Name = parameter(  # noqa: RUF009
        "adamw", "what makes the updates: stabbench list optimizers", added=True
    )
    bias_correction: bool = parameter(False, "Adam's bias correction; every optimizer but adamw has its own")
    beta1: float = parameter(0.9, "decay rate of Adam's first moment; sgd's momentum", least=0, below=1)
    beta2: float | None = parameter(
        None, "decay rate of Adam's second moment; none: the optimizer's or the family's", least=0, below=1
    )
    eps: float = parameter(1e-6, "Adam's epsilon, outside the root", above=0)
    weight_decay: float | None = parameter(None, "decoupled weight decay; none: the family's", least=0)
    max_grad_norm: float | None = parameter(None, "global clipping, 0 for none; none: the family's", least=0)
    dropout: float | None = parameter(None, "dropout; none: the family's or the checkpoint's", least=0, below=1)
    precision: Literal["fp32", "tf32", "bf16"] = parameter(
        "fp32", "of matrix products; tf32: a GPU's TensorFloat-32; bf16: bfloat16 on float32 weights (autocast)"
    )
    evaluations: int = parameter(1, "evaluations, evenly spread over the training, the last at its end", least=1)
    keep: Literal["last", "best"] = parameter("last", "evaluation that scores the run; best: on the validation set")

    def __init_subclass__(cls) -> None:
        inherited = {spec.name: spec for base in cls.__mro__[1:] if base is Recipe or issubclass(base, Recipe)
                     for spec in reversed(dataclasses.fields(base))}  # fmt: skip
        annotations = inspect.get_annotations(cls)
        for name in inherited.keys() & vars(cls).keys():
            value = vars(cls)[name]
            if not isinstance(value, dataclasses.Field):
                # A plain `lr = 1e-5` keeps the inherited type, explanation and range.
                annotations[name] = parameter_types(cls.__mro__[1])[name]
                setattr(cls, name, dataclasses.field(default=value, metadata=inherited[name].metadata))
        cls.__annotations__ = annotations
        doc = vars(cls).get("__doc__")
        dataclass(frozen=True, kw_only=True)(cls)
        cls.__doc__ = doc  # dataclass would write the signature where there is none
        for spec in dataclasses.fields(cls):
            if spec.default is dataclasses.MISSING:
                raise RecipeError(f"recipe class {cls.__name__}: parameter {spec.name} needs a default")

    def __post_init__(self) -> None:
        declared = parameter_types(type(self))
        for spec in dataclasses.fields(self):
            value = check_parameter(self.name, spec.name, getattr(self, spec.name), declared[spec.name], spec.metadata)
            object.__setattr__(self, spec.name, value)

    # What the recipe is

    @property
    def label(self) -> str:
        """The name, and whatever differs from its defaults: ``devlin:lr=3e-5,epochs=10``."""
        changed = [
            f"{spec.name}={_as_text(getattr(self, spec.name))}"
            for spec in dataclasses.fields(self)
            if getattr(self, spec.name) != spec.default
        ]
        return ":".join(filter(None, [self.name, ",".join(changed)]))

    def parameters(self) -> dict[str, Any]:
        """Every parameter with its value: part of a run's identity.

        One that earlier versions did not have is left out where it changes nothing, so that their runs are the same.
        """
        base = {spec.name: spec.default for spec in dataclasses.fields(Recipe) if spec.metadata.get("added")}
        default = {spec.name: spec.default for spec in dataclasses.fields(self)}
        values = dataclasses.asdict(self)
        return {
            name: value
            for name, value in values.items()
            if name not in base or not value == base[name] == default[name]
        }

    def resolved(self, defaults: Defaults, depth: int | None = None) -> Self:
        """This recipe with the model's values in place of None.

        Args:
            defaults: The family's.
            depth: The number of the model's blocks, if that is known.
        """
        named = _optimizers.OPTIMIZERS[self.optimizer]
        family = {**dataclasses.asdict(defaults), "lr": defaults.lr * named.rate}
        if named.beta2 is not None:
            family["beta2"] = named.beta2
        asked = [spec.name for spec in dataclasses.fields(self) if getattr(self, spec.name) is None]
        return dataclasses.replace(self, **{name: family[name] for name in asked if name in family})

    @property
    def step_size(self) -> int:
        """Examples a step."""
        return self.batch_size * self.accumulate

    # What the engine asks

    def total_steps(self, train_size: int) -> int:
        """The number of updates of a whole training, all its stages, on ``train_size`` examples."""
        if self.steps is not None:
            return self.steps
        return max(1, round(self.epochs * math.ceil(train_size / self.step_size)))

    def schedule(self, step: int, total_steps: int) -> float:
        """The factor on the peak rate, after ``step`` updates of a stage's ``total_steps``."""
        from stabbench.optim import linear_warmup_constant, linear_warmup_linear_decay

        constant = _optimizers.OPTIMIZERS[self.optimizer].constant
        return (linear_warmup_constant if constant else linear_warmup_linear_decay)(step, total_steps, self.warmup)

    def fresh(self, layout: Layout) -> frozenset[str]:
        """Names of the parameters drawn anew before training, besides those that the checkpoint lacks.

        A weight is drawn from N(0, 0.02^2), a bias becomes 0 and a LayerNorm the identity.
        """
        return layout.names(["head"])

    def groups(self, layout: Layout) -> list[ParameterGroup]:
        """Optimizer groups: every parameter of the layout in exactly one. By default no decay on biases and norms."""
        weight_decay = self.family_value("weight_decay")
        decayed = [p.name for p in layout.parameters if p.kind == "weight"]
        others = [p.name for p in layout.parameters if p.kind != "weight"]
        return [ParameterGroup(decayed, weight_decay), ParameterGroup(others, 0.0)]

    def make_optimizer(self, groups: Sequence[dict[str, Any]]) -> torch.optim.Optimizer:
        """The optimizer of a stage: by default the one that ``optimizer`` names.

        Args:
            groups: As any ``torch.optim.Optimizer`` takes them: ``params``, each ``[seeds, ...]``; ``lr``, which is set
                before every step; ``weight_decay``; ``anchors``, the values that the decay pulls towards, or None; and
                ``lr_factor``, for the engine.

        Returns:
            A :class:`stabbench.optim.SeedOptimizer`, say, on these groups, which must keep the seeds apart.
        """
        return _optimizers.made(self.optimizer, self.family_value, groups)

    def start_noise(self, layout: Layout) -> Mapping[str, float]:
        """Noise on what training starts from: names, each with a factor; by default none.

        An entry gets U(-f/2, f/2) times its parameter's standard deviation, from the seed's initialisation stream.
        """
        return {}

    def subnetwork(self, layout: Layout) -> Subnetwork | None:
        """Parameters of which only the entries with the largest Fisher information are trained; by default none."""
        return None

    def staging(self, layout: Layout) -> Sequence[Stage]:
        """The equal parts of the training: by default one, which trains everything."""
        return [Stage(frozenset(p.name for p in layout.parameters))]

    def intermediate(self, task: str) -> Intermediate | None:
        """What is trained before ``task``; by default nothing."""
        return None

    def gradient_scales(self, norms: Tensor) -> Tensor:
        """Clipping: factors on each component's gradient, from the components' norms, both ``[seeds, components]``."""
        from stabbench.optim import global_scales

        return global_scales(norms, self.family_value("max_grad_norm"))

    def adaptive_scales(self, norms: Tensor, memory: Tensor, step: int, total_steps: int) -> tuple[Tensor, Tensor]:
        """Clipping that remembers: in place of ``gradient_scales``, where a recipe has it.

        Args:
            norms: Of the components' gradients, ``[seeds, components]``.
            memory: What the step before gave, of the same shape; zeros at the first.
            step: The number of this update, from 1.
            total_steps: Of the whole training.

        Returns:
            The factors, and what to remember.
        """
        return self.gradient_scales(norms), memory

    def family_value(self, name: str) -> float:
        value: float | None = getattr(self, name)
        if value is None:
            raise RecipeError(
                f"recipe {self.name!r}: {name} is the model family's", "call recipe.resolved(defaults_of(family)) first"
            )
        return value


@dataclass(frozen=True)
class Intermediate:
    """A training on another task that comes first; all runs start from its encoder.

    Attributes:
        task: The task's name.
        recipe: How it is trained there; that recipe's own intermediate task is ignored.
        seeds: Its seeds.
    """

    task: str
    recipe: Recipe
    seeds: Seeds


def _as_text(value: object) -> str:
    """A parameter's value as it is written on a command line."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e6:
        return str(int(value))
    # 3e-5, as people write it, for Python's 3e-05.
    return re.sub(r"e([+-])0+", r"e\1", str(value))
