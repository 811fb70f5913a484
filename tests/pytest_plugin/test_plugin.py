"""The plugin as users meet it: their own test files, run by the real pytest. Trainings of six steps."""

import shutil
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import stabbench
from stabbench import Outcome, Store
from stabbench.gate import update
from stabbench.records.seeds import Seeds
from stabbench.runner.plan import Plan
from stabbench.runner.resources import Resources

SUITE = """
    import pytest
    from stabbench import Recipe

    class Short(Recipe):
        "Six steps, with bias correction."
        name = "short"
        bias_correction = True
        epochs = 0.1

    def test_short(stability):
        result = stability.run(Short(), seeds={seeds})
        assert result.not_less_stable_than_baseline({rules})
"""
# So wide that unchanged runs pass with few seeds, and so is a test of the plugin, not of the statistics.
WIDE = "rate_margin=0.9, spread_margin=99, mean_margin=0.3"


def write(pytester: pytest.Pytester, text: str = SUITE, seeds: int = 8, rules: str = WIDE) -> None:
    pytester.makepyfile(test_suite=text.replace("{seeds}", str(seeds)).replace("{rules}", rules))


def test_missing_baseline_then_recorded_then_passed_then_a_worse_recipe_fails(pytester: pytest.Pytester) -> None:
    write(pytester)
    missing = pytester.runpytest_inprocess()
    missing.assert_outcomes(failed=1)
    missing.stdout.fnmatch_lines(["*there is no baseline of short on lab/entailment, lab*", "*--stability-update*"])
    assert not (pytester.path / "baselines.json").exists()

    recording = pytester.runpytest_inprocess("--stability-update")
    assert recording.ret == 0
    recording.stdout.fnmatch_lines(["*recorded in baselines.json with 8 runs; nothing was judged*", "*1 inconclusive*"])

    passed = pytester.runpytest_inprocess()
    passed.assert_outcomes(passed=1)
    with Store(pytester.path / ".stabbench", write=False) as store:
        assert sorted(r.seeds.seed for r in store.records()) == list(range(16)), "fresh seeds, not the baseline's"

    write(pytester, SUITE.replace("epochs = 0.1", "epochs = 0.1\n        lr = 1.0"))
    worse = pytester.runpytest_inprocess()
    worse.assert_outcomes(failed=1)
    worse.stdout.fnmatch_lines(
        [
            "*assert result.not_less_stable_than_baseline*",
            "*FAIL: * runs failed*",
            "*recipe changed: lr: 2e-05 → 1.0*",
            "*alpha 0.05 for 3 tests*",
            "*scores by seed*",
        ]
    )
    worse.stdout.no_fnmatch_line("*stabbench/pytest_plugin/*")


def test_too_few_seeds_are_inconclusive_and_fail_only_if_strict(pytester: pytest.Pytester) -> None:
    write(pytester, seeds=3, rules="")
    pytester.runpytest_inprocess("--stability-update")
    lenient = pytester.runpytest_inprocess("-v", "--junitxml=junit.xml")
    assert lenient.ret == 0
    lenient.stdout.fnmatch_lines(
        ["*::test_short INCONCLUSIVE*", "*= INCONCLUSIVE =*", "too few runs to show harm or non-inferiority (3 runs)*",
         "*seeds *would decide*", "*1 inconclusive*"]
    )  # fmt: skip
    (skipped,) = ET.parse(pytester.path / "junit.xml").iter("skipped")
    assert "INCONCLUSIVE: too few runs to show harm or non-inferiority" in skipped.attrib["message"]
    for strict in (
        ["--stability-strict", "--strict"] if int(pytest.__version__.split(".")[0]) >= 9 else ["--stability-strict"]
    ):
        done = pytester.runpytest_inprocess(strict)
        done.assert_outcomes(failed=1)
        done.stdout.fnmatch_lines(["*INCONCLUSIVE, which --stability-strict fails*"])


def test_a_failure_in_the_same_test_is_not_hidden_by_what_is_undecided(pytester: pytest.Pytester) -> None:
    write(pytester, SUITE + "        result.std_below(1e-9)\n", seeds=3, rules="")
    pytester.runpytest_inprocess("--stability-update")
    done = pytester.runpytest_inprocess()
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*the standard deviation of the accuracy is 0.*, not below 1e-09*"])


