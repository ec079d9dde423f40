"""What the person at the browser does when a provider asks."""

from __future__ import annotations

from enum import Enum


class Decision(str, Enum):
    """The values are those of the control interface."""

    REDIRECT = "redirect"
    """Approves; the browser is sent to the redirect_uri."""
    FETCH = "fetch"
    """Approves; the provider's page calls the redirect_uri with fetch() and stays."""
    DENY = "deny"
    """Refuses; the browser is sent to the redirect_uri with error=access_denied."""
    HANG = "hang"
    """Sees the page and does nothing."""
    SHOW_CODE = "show-code"
    """Approves; the page shows the code to be copied."""
    WRONG_STATE = "wrong-state"
    """Approves; the provider returns another state than it was given."""
    TOKEN_400 = "token-400"
    """Approves; the token endpoint then refuses."""


class Person:
    """One person for all providers; the decision may change between two requests."""

    def __init__(self) -> None:
        self.decision = Decision.REDIRECT
