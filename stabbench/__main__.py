"""``python -m stabbench``."""

from stabbench.cli import main

main()
