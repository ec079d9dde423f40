"""Identity providers behind the names of the real ones, for the lab only.

They speak the endpoints that real Hermes uses, check what a provider checks (PKCE, redirect_uri,
one use of a code), and let a test choose what the person at the browser does.
"""

from tests.lab.identity.providers import HOSTS

__all__ = ["HOSTS"]
