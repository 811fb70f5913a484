"""What to do about runs and checks that went wrong."""

from __future__ import annotations

from stabbench.code.users_code import is_users
from stabbench.engine.job import ModelCheck
from stabbench.errors import StabbenchError
from stabbench.records.run import OUT_OF_MEMORY


def remedy(reason: str) -> str:
    """What to do about a missing run besides trying it again, by its reason."""
    if OUT_OF_MEMORY in reason:
        return ": with a smaller --stack or fewer --workers it needs less memory"
    if reason.startswith("its process"):
        return "; if it is always missing, something in the recipe or in what it uses ends the process"
    if "No space left" in reason or "os error 28" in reason:
        return ", once there is some space on the disk"
    return ", once what is wrong there is mended"


def check_failed(check: ModelCheck, reason: str, tries: int) -> StabbenchError:
    """The error of a check whose worker ended, or ran out of memory, each time."""
    recipes = [recipe for recipe, _ in check.recipes]
    users = [recipe for recipe in recipes if is_users(type(recipe))]
    names = ", ".join(sorted({recipe.name for recipe in users or recipes}))
    if users:
        hint = (
            "does a hook end its process, by os._exit() or a fault in native code? try them one by one; --workers 1 "
            "says which call it is"
        )
    else:
        hint = "free some memory, or take a smaller model"
    return StabbenchError(f"checking {names} on model {check.model.name!r} failed {tries} times: {reason}", hint)
