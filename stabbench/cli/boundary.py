"""The boundary of the command: every way in which it can end, and the exit code of each.

0 is PASS or done, 1 FAIL, 2 INCONCLUSIVE, 3 everything that is wrong, and 130 Ctrl-C at any moment. A command gives its
verdict's exit code with ``click.Context.exit``; nothing else decides about it. What batch systems and closed terminals
send ends it in the same way, in order: 143 is SIGTERM, 129 SIGHUP.

Only what is loaded in no time is imported at the top: Ctrl-C may come while the rest is being imported.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from stabbench.cli.exit_codes import INTERRUPTED, WRONG

# What ends a command, and the handler that it has where nobody has asked for another one: a shell's background commands
# ignore Ctrl-C, and `nohup` ignores SIGHUP.
ENDING = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGHUP: signal.SIG_DFL,
}
#: Set in the environment, it shows the traceback of whatever ends the command.
TRACEBACK = "STABBENCH_TRACEBACK"

# The signal that ended the command.
_ended_by = 0


def main() -> NoReturn:
    """Do what the command line says, and end the process."""
    ours = [number for number, usual in ENDING.items() if signal.getsignal(number) is usual]
    try:
        for number in ours:
            signal.signal(number, _end)
        code = _run()
    except KeyboardInterrupt:  # a second one, while the first was answered
        code = INTERRUPTED
    except Exception:  # even the report of the error failed
        code = WRONG
    for number in ours:
        signal.signal(number, _leave)  # nothing is left to be put in order
    # Python remembers that Ctrl-C ended a text it ran (a dataclass is made by one), and would end itself by a signal.
    exec("")
    sys.exit(128 + _ended_by if _ended_by else code)  # noqa: TID251 - the one place


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    """Remembered, as other people's code may swallow the exception, or raise another one in its place."""
    global _ended_by
    _ended_by = number
    if number != signal.SIGINT:
        signal.signal(number, signal.SIG_IGN)  # whoever sent it will wait, or kill
    raise KeyboardInterrupt


_leave_at_once = os._exit


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    _leave_at_once(128 + number)


def _no_exit(status: int) -> NoReturn:
    """In the place of ``os._exit`` in this process: code of users must not end it, least of all with exit code 0."""
    from stabbench.code.users_code import ProgramEndError

    raise ProgramEndError(f"it ends the program by os._exit({status!r})")


def _run() -> int:
    os._exit = _no_exit
    try:
        from stabbench.cli.output_streams import open_streams

        open_streams()
        code = _command()
    except BaseException as error:
        code = _said(error)
    try:
        from stabbench.cli.output_streams import flush_streams

        flush_streams()
    except BaseException as error:
        code = _said(error)
    return code


def _command() -> int:
    from click.exceptions import Exit
    from click.shell_completion import shell_complete

    from stabbench.cli.commands import commands

    if instruction := os.environ.get("_STABBENCH_COMPLETE"):
        return shell_complete(commands, {}, "stabbench", "_STABBENCH_COMPLETE", instruction)
    try:
        with commands.make_context("stabbench", sys.argv[1:]) as context:
            commands.invoke(context)
    except Exit as end:
        return end.exit_code
    return 0


def _said(error: BaseException) -> int:
    """Say what went wrong, in a few words. Returns the exit code."""
    if _ended_by or isinstance(error, KeyboardInterrupt):
        if sys.stderr is not None:
            print("stopped", file=sys.stderr)
        return INTERRUPTED
    from stabbench.cli.output_streams import say
    from stabbench.cli.wording import in_words, traceback_of

    if os.environ.get(TRACEBACK):
        say(traceback_of(error), err=True)
    say(in_words(error, TRACEBACK), err=True)
    return WRONG
