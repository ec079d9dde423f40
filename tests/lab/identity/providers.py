"""All providers of the lab, and which host belongs to which."""

from __future__ import annotations

from tests.lab.identity.anthropic import Anthropic
from tests.lab.identity.codex import Codex
from tests.lab.identity.github import GitHub
from tests.lab.identity.globus import Globus
from tests.lab.identity.google import Google
from tests.lab.identity.mcp import MCP
from tests.lab.identity.message import Routes
from tests.lab.identity.minimax import MiniMax
from tests.lab.identity.netlify import Netlify
from tests.lab.identity.nous import Nous
from tests.lab.identity.person import Person
from tests.lab.identity.qwen import Qwen
from tests.lab.identity.spotify import Spotify
from tests.lab.identity.xai import XAI

_KINDS = (XAI, Spotify, MCP, Codex, Nous, MiniMax, Anthropic, GitHub, Globus, Google, Netlify, Qwen)

HOSTS = tuple(host for kind in _KINDS for host in kind.hosts)


def routes(person: Person) -> Routes:
    """Every address of every provider, made afresh; they know none of the codes issued before."""
    return {address: handler for kind in _KINDS for address, handler in kind(person).routes.items()}
