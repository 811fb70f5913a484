"""What users' code says or does inside pytest: its texts have no effect where they are printed, and it ends nothing."""

import re

import pytest

HOSTILE = """
    from stabbench import Recipe

    TEXT = "mine\\n::error::all is well\\n##[group]x\\x1b[2J\\x9b31m\\u202e"

    class Lines(Recipe):
        "Its name has several lines."
        name = TEXT

    class Hostile(Recipe):
        "Its name is a command."
        name = "::error::all is well ##[group]x\x1b[2J\x9b31m\u202e"

    class Broken(Recipe):
        "Its exception is one."
        name = "broken"

        def schedule(self, step, total_steps):
            raise ValueError("mine\\r" + TEXT)

    def run(stability, recipe, **options):
        return stability.run(recipe, seeds=2, max_steps=2, workers=1, **options)

    def test_lines(stability):
        run(stability, Lines())

    def test_recipe(stability):
        run(stability, Hostile()).mean_above(2)

    def test_no_baseline(stability):
        run(stability, Hostile()).not_less_stable_than_baseline()

    def test_other(stability):
        run(stability, Hostile()).more_stable_than("devlin", alpha=1e-9)

    def test_exception(stability):
        run(stability, Broken())

    def test_unknown_recipe(stability):
        run(stability, TEXT)

    def test_model(stability):
        run(stability, "devlin", model="./" + TEXT)
"""

ENDING = """
    import stabbench

    class Ending(stabbench.Recipe):
        "Ends the program."
        name = "ending"

        def {hook}:
            {end}

    def test_hook(stability):
        stability.run(Ending(), seeds=[0, 1], max_steps=2, workers=1)

    def test_plugin():
        stabbench.load_plugin("script.py")

    def test_after_them():
        pass
"""


def test_no_text_has_an_effect_where_it_is_printed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(HOSTILE)
    for option in ("--stability-strict", "--stability-update"):
        done = pytester.runpytest_inprocess("-rA", "--color=no", option)
        shown = done.stdout.str()
        assert "all is well" in shown, "it is shown"
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", shown)
        assert not re.search(r"^(E\s+)?\s*::|##\w*\[", shown, re.MULTILINE)


@pytest.mark.parametrize("end", ["raise SystemExit(0)", "import sys; sys.exit('bye')", "raise BaseException('bye')"])
@pytest.mark.parametrize("hook", ["schedule(self, step, total_steps)", "gradient_scales(self, norms)"])
def test_users_code_that_ends_the_program_fails_its_own_test_alone(
    pytester: pytest.Pytester, end: str, hook: str
) -> None:
    """In a hook that is tried before the training, in one that is called in it, and as a plugin is imported."""
    pytester.makepyfile(ENDING.format(end=end, hook=hook))
    (pytester.path / "script.py").write_text(f"{end}\n")
    done = pytester.runpytest_inprocess("--color=no")
    done.assert_outcomes(failed=2, passed=1)
    assert "ProgramEndError:" not in done.stdout.str().partition("short test summary")[2]
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.fnmatch_lines(
        ["*it ends the program by *", "*'script.py' cannot be imported: it ends the program by *"]
    )


def test_a_plugin_that_ends_the_program_as_a_file_is_collected_is_that_files_error(pytester: pytest.Pytester) -> None:
    """Where pytest itself would be ended by a SystemExit."""
    (pytester.path / "script.py").write_text("import sys; sys.exit(0)\n")
    pytester.makepyfile(
        test_one="import stabbench; stabbench.load_plugin('script.py')", test_two="def test_it():\n    pass"
    )
    done = pytester.runpytest_inprocess("--continue-on-collection-errors", "--color=no")
    done.assert_outcomes(errors=1, passed=1)
    done.stdout.fnmatch_lines(["*it ends the program by sys.exit(0)*"])
