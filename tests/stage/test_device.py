"""The device authorization grant, spoken to over HTTP."""

from __future__ import annotations

import json
from urllib.parse import urlencode, urlsplit

from tests.demo.test_authorization_server import CLIENT, handle, send
from tests.stage.device import DEVICE_CODE_GRANT, AuthorizationServer


def test_a_device_waits_until_the_person_has_answered() -> None:
    """The server says pending, gives a token, then nothing more (RFC 8628 section 3.5)."""
    with AuthorizationServer({CLIENT: "Hermes"}) as server:
        device = json.loads(send(server, "POST", "/device/code", {"client_id": CLIENT})[1])
        form = {"grant_type": DEVICE_CODE_GRANT, "client_id": CLIENT, "device_code": device["device_code"]}
        assert json.loads(send(server, "POST", "/token", form)[1])["error"] == "authorization_pending"
        response, page = send(server, "GET", urlsplit(device["verification_uri"]).path)
        assert response.status == 200
        assert 'name="user_code"' in page
        typed = device["user_code"].lower().replace("-", " ")
        _, page = send(server, "GET", f"/device?{urlencode({'user_code': typed})}")
        assert device["user_code"] in page
        _, page = send(server, "POST", "/answer", {"request": handle(page), "answer": "approve"})
        assert "connected" in page
        assert json.loads(send(server, "POST", "/token", form)[1])["access_token"] in server.grants.tokens
        assert json.loads(send(server, "POST", "/token", form)[1])["error"] == "invalid_grant"
        assert send(server, "GET", f"/device?{urlencode({'user_code': typed})}")[0].status == 400
