"""A real browser without a window: open an address, wait until the page is at rest, leave.

As a program it is what ``--browser`` and ``$BROWSER`` want: ``chromium.py [--page FILE] URL``. It drives
Chromium over its DevTools protocol on a pair of pipes (``--remote-debugging-pipe``), so it needs
no driver, no port and no websocket. It stands alone: only the standard library is imported.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # root, whom the lab runs as, cannot have one
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--disable-breakpad",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-proxy-server",
    "--password-store=basic",
    "--remote-debugging-pipe",
)

TEXT = "[document.title, document.body ? document.body.innerText : '']"


class Page(NamedTuple):
    """Where the browser came to rest and what a person reads there."""

    url: str
    title: str
    text: str


def executable() -> str | None:
    """Where the browser is, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class DevTools:
    """The DevTools protocol on two pipes: JSON messages, a zero byte after each.

    Every wait ends at ``until``, a time.monotonic(), with TimeoutError.
    """

    def __init__(self, requests: int, messages: int, until: float) -> None:
        self._requests = requests
        self._messages = messages
        self._until = until
        self._buffer = b""
        self._number = 0
        self._events: list[dict[str, Any]] = []
        self.session: dict[str, str] = {}

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call a method and return its result."""
        number = self.send(method, **parameters)
        while (message := self._message()).get("id") != number:
            self._events.append(message)
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']['message']}")
        result: dict[str, Any] = message["result"]
        return result

    def send(self, method: str, **parameters: object) -> int:
        """Call a method without waiting for its result; returns the number of the request."""
        self._number += 1
        request = {"id": self._number, "method": method, "params": parameters, **self.session}
        os.write(self._requests, json.dumps(request).encode() + b"\0")
        return self._number

    def event(self) -> dict[str, Any]:
        """The next event (or the result of a method that nobody waited for)."""
        return self._events.pop(0) if self._events else self._message()

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            remaining = max(0.0, self._until - time.monotonic())
            if not select.select([self._messages], [], [], remaining)[0]:
                raise TimeoutError("the browser did not come to rest in time")
            data = os.read(self._messages, 1 << 16)
            if not data:
                raise EOFError("the browser has ended")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message


@contextmanager
def browser(until: float, *flags: str, **environment: str) -> Iterator[DevTools]:
    """A browser with a new profile; both are gone afterwards.

    :param flags: more words for its command line
    :param environment: more variables
    """
    program = executable()
    if program is None:
        raise FileNotFoundError(f"none of {', '.join(NAMES)} is installed")
    requests_read, requests = os.pipe()
    messages, messages_write = os.pipe()
    ends = (requests_read, messages_write)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # The browser's ends must be its descriptors 3 and 4.
        arrange = f'exec "$@" 3<&{requests_read} 4>&{messages_write}'
        process = subprocess.Popen(
            ["bash", "-c", arrange, "bash", program, *FLAGS, *flags, f"--user-data-dir={profile}"],
            env={**os.environ, **environment},
            pass_fds=ends,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in ends:
            os.close(end)
        try:
            yield DevTools(requests, messages, until)
        finally:
            os.close(requests)  # the browser ends with its pipe, and all its processes with it
            os.close(messages)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def visit(url: str, deadline: float) -> Page:
    """Open ``url`` and return the page at rest: loaded, no request under way for half a second.

    This follows redirects, a form that submits itself and fetch() to their end. TimeoutError if the page is
    not at rest after ``deadline`` seconds.
    """
    with browser(time.monotonic() + deadline) as tools:
        tab = open_tab(tools)
        go(tools, tab, url)
        frame = tools.call("Page.getFrameTree")["frameTree"]["frame"]
        return Page(frame.get("unreachableUrl") or frame["url"], *evaluate(tools, TEXT))


def open_tab(tools: DevTools) -> str:
    """Open a tab, which all calls are about from now on; its name, for ``go``."""
    target: str = tools.call("Target.createTarget", url="about:blank")["targetId"]
    attached = tools.call("Target.attachToTarget", targetId=target, flatten=True)
    tools.session = {"sessionId": attached["sessionId"]}
    tools.call("Page.enable")
    tools.call("Page.setLifecycleEventsEnabled", enabled=True)
    return target


def go(tools: DevTools, tab: str, url: str, *, rest: str = "networkIdle") -> None:
    """Open ``url`` in the tab, and wait until the page is at rest.

    :param rest: its last event (Page.lifecycleEvent); "load" is sooner, for a page that runs no script
    """
    tools.send("Page.navigate", url=url)
    _come_to_rest(tools, tab, rest)


def evaluate(tools: DevTools, expression: str) -> Any:
    """The value of an expression in the page, or what its promise becomes; RuntimeError if it throws."""
    done = tools.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
    if "exceptionDetails" in done:
        raise RuntimeError(done["exceptionDetails"].get("exception", {}).get("description", "it throws"))
    return done["result"].get("value")


def _come_to_rest(tools: DevTools, frame: str, rest: str) -> None:
    """Wait until nothing loads in ``frame`` and its document has had that event."""
    loading, document, rested = True, "", set()
    while loading or document not in rested:
        event = tools.event()
        parameters = event.get("params", {})
        match event.get("method"):
            case "Page.frameStartedLoading" if parameters["frameId"] == frame:
                loading = True
            case "Page.frameStoppedLoading" if parameters["frameId"] == frame:
                loading = False
            case "Page.frameNavigated" if parameters["frame"]["id"] == frame:
                document = parameters["frame"]["loaderId"]
            case "Page.lifecycleEvent" if parameters["name"] == rest:
                rested.add(parameters["loaderId"])


def main(argv: Sequence[str] | None = None) -> None:
    """Visit the address and write the page as JSON, to standard output without a FILE."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, metavar="FILE")
    parser.add_argument("--deadline", type=float, default=60, metavar="SECONDS")
    parser.add_argument("url")
    options = parser.parse_args(argv)
    page = json.dumps(visit(options.url, options.deadline)._asdict())
    if options.page:
        options.page.write_text(page)
    else:
        print(page)  # noqa: T201


if __name__ == "__main__":
    main()
