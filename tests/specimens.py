"""Invented submissions of an invented class, graded by hand: what reports and exports are fed."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from grader.model import (
    Answer,
    CellError,
    CellRun,
    CellStatus,
    CheckSpec,
    Criterion,
    ExecutionRecord,
    Exhibit,
    Excerpt,
    Finding,
    Graded,
    Item,
    ItemScore,
    Limits,
    Mark,
    Numbers,
    Picture,
    Provenance,
    Rubric,
    Score,
    Stage,
    Student,
    Submission,
    Tally,
    Verdict,
)

Record = TypeVar("Record")
NOTHING = Fraction(0)
HOSTILE = (
    "<script>alert(1)</script>\"><img src=x onerror=alert(2)>'\x1b[31mred\x1b]0;title\x07"
    "\u202egnp\u202c\u200f\x00\x9b2J\ud800[bold]{{ 7*7 }}[a](javascript:alert(3))"
    "![b](https://tracker.invalid/x.png) <https://tracker.invalid/y> $a_1 * b_1 * c$"
)
"""What a page, a table, a CSV and a JSON file must all survive."""

_ITEMS = (
    # id, title, points, kind, source
    ("Q1.1", "Skip connections", 6, "written", "handout"),
    ("Q1.2", "Batch normalisation", 7, "written", "handout"),
    ("Q1.3", "Translation invariance", 7, "written", "handout"),
    ("Q2.1", "One cat and one bicycle", 5, "written", "handout"),
    ("Q2.2", "Are labels needed?", 5, "written", "handout"),
    ("Q2.3.0", "The images", 3, "auto", "handout"),
    ("Q2.3.1", "The forward pass", 2, "auto", "handout"),
    ("Q2.3.2", "Embeddings and pairs", 5, "auto", "handout"),
    ("Q2.3.3", "The similarities, in your words", 5, "written", "handout"),
    ("Q2.3.4", "The chart, in your words", 5, "written", "handout"),
    ("V1", "The notebook runs from top to bottom", 6, "auto", "course"),
    ("V2", "The file shows its results", 4, "auto", "course"),
    ("V3", "Shapes", 5, "auto", "course"),
    ("V4", "Normalisation", 5, "auto", "course"),
    ("V5", "The cats are closer than the bicycle", 5, "auto", "course"),
    ("V6", "The loss falls", 5, "auto", "course"),
)
_WHY = {
    "V1": "Code that others can run is worth more than code that ran once, on one machine.",
    "V2": "The handout asks that graphs and figures are displayed in the file that you submit.",
    "V3": "Wrong shapes are the most common reason why a network learns something else.",
    "V4": "The loss compares directions, so rows must have length 1, whatever the input's scale.",
    "V5": "The handout says what matters: C1 must be more similar to C2 than to B1.",
    "V6": "Training should do what it is for: your loss is compared with the reference's.",
}
_CHECKS = {
    # title, points, public, found where it passes
    "Q2.3.0": (
        ("C1 and B1 are initialised", "1", True, "shape (3, 32, 32), 3072 distinct values each"),
        ("B1 is independent of C1", "1", False, "correlation 0.012"),
        ("C2 is still C1 with a little noise", "1", True, "standard deviation 0.503"),
    ),
    "Q2.3.1": (
        ("the convolution is applied", "1", True, "the output follows its weights"),
        ("the fully connected layer is applied", "1", True, "the output follows its weights"),
    ),
    "Q2.3.2": (
        ("embeddings before training", "1", False, "equal to the encoder's output"),
        ("positive pair {C1, C2}", "1", False, "contrasted in 2 calls"),
        ("negative pair {C1, B1}", "1", False, "contrasted in 1 call"),
        ("negative pair {C2, B1}", "1", False, "contrasted in 1 call"),
        ("embeddings after training", "1", False, "the weights moved in 1 step"),
    ),
    "V1": (("code cells that ran", "6", True, "6 of 6 code cells ran"),),
    "V2": (
        ("six similarities in the saved output", "2", True, "6 numbers found"),
        ("a figure after training", "2", True, "1 figure of image/png"),
    ),
    "V3": (
        ("the batch of images", "1", True, "(3, 3, 32, 32)"),
        ("embeddings of 1, 2, 3 and 7 images", "4", False, "(N, 128) for each N"),
    ),
    "V4": (
        ("rows of unit length on your images", "2", True, "lengths 1.0000 to 1.0000"),
        ("rows of unit length at other scales", "3", False, "lengths 1.0000 to 1.0000"),
    ),
    "V5": (
        ("in pixels", "2.5", True, "0.8944 against 0.0120"),
        ("by the embeddings before training", "1.25", False, "0.9193 against 0.1696"),
        ("by the embeddings after training", "1.25", False, "0.9980 against 0.0626"),
    ),
    "V6": (("the loss after training", "5", False, "0.1427, as the reference's 0.1427"),),
}


def rubric() -> Rubric:
    """An assignment of 80 points: 50 of the handout, 30 of the course."""
    return Rubric(
        id="hw5",
        title="HW 5: Contrastive learning",
        total=Fraction(80),
        reference=Path("reference/hw5.ipynb"),
        seed=16,
        optional_imports=("torchvision",),
        record=("contrastive_loss",),
        limits=Limits(),
        items=tuple(_item(*row) for row in _ITEMS),
        path=Path("rubrics/hw5.toml"),
        sha256="5d" * 32,
    )


def _item(item_id: str, title: str, points: int, kind: str, source: str) -> Item:
    return Item(
        id=item_id,
        title=title,
        points=Fraction(points),
        kind=kind,
        source=source,
        prompt="Answer briefly; one paragraph should suffice." if kind == "written" else "",
        good_answer="GOOD-ANSWER-FOR-STAFF" if kind == "written" else "",
        why=_WHY.get(item_id, ""),
        checks=tuple(
            CheckSpec(code=f"{item_id}-{n}", points=Fraction(p), public=public, needs=(), params={})
            for n, (_, p, public, _) in enumerate(_CHECKS.get(item_id, ()), start=1)
        ),
        criteria=(
            (Criterion(id="all", text="CRITERION-FOR-STAFF", points=Fraction(points)),)
            if kind == "written"
            else ()
        ),
    )


def passed_findings(item_id: str) -> tuple[Finding, ...]:
    """What the checks of an item say when all is well."""
    return tuple(
        Finding(
            item=item_id,
            code=f"{item_id}-{n}",
            title=title,
            verdict=Verdict.PASSED,
            earned=Fraction(points),
            possible=Fraction(points),
            public=public,
            expected="as the handout asks",
            found=found,
        )
        for n, (title, points, public, found) in enumerate(_CHECKS.get(item_id, ()), start=1)
    )


def tally(items: tuple[ItemScore, ...]) -> Tally:
    """The items' points, kept apart."""

    def total(points: list[Fraction]) -> Fraction:
        return sum(points, start=NOTHING)

    known = [(item.earned, item.mark) for item in items if item.earned is not None]
    return Tally(
        auto=total([earned for earned, mark in known if mark is None]),
        marked=total([earned for earned, mark in known if mark is not None]),
        pending=total([item.item.points for item in items if item.earned is None]),
        blocked=total([item.blocked for item in items]),
        possible=total([item.item.points for item in items]),
    )


