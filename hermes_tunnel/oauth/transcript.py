"""Reading what a login command prints: bytes go in, in any chunks; what was said comes out.

No version and no sentence of prose decides anything. What counts is the structure that every release
must print for a person to log in at all: a URL with a ``redirect_uri`` in its query, a verification
page with its code, a prompt waiting at the end of an unfinished line, a success line, a failure mark.
Only complete lines after our own begin marker count, so neither a message of the day nor a shell's
start-up file can ask for anything. There is no clock here: the caller says when the output has gone
quiet (``silence``).
"""

from __future__ import annotations

import re

from hermes_tunnel.errors import Unsafe
from hermes_tunnel.oauth.addresses import addresses_in, asks_for_authorization, user_code, user_code_of
from hermes_tunnel.oauth.authorization import FIRST_PORT, LAST_PORT
from hermes_tunnel.oauth.said import (
    AuthorizationRequest,
    Begun,
    DeviceAuthorization,
    FailureMark,
    Line,
    Listening,
    PageShown,
    PasteOffered,
    Prompt,
    Remark,
    Said,
    Success,
    Withdrawn,
)
from hermes_tunnel.text import plain

LONGEST_LINE = 64 * 1024  # bytes
LONGEST_OUTPUT = 1024 * 1024  # bytes; real logins print a few thousand

_LISTENING = re.compile(
    r"(?i)waiting for (?:the )?(?:oauth )?callback on http://(?:127\.0\.0\.1|localhost|\[::1\]):(\d{1,5})\b"
)
# "paste that code here and press Enter", "Or paste the redirect URL here"; not "at the prompt below", a hint.
_PASTE_OFFERED = re.compile(r"(?i)\bpaste\b[^.]{0,80}\bhere\b")
_TO_BE_OPENED = re.compile(r"(?i)\b(?:open|visit|go to|browser|sign in|log ?in)\b")
# How a shell's prompt ends; what a program tells a terminal that it takes over: switch screens, bracket what
# is pasted (xterm's control sequences). One that only asks the terminal something is answered, and goes on.
_SHELLS_PROMPT = re.compile(r"[$#%>\u00bb\u03bb\u276f\u279c]$")
_TAKES_TERMINAL = re.compile(rb"\x1b\[\?(?:47|104[79]|2004)h")
_SUCCESS = re.compile(
    r"\s*(?:(?:Added|Saved|Imported) \S+ (?:OAuth )?.*credential"
    r"|(?:✓ .*|\S+ )?[Ll]ogin successful\b|✓ Authenticated\b)"
)
_CODE_AFTER = re.compile(r"(?i)\bcode\b[^:]{0,80}:\s*(.*)")


