"""How students embed, pair and train, right and wrong."""

from __future__ import annotations

from variant import Variant, changed

STACK = "images = torch.stack([C1, C2, B1])"
FIRST_CALL = "loss1 = contrastive_loss(pos_pair[0], pos_pair[1], [neg_pair1[1]])"
SECOND_CALL = "loss2 = contrastive_loss(pos_pair[1], pos_pair[0], [neg_pair2[1]])"
MEAN = "total_loss = (loss1 + loss2) / 2"
ADAM = "torch.optim.Adam(encoder.parameters(), lr=0.01)"
LOOP = "for _ in range(1):"
STEP = "    optimizer.step()\n"
EMBED = "    embeddings = encoder(images)\n"
PAIRS = """\
    pos_pair = (embeddings[0], embeddings[1])
    neg_pair1 = (embeddings[0], embeddings[2])
    neg_pair2 = (embeddings[1], embeddings[2])
"""
INITIAL = "initial_embeddings = encoder(images).detach()"
TRAINED = "trained_embeddings = encoder(images).detach()"
OWN_UPDATE = """\
    encoder.zero_grad()
    total_loss.backward()
    for p in encoder.parameters():
        p.data -= 0.01 * p.grad
"""
GIVEN_UPDATE = "    optimizer.zero_grad()\n    total_loss.backward()\n    optimizer.step()\n"
INFO_NCE = '''\
def contrastive_loss(anchor, positive, negatives, temperature=0.5):
    others = torch.stack([positive, *negatives])
    logits = F.cosine_similarity(anchor.unsqueeze(0), others) / temperature
    return F.cross_entropy(logits.unsqueeze(0), torch.tensor([0]))'''


def train(*swaps: tuple[str, str]) -> dict[str, str]:
    """The training cell with pieces of it exchanged."""
    return {"train": changed("train", *swaps)}


def paired(pos: str, neg1: str, neg2: str) -> dict[str, str]:
    """The training cell with these pairs of rows, such as '01' for the first two."""
    return {
        name: f"{name} = (embeddings[{rows[0]}], embeddings[{rows[1]}])"
        for name, rows in (("pos_pair", pos), ("neg_pair1", neg1), ("neg_pair2", neg2))
    }


def with_own_loss(source: str) -> str:
    """The encoder's cell with another loss below it."""
    return changed("encoder") + "\n\n" + source


