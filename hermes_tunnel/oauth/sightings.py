"""Sightings: what a program in a session shows that leads to a browser.

A session's output comes here twice: as lines, which nothing outruns, and as a screen, where a program may
have drawn what no line says. Both are rows, and are read alike. Each sighting is told once; a page may be
told before the code that belongs to it, and a code before its page.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from hermes_tunnel.oauth.addresses import (
    is_answer,
    is_loopback,
    loopback_answer,
    query,
    user_code_of,
)
from hermes_tunnel.oauth.authorization import Redirect
from hermes_tunnel.oauth.codes import announces_code, code_alone, codes_in
from hermes_tunnel.oauth.rows import Address, Rows, address

MOST_REMEMBERED = 256  # of each kind; whoever prints more has the first ones told again
FAR = 20  # rows: what is farther from a page than this is no code of its own


@dataclass(frozen=True)
class Loopback:
    """A page that asks for authorization; the answer comes to a port of this machine (RFC 8252 section 7.3).

    :param state: RFC 6749 section 10.12; empty if the request has none
    :param form_post: whether the answer is posted (OAuth 2.0 Form Post Response Mode)
    :param wanted: whether the program would have opened it, and so may not have shown it
    """

    url: str = field(repr=False)
    redirect: Redirect
    state: str = field(repr=False)
    form_post: bool = False
    wanted: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Device:
    """A page and the code to enter there (RFC 8628 section 3.2).

    :param verification_uri: empty as long as the program has told the code alone
    """

    verification_uri: str = field(repr=False)
    user_code: str = field(repr=False)
    wanted: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Page:
    """Any other page: by https, or one that the program itself serves on a port of its machine by http."""

    url: str = field(repr=False)
    wanted: bool = field(default=False, compare=False)


Sighting = Loopback | Device | Page


def may_matter(text: str) -> bool:
    """Whether there may be an address in the text, or a word about a code: quick, as most has neither."""
    return "://" in text or "code" in text.lower()


def sighting_of(url: str) -> Sighting | None:
    """What an address leads to; None if to no page; the answer to a request is a secret."""
    try:
        fields = query(url, keep_blank_values=True)
    except ValueError:
        return None  # far more fields than any page is asked with
    if is_answer(url, fields):
        return None
    if is_loopback(url):
        return Page(url)
    if not url.lower().startswith("https://"):
        return None
    if answer := loopback_answer(fields):
        return Loopback(url, *answer, fields.get("response_mode") == ["form_post"])
    code = user_code_of(url) if "user_code" in fields else None
    return Device(url, code) if code else Page(url)


class Sightings:
    """All sightings of one session.

    :param columns: how wide its terminal is; 0 if it has none
    """

    def __init__(self, columns: int = 0) -> None:
        self._columns = columns
        self._lines = _Passage(columns)
        self._requests = _Remembered()
        self._pages = _Remembered()
        self.zone: set[int] = set()
        """The rows of the screen read last that had to do with what was seen, or may be."""

    @property
    def waiting(self) -> bool:
        """Whether the next line means something by what the last one said."""
        return self._lines.waiting

    def resize(self, columns: int) -> None:
        """The terminal has another width. What was broken at the old one is not put together any more."""
        self._columns, self._lines = columns, _Passage(columns)

    def of_line(self, line: str) -> list[Sighting]:
        """What is new with the next line.

        :param line: without escape sequences; a character for each column
        """
        return self._new(self._lines.read(line, whole=len(line) > self._columns))

    def skip(self, lines: int) -> None:
        """So many lines passed, which had neither an address nor the word *code*."""
        self._lines.skip(lines)

    def pass_over(self) -> None:
        """A line passed that cannot be read, so that the next does not go on with the one before."""
        self._lines.pass_over()

    def settle(self) -> list[Sighting]:
        """What is new once no line has followed for long, so that none goes on with the last."""
        return self._new(self._lines.settle())

    def of_screen(
        self,
        rows: list[str],
        *,
        wrapped: Collection[int] = (),
        lost: Collection[int] = (),
        unfinished: int | None = None,
    ) -> list[Sighting]:
        """What is new on the screen.

        :param rows: from the top; a character for each column
        :param wrapped: the rows that go on in the next, because the terminal broke them
        :param lost: the rows that went on so, until something else was written there
        :param unfinished: the row where the cursor is, cut there: what follows is not written yet
        """
        found: list[Sighting] = []
        passage = _Passage(self._columns)
        self.zone = set()
        last, begun, pieces = len(rows) - 1, "", 0
        for number, row in enumerate(rows):
            begun, pieces = begun + row, pieces + 1
            if number in wrapped and number not in (unfinished, last):
                begun = begun.ljust(-(-len(begun) // self._columns) * self._columns)
                continue
            if passage.waiting or may_matter(begun):
                self.zone |= {*range(number + 1 - pieces, number + 1)}
            found += passage.read(begun, finished=number != unfinished and number not in lost)
            begun, pieces = "", 0
        return self._new(found)

    def of_address(self, text: str, *, wanted: bool = False) -> list[Sighting]:
        """What is new with an address that stands by itself: a link's (OSC 8), or one meant for a browser.

        :param wanted: whether the program would have opened it; then it is told though it was shown before
        """
        found = sighting_of(url) if (url := address(text)) else None
        return self._new([replace(found, wanted=wanted)] if found else [])

    def _new(self, found: Iterable[Sighting]) -> list[Sighting]:
        return [one for one in found if self._is_new(one)]

    def _is_new(self, one: Sighting) -> bool:
        if isinstance(one, Page):
            return one.url not in self._requests and self._pages.add((one.url, one.wanted))
        if isinstance(one, Loopback):
            return self._requests.add(one.url)
        if one.user_code in self._requests:
            return False  # the page with the code in its address, then the code alone: one request
        if not one.verification_uri:
            return self._pages.add(one.user_code)
        self._requests.add(one.verification_uri)
        return self._requests.add(one.user_code)


class _Remembered:
    """The last so many of what was told."""

    def __init__(self) -> None:
        self._told: OrderedDict[Hashable, None] = OrderedDict()

    def __contains__(self, one: Hashable) -> bool:
        return one in self._told

    def add(self, one: Hashable) -> bool:
        """Whether it is new."""
        is_new = one not in self._told
        self._told[one] = None
        self._told.move_to_end(one)
        if len(self._told) > MOST_REMEMBERED:
            self._told.popitem(last=False)
        return is_new


class _Passage:
    """Rows that follow one another, and what they say together."""

    def __init__(self, columns: int) -> None:
        self._rows = Rows(columns)
        self._number = 0
        self._page: tuple[str, int] = "", 0  # the last page that is shown to be opened, and its row
        self._code: tuple[str, int] = "", 0  # a code without a page, and its row
        self._announced = False

    @property
    def waiting(self) -> bool:
        return self._rows.waiting or self._announced

    def skip(self, rows: int) -> None:
        self._number += rows

    def pass_over(self) -> None:
        self._number += 1
        self._rows.forget()
        self._announced = False

    def settle(self) -> Iterator[Sighting]:
        for one in self._rows.settle():
            yield from self._of_address(one)

    def read(self, row: str, *, finished: bool = True, whole: bool = False) -> Iterator[Sighting]:
        self._number += 1
        if not self.waiting and not may_matter(row):
            return
        addresses, words = self._rows.read(row, finished=finished, whole=whole)
        said: list[tuple[int, Address | str]] = [(one.column, one) for one in addresses]
        said += codes_in(words, finished=finished)
        if self._announced and finished and (code := code_alone(words)):
            said.append((0, code))
        for _, one in sorted(said, key=lambda each: each[0]):
            yield from self._of_code(one) if isinstance(one, str) else self._of_address(one)
        if not finished:
            self._rows.forget()
            self._announced = False
        elif any(map(str.isalnum, words)):
            self._announced = announces_code(words)

    def _of_address(self, one: Address) -> Iterator[Sighting]:
        found = sighting_of(one.url)
        if not isinstance(found, Page) or is_loopback(one.url):
            if isinstance(found, Loopback | Device):
                self._page = self._code = "", 0
            yield from [found] if found else []
        elif code := self._near(self._code):
            self._code = "", 0
            yield Device(one.url, code)
        else:
            yield found
        if isinstance(found, Page) and one.shown and not is_loopback(one.url):
            self._page = one.url, self._number

    def _of_code(self, code: str) -> Iterator[Sighting]:
        page = self._near(self._page)
        if not page:
            self._code = code, self._number
        yield Device(page, code)

    def _near(self, one: tuple[str, int]) -> str:
        return one[0] if self._number - one[1] <= FAR else ""
