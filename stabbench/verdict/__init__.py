"""From scores to a verdict: has a candidate become less stable than its baseline? Pure, as the statistics below it."""

from stabbench.verdict.checks import Check as Check
from stabbench.verdict.checks import measure as measure
from stabbench.verdict.judge import Judgement as Judgement
from stabbench.verdict.judge import Pair as Pair
from stabbench.verdict.judge import judge as judge
from stabbench.verdict.rules import FIXED as FIXED
from stabbench.verdict.rules import Look as Look
from stabbench.verdict.rules import Rules as Rules
from stabbench.verdict.rules import Verdict as Verdict
from stabbench.verdict.rules import worst as worst

__all__ = ["FIXED", "Check", "Judgement", "Look", "Pair", "Rules", "Verdict", "judge", "measure", "worst"]
