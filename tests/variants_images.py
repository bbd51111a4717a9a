"""What students put into C1 and B1, right and wrong, and what it does to the rest."""

from __future__ import annotations

from variant import Variant, changed

C2_LINE = "C2 = C1 + 0.5 * torch.randn(3, 32, 32)"


def after_c2(line: str) -> str:
    """The data cell with a line added below the images."""
    return changed("data") + f"\n{line}"


IMAGES = (
    Variant(
        "both images from torch.rand",
        {"C1": "C1 = torch.rand(3, 32, 32)", "B1": "B1 = torch.rand(3, 32, 32)"},
        {},
        note="measured",
    ),
    Variant("only C1 from torch.rand", {"C1": "C1 = torch.rand(3, 32, 32)"}, {}),
    Variant("C1 from linspace", {"C1": "C1 = torch.linspace(-1, 1, 3072).view(3, 32, 32)"}, {}),
    Variant("B1 scaled and shifted", {"B1": "B1 = torch.randn(3, 32, 32) * 2 + 3"}, {}),
    Variant(
        "B1 made of C1 and noise",
        {"B1": "B1 = C1 + 5 * torch.randn(3, 32, 32)"},
        {"Q2.3.0": 2},
    ),
    Variant("B1 a copy of C1", {"B1": "B1 = C1.clone()"}, {"Q2.3.0": 2}),
    Variant("B1 the negative of C1", {"B1": "B1 = -C1"}, {"Q2.3.0": 2}),
    Variant("only B1 constant", {"B1": "B1 = torch.ones(3, 32, 32)"}, {"Q2.3.0": 2}),
    Variant("B1 of zeros", {"B1": "B1 = torch.zeros(3, 32, 32)"}, {"Q2.3.0": 2}),
    Variant("C1 of ones", {"C1": "C1 = torch.ones(3, 32, 32)"}, {"Q2.3.0": 2}),
    Variant("C1 of zeros", {"C1": "C1 = torch.zeros(3, 32, 32)"}, {"Q2.3.0": 2}),
    Variant(
        "C1 two-valued",
        {"C1": "C1 = (torch.rand(3, 32, 32) > 0.5).float()"},
        {},
    ),
    Variant("C1 divided by 255 after C2", {"data": after_c2("C1 = C1 / 255")}, {"Q2.3.0": 2}),
    Variant(
        "C2 with less noise",
        {"data": changed("data", (C2_LINE, C2_LINE.replace("0.5", "0.1")))},
        {"Q2.3.0": 2},
    ),
    Variant(
        "C2 an image of its own",
        {"data": changed("data", (C2_LINE, "C2 = torch.randn(3, 32, 32)"))},
        {"Q2.3.0": 2},
    ),
    Variant(
        "C1 with one infinite pixel",
        {"C1": "C1 = torch.randn(3, 32, 32)\nC1[0, 0, 0] = float('inf')"},
        {"Q2.3.0": 2},
    ),
    Variant("C1 two-dimensional", {"C1": "C1 = torch.randn(32, 32)"}, {"Q2.3.0": 0}),
    Variant("B1 of another size", {"B1": "B1 = torch.randn(3, 64, 64)"}, {"Q2.3.0": 0}),
    Variant("images of pixel values", {
        "C1": "C1 = torch.randint(0, 256, (3, 32, 32)).float()",
        "B1": "B1 = torch.randint(0, 256, (3, 32, 32)).float()",
    }, {}),
    Variant("images from NumPy", {
        "C1": "C1 = torch.from_numpy(np.random.randn(3, 32, 32)).float()",
        "B1": "B1 = torch.tensor(np.random.normal(size=(3, 32, 32)), dtype=torch.float32)",
    }, {}),
    Variant("images from torch.normal and normal_", {
        "C1": "C1 = torch.normal(0.0, 1.0, size=(3, 32, 32))",
        "B1": "B1 = torch.empty(3, 32, 32).normal_()",
    }, {}),
    Variant("images like each other in shape only", {"B1": "B1 = torch.randn_like(C1)"}, {}),
    Variant("another seed", {"data": changed("data", ("random_seed = 16", "random_seed = 7"))}, {}),
    Variant("images on a device", {
        "data": after_c2(
            'device = torch.device("cuda" if torch.cuda.is_available() else "cpu")\n'
            "C1, C2, B1 = C1.to(device), C2.to(device), B1.to(device)"
        ),
        "train": changed("train", ("SimpleEncoder()", "SimpleEncoder().to(device)")),
    }, {}),
    Variant("everything in double precision", {
        "data": changed(
            "data",
            ("# Define sample", "torch.set_default_dtype(torch.float64)\n# Define sample"),
        ),
    }, {}),
    Variant("the data cell raises", {"C1": "C1 = torch.randn(3, 32, 32, device=gpu)"}, {}),
    Variant("B1 never made", {"data": changed("data", ("B1 = torch.randn(3, 32, 32)", ""))}, {}),
    Variant("B1 left unfilled", {"B1": "#FILLME"}, {}),
)
