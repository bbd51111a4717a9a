"""Right answers written another way earn everything; wrong ones lose their own items."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

import nbformat
import pytest
import selfchecking
from grading import Run, grade
from variants import VARIANTS, Variant, build

from grader import gradebook
from grader.checks import SeededRandom, bind_rubric, load_checks
from grader.gradebook import course_records
from grader.selfcheck.public_findings import SelfcheckResult, judge_public_checks
from grader.selfcheck.public_rubric import PublicRubric
from grader.selfcheck.student_feedback import list_feedback

pytestmark = pytest.mark.kernel


NAMED = re.compile(r"(Q|V)[\d.]+ \(.+\)$|cell \d+ \(")
"""An item and what of it failed (and in which cell, where one makes it), or a cell."""


HINTS = (
    ("a learning rate of zero", "Q2.3.2", "did nothing set them back"),
    ("another new encoder makes the trained ones", "Q2.3.2", "you train, after its last step"),
    ("another new encoder makes the trained ones", "V6", "you train, after its last step"),
    ("mapped once, then wrong", "Q2.3.2", "go into the total"),
    ("normalized by the sum", "V4", "by which norm"),
    ("a step for each loss", "Q2.3.2", "Only a later step contrasts it"),
    ("a step for each pair, by a loss of torch", "Q2.3.2", "Only a later step contrasts it"),
    ("C1 stacked in place of C2", "Q2.3.2", "C2 did not go into the encoder"),
    ("embeddings of the loop kept as the trained ones", "V6", "gives the same embeddings as your"),
    ("no negatives, by a cosine", "Q2.3.2", "contrasts no negative pair"),
    ("no negatives", "Q2.3.2", "Which negatives does the loss get"),
    ("one loss call only", "Q2.3.2", "called on this pair, too"),
    ("first negative pair swapped", "Q2.3.2", "only the second element"),
    ("another linear layer in place of the convolution", "Q2.3.1", "Which layers does the handout"),
)
"""A variant, an item, and words of what was found there or of the hint."""
ALWAYS = 10
"""One variant of so many is graded always, the others where slow tests are."""


@pytest.fixture(scope="session")
def chosen(request: pytest.FixtureRequest) -> Mapping[str, Variant]:
    """The variants that this run of the tests is about, by the name of their notebook."""
    numbers = {
        item.callspec.params["number"]
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.originalname == "test_a_variant_earns_what_it_should"
    }
    return {
        f"v{number:03}": variant
        for number, variant in enumerate(VARIANTS)
        if number in numbers
        or number % ALWAYS == 0
        or any(variant.name == name for name, _, _ in HINTS)
    }


@pytest.fixture(scope="session")
def graded(chosen: Mapping[str, Variant], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The variants through one run of the command."""
    folder = tmp_path_factory.mktemp("variants")
    for name, variant in chosen.items():
        nbformat.write(build(variant), folder / f"{name}.ipynb")  # type: ignore[no-untyped-call]
    return grade(folder, out=tmp_path_factory.mktemp("out") / "graded")


@pytest.mark.parametrize(
    ("number", "variant"),
    [
        pytest.param(number, variant, marks=pytest.mark.slow if number % ALWAYS else ())
        for number, variant in enumerate(VARIANTS)
    ],
    ids=[v.name for v in VARIANTS],
)
def test_a_variant_earns_what_it_should(number: int, variant: Variant, graded: Run) -> None:
    result = graded.result(f"v{number:03}")
    items = [item for item in result["items"] if item["kind"] == "auto" and item["id"] != "V2"]
    findings = {item["id"]: item["findings"] for item in items}
    blocked = {
        name for name, found in findings.items() if any(f["verdict"] == "blocked" for f in found)
    }

    assert {item["id"]: item["earned"] for item in items} == pytest.approx(
        variant.points(), abs=0.006
    )
    assert blocked == set(variant.blocked)


def test_every_blocked_part_names_what_blocks_it(
    graded: Run, chosen: Mapping[str, Variant]
) -> None:
    unnamed = [
        (variant.name, finding["title"])
        for name, variant in chosen.items()
        for item in graded.result(name)["items"]
        for finding in item["findings"]
        if finding["verdict"] == "blocked" and not NAMED.match(finding["blocked_by"])
    ]

    assert unnamed == []


