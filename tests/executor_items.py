"""What executors are given to do in the tests, of whatever kind they are; importable by their workers."""

from stabbench.errors import StabbenchError
from stabbench.runner.executors import Tick


def square(number: int, tick: Tick) -> int:
    for _ in range(number):
        tick(1)
    return number * number


def complain(number: int, tick: Tick) -> int:
    raise StabbenchError(f"number {number} is bad", "take another")


def overflow(number: int, tick: Tick) -> int:
    if number > 3:
        raise MemoryError(f"no room for {number}")
    return number
