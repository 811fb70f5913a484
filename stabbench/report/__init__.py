"""What a gate says: as text for people, Markdown for a step summary, JSON for programs."""

from stabbench.report.data import as_json as as_json
from stabbench.report.data import judgement_json as judgement_json
from stabbench.report.text import as_markdown as as_markdown
from stabbench.report.text import as_text as as_text
from stabbench.report.text import checked_text as checked_text

__all__ = ["as_json", "as_markdown", "as_text", "checked_text", "judgement_json"]
