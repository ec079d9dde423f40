"""A person at a browser, for runs without one: opens a page and follows where it leads."""

from __future__ import annotations

import threading
from contextlib import suppress
from http.client import HTTPException
from urllib.request import ProxyHandler, build_opener

from hermes_tunnel.demo.loopback import ADDRESS

_SECONDS = 30.0


class Person:
    """Opens pages in the background, as a browser does."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []

    def open(self, url: str) -> bool:
        """Visit a page; returns at once, as `webbrowser.open` does, whether there will be a visit."""
        if not url.startswith(f"http://{ADDRESS}:"):
            return False  # nothing leaves this machine
        thread = threading.Thread(target=self._browse, args=(url,), name="person", daemon=True)
        self._threads.append(thread)
        thread.start()
        return True

    def close(self) -> None:
        """Leave, after the servers: they have cut off whatever was being loaded."""
        for thread in self._threads:
            thread.join()

    def _browse(self, url: str) -> None:
        browser = build_opener(ProxyHandler({}))
        with suppress(OSError, HTTPException), browser.open(url, timeout=_SECONDS) as page:
            page.read()
