"""What was measured in turns, as a table: medians, the ratio within each turn, and its bound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Result:
    """One row.

    :param what: is measured
    :param against: what it is compared with
    :param bound: what the ratio may be at most; or, for a rate, at least
    :param ours: one value for each turn, in ``unit``
    :param theirs: one for each turn; empty if there is nobody to compare with
    :param at_least: whether ``bound`` is a rate that has to be reached, not a ratio
    """

    what: str
    against: str
    bound: float | None
    ours: Sequence[float]
    theirs: Sequence[float] = ()
    unit: str = "ms"
    at_least: bool = False

    @property
    def ratio(self) -> float | None:
        """The median of the ratios, each within one turn: what slows a machine down slows both."""
        if not self.theirs:
            return None
        return median(one / other for one, other in zip(self.ours, self.theirs, strict=True))

    @property
    def spread(self) -> str:
        """The ratios in the middle half of the turns."""
        ratios = sorted(one / other for one, other in zip(self.ours, self.theirs, strict=False))
        if len(ratios) < 4:
            return ""
        quarter = len(ratios) // 4
        return f"{ratios[quarter]:.2f} to {ratios[-1 - quarter]:.2f}"

    @property
    def reached(self) -> bool | None:
        """Whether it is within the bound; None if there is none."""
        if self.bound is None:
            return None
        if self.at_least:
            return median(self.ours) >= self.bound
        return self.ratio is not None and self.ratio <= self.bound


HEAD = ("what", "against", "hermes-tunnel", "it", "ratio", "middle half", "at most", "reached")


def cells(result: Result) -> tuple[str, ...]:
    """A row's texts, in the order of ``HEAD``."""
    ratio, bound = result.ratio, result.bound
    return (
        result.what,
        result.against,
        _value(result.ours, result.unit),
        _value(result.theirs, result.unit) if result.theirs else "",
        "" if ratio is None else f"{ratio:.2f}",
        result.spread,
        "" if bound is None else f"{'at least ' if result.at_least else ''}{bound:g}",
        {True: "yes", False: "no", None: ""}[result.reached],
    )


def _value(values: Iterable[float], unit: str) -> str:
    middle = median(values)
    return f"{middle:.{0 if middle >= 20 else 1}f} {unit}"


def markdown(results: Iterable[Result]) -> str:
    """The table for a page."""
    rows = [HEAD, ("-",) * 2 + ("-:",) * 5 + ("-",), *map(cells, results)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def plain(results: Iterable[Result]) -> str:
    """The table for a terminal."""
    rows = [HEAD, *map(cells, results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)
