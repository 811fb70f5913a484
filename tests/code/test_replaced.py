"""What a plugin replaces in the package or its libraries is found, and what is not replaced is never taken for it."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.optim.optimizer as optimizer
from command import stabbench as command
from command import unfolded
from transformers.models.bert import modeling_bert

import stabbench
import stabbench.engine.stages
import stabbench.engine.train
import stabbench.optim
import stabbench.recipes.devlin
from stabbench.code.replaced import check_nothing_replaced
from stabbench.engine.stacking import models, packing
from stabbench.errors import RecipeError
from stabbench.models import families
from stabbench.optim import _adamw, _clipping, _loss
from stabbench.recipes import call_step_hooks
from stabbench.recipes.devlin import Devlin
from stabbench.recipes.mixout import Mixout
from stabbench.tasks import metrics

ORIGINAL = call_step_hooks.gradient_scales
LINEAR = torch.nn.functional.linear


@functools.wraps(ORIGINAL)
def wrapped(*args: Any) -> Any:
    return ORIGINAL(*args) * 2


class OtherAdamW(stabbench.optim.AdamW):
    pass


def other_linear(*args: Any) -> torch.Tensor:
    return LINEAR(*args) * 2


REPLACED: list[tuple[Any, str, Any, str]] = [
    (call_step_hooks, "gradient_scales", lambda model, recipe: None, "the hook gradient_scales"),
    (call_step_hooks, "gradient_scales", wrapped, "the hook gradient_scales"),
    (call_step_hooks, "gradient_scales", functools.partial(ORIGINAL, None), "the hook gradient_scales"),
    (_loss, "seed_losses", ORIGINAL, "the hook loss"),
    (_loss, "functional", object(), "the hook loss"),
    (stabbench.engine.train, "max", min, "the hooks"),  # hides Python's
    (stabbench.optim.AdamW, "step", lambda self: None, "the hook make_optimizer"),
    (stabbench.optim.AdamW, "step", torch.optim.AdamW.step, "the hook make_optimizer"),
    (stabbench.optim, "AdamW", OtherAdamW, "the hook make_optimizer"),
    (stabbench.optim, "AdamW", torch.optim.AdamW, "the hook make_optimizer"),
    (stabbench.Recipe, "schedule", lambda self, step, total: 1.0, "the hook schedule"),
    (Devlin, "schedule", lambda self, step, total: 1.0, "the hook schedule"),
    (Devlin, "schedule", Mixout.schedule, "the hook schedule"),
    (stabbench.Recipe, "label", property(lambda self: "mine"), "the hooks"),
    # Constants, what a class has, and defaults.
    (models, "INIT_STD", 0.1, "the hooks"),
    (packing, "VALUES", True, "the hooks"),
    (_clipping, "EPSILON", 1e-3, "the hook gradient_scales"),
    (families, "START", {**families.START, "bias": "normal"}, "the hooks"),
    (families, "FAMILIES", {**families.FAMILIES, "bert": families.FAMILIES["albert"]}, "the hooks"),
    (metrics, "METRICS", dict.fromkeys(metrics.METRICS, metrics.METRICS["accuracy"]), "the hooks"),
    (stabbench.Recipe, "lr", 1e-4, "the hooks"),
    (Mixout, "p", 0.5, "the hook forward_weight"),
    (Devlin, "bias_correction", True, "the hooks"),
    (Devlin, "warmup", 0.5, "the hook schedule"),  # that of Recipe, until now
    (Devlin, "version", 2, "the hooks"),
    # PyTorch and transformers.
    (torch.nn.functional, "linear", other_linear, "the hooks"),
    (torch.nn.functional, "linear", functools.partial(other_linear), "the hooks"),
    (torch.nn.functional, "cross_entropy", lambda *_, **__: torch.zeros(()), "the hooks"),
    (torch.Tensor, "add_", lambda self, other: self, "the hooks"),
    (torch.Tensor, "backward", lambda self: None, "the hooks"),
    (torch, "baddbmm", lambda *_: torch.zeros(()), "the hooks"),
    (torch, "_foreach_mul_", lambda *_: None, "the hooks"),
    (torch, "einsum", lambda *_: torch.zeros(()), "the hooks"),
    (torch.nn.Dropout, "forward", lambda self, values: values, "the hook forward_weight"),
    (torch.optim.Optimizer, "zero_grad", lambda self: None, "the hook make_optimizer"),
    (modeling_bert.BertPooler, "forward", lambda self, hidden: hidden[:, 0], "the hooks"),
    (modeling_bert, "BertPooler", type("BertPooler", (torch.nn.Module,), {}), "the hooks"),
]


def refusal() -> RecipeError:
    with pytest.raises(RecipeError) as caught:
        check_nothing_replaced()
    return caught.value


@pytest.mark.parametrize(("where", "name", "value", "way"), REPLACED)
def test_a_replacement_is_named_with_the_hook_to_use(
    monkeypatch: pytest.MonkeyPatch, where: Any, name: str, value: Any, way: str
) -> None:
    check_nothing_replaced()
    monkeypatch.setattr(where, name, value, raising=False)
    error = refusal()
    assert f"{where.__name__.rpartition('.')[2]}.{name}" in error.message
    assert way in error.hint
    monkeypatch.undo()
    check_nothing_replaced()


def test_a_function_with_another_code_or_default_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return logits.sum((1, 2))

    monkeypatch.setattr(_loss.seed_losses, "__code__", other.__code__)
    assert "_loss.seed_losses" in refusal().message
    monkeypatch.undo()
    monkeypatch.setattr(_adamw.AdamW.__init__, "__defaults__", ((0.9, 0.999), 1e-8, 0.01, True))
    assert "AdamW.__init__" in refusal().message
    monkeypatch.undo()
    defaults = {**(Devlin.__init__.__kwdefaults__ or {}), "warmup": 0.5}
    monkeypatch.setattr(Devlin.__init__, "__kwdefaults__", defaults)
    assert "Devlin.__init__" in refusal().message


def test_what_is_changed_inside_a_constant_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(families.START, dict)
    monkeypatch.setitem(families.START, "bias", "normal")
    assert "families.START" in refusal().message


def test_what_is_put_beside_a_librarys_own_replaces_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (torch, torch.nn.functional, torch.Tensor, torch.nn.Linear, modeling_bert):
        monkeypatch.setattr(place, "of_my_own", other_linear, raising=False)
    monkeypatch.setattr(torch, "load", functools.partial(torch.load, weights_only=True))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    check_nothing_replaced()
    monkeypatch.setattr(torch.nn.Linear, "__call__", other_linear)
    assert "Linear.__call__" in refusal().message


def test_hooks_on_all_modules_or_optimizers_are_found() -> None:
    register = torch.nn.modules.module.register_module_forward_hook
    with register(lambda module, args, output: output):
        assert "module._global_forward_hooks" in refusal().message
    check_nothing_replaced()
    with optimizer.register_optimizer_step_pre_hook(lambda *_: None):
        assert "optimizer._global_optimizer_pre_hooks" in refusal().message
    check_nothing_replaced()


def test_what_is_replaced_before_the_engine_is_loaded_is_found(tmp_path: Path) -> None:
    """A plugin may be the first to import a module, and its workers do what the plugin does."""
    recipe = "import stabbench\nclass Mine(stabbench.Recipe):\n    'A recipe.'\n    name = 'mine'\n"
    changes = {
        "import stabbench.engine.stacking.models as m\nm.INIT_STD = 1.0\n": "stabbench.engine.stacking.models.INIT_STD",
        "import torch\nlinear = torch.nn.functional.linear\n"
        "torch.nn.functional.linear = lambda *a: linear(*a) * 1.1\n": "torch.nn.functional.linear",
    }
    for workers, (change, found) in enumerate(changes.items(), start=1):
        (tmp_path / "changing.py").write_text(change + recipe)
        done = command(
            *("run", "devlin", "--plugin", "changing.py", "--seeds", "2", "--max-steps", "2", "--store", "s"),
            *("--workers", str(workers)),
            cwd=tmp_path,
            expect=3,
        )
        assert f"{found} was replaced from outside" in unfolded(done.stderr)


WATCHED = """
import sys
{watch}
import stabbench.engine.trial
import stabbench.testing
from stabbench.code.replaced import check_nothing_replaced
from stabbench.recipes import get_recipe, recipe_names
recipe_names()
check_nothing_replaced()
{used}
check_nothing_replaced()
"""
# A short training, and whatever PyTorch and transformers do to classes as they are used.
USED = """
import torch
stabbench.testing.check_recipe(get_recipe("mixout"))
torch.compile(torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.GELU()), backend="eager")(torch.ones(2, 3))
stabbench.optim.AdamW([torch.ones(2)], lr=1.0).step()
"""
WATCHES = {
    "nothing": "",
    "a tracing function": "sys.settrace(lambda *_: None)",
    "a profiler": "sys.setprofile(lambda *_: None)",
    "an import hook before ours": "import stabbench; sys.meta_path.insert(0, sys.meta_path[-1])",
}


@pytest.mark.parametrize("name", WATCHES)
def test_tools_that_watch_a_program_raise_no_alarm(name: str) -> None:
    script = WATCHED.format(watch=WATCHES[name], used=USED if name == "nothing" else "")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_whole_package_and_all_families_raise_no_alarm() -> None:
    extras = {f"stabbench.trackers.{name}" for name in ("mlflow", "trackio", "wandb")}
    for module in pkgutil.walk_packages(stabbench.__path__, "stabbench."):
        if not module.name.endswith("__main__") and module.name not in extras:
            importlib.import_module(module.name)
    for family in families.FAMILIES:
        name = family.removesuffix("_text").replace("-", "_")
        importlib.import_module(f"transformers.models.{name}.modeling_{name}")
    check_nothing_replaced()


def test_a_package_without_its_source_raises_no_alarm_and_hides_nothing(tmp_path: Path) -> None:
    compiled = (
        "import compileall, pathlib, shutil, sys\n"
        "shutil.copytree(sys.argv[1], 'stabbench', ignore=shutil.ignore_patterns('__pycache__'))\n"
        "compileall.compile_dir('stabbench', quiet=1, legacy=True)\n"
        "[path.unlink() for path in pathlib.Path('stabbench').rglob('*.py')]\n"
        "sys.path.insert(0, '.')\n"
        + WATCHED.format(watch="", used="stabbench.optim._clipping.EPSILON = 1\n")
        + "assert stabbench.__file__.endswith('.pyc')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", compiled, str(Path(stabbench.__file__).parent)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(p for p in sys.path if not (Path(p) / "stabbench").exists())},
    )
    assert done.returncode == 1
    assert "_clipping.EPSILON was replaced" in done.stderr


def test_a_module_keeps_its_own_loader() -> None:
    """Tools ask a module's loader for its source and its resources."""
    assert "one_class" in inspect.getsource(stabbench.engine.train)
    files = resources.files("stabbench.recipes")
    assert files.joinpath("devlin.py").is_file()
    script = "import stabbench.optim as m; print(type(m.__loader__).__name__, type(m.__spec__.loader).__name__)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["SourceFileLoader", "SourceFileLoader"]


def test_to_note_a_module_imports_nothing() -> None:
    """transformers' map from configurations to models imports a model when it is looked into."""
    script = (
        "import sys, stabbench.engine.engine, stabbench.engine.run, stabbench.engine.check_model\n"
        "print(sum(name.startswith('transformers.models.') and '.modeling_' in name for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 1, "the automatic choice of a model"