def test_assertions_read_like_sentences_and_show_the_scores(pytester: pytest.Pytester) -> None:
    write(
        pytester,
        """
    def short(stability, recipe="bias-correction:epochs=0.1"):
        return stability.run(recipe, seeds=3, workers=1)

    def test_good(stability):
        result = short(stability).failed_at_most(3).mean_above(0.1).std_below(0.9)
        assert len(result.runs.records) == result.summary.planned == 3
        assert result.against("devlin:epochs=0.1").mean.method == "Welch"

    def test_mean(stability):
        short(stability).mean_above(0.99)

    def test_failed(stability):
        short(stability, "devlin:epochs=0.1,lr=1.0").has_no_failed_runs()

    def test_one_seed(stability):
        stability.run("devlin:epochs=0.1", seeds=[7], workers=1).std_below(0.5)

    def test_worse(stability):
        short(stability, "devlin:epochs=0.1,lr=1.0").more_stable_than("devlin:epochs=0.1")

    def test_few(stability):
        stability.run("bias-correction:epochs=0.1", seeds=3, workers=1).more_stable_than("devlin:epochs=0.1,lr=1.0")

    def test_unknown(stability):
        stability.run("mosbahc")
    """,
    )
    done = pytester.runpytest_inprocess("-v")
    assert done.parseoutcomes() == {"passed": 1, "failed": 5, "inconclusive": 1}
    done.stdout.fnmatch_lines(
        [
            "*test_good PASSED*",
            "*test_few INCONCLUSIVE*",
            "*the mean accuracy is 0.*, not above 0.99*",
            "*scores by seed (! failed)*",
            "*0:0.*1:0.*2:0.*",
            "*3 of 3 runs failed, 0 are allowed*",
            "*0:0.5000!  1:0.5000!  2:0.5000!*",
            "*a standard deviation needs two runs*",
            "*every run of devlin:lr=1,epochs=0.1 failed*",
            "unknown recipe 'mosbahc': did you mean 'mosbach'?",
        ]
    )


def test_gpu_is_an_error_where_there_is_none_and_its_tier_is_left_out_without_it(pytester: pytest.Pytester) -> None:
    import torch

    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.gpu
        def test_big(stability):
            raise AssertionError("needs a GPU")

        @pytest.mark.gpu
        def test_of_somebody_else():
            pass

        def test_small(stability):
            assert stability.settings.device == "cpu"
        """
    )
    done = pytester.runpytest_inprocess()
    done.assert_outcomes(passed=2, deselected=1)
    done.stdout.fnmatch_lines(["stability: 1 benchmarks need a GPU: run them with --gpu"])
    if not torch.cuda.is_available():
        refused = pytester.runpytest_inprocess("--gpu")
        assert refused.ret == pytest.ExitCode.USAGE_ERROR
        refused.stderr.fnmatch_lines(["*--gpu: no GPU was found*"])
    listed = pytester.runpytest_inprocess("--gpu", "--collect-only", "-q")
    listed.stdout.fnmatch_lines(["*::test_big", "*::test_of_somebody_else"])
    listed.stdout.no_fnmatch_line("*test_small*")


def test_settings_come_from_the_configuration_file_and_the_command_line_wins(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nstability_seeds = 2\nstability_store = runs\nstability_baselines = kept/b.json\n")
    (pytester.path / "kept").mkdir()
    write(
        pytester,
        """
    def test_it(stability):
        result = stability.run("devlin:epochs=0.1", workers=1)
        print("planned", result.summary.planned)
        result.not_less_stable_than_baseline()
    """,
    )
    done = pytester.runpytest_inprocess("-s", "--stability-update")
    done.stdout.fnmatch_lines(["*planned 2*", "*recorded in kept/b.json with 2 runs*"])
    assert (pytester.path / "runs" / "runs.sqlite").is_file()
    pytester.runpytest_inprocess("-s", "--stability-seeds", "1").stdout.fnmatch_lines(["*planned 1*"])
    broken = pytester.runpytest_inprocess("-o", "stability_seeds=many")
    assert broken.ret == pytest.ExitCode.USAGE_ERROR
    broken.stderr.fnmatch_lines(["*'many' is not a number of seeds*"])


def test_a_test_is_judged_on_the_runs_that_it_asked_for(pytester: pytest.Pytester) -> None:
    write(pytester, seeds=3)
    pytester.runpytest_inprocess("--stability-update", "--stability-strict").assert_outcomes()
    write(pytester, SUITE.replace("seeds={seeds}", "seeds={seeds}, max_steps=2"), seeds=3)
    done = pytester.runpytest_inprocess()
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*INCOMPARABLE: not comparable with the baseline: max_steps: none → 2*"])


def test_a_cell_is_found_by_its_weights_also_by_an_absolute_path_in_another_checkout(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(Path(stabbench.__file__).parent / "tasks" / "lab" / "checkpoint", pytester.path / "one" / "enc")
    monkeypatch.chdir(pytester.path / "one")
    plan = Plan(
        recipes=[stabbench.get_recipe("devlin")], task="lab/entailment", model="enc", seeds=[Seeds.of(0)],
        max_steps=2,
    )  # fmt: skip
    update.record(plan, Resources(device="cpu", workers=1), Path("baselines.json"))
    (pytester.path / "one").rename(pytester.path / "two")
    monkeypatch.chdir(pytester.path / "two")
    Path("test_it.py").write_text(
        "from pathlib import Path\n\n"
        "def test_it(stability):\n"
        "    model = str(Path(__file__).parent / 'enc')\n"
        "    result = stability.run('devlin', model=model, seeds=1, max_steps=2, workers=1)\n"
        "    assert [r.seeds.seed for r in result.runs.records] == [1], 'fresh seeds'\n"
        "    result.not_less_stable_than_baseline()\n"
    )
    done = pytester.runpytest_inprocess("--rootdir", ".")
    assert done.parseoutcomes() == {"inconclusive": 1}
    # Other weights in that place are a change, and not a cell without a baseline.
    config = Path("enc/config.json")
    config.write_text(config.read_text().replace("{", '{"comment": 1, ', 1))
    changed = pytester.runpytest_inprocess("--rootdir", ".")
    changed.assert_outcomes(failed=1)
    changed.stdout.fnmatch_lines(["*INCOMPARABLE: not comparable with the baseline: model: * → *"])


MINE = """
    import os
    from stabbench import Recipe

    class Mine(Recipe):
        "Leaves a file for each process that trains it."
        name = "mine"
        epochs = 0.1

        def gradient_scales(self, norms):
            open(f"trained-by-{os.getpid()}", "w").close()
            return super().gradient_scales(norms)
