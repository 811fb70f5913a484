"""Exit codes that are not a verdict's: those are in :mod:`stabbench.gate.rules`, other signals' in :mod:`.boundary`."""

from __future__ import annotations

#: Bad input, a bad environment, or an error of stabbench's own.
WRONG = 3
#: Ctrl-C.
INTERRUPTED = 130
