"""The console: marks are given, taken back, re-weighed and argued about, and none is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import Barrier, Thread
from time import monotonic, sleep
from types import SimpleNamespace

import pytest
from console_course import NAMES, WRITTEN, Course, Visitor, course, handed_in, keep
from specimens import ungradable

from grader.gradebook import NewMark, calibration, leases, ledger, team
from grader.gradebook.leases import LeaseHolder
from grader.model import Answer, Excerpt, Picture, Verdict
from grader.web import regrade_requests
from grader.web.marking_form import parse_points


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Course]:
    with course(tmp_path) as one:
        yield one


def start(made: Course, item: str = "Q1.1") -> Visitor:
    """Somebody before the first answer that waits."""
    return made.visitor().go(f"/step/{item}")


def given(made: Course, item: str = "Q1.1") -> dict[str, Fraction]:
    return {
        name: mark.points
        for (name, of), mark in ledger.current_marks(made.book).items()
        if of == item
    }


def who(made: Course, visitor: Visitor) -> str:
    """Whose answer is open; the page must not say it."""
    code = visitor.at.partition("?")[0].rpartition("/")[2]
    return next(name for name in NAMES if code in {made.code(name, item) for item in WRITTEN})


# ---------------------------------------------------------------- giving


def test_a_mark_is_what_was_switched_on_and_the_next_answer_comes(made: Course) -> None:
    visitor = start(made)
    first = who(made, visitor)
    visitor.mark("what", "wordy", adjustment="+0,5", comment="*Short* would do.")

    mark = ledger.current_marks(made.book)[first, "Q1.1"]
    assert (mark.points, mark.by, mark.comment) == (Fraction(5, 2), "Mo", "*Short* would do.")
    assert mark.criteria == ("what", "wordy")
    assert visitor.at.startswith("/mark/Q1.1/")
    assert who(made, visitor) != first
    assert "2.5 points" in visitor.page


def test_all_answers_are_given_out_once_and_then_it_says_so(made: Course) -> None:
    visitor, seen = start(made), []
    for _ in NAMES:
        seen.append(who(made, visitor))
        visitor.mark("what")

    assert sorted(seen) == sorted(NAMES)
    assert visitor.at == "/item/Q1.1"
    assert "Nothing to grade here" in visitor.page
    assert made.verdict("ada", "Q1.1") is Verdict.PARTIAL


def test_a_slip_of_the_enter_key_gives_nobody_0_points(made: Course) -> None:
    visitor = start(made)
    visitor.send(visitor.at, answer=visitor.hidden("answer"), over="", comment="Hm.")

    assert visitor.status == 422
    assert "Nothing is selected" in visitor.page
    assert ">Hm.</textarea>" in visitor.page
    assert given(made) == {}


def test_an_empty_answer_is_offered_as_0_and_given_so_by_one_key(tmp_path: Path) -> None:
    blank = handed_in("ada", wrote={"Q1.1": "  \n "})
    with course(tmp_path, submissions=[blank]) as made:
        visitor = start(made)
        assert "Nothing was written here" in visitor.page
        assert "Give 0 &amp; next" in visitor.page
        visitor.send(visitor.at, answer=visitor.hidden("answer"), over="", comment="")

        assert given(made) == {"ada": 0}


def test_a_missing_answer_that_may_stand_elsewhere_is_no_0_by_one_key(tmp_path: Path) -> None:
    missing, empty = handed_in("ada"), handed_in("ben", wrote={"Q1.1": ""})
    unclaimed = (Excerpt(cell=7, source="Gradients <i>get</i> back."),)
    answer = Answer(item="Q1.1", text="", concern="cell 7 is odd", unclaimed=unclaimed)
    missing = replace(missing, answers={**missing.answers, "Q1.1": answer})
    with course(tmp_path, submissions=[missing, empty]) as made:
        visitor = made.visitor().go(f"/mark/Q1.1/{made.code('ada', 'Q1.1')}")
        assert "No answer was found here" in visitor.page
        assert (
            "There may be one all the same:</strong> <bdi>the 8th cell of the file is odd"
            in visitor.page
        )
        assert "Gradients <i>get</i> back." in visitor.page
        assert "Nothing was written" not in visitor.page
        assert "This may be incomplete" not in visitor.page
        assert "Give 0 &amp; next" not in visitor.page
        visitor.send(visitor.at, answer=visitor.hidden("answer"), over="", comment="")

        assert (visitor.status, given(made)) == (422, {})
        assert "perhaps elsewhere" in made.visitor().go("/item/Q1.1").page
        assert "2 answers, empty" not in made.visitor().go("/groups/Q1.1").page


def test_a_drawn_answer_is_not_empty(tmp_path: Path) -> None:
    drawn = handed_in("ada")
    picture = Picture(mime="image/png", base64="aGVsbG8=")
    answers = {**drawn.answers, "Q1.1": Answer(item="Q1.1", text="", images=(picture,))}
    with course(tmp_path, submissions=[replace(drawn, answers=answers)]) as made:
        visitor = start(made)

        assert "Nothing was written" not in visitor.page
        assert 'src="data:image/png;base64,aGVsbG8="' in visitor.page


def test_quoted_figures_and_doubts_stand_beside_the_answer(tmp_path: Path) -> None:
    one = handed_in("ada")
    unsure = Answer(
        item="Q2.3.3", text="0.06", confidence=0.7, concern="its number told <b>where</b>"
    )
    made_of = {**one.answers, "Q2.3.3": unsure}
    with course(tmp_path, submissions=[replace(one, answers=made_of)]) as made:
        page = start(made, "Q2.3.3").page

        assert "This answer quotes 3 numbers: 2 of them in the notebook" in page
        assert "saved with cell In [5], not printed by a fresh run" in page
        assert "its number told &lt;b&gt;where&lt;/b&gt;" in page
        assert "This answer quotes" not in start(made, "Q1.1").page


@pytest.mark.parametrize("said", ["much", "nan", "inf", "1e9", "1/3", "--1"])
def test_what_is_no_number_of_points_is_said_and_nothing_given(made: Course, said: str) -> None:
    visitor = start(made)
    visitor.mark("what", adjustment=said, comment="Kept.")

    assert visitor.status == 422
    assert "Kept." in visitor.page
    assert given(made) == {}


def test_points_are_read_as_people_type_them() -> None:
    said = {"1.5": 1.5, "1,5": 1.5, "\u22121": -1, "+2": 2, "": 0, " 3 ": 3}

    assert {text: parse_points(text) for text in said} == said


# ---------------------------------------------------------------- blind


def test_names_are_hidden_until_somebody_shows_them(made: Course) -> None:
    visitor = start(made)
    name = who(made, visitor)
    for path in (visitor.at, "/", "/item/Q1.1", "/waiting", "/trial/Q1.1"):
        page = visitor.go(path).page.replace(f"{name}-words", "")
        assert "Secret" not in page
        assert "4711" not in page
        assert not re.search(rf"\b{name}\b", page), path

    visitor.go(f"/mark/Q1.1/{made.code(name)}").send("/names", here=visitor.at)
    assert f"{name.title()} Secret" in visitor.page


def test_a_search_finds_no_name_while_names_are_hidden(made: Course) -> None:
    visitor = made.visitor()
    assert "No answers match" in visitor.go("/item/Q1.1?search=secret").page
    assert "ada-words" in visitor.go("/item/Q1.1?search=ADA-words").page
    visitor.send("/names", here="/")
    assert "ada-words" in visitor.go("/item/Q1.1?search=ada+secret").page


def test_each_item_has_an_order_of_its_own_that_stays(made: Course) -> None:
    def order(item: str) -> list[str]:
        return [sheet.submission for sheet in made.ready.console.answer_index.answers(item)]

    before = {item: order(item) for item in WRITTEN}
    keep(made.book, [handed_in("eve")])
    made.ready.console.answer_index.refresh()

    assert len({tuple(names) for names in before.values()}) > 1
    for item in WRITTEN:
        assert [name for name in order(item) if name != "eve"] == before[item]


# ---------------------------------------------------------------- going on


def test_next_and_previous_go_round_and_save_nothing(made: Course) -> None:
    visitor = start(made)
    first = visitor.at
    seen = [first]
    for _ in NAMES:
        code = visitor.at.rpartition("/")[2]
        visitor.go(f"/step/Q1.1?from={code}")
        seen.append(visitor.at)
    assert len(set(seen)) == len(NAMES)
    assert seen[-1] == first
    visitor.go(f"/step/Q1.1?from={first.rpartition('/')[2]}&way=back")
    assert visitor.at == seen[-2]
    assert given(made) == {}


def test_a_filter_holds_while_one_goes_on(made: Course) -> None:
    visitor = start(made)
    one = who(made, visitor)
    visitor.mark("what")
    visitor.go("/item/Q1.1?show=marked")
    assert made.code(one) in visitor.page
    assert sum(made.code(name) in visitor.page for name in NAMES) == 1
    visitor.go(f"/step/Q1.1?show=marked&from={made.code(one)}")
    assert visitor.at.startswith("/item/Q1.1?show=marked")


def test_after_a_regrade_the_list_is_open_at_that_answer(made: Course) -> None:
    visitor = start(made)
    for _ in NAMES:
        visitor.mark("what")
    assert "autofocus" not in visitor.page
    for path in ("/item/Q1.1", "/item/Q1.1?show=waiting"):
        code = made.code("cyd")
        visitor.go(f"/mark/Q1.1/{code}{path.partition('Q1.1')[2]}")
        visitor.mark("why", show="waiting" if "?" in path else "all")
        assert visitor.at == f"{path}{'&' if '?' in path else '?'}at={code}"
        assert visitor.page.count("autofocus") == ("?" not in path)
    visitor.go(f"/item/Q1.1?at={code}")
    assert re.search(f'href="/mark/Q1.1/{code}" autofocus', visitor.page)


# ---------------------------------------------------------------- taking back


def test_undo_takes_back_the_last_mark_and_goes_there(made: Course) -> None:
    visitor = start(made)
    first = who(made, visitor)
    visitor.mark("what")
    second = who(made, visitor)
    visitor.mark("why")

    visitor.go("/team").send("/undo", here="/team")
    assert "Undone: answer" in visitor.page
    assert "is ungraded again." in visitor.page
    assert who(made, visitor) == second
    assert set(given(made)) == {first}
    visitor.send("/undo", here=visitor.at)
    assert who(made, visitor) == first
    assert given(made) == {}
    assert visitor.send("/undo", here="/item/Q1.1").at == "/item/Q1.1"
    history = ledger.mark_history(made.book, first, "Q1.1")
    undone = {mark.takes_back for mark in history}
    assert [mark.number in undone for mark in history] == [
        True,
        False,
    ]


def test_nobody_undoes_what_another_gave_meanwhile(made: Course) -> None:
    mine = start(made)
    name = who(made, mine)
    mine.mark("what")
    theirs = made.visitor().go(f"/mark/Q1.1/{made.code(name)}")
    theirs.mark("why")

    mine.send("/undo", here="/")

    assert "Nothing was undone" in mine.page
    assert given(made)[name] == 2


@pytest.mark.parametrize("here", ["//evil.invalid/", "https://evil.invalid", "/\\evil.invalid", ""])
def test_a_form_leads_to_no_other_site(made: Course, here: str) -> None:
    visitor = start(made)

    assert visitor.send("/undo", here=here).at == "/"


# ---------------------------------------------------------------- two at once


def test_a_save_over_a_newer_mark_is_refused_and_both_are_shown(made: Course) -> None:
    name = "ada"
    mine = made.visitor().go(f"/mark/Q1.1/{made.code(name)}")
    theirs = made.visitor().go(f"/mark/Q1.1/{made.code(name)}")
    theirs.mark("what", comment="Theirs.")
    mine.mark("why", comment="Mine.")

    assert mine.status == 409
    assert given(made)[name] == 3
    rows = re.findall(
        r'<th scope="row">(.*?)</th><td[^>]*><bdi>(.*?)</bdi></td><td[^>]*><bdi>(.*?)</bdi>',
        mine.page,
    )
    assert rows == [
        ("Points", "3", "2"),
        ("Says what", "met", "not met"),
        ("Says why", "not met", "met"),
        ("Comment", "Theirs.", "Mine."),
    ]
    assert "Theirs." in mine.page
    assert ">Mine.</textarea>" in mine.page
    assert name not in mine.page.replace("ada-words", "")

    mine.mark("why", comment="Mine.")
    assert given(made)[name] == 2


def test_two_browsers_are_never_given_the_same_answer(made: Course) -> None:
    mine, theirs = start(made), start(made)
    seen = [who(made, mine), who(made, theirs)]
    for _ in range(3):
        for visitor in (mine, theirs):
            if visitor.at.startswith("/mark/"):
                visitor.mark("what")
                if visitor.at.startswith("/mark/"):
                    seen.append(who(made, visitor))

    assert sorted(seen) == sorted(NAMES)
    assert set(given(made)) == set(NAMES)


def test_of_many_who_ask_at_once_each_is_given_another(made: Course) -> None:
    got: list[str | None] = []
    barrier = Barrier(len(NAMES) + 2)

    def ask(number: int) -> None:
        barrier.wait()
        holder = LeaseHolder(id=str(number), name="Mo")
        got.append(leases.take_lease(made.book, "Q1.1", NAMES, holder=holder))

    threads = [Thread(target=ask, args=(number,)) for number in range(len(NAMES) + 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(name for name in got if name) == sorted(NAMES)
    assert got.count(None) == 2


def test_a_lease_ends_by_itself(made: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = LeaseHolder(id="1", name="Mo"), LeaseHolder(id="2", name="Kim")
    assert leases.take_lease(made.book, "Q1.1", ["ada"], holder=one) == "ada"
    assert leases.take_lease(made.book, "Q1.1", ["ada"], holder=other) is None
    monkeypatch.setattr(leases, "time", SimpleNamespace(time=lambda: 2.0**33))

    assert leases.take_lease(made.book, "Q1.1", ["ada"], holder=other) == "ada"
    assert leases.other_holders(made.book, "Q1.1", holder=one) == {"ada": other}


# ---------------------------------------------------------------- what changes meanwhile


def test_an_answer_that_changed_is_shown_with_its_old_mark_for_a_decision(made: Course) -> None:
    visitor = made.visitor().go(f"/mark/Q1.1/{made.code('ada')}")
    visitor.mark("what", comment="Fine.")
    keep(made.book, [handed_in("ada", wrote={"Q1.1": "Something else."})], key="anew")

    visitor.go("/item/Q1.1?show=outdated")
    assert made.code("ada") in visitor.page
    visitor.go(f"/mark/Q1.1/{made.code('ada')}")
    assert "Something else." in visitor.page
    assert "What ada-words says" in visitor.page  # as it was when it was marked
    assert re.search(r'value="what"[^>]*checked', visitor.page)
    assert made.verdict("ada", "Q1.1") is Verdict.PENDING

    visitor.mark("what", comment="Fine.")
    assert made.verdict("ada", "Q1.1") is Verdict.PARTIAL


def test_an_answer_that_changes_while_it_is_read_is_looked_at_again(made: Course) -> None:
    visitor = made.visitor().go(f"/mark/Q1.1/{made.code('ada')}")
    keep(made.book, [handed_in("ada", wrote={"Q1.1": "Something else."})], key="anew")
    visitor.mark("what")

    assert visitor.status == 422
    assert "changed while you had it open" in visitor.page
    assert given(made) == {}


def test_reports_and_tables_are_current_within_seconds(made: Course) -> None:
    visitor = made.visitor().go(f"/mark/Q1.1/{made.code('ada')}")
    visitor.mark("what", comment="Look at page 7.")
    report, table = made.folder.report_path("ada"), made.folder.path / "gradebook.csv"
    begun = monotonic()
    while monotonic() - begun < 15 and not (table.exists() and report.exists()):
        sleep(0.05)

    assert "Look at page 7." in report.read_text("utf-8")
    assert "ada-4711" in table.read_text("utf-8-sig")


def test_whatever_waited_is_written_before_the_console_ends(tmp_path: Path) -> None:
    with course(tmp_path) as made:
        made.visitor().go(f"/mark/Q1.1/{made.code('ada')}").mark("what", comment="Page 7.")
    assert "Page 7." in (tmp_path / "reports" / "ada.html").read_text("utf-8")
    assert (tmp_path / "gradebook.csv").exists()


# ---------------------------------------------------------------- instead of the checks


def test_what_checks_found_is_overridden_with_a_reason_or_not_at_all(made: Course) -> None:
    visitor = made.visitor()
    visitor.go(f"/waiting/{made.ready.console.answer_index.submission('ada').code}")
    address = f"/mark/V5/{made.code('ada', 'V5')}"
    assert address in visitor.page
    visitor.go(address)
    visitor.mark(points="4")
    assert visitor.status == 422
    visitor.mark(points="4", reason="Right, given the bicycle there was.")

    score = made.book.graded("ada").score
    assert score is not None
    one = next(one for one in score.items if one.item.id == "V5")
    assert one.earned == 4
    assert one.mark
    assert one.mark.reason == "Right, given the bicycle there was."
    visitor.go(address).send(f"/back/V5/{made.code('ada', 'V5')}", over=visitor.hidden("over"))
    assert made.verdict("ada", "V5") is Verdict.BLOCKED


@pytest.mark.parametrize("points", ["", "-1", "5.5", "all"])
def test_an_override_is_within_the_item(made: Course, points: str) -> None:
    visitor = made.visitor().go(f"/mark/V5/{made.code('ada', 'V5')}")

    assert visitor.mark(points=points, reason="So.").status == 422
    assert given(made, "V5") == {}


def test_numbers_and_chart_stand_beside_answers_that_are_about_them(made: Course) -> None:
    visitor = made.visitor()

    assert "own numbers" in visitor.go(f"/mark/Q2.3.3/{made.code('ada', 'Q2.3.3')}").page
    assert 'class="chart"' in visitor.page
    assert "own numbers" not in visitor.go(f"/mark/Q1.1/{made.code('ada')}").page


# ---------------------------------------------------------------- requests


def ask(made: Course, text: str, *, encoding: str = "utf-8") -> None:
    (made.folder.path / "requests.csv").write_bytes(text.encode(encoding))


REQUESTS = "id,item,text,date\nADA-4711,Q1.1,Please look again.,2031-05-02\n"


def test_a_request_is_answered_in_the_ledger_with_a_reason(made: Course) -> None:
    visitor = made.visitor().go(f"/mark/Q1.1/{made.code('ada')}")
    visitor.mark("what")
    ask(made, REQUESTS)
    visitor.go("/requests")
    found = re.search(r'href="(/mark/Q1.1/\w+\?request=\w+)"', visitor.page)
    assert found
    visitor.go(found[1])
    assert "Please look again." in visitor.page
    digest = visitor.hidden("request")
    visitor.mark("what", request=digest)
    assert "Write a reply" in visitor.page
    visitor.mark("what", "why", request=digest, reason="It is in the second sentence.")

    assert visitor.at == "/requests"
    assert given(made)["ada"] == 5
    assert ledger.current_marks(made.book)["ada", "Q1.1"].reason == "It is in the second sentence."
    (one,) = regrade_requests.load_requests(made.ready.console)
    assert one.answered
    assert one.answered.by == "Mo"


def test_undo_reopens_the_request_that_a_score_answered(made: Course) -> None:
    ask(made, "id,item,text,date\nada-4711,Q1.1,Please look again.,2031-05-02\n")
    visitor = made.visitor().go("/requests")
    found = re.search(r'href="(/mark/Q1.1/\w+\?request=\w+)"', visitor.page)
    assert found
    visitor.go(found[1]).mark("what", request=visitor.hidden("request"), reason="It is there.")
    assert not re.search(r"\?request=", visitor.page)

    visitor.send("/undo", here="/requests")
    assert visitor.at == found[1]
    assert "Please look again." in visitor.page
    assert found[1] in visitor.go("/requests").page
    assert given(made) == {}


def test_an_own_answer_in_another_browser_is_called_so(made: Course) -> None:
    path = f"/mark/Q1.1/{made.code('ada')}"
    made.visitor().go(path)

    assert "You have this answer open in another tab or browser." in made.visitor().go(path).page


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (REQUESTS, "utf-8-sig"),
        (REQUESTS.replace(",", ";"), "utf-8"),
        (REQUESTS, "utf-16"),
        (REQUESTS.replace("again", "\u00e4gain"), "cp1252"),
        (REQUESTS.replace("\n", "\r\n").replace("id,item", "ID , Item"), "utf-8"),
    ],
)
def test_requests_come_as_spreadsheets_write_them(made: Course, text: str, encoding: str) -> None:
    ask(made, text, encoding=encoding)
    (one,) = regrade_requests.load_requests(made.ready.console)

    assert (one.submission, one.item, one.problem) == ("ada", "Q1.1", "")


def test_a_request_that_fits_nothing_is_listed_and_no_page_fails(made: Course) -> None:
    ask(made, "id,item,text,date\nzz1,Q1.1,Who am I,\nada-4711,Q9,What,\n,,,\n")
    page = made.visitor().go("/requests").page
    assert "id matches no submission" in page
    assert "no such question" in page
    for broken in (
        "",
        "a,b\n1,2\n",
        "\x00\x00",
        'id,item,text\n"',
        "id,item,text\n" + "x" * 200_000,
    ):
        ask(made, broken)
        visitor = made.visitor()
        assert visitor.go("/requests").status == 200
        assert visitor.go("/").status == 200


# ---------------------------------------------------------------- the team


def test_work_is_given_out_by_item_and_section(tmp_path: Path) -> None:
    class_of = [handed_in(name, section="AB"[n % 2]) for n, name in enumerate(NAMES)]
    with course(tmp_path, submissions=class_of) as made:
        visitor = made.visitor().go("/team")
        visitor.send("/team/share", name="Mo", item="Q1.1", section="B")
        assert "0 of 2" in visitor.page
        visitor.go("/step/Q1.1?show=part")
        seen = []
        while visitor.at.startswith("/mark/"):
            seen.append(who(made, visitor))
            visitor.mark("what", show="part")

        assert sorted(seen) == ["ben", "dot"]
        assert "2 of 2" in visitor.go("/team").page
        visitor.send("/team/unshare", name="Mo", item="Q1.1", section="B")
        assert team.list_shares(made.book) == ()


def test_a_flag_goes_up_and_down(made: Course) -> None:
    visitor = made.visitor().go(f"/mark/Q1.1/{made.code('ada')}")
    here, flag = visitor.at, f"/flag/Q1.1/{made.code('ada')}"
    visitor.send(flag, raised="1", note="Cites\na <b>book</b>?", here=here)
    assert visitor.at == here
    flags = team.answer_flags(made.book, "Q1.1")
    assert flags == {"ada": team.AnswerFlag(by="Mo", note="Cites a <b>book</b>?")}
    assert "Flagged by <bdi>Mo" in visitor.page
    listed = visitor.go("/item/Q1.1?show=flagged").page
    assert made.code("ada") in listed
    assert "Cites a &lt;b&gt;book&lt;/b&gt;?" in listed
    visitor.send(flag, raised="1", note="", here=here)
    assert team.answer_flags(made.book, "Q1.1")["ada"].note == ""
    visitor.send(flag, raised="", here=here)
    assert team.answer_flags(made.book, "Q1.1") == {}


def test_on_trial_nobody_sees_others_before_giving_all(made: Course) -> None:
    visitor = made.visitor().go("/trial/Q1.1")
    visitor.send("/trial/Q1.1", count="2")
    names = calibration.chosen_submissions(made.book, "Q1.1")
    for name, criteria in zip(names, (("what",), ("what", "why")), strict=True):
        kim = NewMark(item="Q1.1", submission=name, answer_digest="", by="Kim", criteria=criteria)
        calibration.save_calibration_mark(made.book, kim)
    assert "Kim" not in visitor.go("/trial/Q1.1").page

    for name in names:
        assert "Kim" not in visitor.page
        visitor.go(f"/trial/Q1.1/{made.code(name)}").mark("why")
    assert visitor.at == "/trial/Q1.1"
    assert "Kim" in visitor.page
    assert re.findall(r"<strong class=\"[^\"]*\">([\d.]+)", visitor.page) == [
        "1",
        "3",
    ]
    assert ledger.current_marks(made.book) == {}
    assert made.verdict(names[0], "Q1.1") is Verdict.PENDING


# ---------------------------------------------------------------- odd books


def test_an_ungradable_submission_and_an_item_that_is_gone_stop_no_page(made: Course) -> None:
    keep(made.book, [ungradable()])
    entry = NewMark(submission="ada", item="Q1.1", answer_digest="?", by="Kim", points=Fraction(1))
    ledger.add_mark(made.book, entry, expected_current=None)
    visitor = made.visitor()
    for path in ("/", "/item/Q1.1", "/waiting", "/team", f"/mark/Q1.1/{made.code('ada')}"):
        assert visitor.go(path).status == 200
    assert visitor.go("/mark/Q1.1/0000").status == 404
    assert visitor.go("/mark/Q9/0000").status == 404


def test_a_group_of_empty_answers_is_given_0_by_one_key_as_each_of_them_is(tmp_path: Path) -> None:
    empty = [handed_in(name, wrote={"Q1.1": ""}) for name in ("ada", "ben")]
    with course(tmp_path, submissions=[*empty, handed_in("cyd")]) as made:
        visitor = made.visitor().go("/groups/Q1.1")
        visitor.go(re.findall(r'href="(/group/Q1\.1/[^"]+)"', visitor.page)[0])
        assert "Give 0 to selected" in visitor.page
        members = re.findall(r'name="member" value="([^"]+)"', visitor.page)
        visitor.send(visitor.at, member=members, comment="")

        assert given(made) == {"ada": 0, "ben": 0}
        assert visitor.at == "/groups/Q1.1"
        assert 'href="/step/Q1.1"' in visitor.page  # one answer is left
        assert "Agreement with graders so far" not in visitor.go("/step/Q1.1").page