def score(items: tuple[ItemScore, ...]) -> Score:
    """A score whose sums fit its items."""
    sources = dict.fromkeys(item.item.source for item in items)
    return Score(
        total=tally(items),
        by_source={
            name: tally(tuple(one for one in items if one.item.source == name)) for name in sources
        },
        items=items,
    )


def item_score(
    item: Item, *, findings: tuple[Finding, ...] = (), mark: Mark | None = None
) -> ItemScore:
    """An item's score as its findings or its mark make it."""
    verdicts = {finding.verdict for finding in findings}
    blocked = sum((f.possible for f in findings if f.verdict is Verdict.BLOCKED), start=NOTHING)
    earned = mark.points if mark else sum((f.earned for f in findings), start=NOTHING)
    if Verdict.ERROR in verdicts:
        return ItemScore(
            item=item, verdict=Verdict.ERROR, earned=None, blocked=NOTHING, findings=findings
        )
    if item.kind == "written" and mark is None:
        return ItemScore(item=item, verdict=Verdict.PENDING, earned=None, blocked=NOTHING)
    if verdicts == {Verdict.BLOCKED}:
        verdict = Verdict.BLOCKED
    elif earned == item.points:
        verdict = Verdict.PASSED
    else:
        verdict = Verdict.PARTIAL if earned else Verdict.FAILED
    return ItemScore(
        item=item, verdict=verdict, earned=earned, blocked=blocked, findings=findings, mark=mark
    )


