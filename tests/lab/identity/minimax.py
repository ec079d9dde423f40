"""MiniMax: a user code with PKCE; polling answers 200 with a status."""

from __future__ import annotations

import time

from tests.lab.identity.device import DeviceCodes
from tests.lab.identity.message import Request, Response, Routes, json_response
from tests.lab.identity.oauth import LIFETIME, jwt, s256
from tests.lab.identity.person import Decision, Person

_DOMAINS = ("minimax.io", "minimaxi.com")
_NAMES = ("api", "account", "www", "platform")


class MiniMax:
    """The global region and the Chinese one."""

    hosts = tuple(f"{name}.{domain}" for domain in _DOMAINS for name in _NAMES)

    def __init__(self, person: Person) -> None:
        self._person = person
        self._devices = DeviceCodes("MiniMax", person, "")
        self.routes: Routes = {}
        for domain in _DOMAINS:
            self.routes[f"api.{domain}", "POST", "/oauth/code"] = self._code
            self.routes[f"api.{domain}", "POST", "/oauth/token"] = self._token
            self.routes[f"platform.{domain}", "GET", "/oauth-authorize"] = self._devices.visit

    def _code(self, request: Request) -> Response:
        form = request.form
        device = self._devices.issue(form)
        domain = request.host.partition(".")[2]
        wrong = self._person.decision is Decision.WRONG_STATE
        answer = {
            "user_code": device.user_code,
            "verification_uri": f"https://platform.{domain}/oauth-authorize?user_code={device.user_code}",
            "expired_in": int((time.time() + 600) * 1000),
            "interval": 2000,
            "state": "wrong" if wrong else form.get("state", ""),
        }
        return json_response(200, answer)

    def _token(self, request: Request) -> Response:
        form = request.form
        device = self._devices.find(form.get("user_code", ""))
        if device is None or s256(form.get("code_verifier", "")) != device.code_challenge:
            return json_response(200, {"status": "error"})
        if device.answer is None:
            return json_response(200, {"status": "pending"})
        self._devices.finish(device)
        if device.answer is Decision.DENY:
            return json_response(200, {"status": "error"})
        if device.answer is Decision.TOKEN_400:
            message = "The lab's token endpoint refuses every code"
            return json_response(400, {"base_resp": {"status_code": 400, "status_msg": message}})
        answer = {
            "status": "success",
            "access_token": jwt(scope=device.scope),
            "refresh_token": jwt(use="refresh"),
            "token_type": "Bearer",
            "expired_in": int((time.time() + LIFETIME) * 1000),
        }
        return json_response(200, answer)
