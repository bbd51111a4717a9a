"""What invented students wrote, ran and learned: the pieces of a graded submission."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping

import numpy as np

from grader.model import (
    Answer,
    CellRun,
    CellStatus,
    ChangedLine,
    Excerpt,
    Exhibit,
    Numbers,
    OutputDifference,
    Picture,
    Provenance,
    QuotedNumber,
    SavedError,
    SavedEvidence,
    Stage,
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
        isolation="full: namespaces, Landlock 7, seccomp; Linux 6.18.44",
        level="full",
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


ENCODER = """class SimpleEncoder(nn.Module):
    def __init__(self):
        super(SimpleEncoder, self).__init__()
        self.conv = nn.Conv2d(3, 16, kernel_size=3, stride=2, padding=1)
        self.fc = nn.Linear(16 * 16 * 16, 128)

    def forward(self, x):
        x = self.conv(x)  # the convolutional layer
        x = x.view(x.size(0), -1)
        x = self.fc(x)
        return F.normalize(x, p=2, dim=1)"""
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
    "Q1.2": "# Batch norm\n\n1. It normalizes each channel over the batch.\n"
    "2. It allows larger steps.\n\n> Before the activation, values are still symmetric.",
    "Q1.3": "Weights are shared over positions, and pooling forgets small shifts.",
    "Q2.1": "Yes. Augment C1 (crop, flip, noise) to get a positive; B1 is the negative.\n\n"
    "| role | image |\n| --- | ---: |\n| reference | C1 |\n| negative | B1 |",
    "Q2.3.3": "C1 and C2 went from 0.9193 to 0.9980, the pairs with B1 down to about 0.06.",
}


def answers() -> Mapping[str, Answer]:
    """Written answers, one with a picture; to Q2.2 and Q2.3.4 nothing was written."""
    made = {
        item: Answer(
            item=item, text=text, cells=(4,), images=(picture(),) if item == "Q1.3" else ()
        )
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
    """Six code cells that all ran; pip was neutralized in the first."""
    first = CellRun(
        index=16,
        status=CellStatus.RAN,
        seconds=0.01,
        notes=("!pip install torch torchvision was not run: everything is installed.",),
        number=1,
        first_line="!pip install torch torchvision",
    )
    rest = [
        (17, 1.93, "import torch"),
        (19, 0.02, "class SimpleEncoder(nn.Module):"),
        (21, 0.41, "encoder = SimpleEncoder()"),
        (23, 0.01, "print(cosine_similarity(C1, C2))"),
        (26, 0.38, "plt.scatter(*points.T)"),
    ]
    others = (
        CellRun(index=i, status=CellStatus.RAN, seconds=s, number=number, first_line=line)
        for number, (i, s, line) in enumerate(rest, start=2)
    )
    return (first, *others)


def shown() -> SavedEvidence:
    """What the file of a student shows who ran cells out of order and changed the seed since."""
    moved = (
        ChangedLine(
            label="Similarity between C1 and C2 (positive pair): #", then="0.9193", now="0.8710"
        ),
        ChangedLine(label="Similarity between C2 and B1 (negative pair): #", then="0.1561", now=""),
    )
    return SavedEvidence(
        numbered=True,
        out_of_order=(19,),
        never_run=(16, 26),
        errors=(SavedError(cell=21, text="NameError: name 'encoder' is not defined", again=False),),
        compared=3,
        differences=(
            OutputDifference(cell=23, moved=moved, more=2),
            OutputDifference(cell=26, pictures_then=1),
        ),
        quotes=(
            QuotedNumber(item="Q2.3.3", text="0.9193", saved=(23,)),
            QuotedNumber(item="Q2.3.3", text="0.9980", saved=(23,), fresh=(23,)),
            QuotedNumber(item="Q2.3.3", text="0.06"),
        ),
    )