def vectors(c1_c2: float, c1_b1: float, c2_b1: float, *, turn: float) -> Numbers:
    """Three unit rows of 128 numbers with these cosines, in a space turned by a little."""
    gram = np.array([[1, c1_c2, c1_b1], [c1_c2, 1, c2_b1], [c1_b1, c2_b1, 1]], dtype=np.float64)
    noise = np.random.default_rng(16).standard_normal((2, 128, 3))
    basis, _ = np.linalg.qr(noise[0] + turn * noise[1])
    made: Numbers = np.linalg.cholesky(gram) @ basis.T
    return made


def exhibit() -> Exhibit:
    """The embeddings of a notebook that learned what it should."""
    return Exhibit(
        title="Embeddings before and after training",
        labels=("C1", "C2", "B1"),
        stages=(
            Stage(name="before", vectors=vectors(0.9193, 0.1696, 0.1561, turn=0.0)),
            Stage(name="after", vectors=vectors(0.9980, 0.0626, 0.0586, turn=0.35)),
        ),
        caption="Computed from the embeddings that your notebook made when it was graded.",
    )


def provenance() -> Provenance:
    """What an invented grade was made from."""
    return Provenance(
        notebook="a1" * 32,
        rubric="5d" * 32,
        reference="7e" * 32,
        grader="0.1.0",
        versions={"python": "3.11.9", "torch": "2.13.0", "numpy": "2.4.6"},
        time="2031-04-02T09:30:00+00:00",
        seed_commitment="c0" * 32,
        isolation="Your code ran without network, with its own process and file space.",
    )


def picture() -> Picture:
    """A small real PNG: a scan, if you squint."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    wide, high = 240, 60
    rows = b"".join(
        b"\x00" + bytes(40 if (x // 3 + y) % 23 == 0 else 245 for x in range(wide))
        for y in range(high)
    )
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 0, 0, 0, 0))
    png = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return Picture(mime="image/png", base64=base64.b64encode(png).decode("ascii"))


ENCODER = '''class SimpleEncoder(nn.Module):
    def __init__(self):
        super(SimpleEncoder, self).__init__()
        self.conv = nn.Conv2d(3, 16, kernel_size=3, stride=2, padding=1)
        self.fc = nn.Linear(16 * 16 * 16, 128)

    def forward(self, x):
        x = self.conv(x)  # the convolutional layer
        x = x.view(x.size(0), -1)
        x = self.fc(x)
        return F.normalize(x, p=2, dim=1)'''
DATA = """C1 = torch.randn(3, 32, 32)  # Cat image 1
C2 = C1 + 0.5 * torch.randn(3, 32, 32)
B1 = C1 + 0.3 * torch.randn(3, 32, 32)  # Bicycle image"""
TRAINING = """encoder = SimpleEncoder()
images = torch.stack([C1, C2, B1])
initial_embeddings = encoder(images).detach()

for _ in range(1):
    embeddings = encoder(images)
    pos_pair = (embeddings[0], embeddings[1])
    neg_pair1 = (embeddings[0], embeddings[2])
    loss1 = contrastive_loss(pos_pair[0], pos_pair[1], [neg_pair1[1]])"""
_TEXTS = {
    "Q1.1": "The input of a block is **added** to its output, so $\\partial L / \\partial x$ has a "
    "path that passes *no* weights. Each block then only learns a residual:\n\n"
    "$$y = x + f_1(x) * g_1(x)$$\n\nwhich is why very deep networks can be trained.",
    "Q1.2": "# Batch norm\n\n1. It normalises each channel over the batch.\n"
    "2. It allows larger steps.\n\n> Before the activation, values are still symmetric.",
    "Q1.3": "Weights are shared over positions, and pooling forgets small shifts.",
    "Q2.1": "Yes. Augment C1 (crop, flip, noise) to get a positive; B1 is the negative.\n\n"
    "| role | image |\n| --- | ---: |\n| reference | C1 |\n| negative | B1 |",
    "Q2.3.3": "C1 and C2 went from 0.9193 to 0.9980, the pairs with B1 down to about 0.06.",
}


