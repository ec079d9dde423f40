"""The pages that a browser ends on."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable

import pytest

from hermes_tunnel.way_back.page import Page, declined, delivered, failed, own_page

PAGES = [delivered, declined, failed, own_page]


@pytest.mark.parametrize("page", PAGES)
def test_policy(page: Callable[[str], Page]) -> None:
    """The policy allows only the page's own style, by its hash, and the page needs nothing else."""
    shown = page("me@host")
    (style,) = re.findall(rb"<style>(.*?)</style>", shown.body, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    assert shown.policy == f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'"
    assert not re.search(
        rb"<script|<img|<link|<iframe|style=|src=|href=|url\(|@import|http-equiv|\son\w+=", shown.body
    )
    assert b"$" not in shown.body


@pytest.mark.parametrize("page", PAGES)
def test_receiver(page: Callable[[str], Page]) -> None:
    """Who gets the sign-in is text on the page, whatever its name contains."""
    assert b"Hermes on <b>me@host</b>" in page("Hermes on me@host").body
    assert b"&lt;b&gt;&quot;&amp;$x</" not in page("me@host").body
    assert b"<b>&lt;b&gt;&quot;&amp;$x</b>" in page('<b>"&$x').body
    assert b"<b><b>" not in page('<b>"&$x').body


def test_all_pages() -> None:
    """Each page says something different."""
    assert len({page("me@host").body for page in PAGES}) == len(PAGES)
