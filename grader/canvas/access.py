"""Where Canvas is, and the token that opens it: checked before anything is sent."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from grader.errors import UsageError

SERVICE = "notebook-grader"
"""The name of the token's entry in a keyring; the host is its user."""
_PORTS = {"http": 80, "https": 443}
Origin = tuple[str, str, int]
"""Scheme, host and port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanvasAccess:
    """An address of Canvas, and a token for it."""

    url: str
    """Without a slash at its end."""
    token: str = field(repr=False)


def origin_of(url: str) -> Origin:
    """Return scheme, host and port of an address; empty ones where it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return "", "", 0
    return parts.scheme, (parts.hostname or "").lower(), port


def is_safe(url: str) -> bool:
    """Return whether nobody between can read what is sent: HTTPS, or this computer itself."""
    scheme, host, _ = origin_of(url)
    return bool(host) and (scheme == "https" or (scheme == "http" and _is_loopback(host)))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def canvas_url(address: str) -> str:
    """Return an address of Canvas without path and slash.

    Raises:
        UsageError: It is none, or not HTTPS.
    """
    address = address.strip()
    if address and "//" not in address:
        address = f"https://{address}"
    if not is_safe(address):
        raise UsageError(
            f"{address or 'no address of Canvas'}: say where it is with --url or in CANVAS_URL, "
            "such as https://canvas.example.edu; without https the token could be read on its way"
        )
    parts: SplitResult = urlsplit(address)
    if parts.username or parts.password:
        raise UsageError("the address of Canvas must hold no password")
    return f"{parts.scheme}://{parts.netloc}"


def open_access(*, address: str | None, token: str | None) -> CanvasAccess:
    """Return the access to Canvas; a token that is not given is looked up in the keyring.

    Raises:
        UsageError: The address or the token is missing, or not valid.
    """
    url = canvas_url(address or "")
    usable_token = (token or "").strip() or (_keyring_token(url) or "").strip()
    if not usable_token:
        raise UsageError(
            "no token for Canvas: put one into the variable CANVAS_TOKEN (Canvas: Account, "
            f"Settings, New Access Token), or into a keyring: keyring set {SERVICE} "
            f"{origin_of(url)[1]}"
        )
    if not usable_token.isascii() or not usable_token.isprintable() or " " in usable_token:
        raise UsageError("the token for Canvas holds characters that no token has")
    return CanvasAccess(url=url, token=usable_token)


def _keyring_token(url: str) -> str | None:
    """Return the token that the keyring has for a host; None without a keyring."""
    try:
        import keyring  # noqa: PLC0415 (optional, and slow to import)
        from keyring.errors import KeyringError  # noqa: PLC0415 (as above)
    except ImportError:
        return None
    try:
        token: str | None = keyring.get_password(SERVICE, origin_of(url)[1])
    except KeyringError:
        return None
    return token