def answers() -> Mapping[str, Answer]:
    """Written answers, one with a picture; to Q2.2 nothing was written."""
    made = {
        item: Answer(item=item, text=text, cells=(4,), images=(picture(),) if item == "Q1.3" else ())
        for item, text in _TEXTS.items()
    }
    return made | {"Q2.2": Answer(item="Q2.2", text="")}


def code() -> Mapping[str, tuple[Excerpt, ...]]:
    """The student's own code for the items that have some."""
    return {
        "Q2.3.0": (Excerpt(cell=17, source=DATA),),
        "Q2.3.1": (Excerpt(cell=19, source=ENCODER),),
        "Q2.3.2": (Excerpt(cell=21, source=TRAINING),),
        "V4": (Excerpt(cell=19, source=ENCODER),),
    }


def cells_that_ran() -> tuple[CellRun, ...]:
    """Six code cells that all ran; pip was neutralised in the first."""
    first = CellRun(
        index=16,
        status=CellStatus.RAN,
        seconds=0.01,
        notes=("!pip install torch torchvision was not run: everything is installed.",),
    )
    rest = [(17, 1.93), (19, 0.02), (21, 0.41), (23, 0.01), (26, 0.38)]
    return (first, *(CellRun(index=i, status=CellStatus.RAN, seconds=s) for i, s in rest))


def submission(name: str) -> Submission:
    """A file below a folder that no report may name."""
    return Submission(name=name, path=Path(f"/secret-place/{name}.ipynb"), shown=f"{name}.ipynb")


def full_marks() -> Graded:
    """A team of two that earned everything; people have marked all."""
    mark = {"by": "staff-7", "at": "2031-04-09", "comment": "Clear and to the point."}
    items = tuple(
        item_score(
            item,
            findings=tuple(
                replace(f, exhibit=exhibit()) if f.code in {"Q2.3.2-1", "Q2.3.2-5"} else f
                for f in passed_findings(item.id)
            ),
            mark=Mark(points=item.points, **mark) if item.kind == "written" else None,
        )
        for item in rubric().items
    )
    return Graded(
        submission=submission("team-lindgren-okoro"),
        students=(
            Student(name="Åsa Lindgren", id="al20001"),
            Student(name="Chidi Okoro", id="co20002"),
        ),
        reason=None,
        score=score(items),
        record=ExecutionRecord(cells=cells_that_ran(), versions={"python": "3.11.9"}),
        answers=answers(),
        code=code(),
        notes=("The handout's own loss is not a number here, for everyone; it costs nothing.",),
        provenance=provenance(),
    )


def _changed(
    findings: tuple[Finding, ...], *, code: str, earned: Fraction = NOTHING, **changes: Any
) -> tuple[Finding, ...]:
    return tuple(
        replace(f, earned=earned, **changes) if f.code == code else f for f in findings
    )


def _half_right_findings(item_id: str) -> tuple[Finding, ...]:
    """The findings of a student whose bicycle is nearly a cat and whose plot cell failed."""
    found = passed_findings(item_id)
    if item_id == "Q2.3.0":
        return _changed(
            found,
            code="Q2.3.0-2",
            verdict=Verdict.FAILED,
            expected="a correlation between C1 and B1 below 0.15 either way",
            found="correlation 0.96: B1 is made from C1",
            hint="Draw B1 on its own, for example with torch.randn(3, 32, 32).",
            cells=(17,),
        )
    if item_id == "Q2.3.2":
        found = _changed(
            found,
            code="Q2.3.2-4",
            verdict=Verdict.FAILED,
            expected="the loss is called with C2 and B1 as a negative pair",
            found="2 calls, and neither contrasts C2 with B1",
            hint="The second call takes its negative from neg_pair2[1]; is that pair built?",
            cells=(21,),
        )
        return _changed(
            found,
            code="Q2.3.2-3",
            verdict=Verdict.PARTIAL,
            earned=Fraction(1, 2),
            expected="the loss is called with C1 and B1 as a negative pair",
            found="neg_pair1 holds C1 and B1, but no call contrasts them",
            hint="The loss reads the pair's second element: pass neg_pair1[1].",
            cells=(21,),
        )
    if item_id == "V1":
        return _changed(
            found,
            code="V1-1",
            verdict=Verdict.PARTIAL,
            earned=Fraction(5),
            expected="every code cell runs, in order, in a fresh Python",
            found="5 of 6 code cells ran; cell 23 raised TypeError",
            hint="Restart the kernel and run all cells once before you hand in.",
            cells=(23,),
        )
    if item_id in {"V5", "V6"}:
        by = "Q2.3.0 (B1 is independent of C1, cell 17)"
        return tuple(
            replace(f, verdict=Verdict.BLOCKED, earned=NOTHING, found="", blocked_by=by)
            for f in found
        )
    return found


