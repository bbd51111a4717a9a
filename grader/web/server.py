"""Serves the console from a port of this computer until it is interrupted."""

from __future__ import annotations

import socket
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

import uvicorn

from grader.errors import UsageError
from grader.folder import OutputFolder
from grader.gradebook import Gradebook
from grader.model import Rubric
from grader.web.answer_index import AnswerIndex
from grader.web.application import build_application
from grader.web.background_publisher import BackgroundPublisher
from grader.web.class_similarity import ClassSimilarity
from grader.web.console import Console
from grader.web.request_guard import AccessRules
from grader.web.revision_cache import RevisionCache

PORT = 8642
LOCAL = "127.0.0.1"
OWN_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
GRACE_S = 5
BROWSER_DELAY_S = 0.5
REQUESTS_FILE = "requests.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """The options of the command line for serving a console."""

    name: str
    """The grader who starts it."""
    port: int | None = None
    """None for the default one, or any that is free."""
    host: str | None = None
    """An address to share it at; None for this computer alone."""
    names: tuple[str, ...] = ()
    """Other host names that it is reached by."""
    browser: bool = True
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyConsole:
    """A console with its port, ready to be run."""

    console: Console
    server: uvicorn.Server
    listener: socket.socket
    link: str
    """Its address; with the token that signs in, where it is not shared."""


def serve(
    folder: OutputFolder,
    *,
    book: Gradebook,
    rubric: Rubric,
    service: ServerOptions,
    print_line: Callable[[str], None],
) -> None:
    """Serve until interrupted.

    Args:
        folder: the folder that `grade` wrote.
        book: its gradebook.
        rubric: the rubric that it was graded by.
        service: the address, and the grader's name.
        print_line: prints a line.

    Raises:
        UsageError: the port or the address is not available.
    """
    ready_console = prepare_console(folder, book=book, rubric=rubric, service=service)
    print_line(ready_console.link)
    if service.browser and service.host is None:
        opener = Timer(BROWSER_DELAY_S, webbrowser.open, [ready_console.link])
        opener.daemon = True
        opener.start()
    ready_console.server.run(sockets=[ready_console.listener])


def prepare_console(
    folder: OutputFolder, *, book: Gradebook, rubric: Rubric, service: ServerOptions
) -> ReadyConsole:
    """Return a console with a port of its own and its answer index loaded.

    Raises:
        UsageError: the port or the address is not available.
    """
    listener = _bind_socket(service)
    port = listener.getsockname()[1]
    cache = RevisionCache()
    answer_index = AnswerIndex(book, rubric=rubric, cache=cache)
    console = Console(
        book=book,
        rubric=rubric,
        answer_index=answer_index,
        cache=cache,
        similarity=ClassSimilarity(answer_index, cache=cache),
        publisher=BackgroundPublisher(folder, book=book, rubric=rubric),
        rules=_access_rules(service, port=port),
        requests_path=folder.path / REQUESTS_FILE,
    )
    answer_index.refresh()  # now, so that the first page is fast
    config = uvicorn.Config(
        build_application(console, name=service.name),
        access_log=False,  # an address may contain a token
        log_level="warning",
        server_header=False,
        lifespan="on",
        ws="none",
        timeout_graceful_shutdown=GRACE_S,
        ssl_certfile=service.certificate,
        ssl_keyfile=service.key,
    )
    listener.listen(config.backlog)  # who follows the link at once waits, and is not refused
    link = _link(console, service, port=port)
    return ReadyConsole(
        console=console, server=uvicorn.Server(config), listener=listener, link=link
    )


def _access_rules(service: ServerOptions, *, port: int) -> AccessRules:
    shared = service.host is not None
    named = {name.lower() for name in (*service.names, service.host or "") if name}
    if shared:
        named |= {socket.gethostname().lower(), socket.getfqdn().lower()}
    return AccessRules(
        hosts=OWN_NAMES | named,
        any_address=shared,
        shared=shared,
        secure=service.certificate is not None,
        cookie=f"grade-{port}",
    )


def _link(console: Console, service: ServerOptions, *, port: int) -> str:
    scheme = "https" if service.certificate else "http"
    if service.host is None:
        return f"{scheme}://{LOCAL}:{port}/?token={console.sessions.token}"
    everywhere = service.host in {"0.0.0.0", "::"}  # noqa: S104 (compared, not bound)
    host = socket.gethostname() if everywhere else service.host
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"


def _bind_socket(service: ServerOptions) -> socket.socket:
    """Bind before anything is printed, so that the link is true."""
    host = service.host or LOCAL
    try:
        family, _, _, _, _ = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
        return _bind(family, host, PORT if service.port is None else service.port)
    except OSError as error:
        if service.port is None and service.host is None:
            return _bind(socket.AF_INET, host, 0)
        reason = error.strerror or str(error)
        raise UsageError(f"{host}: can't be served there ({reason}); try another --port") from error


def _bind(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.set_inheritable(True)
    return listener
