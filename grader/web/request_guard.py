"""The request guard: refuses every request that is not valid, before any page handles it."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from grader.errors import GraderError
from grader.web.sessions import Session, Sessions

MAX_FORM_BYTES = 256 << 10
"""A larger form is refused; only a long comment comes near it."""
MAX_FIELDS = 200
FORM_TYPE = "application/x-www-form-urlencoded"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
Form = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRules:
    """Who may reach the console, and how."""

    hosts: frozenset[str]
    """Host names that the Host header may hold, in lower case."""
    any_address: bool
    """Whether it may hold any IP address: DNS rebinding needs a name."""
    shared: bool
    """Whether people sign in by name and password, not by the token."""
    secure: bool = False
    """Whether it is served over TLS."""
    cookie: str = "grade"


class RequestRefused(GraderError):
    """A request is refused, with this response."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.response = PlainTextResponse(message + "\n", status)


class RequestGuard:
    """An ASGI application around another, which gets only valid requests, with session and form."""

    def __init__(self, app: ASGIApp, *, rules: AccessRules, sessions: Sessions, name: str) -> None:
        self._app = app
        self._rules = rules
        self._sessions = sessions
        self._owner_name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            response = await self._early_response(scope, receive)
        except RequestRefused as refused:
            response = refused.response
        await (response or self._app)(scope, receive, send_with_headers)

    async def _early_response(self, scope: Scope, receive: Receive) -> Response | None:
        """Return the response to a request that ends here; None to pass it on."""
        headers = Headers(scope=scope)
        self._verify_host(headers)
        if scope["method"] not in {"GET", "HEAD", "POST"}:
            raise RequestRefused(405, "Only GET, HEAD and POST are allowed.")
        is_post = scope["method"] == "POST"
        if is_post:
            self._verify_origin(headers, secure=self._rules.secure)
        scope["form"] = await _read_form(headers, receive) if is_post else ()
        scope["session"] = self._sessions.for_cookie(self._read_cookie(headers))
        if scope["path"].startswith("/static/"):
            return None
        if scope["path"] == "/sign-in" and self._rules.shared:
            return None
        return self._require_session(scope, headers)

    def _require_session(self, scope: Scope, headers: Headers) -> Response | None:
        """Pass only requests with a session, and only forms from pages of this console."""
        is_post, session = scope["method"] == "POST", scope["session"]
        if not (self._rules.shared or is_post):
            query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
            if "token" in query:
                return self._redeem_token(query["token"], path=scope["path"])
        if session is None:
            return self._refuse_stranger(scope, headers)
        if is_post:
            _verify_csrf_token(headers, scope["form"], session=session)
        return None

    def _redeem_token(self, token: str, *, path: str) -> Response:
        """Exchange the token of the link for a cookie, and drop it from the address."""
        if not self._sessions.accepts_token(token):
            raise RequestRefused(
                403, "This link is from an earlier start. Use the one printed last."
            )
        local_path = "/" + path.lstrip("/\\")  # '//elsewhere' would be another server
        response = RedirectResponse(local_path, 303)
        self.set_session_cookie(response, self._sessions.start(self._owner_name, owner=True))
        return response

    def set_session_cookie(self, response: Response, session: Session) -> None:
        """Set the cookie of a session."""
        response.set_cookie(
            self._rules.cookie,
            session.id,
            httponly=True,
            samesite="strict",
            secure=self._rules.secure,
            path="/",
        )

    def _refuse_stranger(self, scope: Scope, headers: Headers) -> Response:
        """Refuse somebody who is not signed in, or lead them to the page for it and back.

        A page that is open already (it asks by htmx) stays: it says so and leads there itself.
        """
        if self._rules.shared and scope["method"] != "POST" and "hx-request" not in headers:
            query = scope["query_string"].decode("latin-1")
            here = f"{scope['path']}?{query}" if query else scope["path"]
            wanted = f"?{urlencode({'next': here})}" if scope["path"] != "/" else ""
            return RedirectResponse(f"/sign-in{wanted}", 303)
        message = (
            "Not signed in."
            if self._rules.shared
            else "Open the link that `grade mark` printed last."
        )
        raise RequestRefused(403, message)

    def _read_cookie(self, headers: Headers) -> str:
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load(headers.get("cookie", ""))
        except CookieError:
            return ""
        return jar[self._rules.cookie].value if self._rules.cookie in jar else ""

    def _verify_host(self, headers: Headers) -> None:
        """Refuse unknown host names, which another site could let resolve to this computer."""
        host_headers = headers.getlist("host")
        try:
            name = urlsplit(f"//{host_headers[0]}").hostname if len(host_headers) == 1 else None
        except ValueError:
            name = None
        if not name or not (
            name.lower() in self._rules.hosts or (self._rules.any_address and _is_address(name))
        ):
            raise RequestRefused(421, "Unknown host name. To allow it, start with --name.")

    @staticmethod
    def _verify_origin(headers: Headers, *, secure: bool) -> None:
        """Refuse forms from other sites, by headers that every current browser sends."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        own = f"{'https' if secure else 'http'}://{headers['host']}"
        # Without a referrer a browser calls the origin of its own forms 'null'.
        if site not in {None, "same-origin"} or origin not in {None, "null", own}:
            raise RequestRefused(403, "Refused: the form came from another site.")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _read_form(headers: Headers, receive: Receive) -> Form:
    """Read the fields of a form, up to a limit."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise RequestRefused(415, "Only forms are accepted.")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MAX_FORM_BYTES:
        raise RequestRefused(413, f"Too large: the limit is {MAX_FORM_BYTES >> 10} kB.")
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestRefused(400, "The form arrived incomplete.")
        body += message.get("body", b"")
        if len(body) > MAX_FORM_BYTES:
            raise RequestRefused(413, f"Too large: the limit is {MAX_FORM_BYTES >> 10} kB.")
        if not message.get("more_body", False):
            break
    try:
        text = body.decode("ascii")
        return tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError as error:
        raise RequestRefused(400, "This is not a form.") from error


def _verify_csrf_token(headers: Headers, form: Form, *, session: Session) -> None:
    sent = headers.get("x-csrf-token") or dict(form).get("csrf", "")
    if not hmac.compare_digest(sent.encode("utf-8", "replace"), session.csrf.encode("ascii")):
        raise RequestRefused(403, "This page is from an earlier session. Load it again.")
