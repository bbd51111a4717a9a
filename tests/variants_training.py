"""How students embed the images and train on them, right and wrong."""

from __future__ import annotations

from variant import Variant, changed
from variants_pairs import EMBED, MEAN, STACK, train

ADAM = "torch.optim.Adam(encoder.parameters(), lr=0.01)"
LOOP = "for _ in range(1):"
STEP = "    optimizer.step()\n"
INITIAL = "initial_embeddings = encoder(images).detach()"
TRAINED = "trained_embeddings = encoder(images).detach()"
OWN_UPDATE = """\
    encoder.zero_grad()
    total_loss.backward()
    for p in encoder.parameters():
        p.data -= 0.01 * p.grad
"""
GIVEN_UPDATE = "    optimizer.zero_grad()\n    total_loss.backward()\n    optimizer.step()\n"
INFO_NCE = """\
def contrastive_loss(anchor, positive, negatives, temperature=0.5):
    others = torch.stack([positive, *negatives])
    logits = F.cosine_similarity(anchor.unsqueeze(0), others) / temperature
    return F.cross_entropy(logits.unsqueeze(0), torch.tensor([0]))"""


def with_own_loss(source: str) -> str:
    """The encoder's cell with another loss below it."""
    return changed("encoder") + "\n\n" + source


TRAINING = (
    Variant(
        "no_grad instead of detach",
        {
            "initial_embeddings": "with torch.no_grad():\n    initial_embeddings = encoder(images)",
        },
        {},
    ),
    Variant(
        "initial embeddings not detached",
        {
            "initial_embeddings": "initial_embeddings = encoder(images)",
        },
        {"V1": 5},
        note=("Q2.3.2 is full. The chart cell raises: a tensor that requires grad has no numpy()."),
    ),
    Variant(
        "initial embeddings made after training",
        {
            "initial_embeddings": "pass",
            "train": changed("train", (INITIAL, ""), (TRAINED, TRAINED + f"\n{INITIAL}")),
        },
        {"Q2.3.2": 4},
        note=(
            "Choice: V5 before training looks at the encoder's recorded start, not at the variable."
        ),
    ),
    Variant(
        "initial embeddings random",
        {
            "initial_embeddings": "initial_embeddings = F.normalize(torch.randn(3, 128), dim=1)",
        },
        {"Q2.3.2": 4},
        note="Choice: as above, V5 looks at the encoder's recorded start.",
    ),
    Variant("losses summed", train((MEAN, "total_loss = loss1 + loss2")), {}),
    Variant(
        "images encoded one by one in a loop",
        train(
            (EMBED, "    embeddings = torch.cat([encoder(i.unsqueeze(0)) for i in images])\n"),
        ),
        {},
    ),
    Variant(
        "three calls and no batch",
        train(
            (STACK + "  # Stack images into a batch", ""),
            (
                "encoder(images)",
                (
                    "torch.cat([encoder(C1.unsqueeze(0)), encoder(C2.unsqueeze(0)), "
                    "encoder(B1.unsqueeze(0))])"
                ),
            ),
        ),
        {},
    ),
    Variant(
        "own update of the weights",
        train((GIVEN_UPDATE, OWN_UPDATE)),
        {"V6": 1},
        note=("No optimizer step is recorded. InfoNCE rises from 0.1991 to 0.2274, as with SGD."),
    ),
    Variant(
        "SGD",
        train((ADAM, "torch.optim.SGD(encoder.parameters(), lr=0.01)")),
        {"V6": 1},
        note=(
            "InfoNCE rises from 0.1991 to 0.2274: the handout's loss pulls the negatives closer."
        ),
    ),
    Variant(
        "SGD with a large rate",
        train((ADAM, "torch.optim.SGD(encoder.parameters(), lr=0.5)")),
        {"V6": 1},
        note="InfoNCE rises from 0.1991 to 0.2154.",
    ),
    Variant("AdamW", train((ADAM, "torch.optim.AdamW(encoder.parameters(), lr=0.01)")), {}),
    Variant(
        "a small learning rate",
        train(("lr=0.01", "lr=0.0001")),
        {"V6": 1},
        note="Adam with 0.0001: InfoNCE rises from 0.1991 to 0.4785.",
    ),
    Variant("five steps", train((LOOP, "for _ in range(5):")), {}),
    Variant("fifty steps", train((LOOP, "for epoch in range(50):")), {}),
    Variant("three hundred steps", train((LOOP, "for _ in range(300):")), {}),
    Variant(
        "no step at all",
        train((LOOP, "for _ in range(0):")),
        {"Q2.3.2": 1, "V6": 0},
        ("Q2.3.2",),
        note=(
            "Choice: the loss is never called, so the three pairs are blocked; the trained "
            "point and V6 are lost. Untrained, the order of V5 holds."
        ),
    ),
    Variant("the step forgotten", train((STEP, "")), {"Q2.3.2": 4, "V6": 0}),
    Variant(
        "the backward pass forgotten",
        train(("    total_loss.backward()\n", "")),
        {"Q2.3.2": 4, "V6": 0},
    ),
    Variant("a learning rate of zero", train(("lr=0.01", "lr=0.0")), {"Q2.3.2": 4, "V6": 0}),
    Variant(
        "trained embeddings of a new encoder",
        train(
            (TRAINED, "trained_embeddings = SimpleEncoder()(images).detach()"),
        ),
        {"Q2.3.2": 4, "V6": 0},
        note=(
            "Choice: V6 is about the encoder that made the trained embeddings, and it never "
            "moved. V5 after: 0.8842 against 0.0495."
        ),
    ),
    Variant(
        "trained embeddings from before the step",
        train(
            (TRAINED, "trained_embeddings = embeddings.detach()"),
        ),
        {"Q2.3.2": 4},
        note=(
            "Choice: V6 looks at the trained encoder's output, not at the variable; by the "
            "variable it would be 1."
        ),
    ),
    Variant(
        "trained embeddings not detached",
        train(
            ("with torch.no_grad():\n    " + TRAINED, "trained_embeddings = encoder(images)"),
        ),
        {"V1": 5},
        note="As with the initial ones, the chart cell raises.",
    ),
    Variant("InfoNCE in place of the loss", {"encoder": with_own_loss(INFO_NCE)}, {}),
    Variant(
        "InfoNCE and fifty steps",
        {
            "encoder": with_own_loss(INFO_NCE),
            **train((LOOP, "for _ in range(50):")),
        },
        {},
    ),
    Variant(
        "InfoNCE of its own name",
        {
            "encoder": with_own_loss(INFO_NCE.replace("contrastive_loss", "nt_xent")),
            **train(("contrastive_loss(", "nt_xent(")),
        },
        {},
    ),
    Variant(
        "InfoNCE and an own update",
        {
            "encoder": with_own_loss(INFO_NCE),
            **train((GIVEN_UPDATE, OWN_UPDATE)),
        },
        {},
    ),
    Variant("the encoder called by keyword", train(("encoder(images)", "encoder(x=images)")), {}),
    Variant("the sign of the loss turned", train((MEAN, "total_loss = -(loss1 + loss2) / 2")), {}),
    Variant(
        "no training cell",
        {"train": ""},
        {"Q2.3.2": 0, "V1": 3.6, "V3": 4, "V4": 3, "V5": 2.5, "V6": 0},
        (
            "V3",
            "V4",
            "V5",
            "V6",
        ),
        note=(
            "5 code cells, 2 fail of their own, since no failed cell assigns the names. "
            "Choice: as for pairs left unfilled."
        ),
    ),
)
