"""Makes distinct HW 5 notebooks that are all right: the reference as many students wrote it.

Each differs in names, comments, written answers, numbers of the chart and the seed its images are
drawn from, so nothing that a grader keeps from one run of a notebook fits another.
"""

# nbformat is typed in part only, hence:
# mypy: disable-error-code="no-untyped-call,no-any-return"

from __future__ import annotations

import random
import re
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "reference" / "hw5.ipynb"
NAMES = "**Name(s) and EID(s):**"
FIRST_SEED = 1000

MARKERS = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION(?:\n|\Z)", re.MULTILINE)
INSTALLS = re.compile(r"^(?=[!%]pip )", re.MULTILINE)
UNUSED = "import torchvision.transforms.functional as TF\n"

SYNONYMS = {
    "optimizer": ("optimizer", "opt", "adam", "optim_step", "updater"),
    "total_loss": ("total_loss", "loss", "mean_loss", "both_losses", "objective"),
    "embeddings_2d": ("embeddings_2d", "points", "flat", "xy", "projected"),
    "embeddings_combined": ("embeddings_combined", "everything", "stacked", "six_rows", "both"),
    "pca": ("pca", "projection", "reducer", "components", "axes_finder"),
    "sim_C1_C2": ("sim_C1_C2", "cats", "cat_cat", "same", "positive_cosine"),
}
"""Names that no peer's check reads, and what other students call them."""

REMARKS = ("as in the lecture", "see the hint", "checked twice", "run top to bottom", "our version")
OPENINGS = ("I think", "In short,", "As far as I see,", "Put simply,", "From the lecture:")
SUBJECTS = ("the gradient", "a small network", "each channel", "the encoder", "a pair of views")
DOINGS = ("keeps", "loses", "compares", "averages", "forgets")
OBJECTS = ("what the layer before it saw", "the place of an edge", "its scale", "noise", "a label")
ENDS = (
    "early in training",
    "in deep stacks",
    "for most inputs",
    "on our three images",
    "by design",
)


def notebook(number: int, *, proof: bool = False) -> nbformat.NotebookNode:
    """The notebook of one invented student; with proof cells it tells the size of its figure."""
    rng = random.Random(number)  # noqa: S311 -- variety that repeats, no secret
    book = nbformat.read(REFERENCE, as_version=4)
    book.cells = [c for c in book.cells if "grader-only" not in c.metadata.get("tags", [])]
    names = {old: rng.choice(new) for old, new in SYNONYMS.items()}
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.source = _code(cell.source, names=names, number=number, rng=rng)
        elif cell.source.startswith(NAMES):
            cell.source = f"{NAMES}\n\nSasha {_word(number)} (sb{number:05d})"
        elif cell.metadata.pop("tags", None):
            cell.source = _answer(cell.source, rng=rng)
    if proof:
        before, after = (nbformat.v4.new_code_cell(text, id=i) for i, text in PROOF.items())
        book.cells = [before, *book.cells, after]
    return book


def write(folder: Path, *, count: int, first: int = 0, proof: bool = False) -> tuple[Path, ...]:
    """Write so many notebooks into a folder; the same numbers give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(first, first + count):
        path = folder / f"student{number:05d}.ipynb"
        book = notebook(number, proof=proof)
        nbformat.validate(book)
        path.write_text(nbformat.writes(book) + "\n", encoding="utf-8")
        paths.append(path)
    return tuple(paths)


def picture_sizes(book: nbformat.NotebookNode) -> list[int]:
    """The bytes of each PNG among a notebook's outputs."""
    images = [
        output.get("data", {}).get("image/png", "")
        for cell in book.cells
        for output in cell.get("outputs", [])
    ]
    return [len(image) * 3 // 4 for image in images if image.startswith(PNG_IN_BASE64)]


def errors(book: nbformat.NotebookNode) -> list[str]:
    """What the cells of an executed notebook raised."""
    return [
        f"{output.ename}: {output.evalue}"
        for cell in book.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]


def _code(source: str, *, names: dict[str, str], number: int, rng: random.Random) -> str:
    # What would install packages, or import one that nothing uses, takes a peer seconds and the
    # grader none: it is left out for everybody.
    source = INSTALLS.sub("# ", MARKERS.sub("", source)).replace(UNUSED, "")
    for old, new in names.items():
        source = re.sub(rf"\b{old}\b", new, source)
    source = source.replace("random_seed = 16", f"random_seed = {FIRST_SEED + number}")
    source = source.replace("s=100", f"s={80 + number % 41}")
    source = source.replace("Embedding Visualization", f"Embeddings, sb{number:05d}")
    return f"# {rng.choice(REMARKS)}, {number}\n{source}"


def _answer(source: str, *, rng: random.Random) -> str:
    """One sentence of the reference's answer among sentences of one's own."""
    kept = rng.choice(re.split(r"(?<=[.])\s+", source))
    pools = (OPENINGS, SUBJECTS, DOINGS, OBJECTS, ENDS)
    own = [" ".join(rng.choice(pool) for pool in pools) + "." for _ in range(4)]
    return " ".join([*own[:2], kept, *own[2:]])


def _word(number: int) -> str:
    """A name of letters alone, since a name with digits in it is none."""
    letters = ""
    for _ in range(4):
        number, place = divmod(number, 26)
        letters = chr(ord("a") + place) + letters
    return letters.capitalize()


PNG_IN_BASE64 = "iVBORw0KGgo"
PROOF = {
    "proof-before": """\
import base64

from IPython import get_ipython

published = []
publisher = get_ipython().display_pub
send = publisher.publish


def note_and_send(data, *rest, **more):
    image = data.get("image/png", b"")
    published.append(base64.b64decode(image) if isinstance(image, str) else image)
    return send(data, *rest, **more)


publisher.publish = note_and_send""",
    "proof-after": """\
sizes = [len(image) for image in published if image.startswith(b"\\x89PNG")]
raise RuntimeError(f"published a PNG of {max(sizes, default=0)} bytes")""",
}
"""Cells for the untimed pass: a figure that the kernel published is told as an error's message,
which any grader shows."""
PUBLISHED = re.compile(r"published a PNG of (\d+) bytes")
