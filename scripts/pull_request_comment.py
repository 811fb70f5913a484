"""Writes a gate's report as a comment on a pull request, and over that comment the next time.

    python scripts/pull_request_comment.py REPORT.md

``action.yml`` calls it, with what a runner has set: GITHUB_API_URL, GITHUB_REPOSITORY and GITHUB_TOKEN; PULL_REQUEST is
the number, COMMENT_NAME tells several gates of one pull request apart. A comment that cannot be written, as with the
token of a fork, is a warning: the verdict does not hang on it.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

from stabbench.escape import workflow_command

# GitHub takes no longer ones.
MOST_CHARACTERS = 65_536
PAGE = 100
SECONDS = 30


def comment(report: str, name: str) -> str:
    """The comment's text, which begins with a mark that nobody sees."""
    text = f"{mark(name)}\n{report}"
    if len(text) > MOST_CHARACTERS:
        # What is folded up goes first.
        text = text.partition("<details>")[0]
        text = f"{text[: MOST_CHARACTERS - 100]}\n\nThe rest is in the summary of the job.\n"
    return text


def mark(name: str) -> str:
    """By which a comment of this gate is known again."""
    return f"<!-- stabbench gate: {name.replace('-->', '')} -->"


def write(report: str, name: str) -> str:
    """Write the comment, and give its address.

    Raises:
        OSError: GitHub cannot be reached, or refuses.
    """
    issues = f"repos/{os.environ['GITHUB_REPOSITORY']}/issues"
    thread = f"{issues}/{os.environ['PULL_REQUEST']}/comments"
    known = find(thread, mark(name))
    body = {"body": comment(report, name)}
    done = ask("POST", thread, body) if known is None else ask("PATCH", f"{issues}/comments/{known}", body)
    return str(done["html_url"])


def find(thread: str, mark: str) -> int | None:
    """The number of the last comment that begins with ``mark``."""
    found, page = None, 1
    while True:
        comments = ask("GET", f"{thread}?per_page={PAGE}&page={page}")
        for one in comments:
            if (one["body"] or "").startswith(mark):
                found = one["id"]
        if len(comments) < PAGE:
            return found
        page += 1


def ask(method: str, path: str, body: dict[str, str] | None = None) -> Any:
    """One request to GitHub's API."""
    request = urllib.request.Request(
        f"{os.environ['GITHUB_API_URL']}/{path}",
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}", "Accept": "application/vnd.github+json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        return json.load(answer)


def main() -> None:
    """The command."""
    report = Path(sys.argv[1]).read_text(encoding="utf-8")
    try:
        print(f"comment: {write(report, os.environ['COMMENT_NAME'])}")
    except (OSError, ValueError, KeyError) as error:
        hint = "does the job have the permission pull-requests: write? A pull request from a fork never has"
        print(workflow_command("warning", "no comment", f"{type(error).__name__}: {error}; {hint}"))


if __name__ == "__main__":
    main()
