"""Write the tables and pictures of docs/studies.md from a run store; what the store lacks is trained.

python scripts/study_pages.py STORE [STUDY ...]
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from stabbench.api.training import run_study
from stabbench.report.pictures import picture
from stabbench.report.progress import shown_progress
from stabbench.studies.loading import study_names
from stabbench.studies.published import compare_published, published

DOCS = Path(__file__).parent.parent / "docs"


def main(store: str, names: list[str]) -> None:
    """Put every study's table between its markers on the page, and its picture into a folder beside it."""
    page = DOCS / "studies.md"
    (DOCS / "studies").mkdir(exist_ok=True)
    for name in names or [name for name in study_names() if f"<!-- {name} -->" in page.read_text(encoding="utf-8")]:
        with shown_progress() as progress:
            result = run_study(name, store=store, workers=None, progress=progress)
        tables = [f"*{result.common}*", result.table.text("github")]
        if published(name):
            summary = "<details><summary>beside the published numbers</summary>"
            tables.append(f"{summary}\n\n{compare_published(result).text('github')}\n\n</details>")
        with picture(DOCS / "studies" / f"{name}.png") as figure:
            result.view.draw(result, figure)
        body = "\n\n".join([*tables, f"![{result.study.title}](studies/{name}.png)"])
        marked = f"<!-- {name} -->\n\n{body}\n\n<!-- end -->"
        text = page.read_text(encoding="utf-8")
        page.write_text(re.sub(rf"<!-- {name} -->.*?<!-- end -->", lambda _: marked, text, flags=re.DOTALL), "utf-8")  # noqa: B023


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
