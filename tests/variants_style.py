"""How notebooks are laid out, named and decorated; what counts as a failed cell."""

from __future__ import annotations

from variant import CODE_CELLS, Variant, changed, indented, joined

SWALLOWED = "try:\n{}\nexcept Exception:\n    pass"
RENAMED = (
    ("initial_embeddings", "z_before"),
    ("trained_embeddings", "z_after"),
    ("neg_pair1", "neg_a"),
    ("neg_pair2", "neg_b"),
    ("pos_pair", "cats"),
    ("images", "batch"),
    ("encoder", "net"),
    ("optimizer", "adam"),
    ("total_loss", "objective"),
)
TRAIN_FUNCTION = (
    "def train():\n"
    + indented(changed("train", ("# Run few", "# Then run few")))
    + "\n    return encoder, images, initial_embeddings, trained_embeddings\n\n"
    "encoder, images, initial_embeddings, trained_embeddings = train()"
)
SHADOWED = """\
list = [C1, C2, B1]
max, min = 3, 1
id = "vv20001"
input = torch.stack(list)
type = "noise"
object = dict = set = None"""
NOISE = """\

import sys
import warnings
warnings.warn("this is only a warning")
print("progress: 100%", file=sys.stderr)"""
INSTALLS = """\
%pip install -q torch
!apt install -y nothing
!conda install nothing
from google.colab import drive
drive.mount('/content/drive')
who = input('Your name: ')"""


def after(cell_id: str, *sources: str) -> dict[str, str]:
    """Cells of the student's own below a cell of the handout."""
    return {cell_id: "\n# %%\n".join((changed(cell_id), *sources))}


STYLE = (
    Variant("as the solved copy", {}, {}),
    Variant(
        "all code in one cell",
        {
            **dict.fromkeys(CODE_CELLS, ""),
            "chart": joined(*CODE_CELLS),
        },
        {},
        note="1 code cell",
    ),
    Variant(
        "class, loss and training in one cell",
        {
            "encoder": "",
            "train": joined("encoder", "train"),
        },
        {},
        note="5 code cells",
    ),
    Variant(
        "the training cell split into four",
        {
            "train": changed(
                "train",
                ("# Get initial_emb", "# %%\n# Get initial_emb"),
                ("# Train encoder", "# %%\n# Train encoder"),
                ("encoder.eval()", "# %%\nencoder.eval()"),
            ),
        },
        {},
        note="9 code cells",
    ),
    Variant(
        "other variable names",
        {
            "train": changed("train", *((old, new) for old, new in RENAMED)),
            "similarities": changed(
                "similarities",
                ("(initial_embeddings,", "(z_before,"),
                ("(trained_embeddings,", "(z_after,"),
            ),
            "chart": changed(
                "chart",
                (
                    "embeddings\nplot_embeddings(initial_embeddings, trained_embeddings,",
                    "embeddings\nplot_embeddings(z_before, z_after,",
                ),
            ),
        },
        {},
    ),
    Variant("training in a function", {"train": TRAIN_FUNCTION}, {}),
    Variant(
        "training under __main__",
        {
            "train": 'if __name__ == "__main__":\n' + indented(changed("train")),
        },
        {},
    ),
    Variant(
        "the training cell run twice",
        after("train", changed("train")),
        {},
        note="7 code cells; the second encoder is drawn later, and counts",
    ),
    Variant("shadowed builtins", after("data", SHADOWED), {}, note="7 code cells"),
    Variant("noise on stderr", {"train": changed("train") + NOISE}, {}),
    Variant(
        "everything caught",
        {
            "train": SWALLOWED.format(indented(changed("train"))),
        },
        {},
    ),
    Variant(
        "no seed",
        {
            "data": changed(
                "data",
                ("torch.manual_seed(random_seed)", ""),
                ("np.random.seed(random_seed)", ""),
                ("random.seed(random_seed)", ""),
            )
        },
        {},
    ),
    Variant(
        "torchvision imported otherwise",
        {
            "data": "import torchvision\nfrom torchvision import transforms\n" + changed("data"),
        },
        {},
    ),
    Variant("without the pip cell", {"pip": ""}, {}, note="5 code cells"),
    Variant("install lines, Colab and input", {"pip": INSTALLS}, {}),
    Variant(
        "empty and comment-only cells",
        after("chart", "", "# the end\n\n# really"),
        {},
        note="6 code cells count of 8",
    ),
    Variant("a cell of their own fails", after("chart", "1 / 0"), {"V1": 5}),
    Variant(
        "two cells of their own fail", after("chart", "1 / 0", "print(never_assigned)"), {"V1": 4.5}
    ),
    Variant(
        "a failure and its follower",
        after("chart", "mean = C1.mean() / 0 + nope", "mean * 2"),
        {"V1": 5},
    ),
    Variant(
        "the similarities cell mistyped",
        {
            "similarities": changed(
                "similarities", ("(initial_embeddings,", "(initial_embedings,")
            ),
        },
        {"V1": 5},
    ),
    Variant(
        "the similarities and the chart mistyped",
        {
            "similarities": changed(
                "similarities", ("(initial_embeddings,", "(initial_embedings,")
            ),
            "chart": changed("chart", ("plt.show()", "plt.shwo()")),
        },
        {"V1": 4},
    ),
    Variant(
        "the unfilled template",
        dict.fromkeys(
            ("C1", "B1", "conv", "fc", "initial_embeddings", "pos_pair", "neg_pair1", "neg_pair2"),
            "#FILLME",
        ),
        {"Q2.3.0": 0, "Q2.3.1": 0, "Q2.3.2": 0, "V1": 3, "V3": 0, "V4": 0, "V5": 0, "V6": 0},
        (
            "V3",
            "V4",
            "V5",
            "V6",
        ),
        note=(
            "Three cells do not parse; what follows fails for names they assign. Choice: an "
            "unfilled blank is lost, not blocked."
        ),
    ),
)
