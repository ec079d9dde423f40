"""A stand-in for a person at a browser: it opens a page and follows where that leads."""

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
        """Start to visit a page, and say at once whether it will be visited, as `webbrowser.open` does."""
        if not url.startswith(f"http://{ADDRESS}:"):
            return False  # nothing leaves this machine
        thread = threading.Thread(target=self._browse, args=(url,), name="person", daemon=True)
        self._threads.append(thread)
        thread.start()
        return True

    def close(self) -> None:
        """Wait for the visits to end; the servers, which go first, have cut them off."""
        for thread in self._threads:
            thread.join()

    def _browse(self, url: str) -> None:
        browser = build_opener(ProxyHandler({}))
        with suppress(OSError, HTTPException), browser.open(url, timeout=_SECONDS) as page:
            page.read()
