"""How the time of a call grows with its text."""

from __future__ import annotations

import contextlib
import heapq
import time
from collections.abc import Callable, Iterable

from hermes_tunnel.errors import Failure
from tests.pumps import Pump

# This thread's time alone, so that a loaded machine does not matter; if that is too coarse, the wall clock.
_clock = time.thread_time if time.get_clock_info("thread_time").resolution < 1e-5 else time.perf_counter
_STEPS = (16, 24, 36, 54, 81, 122, 182, 273, 410, 615)
_STEP_SECONDS = 0.01  # far more than so few characters need; exponential time soon exceeds it
_GROWTH = 30  # for ten times the text: 10 is proportional, and 100 is each character against each other
_FLOOR_SECONDS = 0.02  # less than this is fine, whatever it grew from
_SLOWEST, _STEEPEST = 3, 3
_RUNS = 4

Call = Callable[[str], object]


def seconds(call: Call, text: str) -> float:
    """How long a call takes."""
    began = _clock()
    with contextlib.suppress(Failure, ValueError):  # whatever its verdict on such a text, it has to come soon
        call(text)
    return _clock() - began


def best(call: Call, pump: Pump, length: int) -> float:
    """How long a call takes for a text of some length: the best of some runs."""
    # Each text is a bit longer than the one before, in case something caches.
    return min(seconds(call, pump.text(length + run * len(pump.piece))) for run in range(1, _RUNS + 1))


def too_slow(call: Call, pumps: Iterable[Pump], longest: int = 100 * 1024) -> str:
    """What shows that a call takes more than proportional time; empty if nothing does.

    Each text is tried with a few characters, then with more and more, up to a tenth of the longest.
    The slowest ones, and those that grew most, are tried at full length, too.
    """
    short, taken = longest // 100, []
    for pump in pumps:
        for step in (each for each in _STEPS if each < short):
            if seconds(call, pump.text(step)) > _STEP_SECONDS < best(call, pump, step):
                return f"{_shown(pump)}: more than {_STEP_SECONDS:g} s for {step} characters"
        before, grown = (seconds(call, pump.text(length)) for length in (short, 10 * short))
        if _is_steep(before, grown) and (problem := _is_steep_again(call, pump, short)):
            return problem
        taken.append((grown, grown / before, pump))
    slowest = heapq.nlargest(_SLOWEST, taken, key=lambda each: each[0])
    steepest = heapq.nlargest(_STEEPEST, taken, key=lambda each: each[1])
    for before, _, pump in dict.fromkeys([*slowest, *steepest]):
        grown = seconds(call, pump.text(100 * short))
        if _is_steep(before, grown) and (problem := _is_steep_again(call, pump, 10 * short)):
            return problem
    return ""


def _is_steep_again(call: Call, pump: Pump, length: int) -> str:
    """What shows that it was more than chance; empty if it was not."""
    before, grown = best(call, pump, length), best(call, pump, 10 * length)
    if not _is_steep(before, grown):
        return ""
    return f"{_shown(pump)}: {before:.4f} s for {length} characters, {grown:.4f} s for ten times as many"


def _is_steep(before: float, grown: float) -> bool:
    return grown > max(_FLOOR_SECONDS, _GROWTH * before)


def _shown(pump: Pump) -> str:
    return " ".join(ascii(part)[:60] for part in pump)
