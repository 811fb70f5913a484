"""Calls the hooks of a recipe that work on tensors inside a step, and refuses answers that cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from stabbench.code.users_code import is_users
from stabbench.errors import RecipeError
from stabbench.models.layout import ParameterInfo
from stabbench.recipes._asking import drawing_nothing, not_pure, wrong
from stabbench.recipes._base import Recipe

if TYPE_CHECKING:
    from torch import Tensor

    from stabbench.recipes._step_hooks import Bernoulli


def gradient_scales(recipe: Recipe, norms: Tensor, *, values: bool) -> Tensor:
    """The factors on the components' gradients.

    Args:
        recipe: The recipe.
        norms: Of the components' gradients, ``[seeds, components]``.
        values: Whether to check the factors' values, too, which waits for a GPU.
    """
    what, version = "gradient_scales", norms._version
    with drawing_nothing(recipe, what):
        scales = recipe.gradient_scales(norms)
    _check_tensor(recipe, what, scales, norms)
    if norms._version != version:
        raise RecipeError(f"recipe {recipe.name!r}: {what} changes its argument", "make a new tensor")
    if values:
        _check_factors(recipe, what, scales, norms)
        if is_users(type(recipe)) and not _same(recipe.gradient_scales(norms), scales):
            raise not_pure(recipe, what)
    return scales


def adaptive_scales(
    recipe: Recipe, norms: Tensor, memory: Tensor, step: int, total_steps: int, *, values: bool
) -> tuple[Tensor, Tensor]:
    """The factors on the components' gradients, of clipping that remembers; without that, as :func:`gradient_scales`.

    Args:
        recipe: The recipe.
        norms: Of the components' gradients, ``[seeds, components]``.
        memory: What the step before gave; zeros at the first.
        step: The number of this update, from 1.
        total_steps: Of the whole training.
        values: Whether to check the factors' values, too, which waits for a GPU.
    """
    if type(recipe).adaptive_scales is Recipe.adaptive_scales:
        return gradient_scales(recipe, norms, values=values), memory
    what, versions = "adaptive_scales", (norms._version, memory._version)
    with drawing_nothing(recipe, what):
        answer = recipe.adaptive_scales(norms, memory, step, total_steps)
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise wrong(recipe, what, answer, "factors and what to remember")
    for each in answer:
        _check_tensor(recipe, what, each, norms)
    if (norms._version, memory._version) != versions:
        raise RecipeError(f"recipe {recipe.name!r}: {what} changes its arguments", "make new tensors")
    if values:
        _check_factors(recipe, what, answer[0], norms)
        again = recipe.adaptive_scales(norms, memory, step, total_steps)
        if is_users(type(recipe)) and not all(_same(one, other) for one, other in zip(again, answer, strict=True)):
            raise not_pure(recipe, what)
    return answer


def loss(recipe: Recipe, logits: Tensor, labels: Tensor, further: Sequence[Tensor], *, values: bool) -> Tensor:
    """Each seed's loss of a batch, ``[seeds]``.

    Args:
        recipe: The recipe.
        logits: ``[seeds, batch, outputs]``.
        labels: Of the batch.
        further: Logits of the further passes.
        values: Whether to ask a user's hook twice, and look at its values, which waits for a GPU.
    """
    what, given = "loss", (logits, labels, *further)
    versions = [tensor._version for tensor in given]
    with drawing_nothing(recipe, what):
        answer = recipe.loss(logits, labels, further)
    _check_tensor(recipe, what, answer, logits[:, 0, 0])
    if [tensor._version for tensor in given] != versions:
        raise RecipeError(f"recipe {recipe.name!r}: {what} changes its arguments", "make new tensors")
    if values and is_users(type(recipe)):
        if not answer.requires_grad:
            raise RecipeError(
                f"recipe {recipe.name!r}: {what} does not depend on the logits", "nothing would be trained"
            )
        if not bool((answer.isfinite() | ~logits.isfinite().flatten(1).all(1)).all()):
            raise RecipeError(f"recipe {recipe.name!r}: {what} gives losses that are not finite")
        if not _same(recipe.loss(logits, labels, further), answer):
            raise not_pure(recipe, what)
    return answer


def gradient(
    recipe: Recipe,
    info: ParameterInfo,
    values: Tensor,
    bernoulli: Bernoulli,
    again: Callable[[], Callable[[], None]] | None,
) -> Tensor:
    """A component's gradient as the optimizer gets it.

    Args:
        recipe: The recipe.
        info: Which component.
        values: Its gradient after clipping, ``[seeds, ...]``.
        bernoulli: Draws masks.
        again: Gives what rewinds the streams of ``bernoulli`` to where they are when it is called; None after the first
            step.
    """
    what, version = "gradient", values._version
    rewind = again() if again is not None and is_users(type(recipe)) else None
    with drawing_nothing(recipe, what):
        answer = recipe.gradient(info, values, bernoulli)
    _check_tensor(recipe, what, answer, values)
    if values._version != version:
        raise RecipeError(f"recipe {recipe.name!r}: {what} changes its argument", "make a new tensor")
    if rewind is not None:
        rewind()
        if not _same(recipe.gradient(info, values, bernoulli), answer):
            raise not_pure(recipe, what)
    return answer


def forward_weight(
    recipe: Recipe, weight: Tensor, pretrained: Tensor, bernoulli: Bernoulli, again: Callable[[], None] | None
) -> Tensor:
    """The weight that a Linear uses in a training step.

    Args:
        recipe: The recipe.
        weight: The current value, ``[seeds, out, in]``.
        pretrained: Its value before training.
        bernoulli: Draws masks.
        again: Rewinds the streams of ``bernoulli``, so that the hook can be called twice; None after the first step.
    """
    what, versions = "forward_weight", (weight._version, pretrained._version)
    answer = recipe.forward_weight(weight, pretrained, bernoulli)
    _check_tensor(recipe, what, answer, weight)
    if (weight._version, pretrained._version) != versions:
        raise RecipeError(f"recipe {recipe.name!r}: {what} changes its arguments", "make a new tensor")
    if again is not None and is_users(type(recipe)):
        if not bool((answer.isfinite() | ~weight.isfinite()).all()):
            raise RecipeError(f"recipe {recipe.name!r}: {what} gives weights that are not finite")
        again()
        if not _same(recipe.forward_weight(weight, pretrained, bernoulli), answer):
            raise not_pure(recipe, what)
    return answer


def _check_factors(recipe: Recipe, hook: str, factors: Tensor, norms: Tensor) -> None:
    if not bool(((factors.isfinite() & (factors >= 0)) | ~norms.isfinite()).all()):
        raise RecipeError(f"recipe {recipe.name!r}: {hook} gives factors that are negative or not finite")


def _check_tensor(recipe: Recipe, hook: str, answer: object, like: Tensor) -> None:
    import torch  # loaded long ago where there are tensors

    if not isinstance(answer, torch.Tensor):
        raise wrong(recipe, hook, answer, "a tensor")
    if answer.shape != like.shape:
        raise RecipeError(
            f"recipe {recipe.name!r}: {hook} changes the shape {list(like.shape)} to {list(answer.shape)}"
        )
    for name in ("dtype", "device"):
        if getattr(answer, name) != getattr(like, name):
            raise RecipeError(
                f"recipe {recipe.name!r}: {hook} changes the {name} {getattr(like, name)} to {getattr(answer, name)}"
            )


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool(((one == other) | (one.isnan() & other.isnan())).all())
