"""The device authorization grant, which several providers share: RFC 8628."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.lab.identity.message import Request, Response, json_response, page
from tests.lab.identity.oauth import DENIED, Refused
from tests.lab.identity.person import Decision, Person

DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

_USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628 section 6.1


@dataclass
class Device:
    """One device authorization: RFC 8628 section 3.2."""

    device_code: str
    user_code: str
    client_id: str
    scope: str
    code_challenge: str
    answer: Decision | None = None


class DeviceCodes:
    """The device authorization grant: RFC 8628. A visit to the page with the code decides.

    Unless it is `complete`, the answer has no address with the code in it.
    """

    def __init__(self, name: str, person: Person, verification_uri: str, *, complete: bool = True) -> None:
        self._name = name
        self._person = person
        self._verification_uri = verification_uri
        self._complete = complete
        self._devices: dict[str, Device] = {}

    def issue(self, form: Mapping[str, Any]) -> Device:
        """A new device; `form` is what the client sent."""
        device = Device(
            device_code=secrets.token_urlsafe(32),
            user_code="-".join(
                "".join(secrets.choice(_USER_CODE_LETTERS) for _ in range(4)) for _ in range(2)
            ),
            client_id=str(form.get("client_id", "")),
            scope=str(form.get("scope", "")),
            code_challenge=str(form.get("code_challenge", "")),
        )
        self._devices[device.user_code] = device
        return device

    def authorize(self, request: Request) -> Response:
        """The device authorization endpoint."""
        device = self.issue(request.form)
        answer: dict[str, object] = {
            "device_code": device.device_code,
            "user_code": device.user_code,
            "verification_uri": self._verification_uri,
            "expires_in": 600,
            "interval": 1,
        }
        if self._complete:
            complete = f"{self._verification_uri}?user_code={device.user_code}"
            answer["verification_uri_complete"] = complete
        return json_response(200, answer)

    def visit(self, request: Request) -> Response:
        """The verification page: asks for the code if the address has none."""
        title = f"{self._name}: connect a device"
        user_code = request.query.get("user_code", "").strip().upper()
        if not user_code:
            form = '<form><input name="user_code" autofocus><button>Continue</button></form>'
            return page(title, "Enter the code that your device shows.", form)
        device = self._devices.get(user_code)
        if device is None:
            return page(title, "This code is unknown or was used.", status=404)
        decision = self._person.decision
        if decision is Decision.HANG:
            return page(title, "Nobody decides here.")
        device.answer = decision
        denied = decision is Decision.DENY
        return page(title, "Access was denied." if denied else "Your device is connected.")

    def find(self, user_code: str) -> Device | None:
        """The device that shows this code, unless it is finished."""
        return self._devices.get(user_code)

    def finish(self, device: Device) -> None:
        """Forgets a device: its code is no longer of any use."""
        self._devices.pop(device.user_code, None)

    def poll(self, form: Mapping[str, Any]) -> Device:
        """The token endpoint's check of a device code. Raises Refused: RFC 8628 section 3.5."""
        code = form.get("device_code")
        device = next((d for d in self._devices.values() if d.device_code == code), None)
        if device is None:
            raise Refused("expired_token", "The device code is unknown or expired")
        if device.client_id != form.get("client_id"):
            raise Refused("invalid_grant", "The device code belongs to another client")
        if device.answer is None:
            raise Refused("authorization_pending", "Nobody has decided yet")
        self.finish(device)
        if device.answer is Decision.DENY:
            raise Refused("access_denied", DENIED["error_description"])
        if device.answer is Decision.TOKEN_400:
            raise Refused("invalid_grant", "The lab's token endpoint refuses every code")
        return device
