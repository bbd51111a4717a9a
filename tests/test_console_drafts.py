"""What is chosen and typed and not saved: no way out loses it; and keys that can be off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from console_course import Course, cheap_passwords, course, handed_in, keep, served
from console_tab import chromium, leave, opened_page, press, sync_api

from grader.folder import OutputFolder
from grader.gradebook import Gradebook, ledger, open_gradebook, team
from grader.web.passwords import hash_password
from grader.web.server import ServerOptions

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"  # noqa: S105 (invented)
WORDS = "Says *what*, not why."


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with cheap_passwords(), chromium() as started:
        yield started


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Course]:
    with course(tmp_path, submissions=[handed_in(name) for name in ("ada", "ben")]) as one:
        yield one


def address(made: Course, name: str = "ada") -> str:
    return f"http://127.0.0.1:{made.port}/mark/Q1.1/{made.code(name)}"


def begun(browser: Any, made: Course) -> Any:
    """A tab in which a rubric item is chosen and a comment typed."""
    page = opened_page(browser, made.ready.link)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(address(made))
    type_mark(page)
    return page


def type_mark(page: Any) -> None:
    press(page, "1", "c")
    page.keyboard.type(WORDS)
    press(page, "Escape")


def holds_draft(page: Any) -> bool:
    page.wait_for_selector("#draft:not([hidden])")
    checked: bool = page.locator("input[value=what]").is_checked()
    return (
        checked
        and page.locator("#comment").input_value() == WORDS
        and page.locator("#sum").inner_text() == "3"
    )


def given(made: Course) -> dict[str, str]:
    marks = ledger.current_marks(made.book, "Q1.1").items()
    return {name: mark.comment for (name, _), mark in marks}


def test_a_draft_outlives_reload_back_and_names(browser: Any, made: Course) -> None:
    page = begun(browser, made)
    page.reload()
    assert holds_draft(page)
    leave(page, "o")  # no warning: the whole notebook, and back
    leave(page, "o")
    assert holds_draft(page)
    leave(page, "b")  # nor here
    assert holds_draft(page)
    leave(page, "Enter")
    page.goto(address(made, "ben"))
    type_mark(page)
    page.go_back()
    page.wait_for_selector("h1")
    page.go_forward()
    assert holds_draft(page)
    page.context.close()

    assert given(made) == {"ada": WORDS}


def test_a_draft_brings_back_no_filter(browser: Any, made: Course) -> None:
    page = opened_page(browser, made.ready.link)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{address(made)}?has=long&grader=Mo&search=skips")
    type_mark(page)
    page.goto(f"{address(made)}?has=why&grader=Kim&search=it")
    assert holds_draft(page)
    filters = [page.locator(f"#panel [name={name}]") for name in ("has", "grader", "search")]
    assert [field.input_value() for field in filters] == ["why", "Kim", "it"]
    page.context.close()


def test_back_by_the_page_s_own_history_keeps_it_and_the_overview_lists_it(
    browser: Any, made: Course
) -> None:
    page = opened_page(browser, made.ready.link)
    leave(page, "1")
    here = page.url
    type_mark(page)
    page.go_back()
    page.wait_for_selector("#drafts:not([hidden])")
    shown = page.locator("#drafts").inner_text()
    page.locator("#drafts a").click()
    assert holds_draft(page)
    assert page.url == here
    assert re.search(r"Q1\.1, answer \d", shown)
    page.locator("[data-discard]").click()
    page.wait_for_selector("#draft", state="hidden")
    sync_api.expect(page.locator("#comment")).to_have_value("")
    page.goto(f"http://127.0.0.1:{made.port}/")
    assert page.locator("#drafts").is_hidden()
    page.context.close()


def test_what_is_saved_or_discarded_comes_back_no_more(browser: Any, made: Course) -> None:
    page = begun(browser, made)
    here = page.url
    press(page, "n")
    page.locator("#news", has_text="discard").wait_for(state="attached")
    leave(page, "n")
    for then in ("discarded", "saved"):
        page.goto(here)
        assert page.locator("#draft").is_hidden(), then
        if then == "discarded":
            assert page.locator("#comment").input_value() == ""
            type_mark(page)
            leave(page, "Enter")
    page.context.close()

    assert given(made) == {"ada": WORDS}


def test_a_session_that_ended_says_so_and_the_page_stays(browser: Any, made: Course) -> None:
    page = begun(browser, made)
    page.context.clear_cookies()
    for _ in range(2):
        press(page, "Enter")
        page.wait_for_selector("#signed-out:not([hidden])")
        said = page.locator("#signed-out").inner_text()
        assert "You were signed out; nothing was saved." in said
        assert page.locator("#comment").input_value() == WORDS
    other = page.context.new_page()  # the link, in a tab of its own
    other.goto(made.ready.link)
    page.get_by_role("link", name="load this page again").click()
    assert holds_draft(page)
    leave(page, "Enter")
    page.context.close()

    assert given(made) == {"ada": WORDS}


def test_a_draft_written_before_another_saved_overwrites_nothing_unseen(
    browser: Any, made: Course
) -> None:
    page = begun(browser, made)
    visitor = made.visitor().go(f"/mark/Q1.1/{made.code('ada')}")
    visitor.mark("why", comment="Theirs.")
    page.reload()
    assert holds_draft(page)
    press(page, "Enter")
    page.wait_for_selector(".versus")
    assert given(made) == {"ada": "Theirs."}
    page.reload()  # and after the conflict was seen, it can be saved from the draft
    assert holds_draft(page)
    leave(page, "Enter")
    page.context.close()

    assert given(made) == {"ada": WORDS}


def sign_in(page: Any, name: str) -> None:
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with open_gradebook(OutputFolder(tmp_path).store) as one:
        keep(one, [handed_in("ada")])
        for name in ("Mo", "Kim"):
            team.register_grader(one, name, secret=hash_password(PASSWORD))
        yield one


def test_a_shared_console_that_starts_anew_gives_the_draft_back_to_who_wrote_it(
    browser: Any, book: Gradebook, tmp_path: Path
) -> None:
    folder, service = OutputFolder(tmp_path), ServerOptions(name="Mo", port=0, host="127.0.0.1")
    with served(folder, book, service=service) as ready:
        made = Course(folder=folder, book=book, ready=ready)
        again = replace(service, port=made.port)
        page = opened_page(browser, address(made))
        sign_in(page, "Kim")
        page.wait_for_url("**/mark/Q1.1/*")
        type_mark(page)
    with served(folder, book, service=again):
        press(page, "Enter")
        page.get_by_role("link", name="Sign in").click()
        sign_in(page, "Mo")
        page.wait_for_url("**/mark/Q1.1/*")
        assert page.locator("#draft").is_hidden()  # Kim's words are Kim's
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/sign-in")
        sign_in(page, "Kim")
        page.locator("#drafts a").click()
        assert holds_draft(page)
        page.context.close()


def test_what_is_no_page_of_ours_replaces_none(browser: Any, made: Course) -> None:
    page = begun(browser, made)
    page.route("**/mark/**", lambda route: route.fulfill(status=502, body="Bad gateway"))
    press(page, "Enter")
    page.locator("#news", has_text="Bad gateway").wait_for(state="attached")
    assert "Nothing was saved" in page.locator("#news").inner_text()
    assert page.locator("#comment").input_value() == WORDS
    page.context.close()


def test_a_flag_takes_a_note_and_what_is_chosen_beside_it_stays(browser: Any, made: Course) -> None:
    page = begun(browser, made)
    press(page, "f")
    page.keyboard.type("Two meanings: see c")
    leave(page, "Enter")
    assert holds_draft(page)
    assert "Flagged by Mo: Two meanings: see c" in page.locator(".notice").first.inner_text()
    leave(page, "Enter")
    page.context.close()

    flags = team.answer_flags(made.book, "Q1.1")
    assert flags == {"ada": team.AnswerFlag(by="Mo", note="Two meanings: see c")}
    assert given(made) == {"ada": WORDS}


def test_a_notebook_is_decided_by_keys_and_its_draft_is_kept(browser: Any, made: Course) -> None:
    page = opened_page(browser, made.ready.link)
    page.on("dialog", lambda dialog: dialog.accept())
    code = made.ready.console.answer_index.submission("ada").code
    page.goto(f"http://127.0.0.1:{made.port}/waiting/{code}")
    press(page, "2", "r")
    page.keyboard.type(WORDS)
    page.reload()
    page.wait_for_selector("#draft:not([hidden])")
    assert page.locator("input[value=half]").is_checked()
    leave(page, "Enter")
    page.context.close()

    marks = ledger.current_marks(made.book)
    assert {(key, mark.reason) for key, mark in marks.items()} == {
        (("ada", "V5"), WORDS),
        (("ada", "V6"), WORDS),
    }


def nothing_by_letters(page: Any) -> None:
    press(page, "1", "f", "c", "?", "-")
    assert not page.locator("input[value=what]").is_checked()
    assert page.locator("#sum").inner_text() == "0"
    assert page.locator("#help").is_hidden()
    assert page.locator(".flagging[open]").count() == 0
    assert page.locator(".choice kbd").first.is_hidden()


def test_letters_can_be_switched_off_and_all_still_works(browser: Any, made: Course) -> None:
    page = opened_page(browser, made.ready.link)
    page.goto(address(made))
    press(page, "?")
    page.locator("#single-keys").uncheck()
    press(page, "Escape")
    nothing_by_letters(page)
    page.reload()
    nothing_by_letters(page)
    here = page.url
    leave(page, "ArrowRight")
    assert page.url != here
    leave(page, "ArrowLeft")
    page.locator("input[value=what]").focus()
    press(page, "Space")
    leave(page, "Control+Enter")
    page.get_by_role("button", name="Keys").click()
    page.locator("#single-keys").check()
    press(page, "Escape")
    leave(page, "u")
    press(page, "1")
    assert page.locator("input[value=what]").is_checked()
    page.context.close()

    assert given(made) == {}


def test_what_is_as_it_was_saved_is_nothing_unsaved(browser: Any, made: Course) -> None:
    page = begun(browser, made)
    leave(page, "Enter")
    page.goto(address(made))
    press(page, "2")
    assert page.locator("#panel[data-dirty]").count() == 1
    press(page, "2")
    assert page.locator("#panel[data-dirty]").count() == 0
    leave(page, "h")  # at once
    assert page.locator("#drafts").is_hidden()
    page.context.close()
