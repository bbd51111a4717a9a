"""Which pairs students build, how they hand them to the loss, and in which order images stand."""

from __future__ import annotations

from variant import Variant, changed

STACK = "images = torch.stack([C1, C2, B1])"
FIRST_CALL = "loss1 = contrastive_loss(pos_pair[0], pos_pair[1], [neg_pair1[1]])"
SECOND_CALL = "loss2 = contrastive_loss(pos_pair[1], pos_pair[0], [neg_pair2[1]])"
MEAN = "total_loss = (loss1 + loss2) / 2"
EMBED = "    embeddings = encoder(images)\n"
PAIRS = """\
    pos_pair = (embeddings[0], embeddings[1])
    neg_pair1 = (embeddings[0], embeddings[2])
    neg_pair2 = (embeddings[1], embeddings[2])
"""


def train(*swaps: tuple[str, str]) -> dict[str, str]:
    """The training cell with pieces of it exchanged."""
    return {"train": changed("train", *swaps)}


def paired(pos: str, neg1: str, neg2: str) -> dict[str, str]:
    """The training cell with these pairs of rows, such as '01' for the first two."""
    return {
        name: f"{name} = (embeddings[{rows[0]}], embeddings[{rows[1]}])"
        for name, rows in (("pos_pair", pos), ("neg_pair1", neg1), ("neg_pair2", neg2))
    }


