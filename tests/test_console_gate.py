"""Attacks on the console: one for each line of what keeps it safe."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from console_course import Course, Visitor, cheap_passwords, course, handed_in, keep, rubric
from specimens import HOSTILE

from grader.folder import OutputFolder
from grader.gradebook import ledger, open_gradebook, team
from grader.web import passwords
from grader.web.application import ROUTES
from grader.web.passwords import MIN_COST, Throttle, hash_password, is_outdated, verify_password
from grader.web.server import ServerOptions, prepare_console

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NOTHING_LIVE = ("<script>alert", "<img src=x", 'href="javascript:', 'tracker.invalid/x.png"')


@pytest.fixture(scope="module", autouse=True)
def fast() -> Iterator[None]:
    with cheap_passwords():
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    with course(tmp_path_factory.mktemp("class")) as one:
        yield one


def everything(made: Course) -> list[str]:
    """An address of every kind."""
    code = made.code("ada")
    return [
        "/",
        "/item/Q1.1",
        f"/mark/Q1.1/{code}",
        "/step/Q1.1",
        "/weigh/Q1.1",
        "/criteria/Q1.1",
        "/groups/Q1.1",
        "/pairs/Q1.1",
        "/waiting",
        f"/waiting/{made.ready.console.answer_index.submission('ada').code}",
        f"/notebook/{made.ready.console.answer_index.submission('ada').code}",
        "/requests",
        "/team",
        "/password",
        "/trial/Q1.1",
        "/nowhere",
    ]


# ---------------------------------------------------------------- who comes in


def test_whoever_follows_the_link_at_once_waits_and_is_not_refused(tmp_path: Path) -> None:
    folder = OutputFolder(tmp_path)
    with open_gradebook(folder.store) as book:
        keep(book, [handed_in("ada")])
        service = ServerOptions(name="Mo", port=0)
        ready = prepare_console(folder, book=book, rubric=rubric(), service=service)
        try:
            socket.create_connection(ready.listener.getsockname(), timeout=5).close()
        finally:
            ready.listener.close()


def test_without_the_token_nothing_is_shown_and_nothing_said(made: Course) -> None:
    visitor = made.visitor(signed_in=False)

    for path in everything(made):
        visitor.ask(path)
        assert visitor.status == 403, path
        assert "words" not in visitor.page
        assert "Q1.1" not in visitor.page


@pytest.mark.parametrize("token", ["", "x", "\u00fc", "%00", "A" * 5000])
def test_a_wrong_token_lets_nobody_in(made: Course, token: str) -> None:
    visitor = made.visitor(signed_in=False)
    visitor.ask(f"/?token={token.encode('utf-8').hex() if not token.isascii() else token}")

    assert visitor.status == 403
    assert visitor.cookies == {}


def test_the_token_leaves_the_address_bar_for_a_cookie_no_script_can_read(made: Course) -> None:
    visitor = made.visitor(signed_in=False)
    visitor.ask(f"/?token={made.ready.console.sessions.token}")

    assert (visitor.status, visitor.headers["location"]) == (303, "/")
    cookie = visitor.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert made.ready.console.sessions.token.lower() not in cookie


@pytest.mark.parametrize("path", ["//evil.invalid", "/\\evil.invalid", "/%2fevil.invalid"])
def test_the_token_leads_nowhere_else(made: Course, path: str) -> None:
    visitor = made.visitor(signed_in=False)
    visitor.ask(f"{path}?token={made.ready.console.sessions.token}")

    location = visitor.headers.get("location", "/")
    assert re.fullmatch(r"/[^/\\].*|/", location)


def test_it_listens_on_this_computer_alone(made: Course) -> None:
    assert made.ready.listener.getsockname()[0] == "127.0.0.1"
    assert made.ready.link.startswith(f"http://127.0.0.1:{made.port}/?token=")


# ---------------------------------------------------------------- foreign sites


@pytest.mark.parametrize(
    "host", ["evil.invalid", "evil.invalid:80", "127.0.0.1.evil.invalid", "", "[", "10.0.0.7"]
)
def test_a_foreign_name_for_this_computer_is_refused(made: Course, host: str) -> None:
    visitor = made.visitor()
    visitor.ask("/", headers={"Host": host})

    assert visitor.status in {400, 421}
    assert "Q1.1" not in visitor.page


def test_two_host_headers_are_refused(made: Course) -> None:
    with socket.create_connection(("127.0.0.1", made.port), timeout=20) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.invalid\r\n\r\n")
        assert raw.recv(100).split()[1] in {b"400", b"421"}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:99", "LOCALHOST:8642"])
def test_names_of_this_computer_are_not(made: Course, host: str) -> None:
    visitor = made.visitor()

    assert visitor.ask("/", headers={"Host": host}).status == 200


def forms(made: Course) -> list[str]:
    code = made.code("ada")
    return [
        f"/mark/Q1.1/{code}",
        f"/back/Q1.1/{code}",
        f"/flag/Q1.1/{code}",
        f"/hold/Q1.1/{code}",
        "/criteria/Q1.1",
        f"/group/Q1.1/{code}",
        "/trial/Q1.1",
        f"/trial/Q1.1/{code}",
        f"/waiting/{made.ready.console.answer_index.submission('ada').code}",
        "/undo",
        "/names",
        "/team/share",
        "/team/unshare",
        "/team/admit",
        "/team/dismiss",
        "/adopt/Q1.1",
        "/password",
        "/sign-out",
    ]


@pytest.mark.parametrize("token", ["", "guess", "\u00fc"])
def test_no_form_is_taken_without_the_token_of_our_page(made: Course, token: str) -> None:
    visitor = made.visitor()
    before = ledger.current_marks(made.book)

    for path in forms(made):
        visitor.send(path, csrf=token, criterion="what", none="1", name="x", item="Q1.1")
        assert visitor.status == 403, path
    assert ledger.current_marks(made.book) == before
    assert team.list_shares(made.book) == ()


def test_every_form_there_is_was_tried(made: Course) -> None:
    there = {path.split("/")[1] for method, path, _ in ROUTES if method == "POST"}

    assert there == {path.split("/")[1] for path in forms(made)}


def test_the_token_of_another_session_does_not_fit(made: Course) -> None:
    mine, other = made.visitor(), made.visitor()
    token = other.go("/item/Q1.1").hidden("csrf")

    assert mine.send("/names", csrf=token).status == 403


@pytest.mark.parametrize(
    "sent",
    [
        {"Origin": "https://evil.invalid"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_form_of_another_site_is_refused_whatever_it_knows(
    made: Course, sent: dict[str, str]
) -> None:
    visitor = made.visitor()
    body = f"csrf={visitor.go('/').hidden('csrf')}".encode()
    visitor.ask("/names", method="POST", body=body, headers={**FORM, **sent})

    assert visitor.status == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_no_other_method_does_anything(made: Course, method: str) -> None:
    visitor = made.visitor()

    assert visitor.ask("/names", method=method).status == 405


def test_a_get_changes_no_mark(made: Course) -> None:
    visitor = made.visitor()
    for path in forms(made):
        visitor.ask(path + "?criterion=what&none=1")
        assert visitor.status in {200, 404, 405}, path
    assert ledger.current_marks(made.book) == {}


# ---------------------------------------------------------------- what pages may do


def test_every_answer_carries_the_policy_and_is_kept_nowhere(made: Course) -> None:
    visitor = made.visitor()
    for path in everything(made):
        visitor.ask(path)
        told = visitor.headers
        policy = told["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert "unsafe" not in policy
        assert told["cache-control"] == "no-store"
        assert told["referrer-policy"] == "no-referrer"
        assert told["x-content-type-options"] == "nosniff"
        assert told["x-frame-options"] == "DENY"


def test_no_page_holds_a_script_a_style_or_a_handler_of_its_own(made: Course) -> None:
    visitor = made.visitor()
    for path in everything(made):
        page = visitor.go(path).page
        assert not re.search(r"<script(?![^>]*\bsrc=\"/static/)", page), path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on", page), path
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page), path


def test_what_students_and_markers_write_is_never_live(tmp_path: Path) -> None:
    hostile = handed_in("ada", wrote={"Q1.1": HOSTILE, "Q2.3.3": HOSTILE}, section=HOSTILE)
    with course(tmp_path, submissions=[hostile, handed_in("ben")]) as made:
        visitor = made.visitor()
        (tmp_path / "requests.csv").write_text(
            f'id,item,text,date\nada-4711,Q1.1,"{HOSTILE.replace(chr(34), chr(34) * 2)}",today\n',
            "utf-8",
            "replace",
        )
        page = visitor.go(f"/mark/Q1.1/{made.code('ada')}")
        page.mark("what", comment=HOSTILE)
        visitor.send("/names", here="/")
        visitor.send("/team/share", name=HOSTILE, item="Q1.1", section=HOSTILE)
        for path in (*everything(made), f"/mark/Q1.1/{made.code('ben')}"):
            visitor.go(path)
            assert visitor.status in {200, 404}, path
            assert not [bad for bad in NOTHING_LIVE if bad in visitor.page], path
            assert "\x1b" not in visitor.page


# ---------------------------------------------------------------- sizes


def test_a_form_that_is_too_large_is_refused_before_it_is_read(made: Course) -> None:
    visitor = made.visitor()
    for length in (str(1 << 30), "-1", "many"):
        with socket.create_connection(("127.0.0.1", made.port), timeout=20) as raw:
            raw.sendall(
                f"POST /names HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\n\r\n".encode()
            )
            assert raw.recv(100).split()[1] in {b"400", b"413"}, length
    assert visitor.send("/names", here="x" * 300_000).status == 413


def test_a_form_without_a_length_is_read_under_a_cap(made: Course) -> None:
    with socket.create_connection(("127.0.0.1", made.port), timeout=20) as raw:
        raw.sendall(
            b"POST /names HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        )
        raw.sendall((b"10000\r\n" + b"a" * 65536 + b"\r\n") * 8)
        assert raw.recv(100).split()[1] == b"413"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "application/json"),
        (b"a=b", "text/plain"),
        (b"\xff=\xff", "application/x-www-form-urlencoded"),
        (b"&".join(b"a=%d" % n for n in range(5000)), "application/x-www-form-urlencoded"),
    ],
)
def test_what_is_no_form_is_refused(made: Course, body: bytes, kind: str) -> None:
    visitor = made.visitor()
    visitor.ask("/names", method="POST", body=body, headers={"Content-Type": kind})

    assert visitor.status in {400, 415}


@pytest.mark.parametrize(
    "path", ["/static/x/../../gradebook.db", "/static/x/%2e%2e%2fgate.py", "/static/x/press.py"]
)
def test_only_files_of_pages_are_served(made: Course, path: str) -> None:
    assert made.visitor().ask(path).status in {403, 404}


# ---------------------------------------------------------------- a shared console


SHARED = ServerOptions(name="Mo", port=0, host="127.0.0.1", names=("marks.invalid",))
EVE = {"password": "long enough for Eve"}
PASSWORD = "correct horse battery"  # noqa: S105 (invented)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    with course(tmp_path_factory.mktemp("shared"), service=SHARED) as one:
        team.register_grader(one.book, "Mo", secret=hash_password(PASSWORD))
        team.register_grader(one.book, "Kim", secret=hash_password(PASSWORD + "2"))
        yield one


def enter(made: Course, name: str, password: str, **headers: str) -> Visitor:
    visitor = made.visitor(signed_in=False)
    visitor.ask(
        "/sign-in",
        method="POST",
        body=f"name={name}&password={password.replace(' ', '+')}".encode(),
        headers={**FORM, **headers},
    )
    return visitor.go(visitor.headers["location"]) if visitor.status == 303 else visitor


def test_a_shared_console_asks_for_name_and_password_and_no_token_lets_in(shared: Course) -> None:
    visitor = shared.visitor(signed_in=False)
    visitor.go(f"/?token={shared.ready.console.sessions.token}")

    assert visitor.at == "/sign-in"
    assert "token" not in shared.ready.link
    inside = enter(shared, "Kim", PASSWORD + "2")
    assert "Grading as <bdi>Kim" in inside.page


def test_a_wrong_password_and_an_unknown_name_are_told_apart_by_nobody(shared: Course) -> None:
    wrong, unknown = enter(shared, "Kim", "guess"), enter(shared, "Nobody", "guess")

    assert wrong.status == unknown.status == 403
    assert wrong.page.replace("Kim", "") == unknown.page.replace("Nobody", "")
    assert wrong.cookies == unknown.cookies == {}


def test_who_signs_in_is_back_where_they_were_and_nowhere_else(shared: Course) -> None:
    visitor = shared.visitor(signed_in=False).go("/item/Q1.1?show=all&search=a+b")
    assert visitor.hidden("next") == "/item/Q1.1?show=all&amp;search=a+b"
    for wanted, got in {
        "/item/Q1.1?search=a+b": "/item/Q1.1?search=a+b",
        "//evil.invalid": "/",
        "/\\evil.invalid": "/",
        "https://evil.invalid": "/",
        "": "/",
    }.items():
        fields = {"name": "Kim", "password": PASSWORD + "2", "next": wanted}
        visitor = shared.visitor(signed_in=False)
        visitor.ask("/sign-in", method="POST", body=urlencode(fields).encode(), headers=FORM)
        assert (visitor.status, visitor.headers["location"]) == (303, got)


def test_a_page_that_is_open_is_not_replaced_by_the_one_for_signing_in(shared: Course) -> None:
    visitor = shared.visitor(signed_in=False).ask("/item/Q1.1", headers={"HX-Request": "true"})

    assert visitor.status == 403
    assert "<main" not in visitor.page


def test_another_site_can_sign_nobody_in(shared: Course) -> None:
    assert enter(shared, "Kim", PASSWORD + "2", Origin="https://evil.invalid").status == 403


@pytest.mark.parametrize("host", ["marks.invalid", "10.1.2.3:8642", "[fe80::1]"])
def test_a_shared_console_has_names_and_addresses(shared: Course, host: str) -> None:
    assert shared.visitor(signed_in=False).ask("/sign-in", headers={"Host": host}).status == 200
    assert shared.visitor(signed_in=False).ask("/sign-in", headers={"Host": "a.b"}).status == 421


def test_only_who_started_it_lets_others_in(shared: Course) -> None:
    kim = enter(shared, "Kim", PASSWORD + "2")
    for path in ("/team/admit", "/team/dismiss", "/team/share", "/team/unshare", "/trial/Q1.1"):
        assert kim.go("/team").send(path, name="Eve", **EVE).status == 403
    assert team.registered_graders(shared.book) == ("Kim", "Mo")


def test_whoever_guesses_waits(tmp_path: Path) -> None:
    with course(tmp_path, service=SHARED) as made:
        team.register_grader(made.book, "Kim", secret=hash_password(PASSWORD))
        for _ in range(Throttle.FREE_FAILURES):
            enter(made, "Kim", "guess")
        late = enter(made, "Kim", PASSWORD)

        assert late.status == 429
        assert late.headers["retry-after"].isdecimal()


def test_waiting_grows_ends_and_is_forgotten_by_who_succeeds() -> None:
    now = 0.0
    throttle = Throttle(clock=lambda: now)
    waits = []
    for _ in range(20):
        throttle.record_failure("a")
        waits.append(throttle.wait_s("a", "b"))

    assert waits[: Throttle.FREE_FAILURES] == [0, 0, 0, 0, 1]
    assert waits[-1] == Throttle.MAX_WAIT_S
    assert throttle.wait_s("b") == 0
    now = Throttle.MAX_WAIT_S
    assert throttle.wait_s("a") == 0
    throttle.record_success("a")
    throttle.record_failure("a")
    assert throttle.wait_s("a") == 0


def test_no_password_is_kept_and_equal_ones_look_different() -> None:
    kept = hash_password(PASSWORD)

    assert PASSWORD not in kept
    assert kept != hash_password(PASSWORD)
    assert verify_password(PASSWORD, kept)
    assert not verify_password(PASSWORD + " ", kept)
    assert not verify_password(PASSWORD, None)


OLD = "scrypt$16384$8$1$YWJjZGVmZ2hpamtsbW5vcA=="
"""How the first release began a hash: its cost and a salt."""


def test_a_try_costs_what_owasp_asks_for_and_old_hashes_still_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "MIN_COST", MIN_COST)
    kept = hash_password(PASSWORD)
    assert (MIN_COST.n, MIN_COST.r, MIN_COST.p) >= (2**17, 8, 1)
    assert kept.startswith("scrypt$131072$8$1$")
    assert verify_password(PASSWORD, kept)
    assert not is_outdated(kept)
    salt, n = b"abcdefghijklmnop", 2**14
    digest = hashlib.scrypt(PASSWORD.encode(), salt=salt, n=n, r=8, p=1)
    old = f"{OLD}$" + base64.b64encode(digest).decode()
    assert is_outdated(old)
    assert verify_password(PASSWORD, old)
    assert not verify_password(PASSWORD + "x", old)


def test_a_name_without_a_hash_or_with_an_old_one_is_told_by_no_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    new = hash_password(PASSWORD)
    with monkeypatch.context() as patch:
        patch.setattr(passwords, "MIN_COST", replace(passwords.MIN_COST, n=2**4))
        old = hash_password(PASSWORD)
    costs: list[int] = []
    scrypt = hashlib.scrypt

    def counted(password: bytes, **parameters: Any) -> bytes:
        costs.append(parameters["n"])
        return scrypt(password, **parameters)

    monkeypatch.setattr(hashlib, "scrypt", counted)
    for stored in (new, old, None):
        costs.clear()
        assert not verify_password("guess", stored)
        assert costs.count(passwords.MIN_COST.n) == 1


def test_an_old_hash_is_renewed_by_who_signs_in_and_by_nobody_else(shared: Course) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "MIN_COST", replace(passwords.MIN_COST, n=2**9))
        team.register_grader(shared.book, "Old", secret=hash_password(PASSWORD))
    stored = team.password_hash_for(shared.book, "Old") or ""

    assert enter(shared, "Old", "guess").status == 403
    assert team.password_hash_for(shared.book, "Old") == stored
    assert enter(shared, "Old", PASSWORD).status == 200
    assert (team.password_hash_for(shared.book, "Old") or "").startswith("scrypt$1024$")
    assert enter(shared, "Old", PASSWORD).status == 200
    team.remove_grader(shared.book, "Old")


def change(visitor: Visitor, *, old: str, new: str, again: str = "") -> Visitor:
    return visitor.go("/password").send("/password", password=old, new=new, again=again or new)


def test_graders_change_their_own_passwords_and_are_out_everywhere_else(tmp_path: Path) -> None:
    with course(tmp_path, service=SHARED) as made:
        for name in ("Mo", "Kim"):
            team.register_grader(made.book, name, secret=hash_password(PASSWORD))
        kim, elsewhere, mo = (enter(made, name, PASSWORD) for name in ("Kim", "Kim", "Mo"))
        before = team.password_hash_for(made.book, "Kim")
        for refused in (
            {"old": "guess", "new": "another long one"},
            {"old": PASSWORD, "new": "short"},
            {"old": PASSWORD, "new": "another long one", "again": "another long two"},
        ):
            assert change(kim, **refused).status == 422
        assert team.password_hash_for(made.book, "Kim") == before

        assert "Password changed" in change(kim, old=PASSWORD, new="another long one").page
        assert kim.go("/team").status == mo.go("/team").status == 200
        assert elsewhere.go("/team").at.startswith("/sign-in")
        assert enter(made, "Kim", PASSWORD).status == 403
        assert enter(made, "Kim", "another long one").status == 200


def test_a_browser_that_was_left_open_is_no_place_to_guess(tmp_path: Path) -> None:
    with course(tmp_path, service=SHARED) as made:
        team.register_grader(made.book, "Kim", secret=hash_password(PASSWORD))
        kim = enter(made, "Kim", PASSWORD)
        for _ in range(Throttle.FREE_FAILURES):
            change(kim, old="guess", new="another long one")
        change(kim, old=PASSWORD, new="another long one")

        assert "Too many attempts" in kim.page
        assert verify_password(PASSWORD, team.password_hash_for(made.book, "Kim"))


def test_who_came_by_the_link_has_no_password_to_change(made: Course) -> None:
    visitor = made.visitor().go("/password")

    assert visitor.status == 404
    assert "without a password" in visitor.page
