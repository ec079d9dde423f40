"""Instructions that a command prints for a person, and that we follow or repeat: they need not be shown.

Nothing is decided here. A line that is not recognised is shown, and so is every line if no sign-in is
recognised: then the person needs them all. What is recognised depends on no version: an address, a code, a
command for ssh, a block between rules, and phrases that mean the same in every release.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hermes_tunnel.oauth.said import (
    AuthorizationRequest,
    DeviceAuthorization,
    Line,
    PageShown,
    Prompt,
    Said,
    Success,
)

_MOST_LINES = 40  # of one block of advice; the longest real one has 16
_BLOCK = re.compile(r"(?i)remote session detected|manual callback paste")
_ABOUT_SSH = re.compile(r"(?i)https://\S{1,200}/oauth-over-ssh\b")
_PHRASES = re.compile(
    r"(?i)(?:\d[.)]\s*)?(?:"
    r"open (?:this|the)\b.{0,40}(?:url|link|page|address)|to continue\b|enter this code|if prompted, enter"
    r"|waiting for\b|starting .{0,80}\b(?:login|flow)\b|portal: https://\S+\Z"
    r"|(?:client id|redirect uri): \S+\Z"
    r"|.{0,40}authorization required\.?\Z|authorize hermes\b|(?:full |provider )?(?:setup )?(?:guide|docs):\s"
    r"|\((?:headless|browser|could not open)\b|if .{0,80}\bshows? a\b.{0,40}\bcode\b"
    r"|after authorizing|(?:or )?paste (?:that|this|the) (?:code|url|redirect url)\b)"
)
_PANEL = ("\u250c", "\u250f", "\u2554", "\u256d")  # its first line has its title
_FAILS = ("Traceback (", "\u2717")
_DRAWN = "".join(map(chr, range(0x2500, 0x25A0))) + "-=_*~ "  # box drawing, block elements, ASCII rules


class Instructions:
    """Goes through the lines of one command, and says of each whether it needs to be shown.

    Until a sign-in is recognised, what seems to be an instruction waits, and so does what comes after it.
    """

    def __init__(self) -> None:
        self._told: tuple[str, ...] = ()  # what we show ourselves: an address, a code
        self._held: list[Line] = []
        self._recognised = False
        self._succeeded = False
        self._in_block = 0

    def hear(self, said: Sequence[Said]) -> list[Line]:
        """The lines that are due, each ``told`` if it is only for those who want to see everything.

        :param said: what some output said, in its order
        """
        due: list[Line] = []
        for number, one in enumerate(said):
            if isinstance(one, Line):
                due += self._take(one, succeeds=isinstance(next(iter(said[number + 1 :]), None), Success))
            elif isinstance(one, AuthorizationRequest | DeviceAuthorization):
                due += self._recognise(one)
            elif isinstance(one, Prompt | PageShown) and not self._recognised:
                due += self.end()
        return due

    def silence(self) -> list[Line]:
        """The output has been quiet for a while: what waits is due, unless it consists of instructions."""
        self._in_block = 0
        return [] if all(line.told for line in self._held) else self.end()

    def end(self) -> list[Line]:
        """No sign-in will be recognised: whatever waits is shown."""
        held, self._held = self._held, []
        return [Line(line.text) for line in held]

    def _take(self, line: Line, *, succeeds: bool) -> list[Line]:
        self._succeeded = succeeds or (self._succeeded and line.text[:1].isspace())  # it goes on below
        told = line.told or self._succeeded or self._is_told(line.text)
        if self._recognised:
            return [Line(line.text, told)]
        if told or self._held:
            self._held.append(Line(line.text, told))
            return []
        return [line]

    def _recognise(self, request: AuthorizationRequest | DeviceAuthorization) -> list[Line]:
        self._recognised = True
        if isinstance(request, DeviceAuthorization):
            self._told = (request.verification_uri, request.user_code)
        else:
            self._told = (request.url,)
        held, self._held = self._held, []
        return [Line(line.text, line.told or self._names_what_is_told(line.text)) for line in held]

    def _is_told(self, text: str) -> bool:
        """Whether the line is an instruction, belongs to a block of them, or names what we show."""
        words = text.strip(_DRAWN)
        if self._goes_on(text, words):
            return True
        if not words or text.lstrip().startswith(_PANEL):
            return True
        return bool(_PHRASES.match(words)) or self._names_what_is_told(text)

    def _names_what_is_told(self, text: str) -> bool:
        return any(told in text for told in self._told)

    def _goes_on(self, text: str, words: str) -> bool:
        """Whether the line belongs to a block of advice about ssh or pasting."""
        if _BLOCK.match(words):
            self._in_block = _MOST_LINES
        elif words.startswith(_FAILS):
            self._in_block = 0
        if not self._in_block:
            return False
        self._in_block = 0 if _ABOUT_SSH.search(text) else self._in_block - 1
        return True
