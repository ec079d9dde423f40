"""The device authorization grant (RFC 8628): the server's side, its page, and the client's."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from string import Template, ascii_uppercase
from typing import Any

from hermes_tunnel.demo import authorization_server, grants, oauth_client
from hermes_tunnel.demo.authorization_page import message_page, page
from hermes_tunnel.demo.authorization_server import Answer, Response, say, show
from hermes_tunnel.demo.grants import InvalidRequest, TokenError
from hermes_tunnel.demo.oauth_client import ProviderRefused, post

DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_LIFETIME = 300  # seconds
_INTERVAL = 1  # seconds between two polls, as the server asks for
_USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628 section 6.1: no vowels, so no words
_CODE = Template("""<h1>Connect a device</h1>
<p>Enter the code that Hermes shows in your terminal.</p>
<form method="get" action="$action">
<label for="user_code">Code</label>
<input id="user_code" name="user_code" autocomplete="off" required autofocus>
<button class="yes">Continue</button>
</form>
""")


@dataclass
class DeviceRequest:
    """A device that waits; ``approved`` is the person's answer, None until there is one."""

    client_id: str
    scope: str
    user_code: str
    device_code: str = field(repr=False)
    expires: float
    approved: bool | None = None


class Grants(grants.Grants):
    """What was asked for and granted, to devices too."""

    def __init__(self, clients: Mapping[str, str]) -> None:
        super().__init__(clients)
        self._devices: list[DeviceRequest] = []

    def redeem(self, form: Mapping[str, str]) -> dict[str, object]:
        """The token endpoint (RFC 8628 sections 3.4 and 3.5)."""
        if form.get("grant_type") == DEVICE_CODE_GRANT:
            return self._token(self._redeem_device(form))
        return super().redeem(form)

    def issue_device(self, form: Mapping[str, str]) -> DeviceRequest:
        """The device authorization endpoint (RFC 8628 section 3.1)."""
        if form.get("client_id", "") not in self.clients:
            raise TokenError("invalid_client", "The client is unknown here")
        letters = [secrets.choice(_USER_CODE_LETTERS) for _ in range(8)]
        device = DeviceRequest(
            client_id=form["client_id"],
            scope=form.get("scope", ""),
            user_code=f"{''.join(letters[:4])}-{''.join(letters[4:])}",
            device_code=secrets.token_urlsafe(32),
            expires=time.monotonic() + _LIFETIME,
        )
        self._devices.append(device)
        return device

    def find_device(self, user_code: str) -> DeviceRequest | None:
        """The waiting device that shows this code; lower case and missing hyphens do not matter."""
        typed = "".join(char for char in user_code.upper() if char in ascii_uppercase)
        waiting = (one for one in self._devices if one.approved is None and one.expires > time.monotonic())
        return next((one for one in waiting if one.user_code.replace("-", "") == typed), None)

    def _redeem_device(self, form: Mapping[str, str]) -> str:
        code = form.get("device_code", "").encode()
        device = next(
            (one for one in self._devices if hmac.compare_digest(one.device_code.encode(), code)), None
        )
        if device is None or device.client_id != form.get("client_id"):
            raise TokenError("invalid_grant", "The device code is unknown or used")
        if device.expires < time.monotonic():
            raise TokenError("expired_token", "The device code has expired")
        if device.approved is None:
            raise TokenError("authorization_pending", "Nobody has answered yet")
        self._devices.remove(device)
        if not device.approved:
            raise TokenError("access_denied", "The person denied access")
        return device.scope


class AuthorizationServer(authorization_server.AuthorizationServer):
    """The demo's server, which serves devices, too."""

    grants: Grants

    def __init__(self, clients: Mapping[str, str], answer: Answer | None = None) -> None:
        super().__init__(clients, answer)
        self.grants = Grants(clients)
        self.device_authorization_endpoint = f"{self.origin}/device/code"
        self.verification_uri = f"{self.origin}/device"

    def _route(self, route: str, query: Mapping[str, str], form: Mapping[str, str]) -> Response:
        if route == "GET /device":
            return self._verify(query.get("user_code", ""))
        if route == "POST /device/code":
            return self._device(self.grants.issue_device(form))
        return super()._route(route, query, form)

    def _device(self, device: DeviceRequest) -> Response:
        answer = {
            "device_code": device.device_code,
            "user_code": device.user_code,
            "verification_uri": self.verification_uri,
            "verification_uri_complete": f"{self.verification_uri}?user_code={device.user_code}",
            "expires_in": _LIFETIME,
            "interval": _INTERVAL,
        }
        return say(200, answer)

    def _verify(self, user_code: str) -> Response:
        if not user_code:
            return show(200, page("Connect a device", _CODE, "'self'", action="/device"))
        device = self.grants.find_device(user_code)
        if device is None:
            raise InvalidRequest("This code is unknown here, or was used, or has expired.")
        return self._ask(
            partial(self._connect, device),
            client=self.grants.clients[device.client_id],
            scope=device.scope,
            detail=("The code in your terminal must be", device.user_code),
            redirect="",
        )

    def _connect(self, device: DeviceRequest, answer: Answer) -> Response:
        device.approved = answer is Answer.APPROVE
        if device.approved:
            return show(200, message_page("Your device is connected", "You can go back to the terminal."))
        return show(200, message_page("Access was denied", "Hermes was told so. You can close this page."))


@dataclass(frozen=True)
class Client(oauth_client.Client):
    """A public client that may run on a device."""

    server: AuthorizationServer

    def request_device(self) -> dict[str, Any]:
        """A device authorization response (RFC 8628 section 3.2)."""
        form = {"client_id": self.client_id, "scope": self.scope}
        return post(self.server.device_authorization_endpoint, form)

    def redeem_device(self, device_code: str) -> str | None:
        """The access token of a device, None while nobody has answered, or ``ProviderRefused``."""
        form = {"grant_type": DEVICE_CODE_GRANT, "client_id": self.client_id, "device_code": device_code}
        answer = post(self.server.token_endpoint, form)
        if answer.get("error") == "authorization_pending":
            return None
        if "error" in answer:
            raise ProviderRefused(answer["error_description"])
        return str(answer["access_token"])
