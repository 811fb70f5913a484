"""Exit codes that are not a verdict's."""

from __future__ import annotations

#: Bad input, a bad environment, or an error of stabbench's own.
WRONG = 3
#: Ctrl-C.
INTERRUPTED = 130