TRAINING = (
    Variant("no_grad instead of detach", {
        "initial_embeddings": "with torch.no_grad():\n    initial_embeddings = encoder(images)",
    }, {}),
    Variant("initial embeddings not detached", {
        "initial_embeddings": "initial_embeddings = encoder(images)",
    }, {"V1": 5}),
    Variant("initial embeddings made after training", {
        "initial_embeddings": "pass",
        "train": changed("train", (INITIAL, ""), (TRAINED, TRAINED + f"\n{INITIAL}")),
    }, {"Q2.3.2": 4}),
    Variant("initial embeddings random", {
        "initial_embeddings": "initial_embeddings = F.normalize(torch.randn(3, 128), dim=1)",
    }, {"Q2.3.2": 4}),
    Variant("positive pair swapped", paired("10", "02", "12"), {}),
    Variant("first negative pair swapped", paired("01", "20", "12"), {"Q2.3.2": 4.5}),
    Variant("both negative pairs swapped", paired("01", "20", "21"), {"Q2.3.2": 4}),
    Variant("first negative pair holds the positive", paired("01", "01", "12"), {"Q2.3.2": 4}),
    Variant("second negative pair holds the positive", paired("01", "02", "10"), {"Q2.3.2": 4}),
    Variant("second negative pair starts at C1", paired("01", "02", "02"), {}),
    Variant("positive pair holds the bicycle", paired("02", "02", "12"), {"Q2.3.2": 3.5}),
    Variant("an image paired with itself", paired("00", "02", "12"), {}),
    Variant("pairs left unfilled", {
        "pos_pair": "#FILLME", "neg_pair1": "#FILLME", "neg_pair2": "#FILLME",
    }, {}),
    Variant("pairs never named", train(
        (PAIRS, ""),
        (FIRST_CALL, "loss1 = contrastive_loss(embeddings[0], embeddings[1], [embeddings[2]])"),
        (SECOND_CALL, "loss2 = contrastive_loss(embeddings[1], embeddings[0], [embeddings[2]])"),
    ), {}),
    Variant("the batch unpacked", train(
        (EMBED, "    c1, c2, b1 = embeddings = encoder(images)\n"),
        (PAIRS, ""),
        (FIRST_CALL, "loss1 = contrastive_loss(c1, c2, [b1])"),
        (SECOND_CALL, "loss2 = contrastive_loss(c2, c1, [b1])"),
    ), {}),
    Variant("pairs unpacked", train(
        (FIRST_CALL, "(a, p), (_, n1), (_, n2) = pos_pair, neg_pair1, neg_pair2\n"
         "    loss1 = contrastive_loss(a, p, [n1])"),
        (SECOND_CALL, "loss2 = contrastive_loss(p, a, [n2])"),
    ), {}),
    Variant("pairs in a dictionary", train(
        (PAIRS, "    e = embeddings\n"
         '    pairs = {"pos": (e[0], e[1]), "neg": [(e[0], e[2]), (e[1], e[2])]}\n'),
        ("pos_pair", 'pairs["pos"]'),
        ("neg_pair1[1]", 'pairs["neg"][0][1]'),
        ("neg_pair2[1]", 'pairs["neg"][1][1]'),
    ), {}),
    Variant("pairs wrong, calls right", train(
        (PAIRS, "    pos_pair = neg_pair1 = neg_pair2 = (embeddings[0], embeddings[0])\n"),
        ("pos_pair[0]", "embeddings[0]"),
        ("pos_pair[1]", "embeddings[1]"),
        ("neg_pair1[1]", "embeddings[2]"),
        ("neg_pair2[1]", "embeddings[2]"),
    ), {}),
    Variant("keyword arguments", train(
        (FIRST_CALL, "loss1 = contrastive_loss(anchor=pos_pair[0], positive=pos_pair[1], "
         "negatives=[neg_pair1[1]])"),
        (SECOND_CALL, "loss2 = contrastive_loss(negatives=(neg_pair2[1],), "
         "positive=pos_pair[0], anchor=pos_pair[1], temperature=0.5)"),
    ), {}),
    Variant("one loss call only", train((f"    {SECOND_CALL}\n", ""), (MEAN, "total_loss = loss1")),
            {"Q2.3.2": 4.5}),
    Variant("one loss call only, pairs never named", train(
        (PAIRS, ""),
        (FIRST_CALL, "loss1 = contrastive_loss(embeddings[0], embeddings[1], [embeddings[2]])"),
        (f"    {SECOND_CALL}\n", ""),
        (MEAN, "total_loss = loss1"),
    ), {"Q2.3.2": 4}),
    Variant("losses summed", train((MEAN, "total_loss = loss1 + loss2")), {}),
    Variant("images encoded one by one in a loop", train(
        (EMBED, "    embeddings = torch.cat([encoder(i.unsqueeze(0)) for i in images])\n"),
    ), {}),
    Variant("three calls and no batch", train(
        (STACK + "  # Stack images into a batch", ""),
        ("encoder(images)", "torch.cat([encoder(C1.unsqueeze(0)), encoder(C2.unsqueeze(0)), "
         "encoder(B1.unsqueeze(0))])"),
    ), {}),
    Variant("another order, pairs to match", train(
        (STACK, "images = torch.stack([B1, C1, C2])"),
        (PAIRS, """\
    pos_pair = (embeddings[1], embeddings[2])
    neg_pair1 = (embeddings[1], embeddings[0])
    neg_pair2 = (embeddings[2], embeddings[0])
"""),
    ), {}),
    Variant("another order, pairs as given", train((STACK, "images = torch.stack([B1, C1, C2])")),
            {"Q2.3.2": 3}),
    Variant("own update of the weights", train((GIVEN_UPDATE, OWN_UPDATE)), {}),
    Variant("SGD", train((ADAM, "torch.optim.SGD(encoder.parameters(), lr=0.01)")), {}),
    Variant("SGD with a large rate", train(
        (ADAM, "torch.optim.SGD(encoder.parameters(), lr=0.5)")), {}),
    Variant("AdamW", train((ADAM, "torch.optim.AdamW(encoder.parameters(), lr=0.01)")), {}),
    Variant("a small learning rate", train(("lr=0.01", "lr=0.0001")), {}),
    Variant("five steps", train((LOOP, "for _ in range(5):")), {}),
    Variant("fifty steps", train((LOOP, "for epoch in range(50):")), {}),
    Variant("three hundred steps", train((LOOP, "for _ in range(300):")), {}),
    Variant("no step at all", train((LOOP, "for _ in range(0):")), {}),
    Variant("the step forgotten", train((STEP, "")), {"Q2.3.2": 4, "V6": 0}),
    Variant("the backward pass forgotten", train(("    total_loss.backward()\n", "")),
            {"Q2.3.2": 4, "V6": 0}),
    Variant("a learning rate of zero", train(("lr=0.01", "lr=0.0")), {"Q2.3.2": 4, "V6": 0}),
    Variant("trained embeddings of a new encoder", train(
        (TRAINED, "trained_embeddings = SimpleEncoder()(images).detach()"),
    ), {"Q2.3.2": 4, "V6": 0}),
    Variant("trained embeddings from before the step", train(
        (TRAINED, "trained_embeddings = embeddings.detach()"),
    ), {"Q2.3.2": 4}),
    Variant("trained embeddings not detached", train(
        ("with torch.no_grad():\n    " + TRAINED, "trained_embeddings = encoder(images)"),
    ), {"V1": 5}),
    Variant("InfoNCE in place of the loss", {"encoder": with_own_loss(INFO_NCE)}, {}),
    Variant("InfoNCE and fifty steps", {
        "encoder": with_own_loss(INFO_NCE), **train((LOOP, "for _ in range(50):")),
    }, {}),
    Variant("InfoNCE of its own name", {
        "encoder": with_own_loss(INFO_NCE.replace("contrastive_loss", "nt_xent")),
        **train(("contrastive_loss(", "nt_xent(")),
    }, {}),
    Variant("the sign of the loss turned", train((MEAN, "total_loss = -(loss1 + loss2) / 2")), {}),
    Variant("no training cell", {"train": ""}, {}),
)
