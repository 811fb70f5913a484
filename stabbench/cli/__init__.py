"""The command line. What :func:`main` does is imported behind it, so that Ctrl-C ends well at any moment."""

from stabbench.cli.boundary import main as main

__all__ = ["main"]
