"""A Canvas on loopback with an invented course: it answers as documented, and fails on demand.

Two servers of their own ports stand for Canvas and for where it keeps files. What answers look
like is from https://developerdocs.instructure.com (Assignments, Assignment overrides, Users,
Sections, Submissions, File uploads, Progress, Pagination, Throttling).
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

TOKEN = "7~invented-and-of-no-use"  # noqa: S105 (it opens nothing)
COURSE, ASSIGNMENT = 7, 412
DUE = "2031-11-20T05:59:00Z"
Json = dict[str, Any]


@dataclass
class FakeCanvas:
    """The course, what happened to it, and the faults that are asked for."""

    url: str = ""
    files_url: str = ""
    users: list[Json] = field(default_factory=list)
    sections: list[Json] = field(default_factory=list)
    assignment: Json = field(default_factory=dict)
    overrides: list[Json] = field(default_factory=list)
    left: set[int] = field(default_factory=set)
    """Who is not in the course any more."""
    submissions: dict[int, Json] = field(default_factory=dict)
    contents: dict[int, bytes] = field(default_factory=dict)
    """Bytes of files, by id."""
    page_size: int = 2
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of each request to Canvas."""
    file_requests: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and Authorization of each request to the server of files."""
    writes: list[dict[str, str]] = field(default_factory=list)
    """The fields of each bulk write."""
    throttle: list[int] = field(default_factory=list)
    """Statuses that the next requests get instead of an answer."""
    held_file: int | None = None
    """The file that is sent for ever: half of it comes."""
    detours: dict[int, str] = field(default_factory=dict)
    """Where the address of a file leads, instead of to the file."""
    failing_users: set[int] = field(default_factory=set)
    """Whose grades Canvas does not write, without a word."""
    ignores_rubric: bool = False
    """Whether it leaves its rubric empty, without a word."""
    progress_steps: int = 1
    """How often a write is asked for until it is done."""
    failed_progress: bool = False
    upload_status: int = 201
    waiting: dict[int, tuple[int, dict[str, str]]] = field(default_factory=dict)
    uploads: dict[int, Json] = field(default_factory=dict)
    next_id: int = 900_000
    dies_after_writes: int | None = None
    """After so many bulk writes Canvas answers no upload any more."""
    late_policy: float = 0.0
    """What Canvas's own late policy takes off a late score."""

    def add_student(self, user: int, name: str, **more: Any) -> None:
        """Enroll a student, who has submitted nothing yet."""
        last = name.rpartition(" ")[2]
        self.users.append(
            {
                "id": user,
                "name": name,
                "sortable_name": f"{last}, {name.rpartition(' ')[0]}",
                "short_name": name,
                "sis_user_id": f"s{user}",
                "login_id": f"login{user}",
                "email": f"u{user}@example.edu",
                "enrollments": [{"course_section_id": 31, "type": "StudentEnrollment"}],
                **more,
            }
        )
        self.submissions[user] = {
            "id": 50_000 + user,
            "user_id": user,
            "assignment_id": ASSIGNMENT,
            "workflow_state": "unsubmitted",
            "attempt": None,
            "submitted_at": None,
            "submission_type": None,
            "late": False,
            "missing": False,
            "excused": None,
            "score": None,
            "grade": None,
            "points_deducted": None,
            "group": {"id": None, "name": None},
            "submission_history": [],
            "submission_comments": [],
        }

    def hand_in(
        self,
        *users: int,
        at: str = "2031-11-19T20:00:00Z",
        late: bool = False,
        group: tuple[int, str] | None = None,
        files: Mapping[str, bytes] | None = None,
        **named: bytes,
    ) -> list[int]:
        """Hand in files as the next attempt; `__` in a keyword stands for a point. Their ids."""
        every = {name.replace("__", "."): data for name, data in named.items()} | dict(files or {})
        attachments = [self._keep(name, data) for name, data in every.items()]
        for user in users:
            submission = self.submissions[user]
            attempt = {
                "attempt": (submission["attempt"] or 0) + 1,
                "submitted_at": at,
                "submission_type": "online_upload",
                "late": late,
                "workflow_state": "submitted",
                "attachments": attachments,
            }
            submission |= attempt
            submission["submission_history"] = [*submission["submission_history"], attempt]
            if group:
                submission["group"] = {"id": group[0], "name": group[1]}
        return [attachment["id"] for attachment in attachments]

    def _keep(self, name: str, data: bytes) -> Json:
        self.next_id += 1
        number = self.next_id
        self.contents[number] = data
        return {
            "id": number,
            "uuid": f"uuid{number}",
            "folder_id": 1,
            "display_name": name,
            "filename": name,
            "content-type": "application/octet-stream",
            "size": len(data),
            "url": f"{self.url}/files/{number}/download?download_frd=1&verifier=v{number}",
            "locked": False,
        }

    # ------------------------------------------------------------ Canvas

    def _page(self, request: Request, entries: list[Json]) -> Response:
        """Answer one page, and where the others are."""
        page = int(request.query_params.get("page", "1"))
        size = min(self.page_size, int(request.query_params.get("per_page", "10")))
        shown = entries[(page - 1) * size : page * size]
        query = [(key, value) for key, value in request.query_params.multi_items() if key != "page"]
        base = f"{self.url}{request.url.path}"
        links = [f'<{base}?{urlencode([*query, ("page", "1")])}>; rel="first"']
        if page * size < len(entries):
            links.insert(0, f'<{base}?{urlencode([*query, ("page", str(page + 1))])}>; rel="next"')
        return JSONResponse(shown, headers={"Link": ",".join(links)})

    async def answer(self, request: Request) -> Response:
        """Answer a request to the API."""
        path = request.url.path
        self.requests.append((request.method, path))
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return JSONResponse(
                {"errors": [{"message": "Invalid access token."}]},
                status_code=401,
                headers={"WWW-Authenticate": 'Bearer realm="canvas-lms"'},
            )
        if self.throttle:
            status = self.throttle.pop(0)
            text = "403 Forbidden (Rate Limit Exceeded)\n" if status == 403 else "Too many"
            return Response(text, status_code=status, headers={"Retry-After": "2"})
        if request.method == "POST":
            return await self._write(request, path)
        return self._read(request, path)

    def _read(self, request: Request, path: str) -> Response:
        course = f"/api/v1/courses/{COURSE}"
        lists: dict[str, list[Json]] = {
            f"{course}/users": [user for user in self.users if user["id"] not in self.left],
            f"{course}/sections": self.sections,
            f"{course}/assignments/{ASSIGNMENT}/overrides": self.overrides,
        }
        if path == f"{course}/assignments/{ASSIGNMENT}/submissions":
            included = request.query_params.getlist("include[]")
            lists[path] = [self._show(s, included) for s in self.submissions.values()]
        if path in lists:
            return self._page(request, lists[path])
        if path == f"{course}/assignments/{ASSIGNMENT}":
            return JSONResponse(self.assignment)
        if match := re.fullmatch(r"/api/v1/progress/(\d+)", path):
            return JSONResponse(self._advance(int(match[1])))
        if match := re.fullmatch(r"/api/v1/files/(\d+)/create_success", path):
            return JSONResponse({**self.uploads[int(match[1])], "upload_status": "success"})
        return JSONResponse({"errors": [{"message": "no such thing"}]}, status_code=404)

    def _show(self, submission: Json, included: list[str]) -> Json:
        optional = {"submission_history", "submission_comments", "group", "user"}
        shown = {key: value for key, value in submission.items() if key not in optional}
        user = next(user for user in self.users if user["id"] == submission["user_id"])
        return shown | {
            key: user if key == "user" else submission[key] for key in optional & set(included)
        }

    async def _write(self, request: Request, path: str) -> Response:
        fields = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        submissions = f"/api/v1/courses/{COURSE}/assignments/{ASSIGNMENT}/submissions"
        self.next_id += 1
        if len(self.writes) == self.dies_after_writes:
            return Response("oops", status_code=500)
        if match := re.fullmatch(rf"{submissions}/(\d+)/comments/files", path):
            self.uploads[self.next_id] = {
                "id": self.next_id,
                "display_name": fields["name"],
                "filename": fields["name"],
                "size": int(fields["size"]),
                "user": int(match[1]),
            }
            ticket = {"file_param": "file", "upload_params": {"key": f"k{self.next_id}"}}
            return JSONResponse({**ticket, "upload_url": f"{self.files_url}/upload/{self.next_id}"})
        if path == f"{submissions}/update_grades":
            self.writes.append(fields)
            self.waiting[self.next_id] = (self.progress_steps, fields)
            return JSONResponse({"id": self.next_id, "workflow_state": "queued", "completion": 0})
        return JSONResponse({"errors": []}, status_code=404)

    def _advance(self, number: int) -> Json:
        steps, fields = self.waiting[number]
        self.waiting[number] = (steps - 1, fields)
        if steps > 1:
            return {"id": number, "workflow_state": "running", "completion": 10}
        if self.failed_progress:
            return {"id": number, "workflow_state": "failed", "message": "it broke"}
        if steps == 1:
            self.apply(fields)
        return {"id": number, "workflow_state": "completed", "completion": 100}

    def apply(self, fields: dict[str, str]) -> None:
        """Do what a bulk write says."""
        for key, value in fields.items():
            match = re.fullmatch(r"grade_data\[(\d+)\]\[(\w+)\](.*)", key)
            assert match, key
            submission = self.submissions[int(match[1])]
            if int(match[1]) in self.failing_users:
                continue
            if match[2] == "posted_grade":
                taken = self.late_policy if submission["late"] else 0.0
                submission["score"] = float(value) - taken
                submission["points_deducted"] = taken or None
                submission["workflow_state"] = "graded"
            if match[2] == "rubric_assessment" and not self.ignores_rubric:
                criterion, name = re.findall(r"\[(\w+)\]", match[3])
                assessment = submission.setdefault("rubric_assessment", {})
                assessment.setdefault(criterion, {})[name] = float(value)
            if match[2] == "file_ids":
                comment = {"attachments": [self.uploads[int(value)]], "comment": "see attached"}
                submission["submission_comments"] = [*submission["submission_comments"], comment]

    async def redirect_to_file(self, request: Request) -> Response:
        """Lead from Canvas to where the file is."""
        self.requests.append((request.method, request.url.path))
        number = request.path_params["number"]
        there = self.detours.get(number, f"{self.files_url}/stored/{number}")
        return RedirectResponse(there, status_code=302)

    # ------------------------------------------------------------ where files are

    async def send_file(self, request: Request) -> Response:
        """Send a file to whoever knows its address."""
        self._note(request)
        number = int(request.path_params["number"])
        data = self.contents[number]
        if number != self.held_file:
            return Response(data)

        async def half() -> AsyncIterator[bytes]:
            yield data[: len(data) // 2]
            await asyncio.sleep(3600)

        return StreamingResponse(half())

    async def take_file(self, request: Request) -> Response:
        """Take a file, and lead back to Canvas."""
        self._note(request)
        number = int(request.path_params["number"])
        kind = request.headers["Content-Type"]
        body = await request.body()
        message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
        parts = {
            str(part.get_param("name", header="Content-Disposition")): part.get_payload(decode=True)
            for part in message.walk()
            if not part.is_multipart()
        }
        data = parts["file"]
        assert isinstance(data, bytes)
        assert list(parts) == ["key", "file"], "the file comes last"
        assert parts["key"] == f"k{number}".encode()
        assert len(data) == self.uploads[number]["size"]
        self.contents[number] = data
        self.uploads[number]["url"] = f"{self.url}/files/{number}/download"
        success = f"{self.url}/api/v1/files/{number}/create_success?uuid=u{number}"
        return Response(status_code=self.upload_status, headers={"Location": success})

    def _note(self, request: Request) -> None:
        authorization = request.headers.get("Authorization", "")
        self.file_requests.append((request.method, request.url.path, authorization))

    def scores(self) -> dict[int, float | None]:
        """The score of each user."""
        return {user: submission["score"] for user, submission in self.submissions.items()}

    def comments(self, user: int) -> list[str]:
        """The names of the files in comments on a user's submission."""
        return [
            attachment["display_name"]
            for comment in self.submissions[user]["submission_comments"]
            for attachment in comment["attachments"]
        ]


@contextmanager
def serving(app: Starlette) -> Iterator[str]:
    """Serve on a free port of loopback; the address."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_level="error",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def running() -> Iterator[FakeCanvas]:
    """Start a Canvas with an assignment and nobody in its course."""
    canvas = FakeCanvas()
    canvas.sections = [{"id": 31, "name": "M 1"}, {"id": 32, "name": "M 2"}]
    canvas.assignment = {
        "id": ASSIGNMENT,
        "course_id": COURSE,
        "name": "Two vectors",
        "due_at": DUE,
        "points_possible": 10.0,
        "grading_type": "points",
        "group_category_id": None,
        "grade_group_students_individually": False,
        "anonymize_students": False,
        "submission_types": ["online_upload"],
        "published": True,
    }
    api = Starlette(
        routes=[
            Route("/files/{number:int}/download", canvas.redirect_to_file),
            Route("/{path:path}", canvas.answer, methods=["GET", "POST"]),
        ]
    )
    store = Starlette(
        routes=[
            Route("/stored/{number:int}", canvas.send_file),
            Route("/upload/{number:int}", canvas.take_file, methods=["POST"]),
        ]
    )
    with serving(api) as canvas.url, serving(store) as canvas.files_url:
        yield canvas


def add_class_of_three(canvas: FakeCanvas) -> None:
    """Add the students that most tests have."""
    for number, name in ((1042, "Ada Example"), (1043, "Ben Sample"), (1044, "Cleo Mock")):
        canvas.add_student(number, name)
