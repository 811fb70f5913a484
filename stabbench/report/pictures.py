"""Pictures: a box and the score of every run, one column a recipe (as Mosbach et al. 2021, Fig. 1)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stabbench.errors import StabbenchError, how_to_install
from stabbench.gate.comparison import Comparison
from stabbench.records.provenance import cut_short
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import Outcome
from stabbench.records.setting import setting_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_comparison(comparison: Comparison, path: Path) -> None:
    """Draw ``comparison`` into a file whose suffix names the format (png, svg, pdf).

    Raises:
        StabbenchError: matplotlib is not installed, or the file cannot be written.
    """
    with picture(path) as figure:
        figure.set_size_inches(1.6 + 1.3 * len(comparison.recipes), 4.2)
        axes = figure.add_subplot()
        labels = [f"{runs.label}\n{runs.failed} of {len(runs.records)} failed" for runs in comparison.recipes]
        draw_boxes(axes, comparison.recipes, labels)
        if comparison.constant_score is not None:
            axes.axhline(comparison.constant_score, color="0.6", linestyle="--", linewidth=1)
        axes.set_ylabel(comparison.metric)
        cut = f"\n{cut_short(comparison.recipes)}" if cut_short(comparison.recipes) else ""
        title = f"{setting_name(comparison.task, comparison.model)}{cut}\n(dashed: best constant predictor)"
        axes.set_title(title, fontsize=9)


@contextlib.contextmanager
def picture(path: Path) -> Iterator[Figure]:
    """An empty figure to draw on, which is then written to a file whose suffix names the format (png, svg, pdf).

    Raises:
        StabbenchError: matplotlib is not installed, or the file cannot be written.
    """
    try:
        import matplotlib

        matplotlib.use("agg")
        matplotlib.rcParams["text.parse_math"] = False  # a name with two $ is not a formula
        from matplotlib import pyplot
    except ImportError as error:
        raise StabbenchError("--plot needs matplotlib", how_to_install("matplotlib", "plot")) from error

    figure = pyplot.figure(layout="constrained")
    try:
        yield figure
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise StabbenchError(f"--plot {path}: {error}", "name a file that ends in .png, .svg or .pdf") from error
    finally:
        pyplot.close(figure)


def draw_boxes(axes: Axes, recipes: Sequence[RecipeRuns], labels: Sequence[str]) -> None:
    """A box and every run's point for each of ``recipes``; a failed run is a red cross."""
    for position, runs in enumerate(recipes, start=1):
        if runs.finite_scores:
            axes.boxplot(
                runs.finite_scores,
                positions=[position],
                widths=0.5,
                showfliers=False,
                medianprops={"color": "black"},
                boxprops={"color": "0.45"},
                whiskerprops={"color": "0.45"},
                capprops={"color": "0.45"},
            )
        # Points are spread sideways by the position of their seed, so that the picture is always the same.
        for number, record in enumerate(runs.records):
            if record.score is not None:
                failed = record.outcome is Outcome.FAILED
                axes.plot(
                    position + 0.36 * (number / max(1, len(runs.records) - 1) - 0.5),
                    record.score,
                    "x" if failed else "o",
                    color="tab:red" if failed else "tab:blue",
                    markersize=5,
                    alpha=0.75,
                )
    axes.set_xticks(range(1, len(recipes) + 1), labels)
    axes.set_xlim(0.4, len(recipes) + 0.6)
