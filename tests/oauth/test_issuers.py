"""The table of issuers: exact hosts, each with a source."""

from __future__ import annotations

import pytest

from hermes_tunnel.errors import Unsafe
from hermes_tunnel.oauth.authorization import Policy, issuer_of, issuer_of_page
from hermes_tunnel.oauth.issuers import ISSUERS, known_issuer
from hermes_tunnel.remote.hermes import KNOWN


@pytest.mark.parametrize("host", ISSUERS)
def test_each_is_an_exact_host_with_a_source(host: str) -> None:
    """A DNS name in lower case, under no name that anybody may have; its source is an https page."""
    issuer = ISSUERS[host]
    assert issuer_of(host) == host
    assert issuer.name
    assert issuer_of_page(issuer.source, Policy())
    assert all(path.startswith("/") for path in issuer.endpoints)


def test_it_knows_those_of_the_usual_programs() -> None:
    """What codex, gcloud, az, wrangler and aws ask for."""
    for url, name in {
        "https://auth.openai.com/oauth/authorize?a=b": "OpenAI",
        "https://accounts.google.com/o/oauth2/auth?a=b": "Google",
        "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize?a=b": "Microsoft",
        "https://dash.cloudflare.com/oauth2/auth?a=b": "Cloudflare",
        "https://oidc.eu-west-1.amazonaws.com/authorize?a=b": "Amazon Web Services",
        "https://us-east-1.signin.aws.amazon.com/v1/authorize?a=b": "Amazon Web Services",
        "https://gitlab.com/oauth/authorize?a=b": "GitLab",
    }.items():
        issuer = known_issuer(url)
        assert issuer is not None
        assert issuer.name == name


def test_it_knows_no_bucket_and_no_neighbour() -> None:
    """Names beside those that are known may be anybody's."""
    for host in (
        "s3.amazonaws.com",
        "evil.amazonaws.com",
        "evil.github.com",
        "github.io",
        "signin.aws.amazon.com.evil.test",
    ):
        assert known_issuer(f"https://{host}/authorize?a=b") is None
    with pytest.raises(Unsafe):
        known_issuer("http://github.com/login/oauth/authorize")


def test_every_loopback_provider_of_hermes_is_known() -> None:
    """Their logins work in a session too, if the page has a name that everybody knows."""
    for provider in KNOWN.values():
        if provider.callback is not None:
            assert provider.policy.issuers <= ISSUERS.keys()
