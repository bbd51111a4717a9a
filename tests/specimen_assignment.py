"""An invented assignment of 80 points, and what its checks say when all is well."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from grader.model import (
    CheckSpec,
    Criterion,
    Finding,
    Item,
    ItemScore,
    Limits,
    Mark,
    Rubric,
    Score,
    Tally,
    Verdict,
)
from grader.model.assignment import ItemKind, ItemSource

NOTHING = Fraction(0)
_ITEMS: tuple[tuple[str, str, int, ItemKind, ItemSource], ...] = (
    # id, title, points, kind, source
    ("Q1.1", "Skip connections", 6, "written", "handout"),
    ("Q1.2", "Batch normalization", 7, "written", "handout"),
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
    ("V4", "Normalization", 5, "auto", "course"),
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
        ("C1 and B1 are initialized", "1", True, "shape (3, 32, 32), 3072 distinct values each"),
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


def _item(item_id: str, title: str, points: int, kind: ItemKind, source: ItemSource) -> Item:
    return Item(
        id=item_id,
        title=title,
        points=Fraction(points),
        kind=kind,
        source=source,
        prompt="Answer briefly; one paragraph should suffice." if kind == "written" else "",
        good_answer="GOOD-ANSWER-FOR-STAFF" if kind == "written" else "",
        why=_WHY.get(item_id, ""),
        about=("Q2.3.2",) if item_id in {"Q2.3.3", "Q2.3.4"} else (),
        checks=tuple(
            CheckSpec(code=f"{item_id}-{n}", points=Fraction(p), public=public)
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
