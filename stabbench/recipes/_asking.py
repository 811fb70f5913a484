"""Asks a recipe's hooks for what calls them: errors name the recipe, random draws and memory are refused.

Only a user's own recipe is asked twice and watched for random numbers.
"""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

from stabbench.code.users_code import in_short, is_users, users_code
from stabbench.errors import RecipeError, StabbenchError, excerpt
from stabbench.recipes._base import Recipe


def ask(recipe: Recipe, hook: str, call: Callable[[], Any]) -> Any:
    """The answer of a hook before the training. A user's own is called twice, to find out whether it remembers.

    Raises:
        RecipeError: The hook fails, draws random numbers, or gives two answers to the same arguments.
    """
    try:
        with users_code():
            with drawing_nothing(recipe, hook):
                answer = call()
            # NaN is not equal to itself, and an equal set may be in another order.
            pure = not is_users(type(recipe)) or (again := call()) == answer or repr(again) == repr(answer)
    except StabbenchError:
        raise
    except Exception as error:  # a user's recipe may raise anything
        raise RecipeError(f"recipe {recipe.name!r}: {hook} fails: {in_short(error)}") from error
    if not pure:
        raise not_pure(recipe, hook)
    return answer


def wrong(recipe: Recipe, hook: str, answer: object, wanted: str) -> RecipeError:
    """The error for an answer of the wrong kind."""
    return RecipeError(f"recipe {recipe.name!r}: {hook} gives {excerpt(answer)}, not {wanted}")


def not_pure(recipe: Recipe, hook: str) -> RecipeError:
    """The error for a hook whose answer depends on more than its arguments."""
    return RecipeError(
        f"recipe {recipe.name!r}: {hook} gives another answer to the same arguments",
        "a hook must not remember, nor draw random numbers other than by bernoulli: a seed's run could not be repeated",
    )


@contextlib.contextmanager
def drawing_nothing(recipe: Recipe, hook: str) -> Iterator[None]:
    """Refuse a hook that draws from a generator that is not the seed's: its run would not be the seed's own."""
    if not is_users(type(recipe)):
        yield
        return
    before = _random_states()
    yield
    after = _random_states()
    for generator, state in before.items():
        if after[generator] != state:
            raise RecipeError(
                f"recipe {recipe.name!r}: {hook} draws random numbers from {generator}",
                "they are not the seed's own; forward_weight may draw with bernoulli, other hooks draw nothing",
            )


def _random_states() -> dict[str, object]:
    """The states of all global generators of libraries that are loaded."""
    found: dict[str, object] = {"Python's random": random.getstate()}
    if numpy := sys.modules.get("numpy"):
        kind, keys, *rest = numpy.random.get_state()
        found["NumPy's random"] = (kind, keys.tobytes(), *rest)
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):  # not while it is being imported
        found["PyTorch's generator"] = torch.get_rng_state().numpy().tobytes()
        if torch.cuda.is_initialized():
            found["PyTorch's generator of the GPU"] = torch.cuda.get_rng_state().numpy().tobytes()
    return found
