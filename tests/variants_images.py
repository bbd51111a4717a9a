"""What students put into C1 and B1, right and wrong, and what it does to the rest."""

from __future__ import annotations

from variant import Variant, changed

C2_LINE = "C2 = C1 + 0.5 * torch.randn(3, 32, 32)"


STACK = "images = torch.stack([C1, C2, B1])"


FROM_ROWS = changed("encoder", ("self.conv(x)", "self.conv(x.view(-1, 3, 32, 32))"))


def stacked(line: str) -> dict[str, str]:
    """The training cell with other lines in place of the one that stacks the images."""
    return {"train": changed("train", (STACK, line))}


def after_c2(line: str) -> str:
    """The data cell with a line added below the images."""
    return changed("data") + f"\n{line}"


IMAGES = (
    Variant(
        "both images from torch.rand",
        {"C1": "C1 = torch.rand(3, 32, 32)", "B1": "B1 = torch.rand(3, 32, 32)"},
        {"V5": 3.75},
        note=(
            "Before training the embeddings hold 0.8062 against 0.8230; after it the order "
            "fails for the reference too."
        ),
    ),
    Variant("only C1 from torch.rand", {"C1": "C1 = torch.rand(3, 32, 32)"}, {}),
    Variant("C1 from linspace", {"C1": "C1 = torch.linspace(-1, 1, 3072).view(3, 32, 32)"}, {}),
    Variant("B1 scaled and shifted", {"B1": "B1 = torch.randn(3, 32, 32) * 2 + 3"}, {}),
    Variant(
        "B1 made of C1 and noise",
        {"B1": "B1 = C1 + 5 * torch.randn(3, 32, 32)"},
        {"Q2.3.0": 2},
        note="The order of V5 holds: 0.8891 against 0.19 in pixels.",
    ),
    Variant(
        "B1 a copy of C1",
        {"B1": "B1 = C1.clone()"},
        {"Q2.3.0": 2, "V5": 1.25},
        note=(
            "Choice: rows equal to two images count as either, so the pairs are full. V5 "
            "keeps the part in which the reference fails too."
        ),
    ),
    Variant("B1 the negative of C1", {"B1": "B1 = -C1"}, {"Q2.3.0": 2}),
    Variant(
        "only B1 constant",
        {"B1": "B1 = torch.ones(3, 32, 32)"},
        {"Q2.3.0": 2},
        note=(
            "Choice: a constant has no covariance with anything and counts as independent. "
            "Order measured: it holds."
        ),
    ),
    Variant(
        "B1 of zeros",
        {"B1": "B1 = torch.zeros(3, 32, 32)"},
        {"Q2.3.0": 2},
        note="Choice: as for B1 constant. Its cosine in pixels is 0, below 0.8891.",
    ),
    Variant(
        "C1 of ones",
        {"C1": "C1 = torch.ones(3, 32, 32)"},
        {"Q2.3.0": 2},
        note="Choice: as for B1 constant. The order of V5 holds, as measured.",
    ),
    Variant(
        "C1 of zeros",
        {"C1": "C1 = torch.zeros(3, 32, 32)"},
        {"Q2.3.0": 2, "V5": 2.5},
        note=(
            "Choice: as for B1 constant. In pixels 0 against 0 is not closer; after "
            "training the reference fails too."
        ),
    ),
    Variant(
        "C1 two-valued",
        {"C1": "C1 = (torch.rand(3, 32, 32) > 0.5).float()"},
        {},
    ),
    Variant(
        "C1 divided by 255 after C2",
        {"data": after_c2("C1 = C1 / 255")},
        {"Q2.3.0": 2, "V5": 3.75},
        note="Before training 0.1920 against 0.3761; after it the reference fails too.",
    ),
    Variant(
        "C2 with less noise",
        {"data": changed("data", (C2_LINE, C2_LINE.replace("0.5", "0.1")))},
        {"Q2.3.0": 2},
    ),
    Variant(
        "C2 an image of its own",
        {"data": changed("data", (C2_LINE, "C2 = torch.randn(3, 32, 32)"))},
        {"Q2.3.0": 2, "V5": 1.25},
        note=(
            "Pixels -0.0121 against -0.0089 and embeddings -0.0539 against 0.1696 fail; "
            "after training 0.6653 holds."
        ),
    ),
    Variant(
        "C1 two-dimensional",
        {"C1": "C1 = torch.randn(32, 32)"},
        {"Q2.3.0": 0, "Q2.3.2": 0, "V1": 5, "V3": 4, "V4": 3, "V5": 0, "V6": 0},
        (
            "Q2.3.0",
            "Q2.3.2",
            "V3",
            "V4",
            "V5",
            "V6",
        ),
        note=(
            "The stack raises after the encoder was made, so the encoder is still judged. "
            "Choice: the other two points of Q2.3.0 are blocked."
        ),
    ),
    Variant(
        "B1 of another size",
        {"B1": "B1 = torch.randn(3, 64, 64)"},
        {"Q2.3.0": 1, "Q2.3.2": 0, "V1": 5, "V3": 4, "V4": 3, "V5": 0, "V6": 0},
        (
            "Q2.3.0",
            "Q2.3.2",
            "V3",
            "V4",
            "V5",
            "V6",
        ),
        note=(
            "Choice: where there is no stack the names C1, C2 and B1 are judged, so C2 "
            "keeps its point."
        ),
    ),
    Variant(
        "images of pixel values",
        {
            "C1": "C1 = torch.randint(0, 256, (3, 32, 32)).float()",
            "B1": "B1 = torch.randint(0, 256, (3, 32, 32)).float()",
        },
        {},
    ),
    Variant(
        "images from NumPy",
        {
            "C1": "C1 = torch.from_numpy(np.random.randn(3, 32, 32)).float()",
            "B1": "B1 = torch.tensor(np.random.normal(size=(3, 32, 32)), dtype=torch.float32)",
        },
        {},
    ),
    Variant(
        "images from torch.normal and normal_",
        {
            "C1": "C1 = torch.normal(0.0, 1.0, size=(3, 32, 32))",
            "B1": "B1 = torch.empty(3, 32, 32).normal_()",
        },
        {},
    ),
    Variant("images like each other in shape only", {"B1": "B1 = torch.randn_like(C1)"}, {}),
    Variant("another seed", {"data": changed("data", ("random_seed = 16", "random_seed = 7"))}, {}),
    Variant(
        "images on a device",
        {
            "data": after_c2(
                'device = torch.device("cuda" if torch.cuda.is_available() else "cpu")\n'
                "C1, C2, B1 = C1.to(device), C2.to(device), B1.to(device)"
            ),
            "train": changed("train", ("SimpleEncoder()", "SimpleEncoder().to(device)")),
        },
        {},
    ),
    Variant(
        "everything in double precision",
        {
            "data": changed(
                "data",
                ("# Define sample", "torch.set_default_dtype(torch.float64)\n# Define sample"),
            ),
        },
        {},
    ),
    Variant(
        "the data cell raises",
        {"C1": "C1 = torch.randn(3, 32, 32, device=gpu)"},
        {"Q2.3.0": 0, "Q2.3.2": 0, "V1": 5, "V3": 4, "V4": 3, "V5": 0, "V6": 0},
        (
            "Q2.3.0",
            "Q2.3.2",
            "V3",
            "V4",
            "V5",
            "V6",
        ),
        note=(
            "Imports come before the error, so the encoder is made. Choice: one point of "
            "Q2.3.0 is lost, two are blocked."
        ),
    ),
    Variant(
        "B1 never made",
        {"data": changed("data", ("B1 = torch.randn(3, 32, 32)", ""))},
        {"Q2.3.0": 1, "Q2.3.2": 0, "V1": 5, "V3": 4, "V4": 3, "V5": 0, "V6": 0},
        (
            "Q2.3.0",
            "Q2.3.2",
            "V3",
            "V4",
            "V5",
            "V6",
        ),
        note=(
            "Nothing that failed assigns B1, so the training cell fails of its own. Choice: "
            "C2 is judged by its name."
        ),
    ),
    Variant(
        "B1 left unfilled",
        {"B1": "#FILLME"},
        {"Q2.3.0": 0, "Q2.3.1": 0, "Q2.3.2": 0, "V1": 5, "V3": 0, "V4": 0, "V5": 0, "V6": 0},
        (
            "Q2.3.1",
            "Q2.3.2",
            "V3",
            "V4",
            "V5",
            "V6",
        ),
        note=(
            "The data cell does not parse, so nn is missing in the next cell. Choice: an "
            "import assigns its name; an unfilled blank is lost, not blocked, as in the template."
        ),
    ),
    Variant("the batch divided by 255", stacked(f"{STACK} / 255"), {}),
    Variant("the batch turned to its negative", stacked(f"images = 1 - {STACK[9:]}"), {}),
    Variant(
        "images as rows of 3,072 values",
        {**stacked(f"{STACK}.flatten(1)"), "encoder": FROM_ROWS},
        {"V3": 4},
    ),
    Variant("the batch flipped", stacked(f"{STACK}.flip(-1)"), {}),
    Variant(
        "the batch standardized",
        stacked(f"{STACK}\nimages = (images - images.mean()) / images.std()"),
        {},
    ),
    Variant(
        "a little noise on the batch",
        stacked(f"{STACK}\nimages = images + 0.05 * torch.randn_like(images)"),
        {},
    ),
    Variant(
        "channels last and scaled at the end, under the same names",
        stacked(f"{STACK}\nC1, C2, B1 = ((x.permute(1, 2, 0) + 4) / 8 for x in (C1, C2, B1))"),
        {},
    ),
    Variant(
        "random images in place of the batch",
        stacked("images = torch.randn(3, 3, 32, 32)"),
        {"Q2.3.2": 0, "V4": 3, "V5": 2.5, "V6": 0},
        ("V4", "V5", "V6"),
        note="C1, C2 and B1 are right and no module ever meets them.",
    ),
    Variant(
        "a random bicycle in the batch",
        stacked("images = torch.stack([C1, C2, torch.randn(3, 32, 32)])"),
        {"Q2.3.2": 1, "V4": 3, "V5": 2.5, "V6": 0},
        ("V4", "V5", "V6"),
        note="The positive pair alone is of the named images.",
    ),
)
