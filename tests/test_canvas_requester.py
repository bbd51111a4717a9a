"""The token reaches Canvas alone, nothing is logged or kept, and throttling is waited out."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import fake_canvas
import pytest
from fake_canvas import FakeCanvas
from in_process import run_command
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from grader.canvas import access
from grader.canvas.access import CanvasAccess, canvas_url, is_safe, open_access
from grader.errors import UsageError

requester_module = pytest.importorskip("grader.canvas.requester")
USERS = "courses/7/users"


@pytest.fixture
def canvas() -> Iterator[FakeCanvas]:
    with fake_canvas.running() as made:
        fake_canvas.add_class_of_three(made)
        yield made


class Asking:
    """A requester whose pauses take no time."""

    def __init__(self, url: str, token: str = fake_canvas.TOKEN) -> None:
        self.pauses: list[float] = []
        self.said: list[str] = []
        self.requester = requester_module.CanvasRequester(
            CanvasAccess(url=url, token=token), notify=self.said.append, sleep=self.pauses.append
        )

    def users(self) -> list[int]:
        return [user["id"] for user in self.requester.pages(USERS)]


@pytest.mark.parametrize("status", [403, 429])
def test_throttling_is_waited_out_as_long_as_canvas_asks(canvas: FakeCanvas, status: int) -> None:
    asking = Asking(canvas.url)
    canvas.throttle = [status, status]

    assert asking.users() == [1042, 1043, 1044]
    assert asking.pauses == [2.0, 2.0]
    assert "asks to wait: 2 s" in asking.said[0]


def test_a_write_that_was_throttled_is_sent_again(canvas: FakeCanvas) -> None:
    asking = Asking(canvas.url)
    canvas.throttle = [403]

    answer = asking.requester.request(
        "POST",
        "courses/7/assignments/412/submissions/update_grades",
        _kwargs=[("grade_data[1042][posted_grade]", "5")],
    )

    assert answer.json()["workflow_state"] == "queued"
    assert canvas.writes == [{"grade_data[1042][posted_grade]": "5"}]


def test_a_canvas_that_stays_busy_is_given_up(canvas: FakeCanvas) -> None:
    asking = Asking(canvas.url)
    canvas.throttle = [429] * 1000

    with pytest.raises(UsageError, match="was busy for"):
        asking.users()

    assert sum(asking.pauses) <= 600


def test_reading_is_tried_again_after_a_fault_and_writing_is_not(canvas: FakeCanvas) -> None:
    asking = Asking(canvas.url)
    canvas.throttle = [502, 503]
    assert len(asking.users()) == 3
    canvas.throttle = [502]

    with pytest.raises(UsageError, match="refuses courses/7/x"):
        asking.requester.request("POST", "courses/7/x")

    assert [path for method, path in canvas.requests if method == "POST"] == ["/api/v1/courses/7/x"]


def test_who_may_not_is_told_at_once(canvas: FakeCanvas) -> None:
    with pytest.raises(UsageError, match="does not take the token") as refused:
        Asking(canvas.url, token="7~another").users()  # noqa: S106 (it opens nothing)
    assert "another" not in str(refused.value)
    with pytest.raises(UsageError, match="has no courses/8, or"):
        Asking(canvas.url).requester.request("GET", "courses/8")


def answering(response: Response) -> Starlette:
    """A server that gives one answer to everything, and keeps what it was asked with."""
    app = Starlette()

    async def answer(request: Request) -> Response:
        app.state.tokens.append(request.headers.get("Authorization"))
        return response

    app.state.tokens = []
    app.router.routes.append(Route("/{path:path}", answer, methods=["GET", "POST"]))
    return app


def test_a_refusal_that_is_no_throttling_is_not_waited_for() -> None:
    with fake_canvas.serving(answering(Response("forbidden", status_code=403))) as url:
        asking = Asking(url)
        with pytest.raises(UsageError, match="does not let this token at courses/7/users"):
            asking.users()

    assert asking.pauses == []


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (HTMLResponse("<h1>Log in</h1>"), "answers no JSON"),
        (JSONResponse({"name": "no list"}), "answers no list"),
        (JSONResponse(["no object"]), "answers no list"),
        (Response(status_code=302, headers={"Location": "https://x.example/"}), "another address"),
        (
            JSONResponse([], headers={"Link": '<https://x.example/api/v1/a>; rel="next"'}),
            "another address",
        ),
        (Response("no JSON", status_code=401), "does not say why"),
        (Response("gone", status_code=410), "refuses courses/7/users"),
    ],
    ids=["page", "object", "words", "redirect", "next", "401", "410"],
)
def test_what_is_no_canvas_is_told_in_a_sentence(response: Response, said: str) -> None:
    with (
        fake_canvas.serving(answering(response)) as url,
        pytest.raises(UsageError, match=said) as refused,
    ):
        Asking(url).users()

    assert refused.value.__cause__ is None or fake_canvas.TOKEN not in repr(refused.value.__cause__)


def test_nothing_is_logged_and_no_answer_is_kept(
    canvas: FakeCanvas, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asking = Asking(canvas.url)

    asking.users()

    assert fake_canvas.TOKEN not in caplog.text
    assert "Example" not in caplog.text
    assert "canvasapi" not in caplog.text
    assert fake_canvas.TOKEN[-4:] not in caplog.text
    assert asking.requester._cache == []  # noqa: SLF001 (canvasapi's, and where it keeps answers)
    assert fake_canvas.TOKEN not in repr(CanvasAccess(url=canvas.url, token=fake_canvas.TOKEN))


def test_a_token_in_a_file_for_all_hosts_takes_no_other_ones_place(
    canvas: FakeCanvas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password mine\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    number = canvas.hand_in(1042, hw__ipynb=b"x")[0]
    asking = Asking(canvas.url)

    assert len(asking.users()) == 3
    asking.requester.download(
        f"{canvas.url}/files/{number}/download", tmp_path / "file", max_bytes=9
    )

    assert [token for _, _, token in canvas.file_requests] == [""]


def test_a_file_is_whole_or_not_there(canvas: FakeCanvas, tmp_path: Path) -> None:
    number = canvas.hand_in(1042, hw__ipynb=b"12345")[0]
    url = f"{canvas.url}/files/{number}/download"
    asking = Asking(canvas.url)

    with pytest.raises(requester_module.DownloadRefused):
        asking.requester.download(url, tmp_path / "file", max_bytes=4)
    assert list(tmp_path.iterdir()) == []
    assert asking.requester.download(url, tmp_path / "file", max_bytes=5) == 5
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("status", [201, 302, 303])
def test_an_upload_is_confirmed_to_canvas_with_the_token(canvas: FakeCanvas, status: int) -> None:
    canvas.upload_status = status
    endpoint = "courses/7/assignments/412/submissions/1042/comments/files"

    number = Asking(canvas.url).requester.upload(endpoint, "report.html", b"<p>")

    assert canvas.contents[number] == b"<p>"
    assert canvas.requests[-1] == ("GET", f"/api/v1/files/{number}/create_success")
    assert [token for _, _, token in canvas.file_requests] == [""]


def test_an_upload_that_is_refused_says_so(canvas: FakeCanvas) -> None:
    canvas.upload_status = 400
    endpoint = "courses/7/assignments/412/submissions/1042/comments/files"

    with pytest.raises(UsageError, match=r"refuses the report report.html \(400\)"):
        Asking(canvas.url).requester.upload(endpoint, "report.html", b"<p>")


def test_a_server_that_is_not_there_is_told() -> None:
    with fake_canvas.serving(Starlette()) as url:
        pass

    with pytest.raises(UsageError, match="cannot be reached"):
        Asking(url).requester.request("POST", "courses/7/x")


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("https://canvas.example.edu/", "https://canvas.example.edu"),
        ("canvas.example.edu", "https://canvas.example.edu"),
        (" https://canvas.example.edu/courses/7 ", "https://canvas.example.edu"),
        ("http://127.0.0.1:80", "http://127.0.0.1:80"),
        ("http://localhost:3000/", "http://localhost:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_an_address_is_https_or_this_computer(address: str, url: str) -> None:
    assert canvas_url(address) == url


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://canvas.example.edu",
        "http://localhost.example.edu",
        "http://127.0.0.1.example.edu",
        "ftp://canvas.example.edu",
        "https://",
        "https://me:secret@canvas.example.edu",
        "http://[::1",
        "https://canvas.example.edu:99999",
        "file:///etc/passwd",
    ],
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(UsageError):
        canvas_url(address)


def test_nothing_is_sent_to_an_address_that_is_not_safe() -> None:
    assert not is_safe("http://canvas.example.edu")
    with pytest.raises(UsageError, match="nothing is sent there"):
        Asking("http://canvas.example.edu").requester.request("GET", "courses/7")


def test_a_token_comes_from_a_keyring_where_no_variable_has_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keyring = pytest.importorskip("keyring")
    asked: list[tuple[str, str]] = []

    def get_password(service: str, host: str) -> str | None:
        asked.append((service, host))
        return "from-the-keyring" if host == "canvas.example.edu" else None

    monkeypatch.setattr(keyring, "get_password", get_password)

    known = open_access(address="canvas.example.edu", token=None)
    assert known.token == "from-the-keyring"  # noqa: S105 (it opens nothing)
    given = open_access(address="canvas.example.edu", token="a")  # noqa: S106 (as above)
    assert given.token == "a"  # noqa: S105 (as above)
    assert asked == [("notebook-grader", "canvas.example.edu")]
    with pytest.raises(UsageError, match="no token for Canvas"):
        open_access(address="other.example.edu", token=" ")  # noqa: S106 (as above)
    assert asked[-1] == ("notebook-grader", "other.example.edu")


@pytest.mark.parametrize("token", ["two words", "new\nline", "größe"])
def test_a_token_with_strange_signs_is_refused_and_not_printed(
    monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setattr(access, "_keyring_token", lambda _: None)

    with pytest.raises(UsageError, match="holds characters") as refused:
        open_access(address="canvas.example.edu", token=token)

    assert token not in str(refused.value)


@pytest.mark.parametrize("words", [("fetch", "canvas", "7", "412"), ("push", "canvas")])
def test_without_the_package_the_command_says_how_to_install_it(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.startswith(("canvasapi", "grader.canvas.")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "canvasapi", None)

    code, _, errors = run_command(*words, folder=tmp_path)

    assert code == 2
    assert "pip install 'notebook-grader[canvas]'" in errors
