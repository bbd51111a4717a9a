"""An invented class whose written answers wait, a console that is served, and who visits it."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from urllib.parse import urlencode, urlsplit

import pytest
from specimen_assignment import item_score, score
from specimen_assignment import rubric as plain_rubric
from specimens import half_right

from grader.folder import OutputFolder
from grader.gradebook import Gradebook, StoredSubmission, open_gradebook
from grader.model import Answer, Criterion, Graded, Item, Rubric, Student, Verdict
from grader.web import passwords
from grader.web.server import ReadyConsole, ServerOptions, prepare_console

CRITERIA = (
    Criterion(id="what", text="Says what", points=Fraction(3)),
    Criterion(id="why", text="Says why", points=Fraction(2)),
    Criterion(id="wordy", text="Far too long", points=Fraction(-1)),
)
NAMES = ("ada", "ben", "cyd", "dot")
WRITTEN = ("Q1.1", "Q1.2", "Q1.3", "Q2.1", "Q2.2", "Q2.3.3", "Q2.3.4")


def rubric() -> Rubric:
    """The invented assignment, with criteria that give and take."""
    made = plain_rubric()
    return replace(made, items=tuple(_item(item) for item in made.items))


def _item(item: Item) -> Item:
    if item.kind != "written":
        return item
    about = ("Q2.3.2",) if item.id in {"Q2.3.3", "Q2.3.4"} else ()
    return replace(item, criteria=CRITERIA, about=about)


def handed_in(name: str, *, wrote: Mapping[str, str] | None = None, section: str = "") -> Graded:
    """One submission: what was written, or something of each answer's own."""
    made = half_right()
    assert made.score is not None
    assert made.provenance is not None
    findings = {one.item.id: one.findings for one in made.score.items}
    items = tuple(item_score(item, findings=findings.get(item.id, ())) for item in rubric().items)
    texts = {item: f"What {name}-words says to {item}." for item in WRITTEN} | dict(wrote or {})
    return replace(
        made,
        submission=replace(made.submission, name=name, display_path=f"{name}.ipynb"),
        students=(Student(name=f"{name.title()} Secret", id=f"{name}-4711", section=section),),
        score=score(items),
        answers={item: Answer(item=item, text=text) for item, text in texts.items()},
        provenance=replace(made.provenance, assignment=rubric().id),
    )


def keep(book: Gradebook, submissions: Sequence[Graded], *, key: str = "k") -> None:
    """Put them in the book, and on its roll."""
    for graded in submissions:
        book.save_submission(StoredSubmission(cache_key=key, graded=graded, trace=None))
    names = dict.fromkeys((*book.roll(), *(graded.submission.name for graded in submissions)))
    book.replace_roll(list(names))


@dataclass
class Visitor:
    """A browser without eyes: keeps cookies, follows what it is told, fills in forms."""

    port: int
    host: str = ""
    cookies: dict[str, str] = field(default_factory=dict)
    at: str = ""
    status: int = 0
    page: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Visitor:
        """One request; nothing is followed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {"Host": self.host or f"127.0.0.1:{self.port}", **({"Cookie": jar} if jar else {})}
        connection.request(method, path, body=body, headers={**sent, **(headers or {})})
        answer = connection.getresponse()
        self.page = answer.read().decode("utf-8")
        self.status, self.at = answer.status, path
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        connection.close()
        if "set-cookie" in self.headers:
            name, _, value = self.headers["set-cookie"].partition(";")[0].partition("=")
            self.cookies[name] = value
        return self

    def go(self, path: str) -> Visitor:
        """A page, and wherever it leads."""
        self.ask(path)
        while self.status in {302, 303, 307}:
            self.ask(self.headers["location"])
        return self

    def send(self, path: str, **fields: str | Sequence[str]) -> Visitor:
        """A form, with the token of the page that is open unless another is given."""
        token = self.hidden("csrf")
        body = urlencode({"csrf": token, **fields}, doseq=True, errors="replace").encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        self.ask(path, method="POST", body=body, headers=kind)
        return self.go(self.headers["location"]) if self.status == 303 else self

    def hidden(self, name: str) -> str:
        """A hidden field of the page."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        return found[1] if found else ""

    def mark(self, *criteria: str, **fields: str | Sequence[str]) -> Visitor:
        """Send the form of the answer that is open."""
        told = {"answer": self.hidden("answer"), "over": self.hidden("over")}
        if not criteria and "adjustment" not in fields and "points" not in fields:
            told["none"] = "1"
        return self.send(self.at.partition("?")[0], criterion=criteria, **(told | fields))


@dataclass(frozen=True)
class Course:
    """A class, its book and its console."""

    folder: OutputFolder
    book: Gradebook
    ready: ReadyConsole

    @property
    def port(self) -> int:
        """Where the console listens."""
        port: int = self.ready.listener.getsockname()[1]
        return port

    def visitor(self, *, signed_in: bool = True) -> Visitor:
        """Somebody new."""
        made = Visitor(port=self.port)
        if signed_in:
            link = urlsplit(self.ready.link)
            made.go(f"{link.path}?{link.query}")
            assert made.status == 200
        return made

    def code(self, name: str, item: str = "Q1.1") -> str:
        """What stands for an answer."""
        return self.ready.console.answer_index.submission(name).answers[item].code

    def verdict(self, name: str, item: str) -> Verdict:
        """What became of an item."""
        made = self.book.graded(name).score
        assert made is not None
        return next(one.verdict for one in made.items if one.item.id == item)


@contextmanager
def course(
    place: Path,
    *,
    submissions: Sequence[Graded] | None = None,
    service: ServerOptions | None = None,
) -> Iterator[Course]:
    """A class and its console, served until the end."""
    folder = OutputFolder(place)
    with open_gradebook(folder.store) as book:
        keep(book, submissions or [handed_in(name) for name in NAMES])
        with served(folder, book, service=service) as made:
            yield Course(folder=folder, book=book, ready=made)


@contextmanager
def served(
    folder: OutputFolder, book: Gradebook, *, service: ServerOptions | None = None
) -> Iterator[ReadyConsole]:
    """The console of a folder, in a thread."""
    made = prepare_console(
        folder, book=book, rubric=rubric(), service=service or ServerOptions(name="Mo", port=0)
    )
    thread = Thread(target=made.server.run, kwargs={"sockets": [made.listener]})
    thread.start()
    begun = monotonic()
    while not made.server.started and monotonic() - begun < 20:
        sleep(0.01)
    try:
        yield made
    finally:
        made.server.should_exit = True
        thread.join()
        made.listener.close()


@contextmanager
def cheap_passwords() -> Iterator[None]:
    """Let a try of a password take no second; who made a hash before still fits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "MIN_COST", replace(passwords.MIN_COST, n=2**10))
        yield
