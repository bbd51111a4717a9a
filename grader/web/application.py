"""The application: every address of the console, and its handler."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Thread

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from grader.errors import GraderError
from grader.web import (
    calibration_pages,
    criteria_pages,
    lists,
    login,
    marking,
    notebook_page,
    review_pages,
    similar_answers,
    statistics_page,
    team_pages,
    undo_pages,
)
from grader.web.console import Console, Visit
from grader.web.page_rendering import render_page, static_files
from grader.web.request_guard import RequestGuard

Handler = Callable[[Visit], Response]
ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/", lists.show_overview),
    ("GET", "/item/{item}", lists.show_item),
    ("GET", "/weigh/{item}", criteria_pages.show_criteria),  # its address in earlier versions
    ("GET", "/criteria/{item}", criteria_pages.show_criteria),
    ("POST", "/criteria/{item}", criteria_pages.change_criteria),
    ("GET", "/statistics/{item}", statistics_page.show_statistics),
    ("GET", "/step/{item}", marking.step_to_answer),
    ("GET", "/mark/{item}/{code}", marking.show_answer),
    ("POST", "/mark/{item}/{code}", marking.save_mark),
    ("POST", "/back/{item}/{code}", undo_pages.take_back),
    ("POST", "/flag/{item}/{code}", marking.save_flag),
    ("POST", "/hold/{item}/{code}", marking.renew_lease),
    ("POST", "/undo", undo_pages.undo_last_step),
    ("POST", "/names", marking.toggle_names),
    ("GET", "/groups/{item}", similar_answers.show_groups),
    ("GET", "/group/{item}/{code}", similar_answers.show_group),
    ("POST", "/group/{item}/{code}", similar_answers.save_group_marks),
    ("GET", "/pairs/{item}", similar_answers.show_pairs),
    ("GET", "/waiting", review_pages.show_reviews),
    ("GET", "/waiting/{code}", review_pages.show_notebook),
    ("POST", "/waiting/{code}", review_pages.save_notebook),
    ("GET", "/notebook/{code}", notebook_page.show_notebook),
    ("GET", "/requests", lists.show_requests),
    ("GET", "/trial/{item}", calibration_pages.show_calibration),
    ("POST", "/trial/{item}", calibration_pages.start_calibration),
    ("POST", "/adopt/{item}", calibration_pages.adopt_marks),
    ("GET", "/trial/{item}/{code}", calibration_pages.show_calibration_answer),
    ("POST", "/trial/{item}/{code}", calibration_pages.save_calibration_mark),
    ("GET", "/team", team_pages.show_team),
    ("POST", "/team/share", team_pages.add_share),
    ("POST", "/team/unshare", team_pages.remove_share),
    ("POST", "/team/admit", team_pages.admit_grader),
    ("POST", "/team/dismiss", team_pages.dismiss_grader),
    ("GET", "/password", login.show_password),
    ("POST", "/password", login.change_password),
    ("POST", "/sign-out", login.sign_out),
)


def build_application(console: Console, *, name: str) -> ASGIApp:
    """Return the ASGI application of a console, behind its request guard.

    Args:
        console: the console.
        name: the grader who started it.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        console.publisher.start()
        Thread(
            target=console.similarity.precompute, args=(console.rubric.items,), daemon=True
        ).start()
        try:
            yield
        finally:
            await run_in_threadpool(console.publisher.close)

    starlette = Starlette(
        routes=[
            Route("/static/{version}/{name}", _serve_static),
            Route("/sign-in", login.show_sign_in, methods=["GET"]),
            Route("/sign-in", login.sign_in, methods=["POST"]),
            *(
                Route(path, _make_endpoint(handler), methods=[method])
                for method, path, handler in ROUTES
            ),
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: _handle_error, GraderError: _handle_error},
    )
    guard = RequestGuard(starlette, rules=console.rules, sessions=console.sessions, name=name)
    starlette.state.console, starlette.state.gate, starlette.state.owner = console, guard, name
    return guard


def _make_endpoint(handler: Handler) -> Callable[[Request], Response]:
    """Return an endpoint that Starlette runs in a thread: pages wait for the gradebook."""

    def endpoint(request: Request) -> Response:
        return handler(Visit.from_request(request))

    return endpoint


def _serve_static(request: Request) -> Response:
    """Serve a static file, which a browser may keep: its address changes when the file does."""
    file = static_files().get(request.path_params["name"])
    if file is None:
        raise HTTPException(404, "There is no such file.")
    data, kind = file
    keep = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(data, media_type=kind, headers=keep)


def _handle_error(request: Request, error: Exception) -> Response:
    status, message = 503, str(error)
    if isinstance(error, HTTPException):
        status, message = error.status_code, error.detail
    if request.scope.get("session") is None:
        return PlainTextResponse(message + "\n", status)
    return render_page(Visit.from_request(request), "trouble.html", status=status, message=message)
