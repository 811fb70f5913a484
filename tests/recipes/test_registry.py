"""Finding recipes and reading them from a command line; every wrong input is a clear RecipeError."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stabbench.errors import RecipeError
from stabbench.recipes import get_recipe, load_plugin, parse_recipe, recipe_names


def test_the_papers_recipes_are_there() -> None:
    assert set(recipe_names()) >= {
        "devlin",
        "bias-correction",
        "mosbach",
        "mixout",
        "reinit",
        "cwgnc",
        "longer",
        "llrd",
        "weight-decay",
        "pretrained-weight-decay",
        "intermediate-task",
        "gradual-unfreezing",
        "gradual-unfreezing-restart",
    }


def test_parameters_are_read_as_their_declared_types() -> None:
    recipe = parse_recipe("devlin:lr=3e-5,epochs=10,bias_correction=true,batch_size=32,weight_decay=none")
    assert (recipe.lr, recipe.epochs, recipe.bias_correction, recipe.batch_size) == (3e-5, 10.0, True, 32)
    assert recipe.weight_decay is None
    assert parse_recipe("mixout:per=parameter").parameters()["per"] == "parameter"
    assert parse_recipe("reinit:blocks=3").parameters()["blocks"] == 3


@settings(deadline=None)
@given(
    st.floats(1e-8, 1.0),
    st.floats(0.01, 100),
    st.integers(1, 1000),
    st.booleans(),
    st.none() | st.floats(0, 1),
)
def test_a_label_gives_the_recipe_back(
    lr: float, epochs: float, batch_size: int, correction: bool, decay: float | None
) -> None:
    recipe = get_recipe(
        "devlin", lr=lr, epochs=epochs, batch_size=batch_size, bias_correction=correction, weight_decay=decay
    )
    assert parse_recipe(recipe.label) == recipe


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mosbahc", "did you mean 'mosbach'"),
        ("zzz", "known: adagc, bias-correction"),
        ("devlin:learning_rate=1", "unknown parameter of recipe 'devlin': 'learning_rate'"),
        ("devlin:epoch=1", "did you mean 'epochs'"),
        ("devlin:lr", "not parameter=value"),
        ("devlin:lr=1e-5,lr=2e-5", "twice"),
        ("devlin:lr=-1e-5", "lr must be above 0, got -1e-05"),
        ("devlin:lr=nan", "lr must be finite and above 0, got nan"),
        ("devlin:lr=inf", "lr must be finite and above 0, got inf"),
        ("devlin:warmup=inf", "warmup must be finite and at least 0 and below 1"),
        ("devlin:lr=fast", "lr must be float or none, got 'fast'"),
        ("devlin:batch_size=1.5", "batch_size must be int"),
        ("devlin:batch_size=0", "batch_size must be at least 1"),
        ("devlin:bias_correction=maybe", "bias_correction must be true or false"),
        ("mixout:p=1", "p must be at least 0 and below 1, got 1"),
        ("mixout:p=1.5", "p must be at least 0 and below 1"),
        ("mixout:per=row", "per must be 'neuron' or 'parameter', got 'row'"),
        ("cwgnc:clip=0", "clip must be above 0"),
        ("reinit:blocks=-1", "blocks must be at least 0"),
        ("devlin:steps=0", "steps must be at least 1"),
        ("devlin:precision=fp16", "precision must be 'fp32' or 'tf32' or 'bf16', got 'fp16'"),
        ("devlin:evaluations=0", "evaluations must be at least 1"),
        ("devlin:keep=first", "keep must be 'last' or 'best', got 'first'"),
        ("llrd:lr_decay=1", "lr_decay must be above 0 and below 1"),
        ("gradual-unfreezing:stages=0", "stages must be at least 1"),
        ("intermediate-task:intermediate_seed=-1", "intermediate_seed must be at least 0"),
        ("devlin:warmup=1", "warmup must be at least 0 and below 1"),
        ("devlin:dropout=1", "dropout must be at least 0 and below 1"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text)
    assert message in str(caught.value)


def test_a_plugin_file_may_be_named_twice_but_not_clash(tmp_path: Path) -> None:
    source = 'from stabbench import Recipe\n\nclass Own(Recipe):\n    """Own."""\n    name = "{}"\n'
    own = tmp_path / "own.py"
    own.write_text(source.format("own-recipe"))
    assert load_plugin(str(own)) == ["own-recipe"] == load_plugin(str(own))
    clash = tmp_path / "clash.py"
    clash.write_text(source.format("devlin"))
    with pytest.raises(RecipeError, match="two recipes are named 'devlin'"):
        load_plugin(str(clash))
    again = tmp_path / "again.py"
    again.write_text(source.format("own-recipe"))
    with pytest.raises(RecipeError, match="two recipes are named 'own-recipe'"):
        load_plugin(str(again))
    assert type(get_recipe("devlin")).__module__ == "stabbench.recipes.devlin"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x = 1\n", "defines no recipe"),
        ("import nowhere_at_all\n", "No module named 'nowhere_at_all'"),
        ("def (\n", "SyntaxError"),
        ("from stabbench import Recipe\nclass A(Recipe):\n    lr = 1e-5\n", "has no name"),
    ],
)
def test_a_plugin_that_cannot_be_used_says_why(tmp_path: Path, content: str, message: str) -> None:
    plugin = tmp_path / "plugin.py"
    plugin.write_text(content)
    with pytest.raises(RecipeError, match=message):
        load_plugin(str(plugin))


def test_a_plugin_that_is_not_there(tmp_path: Path) -> None:
    for name in (str(tmp_path / "absent.py"), "no_such_module_here"):
        with pytest.raises(RecipeError, match="cannot be imported"):
            load_plugin(name)
