"""Studies: declared grids, each with one table and one picture; the papers' are shipped, users write their own."""

from stabbench.studies.loading import load_study as load_study
from stabbench.studies.loading import study_names as study_names
from stabbench.studies.published import compare_published as compare_published
from stabbench.studies.published import require_published as require_published
from stabbench.studies.result import Row as Row
from stabbench.studies.result import StudyResult as StudyResult
from stabbench.studies.running import run_study as run_study
from stabbench.studies.study import Study as Study

__all__ = [
    "Row",
    "Study",
    "StudyResult",
    "compare_published",
    "load_study",
    "require_published",
    "run_study",
    "study_names",
]
