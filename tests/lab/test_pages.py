"""The pages that the gate answers with: what they look like, and whether everybody can read them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PIL import Image

from tests.lab import axe, gallery
from tests.lab.gallery import PAGES, SCREENSHOTS, VIEWS, Visitor, at_the_gate, unlike, visitor
from tests.lab.lab import obstacle

LONG = f"Hermes on somebody@{'x' * 63}.example.org"  # one part of a host name at its longest (RFC 1035)


@pytest.fixture(scope="module")
def browser() -> Iterator[Visitor]:
    """One browser for all tests."""
    if reason := obstacle():
        pytest.skip(reason)
    axe.install()
    with visitor(seconds=120) as one:
        yield one


@pytest.fixture(scope="module", params=PAGES)
def page(request: pytest.FixtureRequest, browser: Visitor) -> Iterator[str]:
    """The name of the page that the browser is at."""
    name: str = request.param
    with at_the_gate(PAGES[name]) as address:
        browser.open(address)
        yield name


@pytest.fixture
def broken(browser: Visitor) -> Iterator[Visitor]:
    """The browser at a page of ours that a test may spoil."""
    with at_the_gate(PAGES["delivered"]) as address:
        browser.open(address)
        browser.look(VIEWS["light"])
        yield browser


@pytest.mark.parametrize("view", VIEWS)
def test_a_page_looks_as_it_did(browser: Visitor, page: str, view: str) -> None:
    """In light and dark, on a narrow screen and with text of 200 %: as when somebody last looked."""
    browser.look(VIEWS[view])
    with Image.open(SCREENSHOTS / f"{page}-{view}.png") as before:
        difference = unlike(before, browser.picture())
    assert not difference, (
        f"{difference}; if that is right: scripts/screenshots, and look at {page}-{view}.png"
    )


def test_the_pictures_are_those_of_the_pages() -> None:
    """There is one of each page in each view, and no other; together they are small."""
    pictures = {path.name: path.stat().st_size for path in SCREENSHOTS.iterdir()}
    assert set(pictures) == {f"{name}-{view}.png" for name in PAGES for view in VIEWS}
    assert sum(pictures.values()) < 1_000_000


CHANGES = {
    "a word": "document.querySelector('p').firstChild.data = 'The sign-in came to Hermes on '",
    "a full stop": "document.querySelector('footer').lastChild.data = ' on this machine. You can close it'",
    "a colour": "document.querySelector('main').style.borderTopColor = '#2f8f8b'",
    "a shade": "document.querySelector('footer').style.color = '#8b8882'",
    "a distance": "document.querySelector('footer').style.marginTop = '2rem'",
    "a size": "document.querySelector('h1').style.fontSize = '1.5rem'",
    "a weight": "document.querySelector('b').style.fontWeight = 'bold'",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen(broken: Visitor, change: str) -> None:
    """A change that a person could see is more than the tolerance, however small it is."""
    broken.evaluate(CHANGES[change])
    with Image.open(SCREENSHOTS / "delivered-light.png") as before:
        assert unlike(before, broken.picture())


@pytest.mark.parametrize("view", ["light", "dark"])
def test_everybody_can_read_a_page(browser: Visitor, page: str, view: str) -> None:
    """axe-core finds nothing: neither in the contrast, nor in the headings, landmarks and language."""
    browser.look(VIEWS[view])
    assert axe.violations(browser.tools) == []


@pytest.mark.parametrize(
    ("rule", "spoil"),
    [
        ("color-contrast", "document.querySelector('footer').style.color = '#8b8882'"),
        ("page-has-heading-one", "document.querySelector('h1').outerHTML = '<h2>Back</h2>'"),
        ("heading-order", "document.querySelector('footer').innerHTML = '<h4>This page</h4>'"),
        ("html-has-lang", "document.documentElement.removeAttribute('lang')"),
        ("document-title", "document.title = ''"),
    ],
)
def test_a_page_that_not_everybody_can_read_is_found(broken: Visitor, rule: str, spoil: str) -> None:
    """axe-core really runs in the page, whose policy allows no script: it finds what we break."""
    broken.evaluate(spoil)
    assert [found.partition(":")[0] for found in axe.violations(broken.tools)] == [rule]


@pytest.mark.parametrize("view", VIEWS)
def test_a_long_name_fits(browser: Visitor, view: str) -> None:
    """A name of any length is broken only where it must be; nobody scrolls sideways (WCAG 1.4.10)."""
    with at_the_gate(PAGES["delivered"], LONG) as address:
        browser.open(address)
        browser.look(VIEWS[view])
        assert browser.evaluate("document.documentElement.scrollWidth") == VIEWS[view].width


def test_the_font_is_ours(broken: Visitor) -> None:
    """The pictures are drawn with the font that the lab installs, not with one of this machine."""
    broken.tools.call("DOM.enable")
    broken.tools.call("CSS.enable")
    root = broken.tools.call("DOM.getDocument")["root"]["nodeId"]
    node = broken.tools.call("DOM.querySelector", nodeId=root, selector="p")["nodeId"]
    fonts = broken.tools.call("CSS.getPlatformFontsForNode", nodeId=node)["fonts"]
    assert {font["familyName"] for font in fonts} == {gallery.FONT}
