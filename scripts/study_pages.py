"""Write the tables and pictures of docs/studies.md from a run store; what the store lacks is trained.

python scripts/study_pages.py STORE [STUDY ...]
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from stabbench.plot import picture
from stabbench.progress import watcher
from stabbench.studies import compare_published, run_study, study_names
from stabbench.studies.published import published

DOCS = Path(__file__).parent.parent / "docs"


def main(store: str, names: list[str]) -> None:
    """Put every study's table between its markers, and its picture into a folder beside the page."""
    page = DOCS / "studies.md"
    (DOCS / "studies").mkdir(exist_ok=True)
    for name in names or study_names():
        with watcher() as watching:
            result = run_study(name, store=store, workers=None, watcher=watching)
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
