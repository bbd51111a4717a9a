"""The application: every address of the console, and what answers there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Thread

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from grader.errors import GraderError
from grader.web import entrance, lists, marking, teamwork, together, trialing
from grader.web.console import Console, Visit
from grader.web.gate import Gate
from grader.web.press import page, static_files

Page = Callable[[Visit], Response]
PAGES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/", lists.overview),
    ("GET", "/item/{item}", lists.item_list),
    ("GET", "/weigh/{item}", lists.weighing),
    ("POST", "/weigh/{item}", lists.weigh),
    ("GET", "/step/{item}", marking.step),
    ("GET", "/mark/{item}/{code}", marking.show),
    ("POST", "/mark/{item}/{code}", marking.save),
    ("POST", "/back/{item}/{code}", marking.take_back),
    ("POST", "/flag/{item}/{code}", marking.flag),
    ("POST", "/hold/{item}/{code}", marking.hold),
    ("POST", "/undo", marking.undo),
    ("POST", "/names", marking.names),
    ("GET", "/groups/{item}", together.groups),
    ("GET", "/group/{item}/{code}", together.group),
    ("POST", "/group/{item}/{code}", together.give),
    ("GET", "/pairs/{item}", together.pairs),
    ("GET", "/waiting", lists.waiting),
    ("GET", "/requests", lists.requests),
    ("GET", "/trial/{item}", trialing.show),
    ("POST", "/trial/{item}", trialing.begin),
    ("GET", "/trial/{item}/{code}", trialing.sheet),
    ("POST", "/trial/{item}/{code}", trialing.give),
    ("GET", "/team", teamwork.show),
    ("POST", "/team/share", teamwork.share),
    ("POST", "/team/unshare", teamwork.unshare),
    ("POST", "/team/admit", teamwork.admit),
    ("POST", "/team/dismiss", teamwork.dismiss),
    ("POST", "/sign-out", entrance.sign_out),
)


def application(console: Console, *, name: str) -> ASGIApp:
    """The console behind its gate.

    Args:
        console: what it shows.
        name: who started it.
    """

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        console.renewing.start()
        Thread(target=console.likeness.warm, args=(console.rubric.items,), daemon=True).start()
        try:
            yield
        finally:
            await run_in_threadpool(console.renewing.close)

    inner = Starlette(
        routes=_routes(),
        lifespan=life,
        exception_handlers={HTTPException: _no_page, GraderError: _fault},
    )
    gate = Gate(inner, rules=console.rules, sessions=console.sessions, name=name)
    inner.state.console, inner.state.gate, inner.state.owner = console, gate, name
    return gate


def _routes() -> list[BaseRoute]:
    return [
        Route("/static/{version}/{name}", _static),
        Route("/sign-in", entrance.door, methods=["GET"]),
        Route("/sign-in", entrance.sign_in, methods=["POST"]),
        *(Route(path, _endpoint(page), methods=[method]) for method, path, page in PAGES),
    ]


def _endpoint(answers: Page) -> Callable[[Request], Response]:
    """In a thread of its own: pages wait for the gradebook."""

    def endpoint(request: Request) -> Response:
        return answers(Visit.of(request))

    return endpoint


def _static(request: Request) -> Response:
    """A file of ours, which a browser may keep: its address changes when it does."""
    found = static_files().get(request.path_params["name"])
    if found is None:
        raise HTTPException(404, "There is no such file.")
    data, kind = found
    keep = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(data, media_type=kind, headers=keep)


def _no_page(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    told = error.detail if isinstance(error, HTTPException) else ""
    return _told(request, told, status=status)


def _fault(request: Request, error: Exception) -> Response:
    return _told(request, str(error), status=503)


def _told(request: Request, told: str, *, status: int) -> Response:
    if request.scope.get("session") is None:
        return PlainTextResponse(told + "\n", status)
    return page(Visit.of(request), "trouble.html", status=status, told=told)