def half_right() -> Graded:
    """One student, no marks yet, with items that failed, failed in part and are blocked."""
    items = tuple(
        item_score(item, findings=_half_right_findings(item.id)) for item in rubric().items
    )
    error = CellError(
        name="TypeError",
        message="cosine_similarity(): argument 'x1' must be Tensor, not list",
        line=6,
        traceback="Cell 23, line 6\n----> 6 sim = cosine_similarity(list(embeddings[0]), other)\n"
        "TypeError: cosine_similarity(): argument 'x1' must be Tensor, not list",
    )
    runs = tuple(
        replace(run, status=CellStatus.RAISED, error=error) if run.index == 23 else run
        for run in cells_that_ran()
    )
    full = full_marks()
    shown = replace(full, score=score(items))
    items = tuple(
        replace(
            one,
            findings=tuple(
                replace(f, exhibit=exhibit()) if f.code == "Q2.3.2-1" else f for f in one.findings
            ),
        )
        for one in items
    )
    return replace(
        shown,
        submission=submission("moreau"),
        students=(Student(name="Inès Moreau", id="im20003"),),
        score=score(items),
        record=ExecutionRecord(cells=runs, versions={"python": "3.11.9"}),
        flags=("10 points are blocked: follow-through?",),
        notes=(*full.notes, "No answer to Q2.2 was found."),
    )


def hostile() -> Graded:
    """The half-right submission with hostile words added to every text that may be foreign."""
    return hostile_words(half_right())


_OURS = frozenset({"item", "code", "mime", "base64", "kind", "status", "path"})
"""Fields whose words are ours by contract: ids, codes and media types."""


def hostile_words(record: Record) -> Record:
    """The record with hostile words added to every text in it, however deep."""
    changes = {
        field.name: _spoiled(getattr(record, field.name))
        for field in fields(record)  # type: ignore[arg-type]  # always one of the records
        if field.name not in _OURS or isinstance(record, Graded)
    }
    return replace(record, **changes)  # type: ignore[type-var]  # always one of the records


def _spoiled(value: object) -> object:
    if isinstance(value, Verdict | CellStatus | Item | Submission | Mark):
        return value
    if isinstance(value, str):
        return value + HOSTILE
    if isinstance(value, tuple):
        return tuple(_spoiled(part) for part in value)
    if isinstance(value, Mapping):
        return {name: _spoiled(part) for name, part in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return hostile_words(value)
    return value


def ungradable() -> Graded:
    """A file that is no notebook."""
    return Graded(
        submission=submission("broken"),
        students=(),
        reason="The file is not a notebook: it is not valid JSON (line 1, column 1).",
        score=None,
        record=ExecutionRecord(cells=()),
        provenance=provenance(),
    )


def with_our_error() -> Graded:
    """A right submission on which one of our checks failed."""
    right = full_marks()
    failure = {"verdict": Verdict.ERROR, "found": "the reference gave no answer"}
    items = tuple(
        item_score(
            item,
            findings=_changed(passed_findings(item.id), code="V6-1", **failure),
            mark=None,
        )
        for item in rubric().items
    )
    return replace(
        right,
        submission=submission("tanaka"),
        students=(Student(name="Ren Tanaka", id="rt20004"),),
        score=score(items),
    )
