"""Serves the console from a port of this computer until somebody ends it."""

from __future__ import annotations

import socket
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

import uvicorn

from grader.errors import UsageError
from grader.folder import Folder
from grader.gradebook import Gradebook
from grader.model import Rubric
from grader.web.answer_index import Shelf
from grader.web.application import application
from grader.web.background_publisher import Renewing
from grader.web.console import Console
from grader.web.current_marks import Standing
from grader.web.request_guard import Rules
from grader.web.similarity_cache import Likeness

PORT = 8642
LOCAL = "127.0.0.1"
OWN_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
GRACE_S = 5
OPENS_AFTER_S = 0.5
REQUESTS = "requests.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How a console is served."""

    name: str
    """Who starts it."""
    port: int | None = None
    """None for the usual one, or any that is free."""
    host: str | None = None
    """An address to share it at; None for this computer alone."""
    names: tuple[str, ...] = ()
    """Other names that it is called by."""
    browser: bool = True
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A console that has its port and waits to be run."""

    console: Console
    server: uvicorn.Server
    place: socket.socket
    link: str
    """Where it is; on this computer alone, with the token that lets in."""


def serve(
    folder: Folder,
    *,
    book: Gradebook,
    rubric: Rubric,
    service: Service,
    tell: Callable[[str], None],
) -> None:
    """Serve until interrupted.

    Args:
        folder: what `grade` wrote.
        book: its gradebook.
        rubric: what it was graded by.
        service: where, and for whom.
        tell: prints a line.

    Raises:
        UsageError: the port or the address can't be had.
    """
    made = ready(folder, book=book, rubric=rubric, service=service)
    tell(made.link)
    if service.browser and service.host is None:
        opener = Timer(OPENS_AFTER_S, webbrowser.open, [made.link])
        opener.daemon = True
        opener.start()
    made.server.run(sockets=[made.place])


def ready(folder: Folder, *, book: Gradebook, rubric: Rubric, service: Service) -> Ready:
    """A console with a port of its own, all it shows read.

    Raises:
        UsageError: the port or the address can't be had.
    """
    place = _socket(service)
    port = place.getsockname()[1]
    shelf = Shelf(book, rubric=rubric)
    console = Console(
        book=book,
        rubric=rubric,
        shelf=shelf,
        likeness=Likeness(shelf),
        standing=Standing(book),
        renewing=Renewing(folder, book=book, rubric=rubric),
        rules=_rules(service, port=port),
        requests=folder.path / REQUESTS,
    )
    shelf.look()  # now, so that the first page comes at once
    config = uvicorn.Config(
        application(console, name=service.name),
        access_log=False,  # a token stands in an address
        log_level="warning",
        server_header=False,
        lifespan="on",
        ws="none",
        timeout_graceful_shutdown=GRACE_S,
        ssl_certfile=service.certificate,
        ssl_keyfile=service.key,
    )
    link = _link(console, service, port=port)
    return Ready(console=console, server=uvicorn.Server(config), place=place, link=link)


def _rules(service: Service, *, port: int) -> Rules:
    shared = service.host is not None
    named = {name.lower() for name in (*service.names, service.host or "") if name}
    if shared:
        named |= {socket.gethostname().lower(), socket.getfqdn().lower()}
    return Rules(
        hosts=OWN_NAMES | named,
        addresses=shared,
        shared=shared,
        secure=service.certificate is not None,
        cookie=f"grade-{port}",
    )


def _link(console: Console, service: Service, *, port: int) -> str:
    scheme = "https" if service.certificate else "http"
    if service.host is None:
        return f"{scheme}://{LOCAL}:{port}/?token={console.sessions.token}"
    everywhere = service.host in {"0.0.0.0", "::"}  # noqa: S104 (compared, not bound)
    host = socket.gethostname() if everywhere else service.host
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"


def _socket(service: Service) -> socket.socket:
    """Bound before anything is printed: the link is true."""
    host = service.host or LOCAL
    try:
        family, _, _, _, _ = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
        return _bound(family, host, PORT if service.port is None else service.port)
    except OSError as error:
        if service.port is None and service.host is None:
            return _bound(socket.AF_INET, host, 0)
        told = error.strerror or str(error)
        raise UsageError(f"{host}: can't be served there ({told}); try another --port") from error


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    made.set_inheritable(True)
    return made
