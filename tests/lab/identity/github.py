"""GitHub, as `gh auth login` uses it: a device code, and a user to ask for afterwards."""

from __future__ import annotations

from tests.lab.identity.device import DeviceCodes
from tests.lab.identity.message import Request, Response, Routes, json_response
from tests.lab.identity.oauth import Refused
from tests.lab.identity.person import Person

LOGIN = "lab-user"
ACCESS_TOKEN = "gho_" + "0" * 36


def _api(_request: Request) -> Response:
    answer = json_response(200, {"data": {"viewer": {"login": LOGIN}}})
    scopes = {"X-OAuth-Scopes": "gist, read:org, repo, admin:public_key"}
    return Response(200, answer.body, {**answer.headers, **scopes})


class GitHub:
    """The device grant; its endpoints answer errors with 200, as GitHub's do."""

    hosts = ("github.com", "api.github.com")

    def __init__(self, person: Person) -> None:
        self._devices = DeviceCodes("GitHub", person, "https://github.com/login/device", complete=False)
        self.routes: Routes = {
            ("github.com", "POST", "/login/device/code"): self._devices.authorize,
            ("github.com", "GET", "/login/device"): self._devices.visit,
            ("github.com", "POST", "/login/oauth/access_token"): self._token,
            ("api.github.com", "GET", "/"): _api,
            ("api.github.com", "POST", "/graphql"): _api,
        }

    def _token(self, request: Request) -> Response:
        try:
            device = self._devices.poll(request.form)
        except Refused as refusal:
            return Response(200, refusal.response.body, refusal.response.headers)
        answer = {"access_token": ACCESS_TOKEN, "token_type": "bearer", "scope": device.scope}
        return json_response(200, answer)
