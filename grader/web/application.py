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
from grader.web import calibration_pages, lists, login, marking, similar_answers, team_pages
from grader.web.console import Console, Visit
from grader.web.page_rendering import page, static_files
from grader.web.request_guard import Gate

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
    ("GET", "/groups/{item}", similar_answers.groups),
    ("GET", "/group/{item}/{code}", similar_answers.group),
    ("POST", "/group/{item}/{code}", similar_answers.give),
    ("GET", "/pairs/{item}", similar_answers.pairs),
    ("GET", "/waiting", lists.waiting),
    ("GET", "/requests", lists.requests),
    ("GET", "/trial/{item}", calibration_pages.show),
    ("POST", "/trial/{item}", calibration_pages.begin),
    ("GET", "/trial/{item}/{code}", calibration_pages.sheet),
    ("POST", "/trial/{item}/{code}", calibration_pages.give),
    ("GET", "/team", team_pages.show),
    ("POST", "/team/share", team_pages.share),
    ("POST", "/team/unshare", team_pages.unshare),
    ("POST", "/team/admit", team_pages.admit),
    ("POST", "/team/dismiss", team_pages.dismiss),
    ("POST", "/sign-out", login.sign_out),
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
        Route("/sign-in", login.door, methods=["GET"]),
        Route("/sign-in", login.sign_in, methods=["POST"]),
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