"""


def test_recipes_of_a_plugin_file_are_trained_by_other_processes_too(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # this suite may run under it, too
    pytester.makepyfile(mine=MINE)
    write(
        pytester,
        """
    import os
    from stabbench import Recipe

    class Local(Recipe):
        "Known to this process only."
        name = "local"

    def test_mine(stability):
        # So many steps that other processes pay.
        result = stability.run("mine:steps=150", seeds=2, stack=1)
        assert result.resources.workers is None, "as many as are usual"
        workers = {name for name in os.listdir() if name.startswith("trained-by-")}
        assert workers
        if len(os.sched_getaffinity(0)) > 1:
            assert f"trained-by-{os.getpid()}" not in workers

    def test_of_this_file(stability):
        from stabbench.pytest_plugin.session import usual_workers
        assert usual_workers(Local()) == 1
    """,
    )
    first = pytester.runpytest_subprocess("--stability-plugin", "mine.py")
    first.assert_outcomes(passed=2)
    first.stdout.fnmatch_lines(["stability: 0 of 2 runs from the store"])
    pytester.makeini("[pytest]\nstability_plugin = mine.py\n")
    again = pytester.runpytest_inprocess("-k", "test_mine")
    again.assert_outcomes(passed=1, deselected=1)
    again.stdout.fnmatch_lines(["stability: 2 of 2 runs from the store, trained 20??-??-??"])
    absent = pytester.runpytest_inprocess(
        "-o", "stability_plugin=", "--stability-plugin", "absent.py", "-k", "test_mine"
    )
    absent.assert_outcomes(failed=1, deselected=1)
    absent.stdout.fnmatch_lines(["plugin 'absent.py' cannot be imported*", "*give an importable module's name*"])


def test_what_cannot_be_is_said_without_a_traceback(pytester: pytest.Pytester) -> None:
    write(
        pytester,
        """
    import pytest

    @pytest.mark.parametrize("options", [{"bogus": 3}, {"device": "tpu"}, {"seeds": 0}])
    def test_run(stability, options):
        stability.run("devlin", **options)

    def test_limit(stability):
        stability.run("devlin:epochs=0.1", seeds=2, workers=1).std_below(float("nan"))
    """,
    )
    done = pytester.runpytest_inprocess()
    done.assert_outcomes(failed=4)
    done.stdout.fnmatch_lines(
        [
            "*unexpected keyword argument 'bogus'*",
            "unknown device 'tpu'*",
            "no seeds*",
            "*std_below takes a limit above 0*",
        ]
    )
    done.stdout.no_fnmatch_line("*stabbench/pytest_plugin*")


def test_a_sequential_run_stops_where_it_is_decided(pytester: pytest.Pytester) -> None:
    write(pytester, seeds=12)
    pytester.runpytest_inprocess("--stability-update")
    write(pytester, SUITE.replace("epochs = 0.1", "epochs = 0.1\n        lr = 1.0"), seeds=12)
    done = pytester.runpytest_inprocess("--stability-sequential")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*decided early: * runs saved*"])
    with Store(pytester.path / ".stabbench", write=False) as store:
        failed = [r for r in store.records() if r.outcome is Outcome.FAILED]
    assert 3 <= len(failed) < 12


def test_an_update_that_loosens_is_refused(pytester: pytest.Pytester) -> None:
    write(pytester, seeds=4)
    pytester.runpytest_inprocess("--stability-update")
    before = (pytester.path / "baselines.json").read_bytes()
    write(pytester, SUITE.replace("epochs = 0.1", "epochs = 0.1\n        lr = 1.0"), seeds=4)
    done = pytester.runpytest_inprocess("--stability-update")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*is looser: failed 0/4 → 4/4*", "*--loosen*"])
    assert (pytester.path / "baselines.json").read_bytes() == before


def test_under_xdist_no_seed_is_run_twice(pytester: pytest.Pytester) -> None:
    """Four tests on two processes, all of which need the same runs; the recipe itself counts its steps."""
    write(
        pytester,
        """
    import pytest
    from stabbench import Recipe

    class Counted(Recipe):
        "Writes a byte a step."
        name = "counted"
        epochs = 0.2

        def gradient_scales(self, norms):
            with open("steps", "ab") as file:
                file.write(b".")
            return super().gradient_scales(norms)

    @pytest.mark.parametrize("number", range(4))
    def test_same(stability, number):
        stability.run(Counted(), seeds=4, stack=1).failed_at_most(4)
    """,
    )
    done = pytester.runpytest_subprocess("-n", "2")
    done.assert_outcomes(passed=4)
    with Store(pytester.path / ".stabbench", write=False) as store:
        records = list(store.records())
    assert sorted(r.seeds.seed for r in records) == [0, 1, 2, 3]
    # Of a user's recipe, the first step's factors are asked for twice.
    assert len((pytester.path / "steps").read_bytes()) == sum(r.steps + 1 for r in records)


def test_timings_carry_the_stability_results(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    # This suite may run in several processes itself, where pytest-benchmark times nothing.
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    write(
        pytester,
        """
    def test_it(stability, benchmark):
        result = benchmark.pedantic(stability.run, ("devlin:epochs=0.1",), {"seeds": 3, "workers": 1}, rounds=1)
        result.failed_at_most(3)
    """,
    )
    pytester.runpytest_inprocess("--benchmark-json=b.json").assert_outcomes(passed=1)
    (timing,) = json.loads((pytester.path / "b.json").read_text())["benchmarks"]
    kept = timing["extra_info"]["stability"]["devlin:epochs=0.1 on lab/entailment, lab"]
    assert kept["planned"] == len(kept["scores"]) == 3


def test_selection_and_last_failed_work_as_ever(pytester: pytest.Pytester) -> None:
    write(
        pytester,
        """
    def test_a(stability):
        stability.run("devlin:epochs=0.1", seeds=1, workers=1).mean_above(2)

    def test_b(stability):
        stability.run("devlin:epochs=0.1", seeds=1, workers=1).mean_above(0)
    """,
    )
    pytester.runpytest_inprocess("-x").assert_outcomes(failed=1)
    pytester.runpytest_inprocess("--lf").assert_outcomes(failed=1)
    pytester.runpytest_inprocess("-k", "test_b").assert_outcomes(passed=1, deselected=1)


def test_a_plain_run_of_pytest_loads_nothing_heavy(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_plain():
            assert "stabbench.pytest_plugin" in sys.modules
            assert not {"numpy", "scipy", "torch", "transformers", "stabbench.gate.gate"} & set(sys.modules)
        """
    )
    # Other plugins may load what they like: only pytest and this one.
    done = pytester.run(
        sys.executable, "-c",
        "import os, sys; os.environ['PYTEST_DISABLE_PLUGIN_AUTOLOAD'] = '1'; import pytest;"
        "sys.exit(pytest.main(['-p', 'stabbench.pytest_plugin', '-q']))",
    )  # fmt: skip
    assert done.ret == 0, done.stdout.str()


def test_a_page_about_all_benchmarks(pytester: pytest.Pytester) -> None:
    """Each test is a verdict, and its runs are there, whatever it asserted."""
    more = "\n    def test_two(stability):\n        stability.run(Short(), seeds=2).mean_above(0.99)\n"
    write(pytester, SUITE + more, seeds=2)
    done = pytester.runpytest_inprocess("--stability-report", "page.html")
    done.assert_outcomes(failed=2)
    done.stdout.fnmatch_lines(["stability: a page about 2 runs: page.html"])
    page = (pytester.path / "page.html").read_text()
    assert page.count('<strong class="verdict fail">') == 2
    for text in (
        "test_suite.py::test_short",
        "there is no baseline of short",
        "test_suite.py::test_two",
        "not above 0.99",
    ):
        assert text in page
    refused = pytester.runpytest_inprocess("--stability-report", "no/where/page.html")
    refused.stderr.fnmatch_lines(["*there is no folder no/where*"])
