"""An MCP server with one tool, and its authorization server: MCP 2025-06-18, RFC 9728 and 7591."""

from __future__ import annotations

import secrets
from typing import Any

from tests.lab.identity.message import Request, Response, Routes, json_response
from tests.lab.identity.oauth import AuthorizationCodes, Refused, tokens
from tests.lab.identity.person import Person

ISSUER = "https://mcp.lab.test"
RESOURCE = f"{ISSUER}/mcp"
PROTOCOL = "2025-06-18"

_TOOL = {
    "name": "echo",
    "description": "Returns its text.",
    "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}},
}


def _protected_resource(_request: Request) -> Response:
    """RFC 9728."""
    return json_response(200, {"resource": RESOURCE, "authorization_servers": [ISSUER]})


def _authorization_server(_request: Request) -> Response:
    """RFC 8414."""
    metadata = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
        "registration_endpoint": f"{ISSUER}/register",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
    }
    return json_response(200, metadata)


class MCP:
    """The resource and its authorization server on one host."""

    hosts = ("mcp.lab.test",)

    def __init__(self, person: Person) -> None:
        self._codes = AuthorizationCodes("MCP", person, "/approve", self._registered)
        self._clients: dict[str, list[str]] = {}
        self._access_tokens: set[str] = set()
        host = self.hosts[0]
        self.routes: Routes = {
            (host, "GET", "/.well-known/oauth-protected-resource"): _protected_resource,
            (host, "GET", "/.well-known/oauth-protected-resource/mcp"): _protected_resource,
            (host, "GET", "/.well-known/oauth-authorization-server"): _authorization_server,
            (host, "POST", "/register"): self._register,
            (host, "GET", "/authorize"): self._codes.authorize,
            (host, "POST", "/approve"): self._codes.approve,
            (host, "POST", "/token"): self._token,
            **{(host, method, "/mcp"): self._resource for method in ("GET", "POST", "DELETE")},
        }

    def _register(self, request: Request) -> Response:
        wanted = request.json
        redirect_uris = wanted.get("redirect_uris")
        if not isinstance(redirect_uris, list) or not redirect_uris:
            return json_response(400, {"error": "invalid_redirect_uri"})
        client_id = f"lab-{secrets.token_hex(6)}"
        self._clients[client_id] = [str(uri) for uri in redirect_uris]
        return json_response(201, {**wanted, "client_id": client_id})

    def _registered(self, client_id: str, redirect_uri: str) -> bool:
        return redirect_uri in self._clients.get(client_id, [])

    def _token(self, request: Request) -> Response:
        try:
            asked = self._codes.redeem(request.form)
        except Refused as refusal:
            return refusal.response
        answer = tokens(ISSUER, asked.scope or "mcp")
        self._access_tokens.add(answer["access_token"])
        return json_response(200, answer)

    def _resource(self, request: Request) -> Response:
        scheme, _, access_token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or access_token not in self._access_tokens:
            metadata = f"{ISSUER}/.well-known/oauth-protected-resource/mcp"
            challenge = f'Bearer resource_metadata="{metadata}"'
            return Response(401, headers={"WWW-Authenticate": challenge})
        if request.method == "DELETE":
            return Response(200)
        if request.method != "POST":
            return Response(405, headers={"Allow": "POST, DELETE"})
        return self._call(request.json)

    def _call(self, message: dict[str, Any]) -> Response:
        """One JSON-RPC message of the streamable HTTP transport."""
        if "id" not in message:
            return Response(202)
        results: dict[str, dict[str, Any]] = {
            "initialize": {
                "protocolVersion": PROTOCOL,
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "lab", "version": "1"},
            },
            "tools/list": {"tools": [_TOOL]},
            "ping": {},
        }
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": message["id"]}
        method = str(message.get("method", ""))
        if method in results:
            answer["result"] = results[method]
        else:
            answer["error"] = {"code": -32601, "message": f"Method not found: {method}"}
        return json_response(200, answer)
