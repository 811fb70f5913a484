"""From scores to a verdict: has a candidate become less stable than its baseline? Pure, as the statistics below it."""

from stabbench.rules import Rules as Rules
from stabbench.rules import Verdict as Verdict
from stabbench.rules import worst as worst
from stabbench.verdict.checks import Check as Check
from stabbench.verdict.checks import measure as measure
from stabbench.verdict.judge import Judgement as Judgement
from stabbench.verdict.judge import Pair as Pair
from stabbench.verdict.judge import judge as judge
from stabbench.verdict.look import FIXED as FIXED
from stabbench.verdict.look import Look as Look

__all__ = ["FIXED", "Check", "Judgement", "Look", "Pair", "Rules", "Verdict", "judge", "measure", "worst"]