@pytest.mark.parametrize(("name", "item", "hint"), HINTS)
def test_a_hint_fits_the_cause(name: str, item: str, hint: str, graded: Run) -> None:
    number = next(number for number, variant in enumerate(VARIANTS) if variant.name == name)
    items = {item["id"]: item for item in graded.result(f"v{number:03}")["items"]}

    assert any(hint in f"{f['found']} {f['hint']}" for f in items[item]["findings"])


def test_nothing_is_an_error_of_ours(graded: Run, chosen: Mapping[str, Variant]) -> None:
    errors = [
        (name, item["id"])
        for name in chosen
        for item in graded.result(name)["items"]
        if item["verdict"] == "error"
    ]

    assert errors == []


def self_checked(graded: Run, names: Iterable[str]) -> Iterator[tuple[str, SelfcheckResult]]:
    """What the public checks alone make of what each notebook's run left behind."""
    whole = selfchecking.loaded()
    items = tuple(replace(i, checks=tuple(s for s in i.checks if s.public)) for i in whole.items)
    with gradebook.open_gradebook(graded.out / "gradebook.db") as book:
        rng = SeededRandom(seed=course_records.load_seed(book, whole.id) or b"")
        rubric = replace(whole, items=items)
        bound = bind_rubric(rubric, registry=load_checks(rubric.check_modules), rng=rng)
        for name in names:
            trace = book.trace(name)
            assert trace is not None
            public = PublicRubric(
                rubric=rubric,
                later_needs={},
                handout=frozenset(),
                checks=bound,
                rng=rng,
                expected=trace.expected,
                sha256="",
            )
            yield name, judge_public_checks(public, trace, cell_labels={}, saved_file=True)


def test_the_self_check_finds_what_grading_finds(
    graded: Run, chosen: Mapping[str, Variant]
) -> None:
    for name, checked in self_checked(graded, chosen):
        public = [
            (item["id"], finding["code"], finding["verdict"], finding["earned"])
            for item in graded.result(name)["items"]
            for finding in item["findings"]
            if finding["public"]
        ]
        found = [
            (f.item, f.code, f.verdict.value, pytest.approx(float(f.earned), abs=0.006))
            for f in checked.findings
        ]
        assert found == public, name
        assert checked.loses_points == any(f.earned < f.possible for f in checked.findings), name


SOLUTIONS = tuple(
    line.partition("#")[0].replace(" ", "")
    for line in (
        "torch.randn(3, 32, 32)",
        "self.conv(x)",
        "self.fc(x)",
        "encoder(images)",
        "(embeddings[0], embeddings[1])",
        "(embeddings[0], embeddings[2])",
        "(embeddings[1], embeddings[2])",
    )
)
"""What fills the blanks."""
CALL = re.compile(r"\b(self|nn|F|torch|optim\w*)\.\w+|\w\(x\)|=\s*\w+\(")
"""Code that calls something."""
NUMBERS = ("0.9193", "0.1696", "0.1561", "0.9980", "0.0626", "0.0586", "0.1991", "0.1427")
"""The reference's own results, from its saved outputs."""


def test_no_word_of_the_self_check_gives_the_solution_away(
    graded: Run, chosen: Mapping[str, Variant]
) -> None:
    said = 0
    for name, checked in self_checked(graded, chosen):
        for item in list_feedback(checked):
            for told in item.findings:
                finding = told.finding
                ours = f"{finding.title} {finding.expected} {told.hint} {told.cost}"
                said += bool(told.hint)
                text = told.text.replace(" ", "")
                assert not [line for line in SOLUTIONS if line in text], (name, told.text)
                assert not CALL.search(ours), (name, ours)
                assert not [number for number in NUMBERS if number in ours], (name, ours)
                assert ours.count("?") <= 1 + finding.expected.count("?"), (name, ours)
    assert said > len(chosen) / 2


def test_what_is_lost_is_asked_about_and_priced(graded: Run, chosen: Mapping[str, Variant]) -> None:
    silent = [
        (name, told.finding.title, told.statement)
        for name, checked in self_checked(graded, chosen)
        for item in list_feedback(checked)
        for told in item.findings
        if told.finding.verdict.value in {"failed", "partial"}
        and told.finding.possible - told.finding.earned > Fraction(0)
        and not (told.hint and told.cost.startswith("\u2212"))
    ]

    assert silent == []