class Transcript:
    """The output of one command, line by line.

    :param marker: what our own script prints to start the line before the command's output
    """

    def __init__(self, marker: str) -> None:
        self._marker = marker
        self._unfinished = bytearray()
        self._received = 0
        self._begun = False
        self._tail = b""
        self._taken = False
        self._told_taken = False
        self.looks: list[str] = []
        """What our script said of the credential after the marker: before the command ran, and afterwards."""
        self._page = ""  # the last https page that is not an authorization request
        self._shown = ""  # such a page, if the command shows it to be opened
        self._code_follows = False
        self._offered: DeviceAuthorization | None = None
        self._prompt = b""
        self._asked = False

    @property
    def begun(self) -> bool:
        """Whether we have seen the begin marker."""
        return self._begun

    def receive(self, data: bytes) -> list[Said]:
        """What the next bytes say.

        :raises Unsafe: a line or the whole output is longer than any login's
        """
        self._received += len(data)
        if not self._begun:
            recent = self._tail + data
            self._taken, self._tail = self._taken or bool(_TAKES_TERMINAL.search(recent)), recent[-8:]
        *lines, rest = data.split(b"\n")
        if lines:
            self._go_on(lines[0])
            lines = [bytes(self._unfinished), *map(as_rewritten, lines[1:])]
            self._unfinished.clear()
        self._go_on(rest)
        longest = max(map(len, (*lines, self._unfinished)))
        if longest > LONGEST_LINE or self._received > LONGEST_OUTPUT:
            raise Unsafe(
                "the remote command printed far more than a login does; it was stopped",
                "run the command there by hand and look at what it prints",
            )
        withdrawn: list[Said] = [Withdrawn()] if self._asked else []
        self._asked = False
        return [*withdrawn, *(said for line in lines for said in self._complete(line))]

    def _go_on(self, data: bytes) -> None:
        """Add to the unfinished line. It may grow a byte at a time, so we never reread what is there."""
        kept = as_rewritten(data)
        if len(kept) < len(data) or (self._unfinished.endswith(b"\r") and kept.strip(b"\r")):
            self._unfinished.clear()
        self._unfinished += kept

    def silence(self) -> list[Said]:
        """The output has been quiet for a while: an unfinished line that stays is a prompt."""
        unfinished = bytes(self._unfinished)
        text = _text(unfinished).strip()
        if self._taken and not self._begun:  # whatever it draws from now on changes nothing
            told, self._told_taken = self._told_taken, True
            return [] if told else [Prompt(text, taken=True)]
        ours = self._begun and self._marker in text
        if ours or not text or unfinished == self._prompt:
            return self._shown_page()
        if self._begun:
            self._note_pages(text.rpartition(" ")[0])
        taken = not self._begun and bool(_SHELLS_PROMPT.search(text))
        self._prompt, self._asked = unfinished, True
        offered: list[Said] = [PasteOffered()] if _PASTE_OFFERED.search(text) else []
        return [*self._shown_page(), Prompt(text, taken), *offered]

    def _shown_page(self) -> list[Said]:
        page, self._shown = self._shown, ""
        return [PageShown(page)] if page else []

    def end(self) -> list[Said]:
        """There is no more output: the last line counts even if nothing ended it."""
        rest, self._unfinished, self._prompt = bytes(self._unfinished), bytearray(), b""
        return self._complete(rest) if _text(rest).strip() else []

    def _complete(self, line: bytes) -> list[Said]:
        """Read a complete line. What follows a prompt on it is read by itself, unless that was not a prompt:
        the output had only stalled in the middle of a line that means something as a whole.
        """
        prompt, self._prompt = self._prompt, b""
        remarks: list[Said] = []
        if self._begun:
            line, ours, remark = line.partition(self._marker.encode())
            if ours:
                remarks = self._remarks(_text(remark))
                if not line:
                    return remarks
        text = answered = _text(line)
        if prompt:
            answered = _text(line.removeprefix(prompt))
        if not self._begun:
            _, found, words = text.partition(self._marker)
            # A start-up file may have left its last line unfinished before the marker.
            self._begun = bool(found)
            return [Begun(tuple(words.split(":")))] if found else [Line(answered)]
        said = self._recognise(text)
        if not said and answered != text:
            said = self._recognise(answered)
        told = bool(said) and any(isinstance(one, AuthorizationRequest | DeviceAuthorization) for one in said)
        return [*remarks, Line(answered, told), *said]

    def _remarks(self, text: str) -> list[Said]:
        if text.startswith("landed:"):
            self.looks.append(text)
            return []
        return [Remark(tuple(text.split(":")))]

    def _recognise(self, text: str) -> list[Said]:
        if "✗" in text and text.lstrip().startswith("✗"):
            return [FailureMark(text.strip())]
        if _SUCCESS.match(text):
            return [Success()]
        if ":" in text and (said := self._address_on(text)) is not None:
            return said
        # Most lines have nothing of the kind: to look for a word first is faster than an expression.
        if "paste" in text.casefold() and _PASTE_OFFERED.search(text):
            return [PasteOffered()]
        return self._code_on(text.strip())

    def _address_on(self, text: str) -> list[Said] | None:
        """What an address on the line says; None if it says nothing, so that the rest of the line may."""
        listening = _LISTENING.search(text)
        if listening and FIRST_PORT <= int(listening[1]) <= LAST_PORT:
            return [Listening(int(listening[1]))]
        for url in addresses_in(text):
            if asks_for_authorization(url):
                self._page = self._shown = ""
                return [AuthorizationRequest(url)]
            if code := user_code_of(url):
                return self._device(url, code)
            if url.startswith("https://"):
                self._page = url
        self._note_pages(text)
        return None

    def _note_pages(self, text: str) -> None:
        """Keep a page that is there to be opened: it has a query, a line to itself, or words that say so."""
        pages = [url for url in addresses_in(text) if url.startswith("https://")]
        if len(pages) == 1:
            before, page, after = text.partition(pages[0])
            alone = not any(map(str.isalpha, before + after))
            if alone or "?" in page or _TO_BE_OPENED.search(before):
                self._shown = page

    def _code_on(self, text: str) -> list[Said]:
        """A code on, or right after, a line that announces one; a blank line between them does no harm."""
        if not self._page or not text:
            return []
        if self._code_follows and (code := user_code(text)):
            return self._device(self._page, code)
        announced = _CODE_AFTER.search(text) if ":" in text else None
        self._code_follows = bool(announced) and not announced[1] if announced else False
        if announced and (code := user_code(announced[1].strip())):
            return self._device(self._page, code)
        return []

    def _device(self, verification_uri: str, code: str) -> list[Said]:
        self._page, self._shown, self._code_follows = verification_uri, "", False
        offer = DeviceAuthorization(verification_uri, code)
        if self._offered is not None and self._offered.user_code == code:
            return []  # the page with the code in its address, then the code alone: one offer
        self._offered = offer
        return [offer]


def _text(line: bytes) -> str:
    """A line as text."""
    return plain(as_rewritten(line).rstrip(b"\r").decode("utf-8", "replace"))


def as_rewritten(line: bytes) -> bytes:
    """The line without what a carriage return overwrote, as on a terminal; a spinner may spin for long."""
    if line.find(b"\r", 0, -1) < 0:
        return line
    return line[line.rstrip(b"\r").rfind(b"\r") + 1 :]
