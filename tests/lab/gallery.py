"""The pages that the gate answers with, in a real browser, as different people see them.

``scripts/screenshots`` draws the pictures in ``tests/lab/screenshots``: somebody looks at them, and from then
on test_pages.py compares the pages with them.
"""

from __future__ import annotations

import base64
import contextlib
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageChops

from hermes_tunnel.oauth.authorization import Redirect
from hermes_tunnel.oauth.callback import Deliver, Expected
from hermes_tunnel.oauth.states import Delivered, Undelivered
from hermes_tunnel.way_back.gate import Gate
from tests.lab.chromium import DevTools, browser, evaluate, go, open_tab

SCREENSHOTS = Path(__file__).parent / "screenshots"
RECEIVER = "Hermes on me@hermes-box"

FONT = "DejaVu Sans"
FONTS = Path("/usr/share/fonts/truetype/dejavu")
"""The only font that the browser has. Its files are those of 2016 in every Debian and Ubuntu since."""
_FONTCONFIG = f"""\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>{FONTS}</dir>
  <cachedir>{{directory}}</cachedir>
  <match target="pattern">
    <edit name="family" mode="assign" binding="strong"><string>{FONT}</string></edit>
    <edit name="antialias" mode="assign"><bool>true</bool></edit>
    <edit name="hinting" mode="assign"><bool>false</bool></edit>
    <edit name="hintstyle" mode="assign"><const>hintnone</const></edit>
    <edit name="rgba" mode="assign"><const>none</const></edit>
  </match>
</fontconfig>
"""
_FLAGS = (
    "--force-color-profile=srgb",
    "--force-device-scale-factor=1",
    "--hide-scrollbars",
)


class Visit(NamedTuple):
    """What the browser brings to the callback port, and what the listener there answers."""

    query: str
    status: int = 200


PAGES = {
    "delivered": Visit("code=CODE&state=STATE"),
    "declined": Visit("error=access_denied&state=STATE"),
    "failed": Visit("code=CODE&state=STATE", status=500),
    "nameless-denial": Visit("error=access_denied"),
    "stray": Visit("code=CODE&state=OLDER"),
}
"""Each page that the gate answers with, and how to get it."""


class View(NamedTuple):
    """How somebody sees a page; ``text`` is the size of ordinary text, which is 16 unless they changed it."""

    width: int
    height: int
    scheme: str = "light"
    text: int = 16


VIEWS = {
    "light": View(640, 400),
    "dark": View(640, 400, "dark"),
    "narrow": View(320, 480),
    "large": View(640, 720, text=32),
}


@contextmanager
def at_the_gate(visit: Visit, receiver: str = RECEIVER) -> Iterator[str]:
    """The address at which a gate answers with a page."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def deliver(verdict: Deliver) -> Delivered | Undelivered:
            return Delivered(verdict.error, visit.status)

        expected = Expected(Redirect("127.0.0.1", port, "/callback"), "STATE")
        gate = Gate(expected, receiver, deliver, report=lambda event: None)

        # Daemons: a connection that the browser has opened ahead of need outlasts the visit.
        def accept() -> None:
            with contextlib.suppress(OSError):  # it has closed
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=serve, args=(connection,), daemon=True).start()

        def serve(connection: socket.socket) -> None:
            with connection:
                gate.serve(connection)

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{port}/callback?{visit.query}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)


_BLOCK, _TOLERANCE = 4, 8


@dataclass(frozen=True)
class Visitor:
    """A browser that has one font, and draws alike wherever it runs."""

    tools: DevTools
    tab: str

    def open(self, url: str) -> None:
        """Go to a page, as a new tab shows it."""
        go(self.tools, self.tab, url, rest="load")

    def look(self, view: View) -> None:
        """See the page in that way."""
        self.tools.call(
            "Emulation.setDeviceMetricsOverride",
            width=view.width,
            height=view.height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": view.scheme}
        self.tools.call("Emulation.setEmulatedMedia", features=[scheme])
        self.tools.call("Page.setFontSizes", fontSizes={"standard": view.text, "fixed": view.text})

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page."""
        return evaluate(self.tools, expression)

    def picture(self) -> Image.Image:
        """What is seen now."""
        data = self.tools.call("Page.captureScreenshot", format="png")["data"]
        return Image.open(BytesIO(base64.b64decode(data))).convert("RGB")


@contextmanager
def visitor(seconds: float) -> Iterator[Visitor]:
    """Such a browser; it has so many seconds for all that it does."""
    with tempfile.TemporaryDirectory() as directory:
        configuration = Path(directory, "fonts.conf")
        configuration.write_text(_FONTCONFIG.format(directory=directory))
        with browser(time.monotonic() + seconds, *_FLAGS, FONTCONFIG_FILE=str(configuration)) as tools:
            yield Visitor(tools, open_tab(tools))


def unlike(before: Image.Image, after: Image.Image) -> str:
    """How two pictures differ, in words; empty if nobody would see it.

    With one font and no hinting, Chromium 138, 153 and 156, of two builders, draw every page alike to the
    last bit. The tolerance is for a release that smooths an edge a little differently: pixels are averaged in
    blocks. A slightly paler footer, the faintest change in test_pages.py, still makes a difference of 17.
    """
    if before.size != after.size:
        return f"it was {before.size}, and is {after.size}"
    difference = ImageChops.difference(*(each.convert("RGB").reduce(_BLOCK) for each in (before, after)))
    most = max(difference.tobytes())
    return f"it differs by {most} of 255 somewhere" if most > _TOLERANCE else ""


def main() -> None:
    """Draw each page in each view."""
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    SCREENSHOTS.mkdir()
    with visitor(seconds=60) as somebody:
        for name, visit in PAGES.items():
            with at_the_gate(visit) as address:
                somebody.open(address)
                for how, view in VIEWS.items():
                    somebody.look(view)
                    somebody.picture().save(SCREENSHOTS / f"{name}-{how}.png", optimize=True)


if __name__ == "__main__":
    main()
