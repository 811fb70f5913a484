"""Why a run failed, from its record alone: pure functions of what was kept, without torch."""
