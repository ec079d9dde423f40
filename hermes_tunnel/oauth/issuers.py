"""The issuers that everybody knows: the hosts of sign-in pages, each as its owner documents it.

A page of one of these may open by itself if a program asks for it and waits on loopback. Only exact names of
hosts are here. Where a host also has pages that anybody can write, only its authorization endpoint counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from hermes_tunnel.oauth.authorization import Policy, issuer_of_page


@dataclass(frozen=True)
class Issuer:
    """An authorization server (RFC 8414 section 2).

    :param name: whose it is
    :param source: the owner's public page that names the host
    :param endpoints: the paths of its authorization endpoint (RFC 6749 section 3.1); empty if any will do
    """

    name: str
    source: str
    endpoints: tuple[str, ...] = ()


_ANTHROPIC = Issuer("Anthropic", "https://code.claude.com/docs/en/network-config")
_AWS_LOGIN = Issuer(
    "Amazon Web Services", "https://docs.aws.amazon.com/signin/latest/userguide/command-line-sign-in.html"
)
_AWS_SSO = Issuer("Amazon Web Services", "https://docs.aws.amazon.com/general/latest/gr/sso.html")
_AWS_REGIONS = (  # those that every account has
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
    *("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"),
    *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
)
_MICROSOFT = "https://learn.microsoft.com/entra/identity-platform"
_MICROSOFT_CLOUD = Issuer("Microsoft", f"{_MICROSOFT}/authentication-national-cloud")
_MINIMAX = Issuer("MiniMax", "https://platform.minimax.io/docs")
_XAI = Issuer("xAI", "https://docs.x.ai")

ISSUERS = {
    "account.minimax.io": _MINIMAX,
    "accounts.google.com": Issuer("Google", "https://accounts.google.com/.well-known/openid-configuration"),
    "accounts.spotify.com": Issuer(
        "Spotify", "https://developer.spotify.com/documentation/web-api/tutorials/code-pkce-flow"
    ),
    "accounts.x.ai": _XAI,
    "api.notion.com": Issuer("Notion", "https://developers.notion.com/docs/authorization"),
    "api.supabase.com": Issuer(
        "Supabase", "https://supabase.com/docs/guides/integrations/build-a-supabase-oauth-integration"
    ),
    "app.netlify.com": Issuer("Netlify", "https://docs.netlify.com/api/get-started", ("/authorize",)),
    "app.terraform.io": Issuer(
        "HashiCorp", "https://developer.hashicorp.com/terraform/cli/commands/login", ("/oauth/authorization",)
    ),
    "auth.atlassian.com": Issuer(
        "Atlassian", "https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps"
    ),
    "auth.globus.org": Issuer("Globus", "https://docs.globus.org/api/auth/developer-guide"),
    "auth.openai.com": Issuer("OpenAI", "https://developers.openai.com/codex/auth"),
    "auth.x.ai": _XAI,
    "bitbucket.org": Issuer(
        "Atlassian", "https://developer.atlassian.com/cloud/bitbucket/oauth-2", ("/site/oauth2/authorize",)
    ),
    "claude.ai": Issuer(_ANTHROPIC.name, _ANTHROPIC.source, ("/oauth/authorize",)),
    "cloud.digitalocean.com": Issuer("DigitalOcean", "https://docs.digitalocean.com/reference/api/oauth"),
    "connect.stripe.com": Issuer("Stripe", "https://docs.stripe.com/connect/oauth-reference"),
    "console.anthropic.com": _ANTHROPIC,
    "dash.cloudflare.com": Issuer(
        "Cloudflare", "https://developers.cloudflare.com/workers/wrangler/commands", ("/oauth2/auth",)
    ),
    "discord.com": Issuer(
        "Discord",
        "https://discord.com/developers/docs/topics/oauth2",
        ("/oauth2/authorize", "/api/oauth2/authorize"),
    ),
    "github.com": Issuer(
        "GitHub",
        "https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps",
        ("/login/oauth/authorize",),
    ),
    "gitlab.com": Issuer("GitLab", "https://docs.gitlab.com/api/oauth2", ("/oauth/authorize",)),
    "huggingface.co": Issuer("Hugging Face", "https://huggingface.co/docs/hub/oauth", ("/oauth/authorize",)),
    "id.heroku.com": Issuer("Heroku", "https://devcenter.heroku.com/articles/oauth"),
    "linear.app": Issuer(
        "Linear", "https://linear.app/developers/oauth-2-0-authentication", ("/oauth/authorize",)
    ),
    "login.live.com": Issuer("Microsoft", f"{_MICROSOFT}/v2-oauth2-auth-code-flow"),
    "login.microsoftonline.com": Issuer("Microsoft", f"{_MICROSOFT}/v2-oauth2-auth-code-flow"),
    "login.microsoftonline.us": _MICROSOFT_CLOUD,
    "login.partner.microsoftonline.cn": _MICROSOFT_CLOUD,
    "login.salesforce.com": Issuer(
        "Salesforce", "https://login.salesforce.com/.well-known/openid-configuration"
    ),
    "mcp.atlassian.com": Issuer("Atlassian", "https://support.atlassian.com/atlassian-rovo-mcp-server"),
    "mcp.linear.app": Issuer("Linear", "https://linear.app/docs/mcp"),
    "mcp.notion.com": Issuer("Notion", "https://developers.notion.com/docs/mcp"),
    "mcp.sentry.dev": Issuer("Sentry", "https://docs.sentry.io/product/sentry-mcp"),
    "platform.claude.com": _ANTHROPIC,
    "portal.nousresearch.com": Issuer("Nous Research", "https://portal.nousresearch.com"),
    "sentry.io": Issuer("Sentry", "https://docs.sentry.io/api/auth", ("/oauth/authorize/",)),
    "slack.com": Issuer(
        "Slack",
        "https://docs.slack.dev/authentication/installing-with-oauth",
        ("/oauth/authorize", "/oauth/v2/authorize", "/openid/connect/authorize"),
    ),
    "vercel.com": Issuer(
        "Vercel",
        "https://vercel.com/docs/sign-in-with-vercel/authorization-server-api",
        ("/oauth/authorize",),
    ),
    "www.minimax.io": _MINIMAX,
    "www.npmjs.com": Issuer("npm", "https://docs.npmjs.com/cli/commands/npm-login", ("/login",)),
    **{f"oidc.{region}.amazonaws.com": _AWS_SSO for region in _AWS_REGIONS},
    **{f"{region}.signin.aws.amazon.com": _AWS_LOGIN for region in _AWS_REGIONS},
}
"""By host name."""


def known_issuer(url: str) -> Issuer | None:
    """Whose authorization endpoint it is; None if it is nobody's here.

    :raises Unsafe: it is no page that may be opened
    """
    issuer = ISSUERS.get(issuer_of_page(url, Policy()))
    if issuer is None or (issuer.endpoints and urlsplit(url).path not in issuer.endpoints):
        return None
    return issuer