PAIRING = (
    Variant("positive pair swapped", paired("10", "02", "12"), {}),
    Variant(
        "first negative pair swapped",
        paired("01", "20", "12"),
        {"Q2.3.2": 4.5, "V6": 2.5},
        note=(
            "Choice: a pair that earns half was contrasted wrongly and caps V6. InfoNCE 0.1537, "
            "R 0.1427."
        ),
    ),
    Variant(
        "both negative pairs swapped",
        paired("01", "20", "21"),
        {"Q2.3.2": 4, "V6": 1},
        note=(
            "The images are contrasted with themselves only: InfoNCE rises from 0.1991 to 0.7033."
        ),
    ),
    Variant(
        "first negative pair holds the positive",
        paired("01", "01", "12"),
        {"Q2.3.2": 4, "V6": 2.5},
        note="InfoNCE 0.1643 is above R 0.1427 + 0.02, and the cap holds anyway.",
    ),
    Variant(
        "second negative pair holds the positive",
        paired("01", "02", "10"),
        {"Q2.3.2": 4, "V6": 2.5},
        note="InfoNCE 0.1676, and the cap holds anyway.",
    ),
    Variant(
        "second negative pair starts at C1",
        paired("01", "02", "02"),
        {},
        note=(
            "The calls decide: the given line reads only the second element, which is B1. "
            "The variable is a note."
        ),
    ),
    Variant(
        "positive pair holds the bicycle",
        paired("02", "02", "12"),
        {"Q2.3.2": 3.5, "V6": 2.5},
        note=(
            "Calls: positive {C1, B1}, negatives {C1, B1} and {B1}; the variable holds {C2, "
            "B1}, half. InfoNCE 0.1373 would give 5; capped."
        ),
    ),
    Variant(
        "an image paired with itself",
        paired("00", "02", "12"),
        {"Q2.3.2": 3.5, "V6": 2.5},
        note=(
            "C2 is never an anchor, so {C2, B1} is not contrasted: half. InfoNCE 0.1373 "
            "would give 5; capped."
        ),
    ),
    Variant(
        "pairs left unfilled",
        {
            "pos_pair": "#FILLME",
            "neg_pair1": "#FILLME",
            "neg_pair2": "#FILLME",
        },
        {"Q2.3.2": 0, "V1": 5, "V3": 4, "V4": 3, "V5": 2.5, "V6": 0},
        (
            "V3",
            "V4",
            "V5",
            "V6",
        ),
        note=(
            "The training cell does not parse. Choice: the class is there, so a fresh "
            "encoder is judged; the pixels are judged by name."
        ),
    ),
    Variant(
        "pairs never named",
        train(
            (PAIRS, ""),
            (FIRST_CALL, "loss1 = contrastive_loss(embeddings[0], embeddings[1], [embeddings[2]])"),
            (
                SECOND_CALL,
                "loss2 = contrastive_loss(embeddings[1], embeddings[0], [embeddings[2]])",
            ),
        ),
        {},
    ),
    Variant(
        "the batch unpacked",
        train(
            (EMBED, "    c1, c2, b1 = embeddings = encoder(images)\n"),
            (PAIRS, ""),
            (FIRST_CALL, "loss1 = contrastive_loss(c1, c2, [b1])"),
            (SECOND_CALL, "loss2 = contrastive_loss(c2, c1, [b1])"),
        ),
        {},
    ),
    Variant(
        "pairs unpacked",
        train(
            (
                FIRST_CALL,
                (
                    "(a, p), (_, n1), (_, n2) = pos_pair, neg_pair1, neg_pair2\n"
                    "    loss1 = contrastive_loss(a, p, [n1])"
                ),
            ),
            (SECOND_CALL, "loss2 = contrastive_loss(p, a, [n2])"),
        ),
        {},
    ),
    Variant(
        "pairs in a dictionary",
        train(
            (
                PAIRS,
                (
                    "    e = embeddings\n"
                    '    pairs = {"pos": (e[0], e[1]), "neg": [(e[0], e[2]), (e[1], e[2])]}\n'
                ),
            ),
            ("pos_pair", 'pairs["pos"]'),
            ("neg_pair1[1]", 'pairs["neg"][0][1]'),
            ("neg_pair2[1]", 'pairs["neg"][1][1]'),
        ),
        {},
    ),
    Variant(
        "pairs wrong, calls right",
        train(
            (PAIRS, "    pos_pair = neg_pair1 = neg_pair2 = (embeddings[0], embeddings[0])\n"),
            ("pos_pair[0]", "embeddings[0]"),
            ("pos_pair[1]", "embeddings[1]"),
            ("neg_pair1[1]", "embeddings[2]"),
            ("neg_pair2[1]", "embeddings[2]"),
        ),
        {},
    ),
    Variant(
        "keyword arguments",
        train(
            (
                FIRST_CALL,
                (
                    "loss1 = contrastive_loss(anchor=pos_pair[0], positive=pos_pair[1], "
                    "negatives=[neg_pair1[1]])"
                ),
            ),
            (
                SECOND_CALL,
                (
                    "loss2 = contrastive_loss(negatives=(neg_pair2[1],), "
                    "positive=pos_pair[0], anchor=pos_pair[1], temperature=0.5)"
                ),
            ),
        ),
        {},
    ),
    Variant(
        "one loss call only",
        train((f"    {SECOND_CALL}\n", ""), (MEAN, "total_loss = loss1")),
        {"Q2.3.2": 4.5, "V6": 2.5},
        note=(
            "Choice: a pair that earns half was not contrasted and caps V6. InfoNCE 0.1457, "
            "R 0.1427."
        ),
    ),
    Variant(
        "one loss call only, pairs never named",
        train(
            (PAIRS, ""),
            (FIRST_CALL, "loss1 = contrastive_loss(embeddings[0], embeddings[1], [embeddings[2]])"),
            (f"    {SECOND_CALL}\n", ""),
            (MEAN, "total_loss = loss1"),
        ),
        {"Q2.3.2": 4, "V6": 2.5},
        note="InfoNCE 0.1457 would give 5; capped.",
    ),
    Variant(
        "another order, pairs to match",
        train(
            (STACK, "images = torch.stack([B1, C1, C2])"),
            (
                PAIRS,
                """\
    pos_pair = (embeddings[1], embeddings[2])
    neg_pair1 = (embeddings[1], embeddings[0])
    neg_pair2 = (embeddings[2], embeddings[0])
""",
            ),
        ),
        {},
    ),
    Variant(
        "another order, pairs as given",
        train((STACK, "images = torch.stack([B1, C1, C2])")),
        {"Q2.3.2": 3, "V6": 2.5},
        note=(
            "Calls: positive {B1, C1}, negatives {B1, C2} and {C1, C2}. InfoNCE 0.1401 "
            "would give 5; capped."
        ),
    ),
    Variant(
        "pairs as lists",
        train(
            ("(embeddings[0], embeddings[1])", "[embeddings[0], embeddings[1]]"),
            ("(embeddings[0], embeddings[2])", "[embeddings[0], embeddings[2]]"),
            ("(embeddings[1], embeddings[2])", "embeddings[1:]"),
        ),
        {},
    ),
    Variant(
        "rows chosen by slices",
        train(
            (
                FIRST_CALL,
                (
                    "loss1 = contrastive_loss(embeddings[:1].squeeze(0), pos_pair[1], "
                    "[embeddings[-1]])"
                ),
            ),
        ),
        {},
    ),
)
