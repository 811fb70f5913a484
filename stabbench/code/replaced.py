"""Whether what trains and scores is as this package and its libraries have it.

A plugin that assigns to ``stabbench.optim.AdamW.step`` or to ``torch.nn.functional.linear``, or that sets a constant
of this package, changes built-in recipes as well, and their runs would be stored as theirs. To find that out takes some
hundredths of a second, before every group of seeds.
"""

from __future__ import annotations

from stabbench.code.libraries import replaced_in_libraries
from stabbench.code.noted import changed
from stabbench.errors import RecipeError, listed

# What a plugin may have wanted, by words in the name of what it replaced.
_HOOKS = (
    ("clip", "gradient_scales"),
    ("scales", "gradient_scales"),
    ("schedule", "schedule"),
    ("warmup", "schedule"),
    ("loss", "loss"),
    ("optim", "make_optimizer"),
    ("adam", "make_optimizer"),
    ("stages", "staging"),
    ("stream", "forward_weight"),
    ("dropout", "forward_weight"),
    ("mix", "forward_weight"),
)
# A plugin that replaces a whole module's functions need not see all their names.
_NAMED = 5


def check_nothing_replaced() -> None:
    """Find out whether a plugin, or whatever else runs in this process, has changed what trains and scores.

    Raises:
        RecipeError: It has.
    """
    found = list(dict.fromkeys([*changed(), *replaced_in_libraries()]))
    if not found:
        return
    hooks = [hook for word, hook in _HOOKS if any(word in what.lower() for what in found)]
    way = f"the hook {hooks[0]}" if hooks else "the hooks"
    raise RecipeError(
        f"{listed(found, _NAMED)} was replaced from outside: the numbers of every recipe may be others",
        f"leave stabbench, torch and transformers as they are; override {way} of stabbench.Recipe in a recipe of your "
        "own, whose parameters can be set",
    )
