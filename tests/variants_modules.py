"""Other modules beside the one that counts, other ways to call it, embeddings kept elsewhere."""

from __future__ import annotations

from variant import Variant, changed, indented
from variants_training import ADAM, GIVEN_UPDATE, INITIAL, LOOP, STEP, TRAINED, with_own_loss

STACKED = "images = torch.stack([C1, C2, B1])  # Stack images into a batch\n"
MADE = "encoder = SimpleEncoder()\n"
LOSSES = "    # Contrastive loss as before\n"
EMBEDDED = "    embeddings = encoder(images)\n"
CALLS = (
    "    loss1 = contrastive_loss(pos_pair[0], pos_pair[1], [neg_pair1[1]])\n"
    "    loss2 = contrastive_loss(pos_pair[1], pos_pair[0], [neg_pair2[1]])\n"
    "    total_loss = (loss1 + loss2) / 2\n"
)
INITIAL_LINE = f"{INITIAL}\n"
BASELINE = """
class Baseline(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 4, 3, stride=4), nn.Flatten(), nn.Linear(256, 32))

    def forward(self, x):
        return 5 * self.layers(x)
"""


def train(*swaps: tuple[str, str], after: str = "") -> dict[str, str]:
    """The edit of a training cell with pieces exchanged, and lines after it."""
    return {"train": changed("train", *swaps) + after}


def looked(line: str) -> dict[str, str]:
    """A training cell with a line between the embeddings and the loss."""
    return train((LOSSES, f"    {line}\n{LOSSES}"))


OTHERS = (
    Variant(
        "the convolution looked at before",
        train((STACKED, STACKED + "print(encoder.conv(images).shape)\n")),
        {},
    ),
    Variant(
        "the convolution looked at in the loop", looked("feature_map = encoder.conv(images)"), {}
    ),
    Variant(
        "a feature map shown at the end",
        train(after="\nplt.imshow(encoder.conv(images)[0, 0].detach()); plt.show()"),
        {},
    ),
    Variant(
        "both layers looked at apart",
        train(after="\nz = encoder.fc(encoder.conv(images).flatten(1))\nprint(z.norm(dim=1))"),
        {},
    ),
    Variant(
        "parts of the encoder in a Sequential",
        train(
            after="\nfeatures = nn.Sequential(encoder.conv, nn.Flatten())(images)\nprint(features.norm(dim=1))"
        ),
        {},
    ),
    Variant(
        "a baseline looked at",
        {
            "encoder": changed("encoder")
            + BASELINE
            + "\nprint(Baseline()(torch.stack([C1, C2, B1])).norm(dim=1))"
        },
        {},
    ),
    Variant(
        "a convolution tried above the class",
        {
            "encoder": "print(nn.Conv2d(3, 16, 3, stride=2, padding=1)(C1).shape)\n"
            + changed("encoder")
        },
        {},
    ),
    Variant(
        "a hook on the convolution",
        train(
            (MADE, MADE + "encoder.conv.register_forward_hook(lambda m, i, o: print(o.shape))\n")
        ),
        {},
    ),
    Variant(
        "a baseline trained afterwards on the images",
        train(
            after=BASELINE + "\nother = Baseline()\nadam = torch.optim.Adam(other.parameters())\n"
            "for _ in range(3):\n    adam.zero_grad()\n    other(images).pow(2).mean().backward()\n    adam.step()\n"
            "print(other(images).norm(dim=1))"
        ),
        {},
    ),
    Variant(
        "a linear probe on the embeddings",
        train(
            after="\nprobe = nn.Linear(128, 2)\nadam = torch.optim.Adam(probe.parameters())\n"
            "F.cross_entropy(probe(trained_embeddings), torch.tensor([0, 0, 1])).backward()\nadam.step()"
        ),
        {},
    ),
    Variant("a fresh encoder asked in the loop", looked("untrained = SimpleEncoder()(images)"), {}),
)

DIRECT = (
    Variant(
        "forward called directly, everywhere",
        train(("encoder(images)", "encoder.forward(images)")),
        {},
    ),
    Variant(
        "forward called directly, in the loop",
        train((EMBEDDED, "    embeddings = encoder.forward(images)\n")),
        {},
    ),
    Variant(
        "forward called directly, at the end",
        train((TRAINED, "trained_embeddings = encoder.forward(images).detach()")),
        {},
    ),
    Variant(
        "forward called on the class",
        train((EMBEDDED, "    embeddings = SimpleEncoder.forward(encoder, images)\n")),
        {},
    ),
    Variant(
        "a method of another name makes the embeddings",
        {
            "encoder": changed(
                "encoder",
                (
                    "    def forward(self, x):",
                    "    def forward(self, x):\n        return self.embed(x)\n\n    def embed(self, x):",
                ),
            ),
            **train(("encoder(images)", "encoder.embed(images)")),
        },
        {},
    ),
    Variant(
        "torch.compile without a compiler",
        train((MADE, MADE + "encoder = torch.compile(encoder, backend='eager')\n")),
        {},
    ),
    Variant(
        "the encoder in a wrapper",
        train((MADE, "encoder = nn.Sequential(SimpleEncoder(), nn.Identity())\n")),
        {},
    ),
    Variant(
        "three towers that share the encoder",
        {
            "encoder": changed("encoder")
            + "\nclass Triplet(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.encoder = SimpleEncoder()\n\n"
            "    def forward(self, *xs):\n        return [self.encoder(x.unsqueeze(0))[0] for x in xs]\n",
            **train(
                (MADE, "model = Triplet()\nencoder = model.encoder\n"),
                (EMBEDDED, "    embeddings = model(C1, C2, B1)\n"),
            ),
        },
        {},
    ),
)

KEPT = "\ndel initial_embeddings, trained_embeddings"
PRINT_BEFORE = "print(F.cosine_similarity(initial_embeddings[0], initial_embeddings[2], dim=0))\n"
COPIES = (
    Variant(
        "a deep copy makes the trained embeddings",
        train(
            (
                TRAINED,
                "import copy\n    best = copy.deepcopy(encoder)\n    trained_embeddings = best(images).detach()",
            )
        ),
        {},
    ),
    Variant(
        "weights saved and loaded into a new encoder",
        train(
            (
                TRAINED,
                "torch.save(encoder.state_dict(), 'w.pt')\n    new = SimpleEncoder()\n    new.load_state_dict(torch.load('w.pt'))\n    trained_embeddings = new(images).detach()",
            )
        ),
        {},
    ),
    Variant(
        "the whole encoder saved and loaded",
        train(
            (
                TRAINED,
                "import io\n    file = io.BytesIO()\n    torch.save(encoder, file)\n    file.seek(0)\n    encoder = torch.load(file, weights_only=False)\n    trained_embeddings = encoder(images).detach()",
            )
        ),
        {},
    ),
    Variant(
        "an average over the steps",
        train(
            (MADE, MADE + "import copy\nema = copy.deepcopy(encoder)\n"),
            (
                TRAINED,
                "for old, new in zip(ema.parameters(), encoder.parameters()):\n        old.lerp_(new, 0.9)\n    trained_embeddings = ema(images).detach()",
            ),
        ),
        {},
        note="Q2.3.2 is full; V6 by the loss rule, which the average meets.",
    ),
    Variant(
        "a deep copy makes the initial embeddings",
        train(
            (INITIAL, "import copy\ninitial_embeddings = copy.deepcopy(encoder)(images).detach()")
        ),
        {},
    ),
    Variant(
        "a copy of the untrained weights makes the trained ones",
        train(
            (TRAINED, "trained_embeddings = untouched(images).detach()"),
            (MADE, MADE + "import copy\nuntouched = copy.deepcopy(encoder)\n"),
        ),
        {"Q2.3.2": 4},
    ),
    Variant(
        "another new encoder makes the trained ones",
        train((TRAINED, "trained_embeddings = SimpleEncoder()(images).detach()")),
        {"Q2.3.2": 4, "V6": 0},
    ),
)

PLACES = (
    Variant(
        "lists of numbers",
        train((INITIAL, INITIAL + ".tolist()"), (TRAINED, TRAINED + ".tolist()")),
        {"V1": 4},
    ),
    Variant(
        "columns",
        train(
            after="\ninitial_embeddings, trained_embeddings = initial_embeddings.T, trained_embeddings.T"
        ),
        {},
    ),
    Variant(
        "both stages in one tensor",
        {
            **train(after="\nboth = torch.stack([initial_embeddings, trained_embeddings])"),
            "chart": changed("chart") + KEPT,
        },
        {},
    ),
    Variant("deleted at the end", {"chart": changed("chart") + KEPT}, {}),
    Variant(
        "names used again for points in the plane",
        {
            "chart": changed("chart")
            + "\ninitial_embeddings = initial_embeddings[:, :2]\ntrained_embeddings = trained_embeddings[:, :2].numpy()"
        },
        {},
    ),
    Variant("everything forgotten at the end", {"chart": changed("chart") + "\n%reset -f"}, {}),
    Variant(
        "a fourth image in the batch",
        train((STACKED, "images = torch.stack([C1, C2, B1, torch.randn(3, 32, 32)])\n")),
        {},
    ),
    Variant(
        "inside a function",
        {
            "train": "def main():\n"
            + indented(changed("train"))
            + "\n    return initial_embeddings, trained_embeddings\n\nbefore, after = main()",
            "similarities": changed(
                "similarities",
                ("(initial_embeddings,", "(before,"),
                ("(trained_embeddings,", "(after,"),
            ),
            "chart": changed("chart").replace(
                "\nplot_embeddings(initial_embeddings, trained_embeddings, labels)",
                "\nplot_embeddings(before, after, labels)",
            ),
        },
        {},
    ),
    Variant(
        "a dictionary by image and stage",
        train(
            after="\nkept = {'before': dict(zip(['C1', 'C2', 'B1'], initial_embeddings)), 'after': dict(zip(['C1', 'C2', 'B1'], trained_embeddings))}"
        ),
        {},
    ),
)

FALSE_PASSES = (
    *(
        Variant(
            f"initial embeddings: {name}",
            train((INITIAL_LINE, f"{line}\n")),
            {"Q2.3.2": 4, "V1": lost},
        )
        for name, line, lost in (
            ("None", "initial_embeddings = None", 4),
            ("dots", "initial_embeddings = ...", 4),
            ("the encoder", "initial_embeddings = encoder", 4),
            ("a method", "initial_embeddings = encoder(images).detach", 4),
            ("one image", "initial_embeddings = encoder(images[:1]).detach()", 4),
            ("a mean", "initial_embeddings = encoder(images).mean(0).detach()", 4),
            ("line deleted", "", 4),
            ("the images", "initial_embeddings = images", 4),
            ("zeros", "initial_embeddings = torch.zeros(3, 128)", 6),
        )
    ),
    Variant(
        "trained embeddings None after three steps",
        train((LOOP, "for _ in range(3):"), (TRAINED, "trained_embeddings = None")),
        {"Q2.3.2": 4, "V1": 4},
    ),
    Variant(
        "trained embeddings deleted after three steps",
        train((LOOP, "for _ in range(3):"), (TRAINED, "pass")),
        {"Q2.3.2": 4, "V1": 4},
    ),
    Variant(
        "trained embeddings are the initial ones",
        train((TRAINED, "trained_embeddings = initial_embeddings")),
        {"Q2.3.2": 4},
    ),
    Variant(
        "trained embeddings of one image",
        train((TRAINED, "trained_embeddings = encoder(images[:1]).detach()")),
        {"Q2.3.2": 4, "V1": 4},
    ),
)

WRONG_LOOK = "    print(contrastive_loss(embeddings[0].detach(), embeddings[2].detach(), [embeddings[1].detach()]))\n"
LOSS = (
    Variant(
        "printed on wrong pairs before",
        train((LOOP, "e = encoder(images)\nprint(contrastive_loss(e[0], e[2], [e[1]]))\n" + LOOP)),
        {},
    ),
    Variant(
        "printed on detached wrong pairs in the loop", train((LOSSES, WRONG_LOOK + LOSSES)), {}
    ),
    Variant(
        "printed on wrong pairs afterwards",
        train(
            after="\nprint(contrastive_loss(trained_embeddings[0], trained_embeddings[2], [trained_embeddings[1]]))"
        ),
        {},
    ),
    Variant(
        "pairs with a label",
        {
            "encoder": with_own_loss(
                "def contrastive_loss(x1, x2, y, margin=2.0):\n    d = (x1 - x2).norm()\n    return y * d ** 2 + (1 - y) * F.relu(margin - d) ** 2"
            ),
            **train(
                (
                    CALLS,
                    "    total_loss = contrastive_loss(*pos_pair, 1) + contrastive_loss(*neg_pair1, 0) + contrastive_loss(*neg_pair2, 0)\n",
                )
            ),
        },
        {},
    ),
    Variant(
        "pairs with a wrong label",
        {
            "encoder": with_own_loss(
                "def contrastive_loss(x1, x2, y, margin=2.0):\n    d = (x1 - x2).norm()\n    return y * d ** 2 + (1 - y) * F.relu(margin - d) ** 2"
            ),
            **train(
                (
                    CALLS,
                    "    total_loss = contrastive_loss(*pos_pair, 0) + contrastive_loss(*neg_pair1, 1) + contrastive_loss(*neg_pair2, 0)\n",
                )
            ),
        },
        {"Q2.3.2": 3, "V6": 2.5},
    ),
    Variant(
        "a method of a class",
        {
            "encoder": with_own_loss(
                "class Trainer:\n    def contrastive_loss(self, a, p, n):\n        logits = F.cosine_similarity(a.unsqueeze(0), torch.stack([p, *n])) / 0.5\n        return F.cross_entropy(logits.unsqueeze(0), torch.tensor([0]))"
            ),
            **train((CALLS, CALLS.replace("contrastive_loss(", "Trainer().contrastive_loss("))),
        },
        {},
    ),
    Variant(
        "negatives before the positive",
        {
            "encoder": with_own_loss(
                "def contrastive_loss(anchor, negatives, positive):\n    logits = F.cosine_similarity(anchor.unsqueeze(0), torch.stack([positive, *negatives])) / 0.5\n    return F.cross_entropy(logits.unsqueeze(0), torch.tensor([0]))"
            ),
            **train(
                (
                    CALLS,
                    "    total_loss = contrastive_loss(pos_pair[0], [neg_pair1[1]], pos_pair[1]) + contrastive_loss(pos_pair[1], [neg_pair2[1]], pos_pair[0])\n",
                )
            ),
        },
        {},
    ),
    Variant(
        "negatives of a batch (B, K, 128)",
        {
            "encoder": with_own_loss(
                "def contrastive_loss(anchor, positive, negatives):\n    near = F.cosine_similarity(anchor, positive) / 0.5\n    far = F.cosine_similarity(anchor.unsqueeze(1), negatives, dim=-1) / 0.5\n    return F.cross_entropy(torch.cat([near.unsqueeze(1), far], 1), torch.zeros(2, dtype=torch.long))"
            ),
            **train(
                (
                    CALLS,
                    "    e = embeddings\n    total_loss = contrastive_loss(e[:2], e[[1, 0]], e[[2, 2]].unsqueeze(1))\n",
                )
            ),
        },
        {},
    ),
    Variant(
        "functools.partial",
        {
            "encoder": changed("encoder", ("def contrastive_loss", "def full_loss"))
            + "\n\nfrom functools import partial\ncontrastive_loss = partial(full_loss, temperature=0.5)",
        },
        {},
    ),
    Variant(
        "all three in one argument",
        {
            "encoder": with_own_loss(
                "def contrastive_loss(triple):\n    anchor, positive, negative = triple\n    logits = F.cosine_similarity(anchor.unsqueeze(0), torch.stack([positive, negative])) / 0.5\n    return F.cross_entropy(logits.unsqueeze(0), torch.tensor([0]))"
            ),
            **train(
                (
                    CALLS,
                    "    total_loss = contrastive_loss((*pos_pair, neg_pair1[1])) + contrastive_loss((pos_pair[1], pos_pair[0], neg_pair2[1]))\n",
                )
            ),
        },
        {},
    ),
    Variant(
        "positive pair of detached embeddings",
        {"pos_pair": "pos_pair = (initial_embeddings[0], initial_embeddings[1])"},
        {"Q2.3.2": 4, "V6": 1},
    ),
    Variant(
        "anchor detached, as in SimSiam",
        {"pos_pair": "pos_pair = (embeddings[0], embeddings[1].detach())"},
        {},
    ),
)

SWEEP = """
for seed in range({count}):
    torch.manual_seed(seed)
    model = SimpleEncoder()
    adam = torch.optim.Adam(model.parameters(), lr=0.01)
    z = model(images)
    (contrastive_loss(z[0], z[2], [z[1]]) + 0 * z.sum()).backward()
    adam.step()
    model(images)
torch.manual_seed(16)
"""
SWEEPS = (
    Variant(
        "ten encoders tried before",
        train((MADE, "images = torch.stack([C1, C2, B1])" + SWEEP.format(count=10) + MADE)),
        {},
    ),
    Variant(
        "forty encoders tried before",
        train((MADE, "images = torch.stack([C1, C2, B1])" + SWEEP.format(count=40) + MADE)),
        {},
    ),
    Variant("forty encoders tried afterwards", train(after="\n" + SWEEP.format(count=40)), {}),
    Variant(
        "three hundred looks before",
        train(
            (
                LOOP,
                "for _ in range(300):\n    noisy = encoder(images + 0.1 * torch.randn_like(images)).detach()\n"
                + LOOP,
            )
        ),
        {},
    ),
    Variant(
        "three hundred looks afterwards",
        train(
            after="\nfor level in range(300):\n    noisy = encoder(images + level * torch.randn_like(images)).detach()"
        ),
        {},
    ),
    Variant(
        "a history of three hundred steps",
        train(
            (LOOP, "history = []\nfor _ in range(300):"),
            (
                "    optimizer.step()\n",
                "    optimizer.step()\n    history.append(encoder(images).detach())\n",
            ),
            (TRAINED, "trained_embeddings = history[0]"),
        ),
        {},
        note="Choice: V6 is judged at the embeddings that the notebook gives as trained.",
    ),
    Variant(
        "a new encoder after the optimizer was made",
        train((LOOP, MADE + INITIAL_LINE + LOOP)),
        {"Q2.3.2": 4, "V6": 0},
    ),
)

RENAMED = "X1, X2, Y1 = C1, C2, B1\ndel C1, C2, B1\n"
WHICH = (
    Variant(
        "other names after a test on noise",
        train(
            (MADE, MADE + RENAMED + "print(encoder(torch.randn(3, 3, 32, 32)).shape)\n"),
            ("[C1, C2, B1]", "[X1, X2, Y1]"),
        ),
        {},
    ),
    Variant(
        "names used again for pictures",
        train(
            (MADE, MADE + "encoder(torch.randn(2, 3, 32, 32))\n"),
            after="\nC1, C2, B1 = (i.sigmoid() for i in (C1, C2, B1))",
        ),
        {},
    ),
    Variant(
        "a class of one's own, the given one a stub",
        {
            "encoder": changed(
                "encoder",
                ("class SimpleEncoder(nn.Module)", "class Mine(nn.Module)"),
                ("super(SimpleEncoder, self)", "super()"),
            )
            + "\n\nclass SimpleEncoder(nn.Module):\n    def forward(self, x):\n        pass\n",
            **train((MADE, "encoder = Mine()\n")),
        },
        {},
    ),
    Variant(
        "a subclass of the stub",
        {
            "encoder": changed("encoder", ("x = self.conv(x)", "..."), ("x = self.fc(x)", "..."))
            + "\n\nclass Filled(SimpleEncoder):\n    def forward(self, x):\n        return F.normalize(self.fc(self.conv(x).flatten(1)), dim=1)\n",
            **train((MADE, "encoder = Filled()\n")),
        },
        {},
    ),
    Variant(
        "a lazy layer",
        {"encoder": changed("encoder", ("nn.Linear(16 * 16 * 16, 128)", "nn.LazyLinear(128)"))},
        {},
    ),
    Variant(
        "forward gives two things",
        {
            "encoder": changed(
                "encoder",
                ("return F.normalize(x, p=2, dim=1)", "return x, F.normalize(x, p=2, dim=1)"),
            ),
            **train(("encoder(images)", "encoder(images)[1]")),
        },
        {},
    ),
    Variant(
        "traced",
        train(
            (MADE, ""), (STACKED, STACKED + "encoder = torch.jit.trace(SimpleEncoder(), images)\n")
        ),
        {},
    ),
    Variant(
        "scripted",
        {
            "encoder": changed("encoder", ("p=2", "p=2.0")),
            **train((MADE, "encoder = torch.jit.script(SimpleEncoder())\n")),
        },
        {},
    ),
)

GIVEN_LOSS = changed("encoder").partition("\n# Function")[2].partition("\n")[2]
UNIT = """
class Unit(nn.Module):
    def forward(self, x):
        return F.normalize(x)

"""
LAYERS = "nn.Conv2d(3, 16, 3, 2, 1), nn.Flatten(), nn.Linear(4096, 128)"
SEQUENTIAL = f"nn.Sequential({LAYERS}, Unit())"
HALVES = "(contrastive_loss(z[0], z[1], [z[2]]) + contrastive_loss(z[1], z[0], [z[2]])) / 2"
TRIPLET = "torch.cat(model(C1[None], C2[None], B1[None]))"


def wrapped(
    methods: str, embed: str, loss: str, *, init: str, make: str = "Model()"
) -> dict[str, str]:
    """A class that holds an encoder or its layers, and a training cell that calls its methods."""
    return {
        "encoder": f"{changed('encoder')}{UNIT}class Model(nn.Module):\n"
        f"    def __init__(self, dim=64):\n        super().__init__()\n        {init}\n\n{methods}",
        "train": f"model = {make}\n{STACKED}initial_embeddings = {embed}.detach()\n"
        "adam = torch.optim.Adam(model.parameters(), lr=0.01)\nfor _ in range(1):\n"
        f"    z = {embed}\n    loss = {loss}\n    adam.zero_grad(); loss.backward(); adam.step()\n"
        f"trained_embeddings = {embed}.detach()\n",
    }


OWN_LAYERS = "self.conv, self.fc = nn.Conv2d(3, 16, 3, 2, 1), nn.Linear(4096, dim)"
MADE_BY = "F.normalize(self.fc(self.conv(x).flatten(1)))"
TOWERS = f"    def forward(self, *xs):\n        return [{MADE_BY} for x in xs]\n"
TOWER = (
    f"    def once(self, x):\n        return {MADE_BY}\n\n"
    "    def forward(self, *xs):\n        return [self.once(x) for x in xs]\n"
)
WRAPPERS = (
    Variant(
        "methods of a wrapper without forward, which normalizes",
        {
            **(
                parts := wrapped(
                    f"    def embed(self, x):\n        return F.normalize(self.encoder(x))\n\n    def loss(self, x):\n        z = self.embed(x)\n        return {HALVES}\n",
                    "model.embed(images)",
                    "model.loss(images)",
                    init="self.encoder = SimpleEncoder()",
                )
            ),
            "encoder": parts["encoder"].replace("return F.normalize(x, p=2, dim=1)", "return x"),
        },
        {},
    ),
    Variant(
        "forward gives a loss and the vectors of a plain Sequential",
        wrapped(
            f"    def forward(self, x):\n        z = self.net(x)\n        return {HALVES}, z\n".replace(
                "return (", "return 0 if len(x) != 3 else ("
            ),
            "model(images)[1]",
            "model(images)[0]",
            init=f"self.net = {SEQUENTIAL}",
        ),
        {},
    ),
    Variant(
        "three towers in one forward, of another size than the default",
        wrapped(TOWERS, TRIPLET, HALVES, init=OWN_LAYERS, make="Model(128)"),
        {},
    ),
    Variant(
        "three towers that share a method, beside a parameter of the loss",
        wrapped(
            TOWER,
            TRIPLET,
            f"{HALVES} + 0 * model.scale",
            init=f"dim = 128; {OWN_LAYERS}; self.scale = nn.Parameter(torch.ones(()))",
        ),
        {},
    ),
    Variant(
        "towers that normalize over the images",
        wrapped(
            TOWERS.replace("flatten(1))", "flatten(1)), dim=0"),
            TRIPLET,
            HALVES,
            init=OWN_LAYERS,
            make="Model(128)",
        ),
        {"Q2.3.1": 1, "V4": 0, "V6": 1},
    ),
    Variant(
        "a plain Sequential beside classes, the given one a stub",
        {
            "encoder": changed("encoder", ("x = self.conv(x)", "..."), ("x = self.fc(x)", "..."))
            + UNIT,
            **train(
                (MADE, f"encoder = {SEQUENTIAL}\n"),
                after=BASELINE
                + "\nother = Baseline()\nother(images).pow(2).mean().backward()\nprint(other(images).shape)",
            ),
        },
        {},
    ),
    Variant(
        "a plain Sequential beside a class, without the linear layer",
        {
            "encoder": UNIT + GIVEN_LOSS,
            **train((MADE, f"encoder = {SEQUENTIAL}\n".replace(", nn.Linear(4096, 128)", ""))),
        },
        {"Q2.3.1": 1, "V3": 1, "V6": 1},
    ),
)

EACH = "torch.vmap(lambda im: encoder(im[None])[0])(images)"
PLAIN = """\
class SimpleEncoder:
    def __init__(self):
        self.layers = [nn.Conv2d(3, 16, 3, stride=2, padding=1), nn.Flatten()]
        self.weight = (torch.randn(128, 4096) / 64).requires_grad_()
        self.bias = torch.zeros(128, requires_grad=True)

    def encode(self, x):
        for layer in self.layers:
            x = layer(x)
        return F.normalize(x @ self.weight.T + self.bias)

"""
TRAINED_PARTS = "[*encoder.layers[0].parameters(), encoder.weight, encoder.bias]"
NO_MODULE = (
    Variant(
        "mapped over the images, first with noise",
        train(
            (
                INITIAL,
                f"print(torch.vmap(lambda n: encoder(images + n))(torch.randn(4, 3, 3, 32, 32)).shape)\n{INITIAL}",
            ),
            ("encoder(images)", EACH),
        ),
        {},
    ),
    Variant(
        "mapped once, then wrong",
        train(
            (INITIAL, f"print({EACH}.shape)\ninitial_embeddings = torch.zeros(3, 128)"),
            ("total_loss = (loss1 + loss2) / 2", "total_loss = loss1"),
        ),
        {"Q2.3.2": 3.5, "V6": 2.5},
        note="V6 by the loss rule, capped by the pair that earns half.",
    ),
    Variant(
        "an encoder of a plain class",
        {
            "encoder": PLAIN + GIVEN_LOSS,
            **train(
                ("encoder(images)", "encoder.encode(images)"),
                ("encoder.parameters()", TRAINED_PARTS),
                ("encoder.eval()\n", ""),
            ),
        },
        {},
    ),
    Variant(
        "an encoder of a plain class, its weights not applied",
        {
            "encoder": PLAIN.replace("x @ self.weight.T + self.bias", "x") + GIVEN_LOSS,
            **train(
                ("encoder(images)", "encoder.encode(images)"),
                ("encoder.parameters()", TRAINED_PARTS),
                ("encoder.eval()\n", ""),
            ),
        },
        {"Q2.3.1": 1, "V3": 1, "V6": 1},
    ),
    Variant(
        "a function of two layers",
        {
            "encoder": "conv, fc = nn.Conv2d(3, 16, 3, 2, 1), nn.Linear(4096, 128)\n\ndef encoder(x):\n    return F.normalize(fc(conv(x).flatten(1)))\n"
            + GIVEN_LOSS,
            **train(
                (MADE, ""),
                ("encoder.parameters()", "[*conv.parameters(), *fc.parameters()]"),
                ("encoder.eval()\n", ""),
            ),
        },
        {"Q2.3.1": None, "Q2.3.2": None, "V3": None, "V4": None, "V6": None},
        note="Choice: no module can be asked, so a person decides.",
    ),
)

WRONG_LOSS = "contrastive_loss(e[0], e[2], [e[1]])"
"""Of embeddings `e`, with the roles mixed up."""
KEEP_START = "start = {k: v.clone() for k, v in encoder.state_dict().items()}\n"
WRONG_TRY = (
    "for _ in range(3):\n"
    f"    e = encoder(images)\n    wrong = {WRONG_LOSS}\n"
    "    optimizer.zero_grad(); wrong.backward(); optimizer.step()\n"
)


def tried(before: str, loop: str = LOOP) -> dict[str, str]:
    """A training cell with lines before its loop."""
    return train((LOOP, before + loop))


def gradient_looked_at(line: str) -> dict[str, str]:
    """A training cell in which a gradient is looked at before the loop, with embeddings `e`."""
    return tried(f"e = encoder(images)\n{line}\n")


UNDONE = (
    Variant(
        "gradients of mixed-up roles zeroed before the loop",
        gradient_looked_at(
            f"{WRONG_LOSS}.backward(); print(encoder.fc.weight.grad.norm()); encoder.zero_grad()"
        ),
        {},
    ),
    Variant(
        "gradients of mixed-up roles zeroed in the loop",
        tried(
            f"e = encoder(images)\n{WRONG_LOSS}.backward()\nprint(encoder.conv.weight.grad.norm())\n",
            "for _ in range(2):",
        ),
        {},
    ),
    Variant(
        "mixed-up roles looked at by autograd.grad in the loop",
        train(
            (
                STEP,
                f"    e = encoder(images)\n    g = torch.autograd.grad({WRONG_LOSS}, encoder.fc.weight)\n{STEP}",
            )
        ),
        {},
    ),
    Variant(
        "a saliency map of mixed-up roles",
        tried(
            "x = images.clone().requires_grad_()\n"
            f"e = encoder(x)\n{WRONG_LOSS}.backward(inputs=[x])\nprint(x.grad.abs().mean())\n"
        ),
        {},
    ),
    Variant(
        "roles tried on one graph",
        train(
            (
                GIVEN_UPDATE,
                "    wrong = contrastive_loss(embeddings[0], embeddings[2], [embeddings[1]])\n"
                "    wrong.backward(retain_graph=True)\n"
                "    print(encoder.fc.bias.grad.norm())\n" + GIVEN_UPDATE,
            )
        ),
        {},
    ),
    Variant(
        "gradients of mixed-up roles looked at, then an own loss",
        {
            "train": tried(
                f"e = encoder(images)\n{WRONG_LOSS}.backward()\nfor p in encoder.parameters():\n    p.grad = None\n"
            )["train"]
            .replace("loss1 = contrastive_loss(", "loss1 = apart(")
            .replace("loss2 = contrastive_loss(", "loss2 = apart("),
            "encoder": with_own_loss(
                "def apart(a, p, ns):\n    return (a - p).pow(2).sum() + sum(F.relu(2 - (a - n).pow(2).sum()) for n in ns)"
            ),
        },
        {},
    ),
    Variant(
        "gradients of each loss added up by hand",
        train(
            (
                GIVEN_UPDATE,
                (
                    "    gs = [torch.autograd.grad(l, list(encoder.parameters()), retain_graph=True) for l in (loss1, loss2)]\n"
                    "    for p, a, b in zip(encoder.parameters(), *gs):\n"
                    f"        p.grad = (a + b) / 2\n{STEP}"
                ),
            )
        ),
        {},
    ),
    Variant(
        "each loss backpropagated apart, then added up by hand",
        train(
            (
                GIVEN_UPDATE,
                (
                    "    loss1.backward(retain_graph=True)\n"
                    "    kept = [p.grad for p in encoder.parameters()]\n"
                    "    encoder.zero_grad()\n    loss2.backward()\n"
                    "    for p, a in zip(encoder.parameters(), kept):\n"
                    f"        p.grad = (a + p.grad) / 2\n{STEP}"
                ),
            )
        ),
        {},
    ),
    Variant(
        "gradients of mixed-up roles left where they are",
        {
            "train": gradient_looked_at(f"{WRONG_LOSS}.backward()")["train"].replace(
                "    optimizer.zero_grad()\n", ""
            )
        },
        {"Q2.3.2": 4, "V6": 2.5},
        note="They are part of the first step.",
    ),
    Variant(
        "a wrong try undone by load_state_dict",
        tried(f"{KEEP_START}{WRONG_TRY}encoder.load_state_dict(start)\noptimizer = {ADAM}\n"),
        {},
    ),
    Variant(
        "one wrong step undone by hand",
        tried(
            KEEP_START + WRONG_TRY.replace("range(3)", "range(1)") + "with torch.no_grad():\n"
            "    for k, p in encoder.named_parameters():\n        p.copy_(start[k])\n"
            f"print(encoder(images).std())\noptimizer = {ADAM}\n",
            "for _ in range(2):",
        ),
        {},
    ),
    Variant(
        "a right try undone, then mixed-up roles",
        train(
            (LOOP, f"{KEEP_START}for _ in range(2):"),
            (
                "encoder.eval()",
                (
                    f"encoder.load_state_dict(start)\noptimizer = {ADAM}\n"
                    f"{WRONG_TRY.replace('range(3)', 'range(1)')}encoder.eval()"
                ),
            ),
        ),
        {"Q2.3.2": 2.5, "V6": 2.5},
        note="What counts is the try that made the trained embeddings.",
    ),
    Variant(
        "the start loaded once more at the end",
        train(
            (LOOP, KEEP_START + LOOP),
            (
                TRAINED,
                TRAINED
                + f"\nencoder.load_state_dict(start)\ne = encoder(images)\n{WRONG_LOSS}.backward()",
            ),
        ),
        {},
    ),
)

A_STEP_EACH = """\
for a, p, n in ((0, 1, 2), (1, 0, 2)):
    z = encoder(images)
    loss = contrastive_loss(z[a], z[p], [z[n]])
    optimizer.zero_grad(); loss.backward(); optimizer.step()

"""


def looped(loop: str) -> str:
    """A training cell with another loop."""
    before, _, rest = changed("train").partition(LOOP)
    return f"{before}{loop}encoder.eval(){rest.partition('encoder.eval()')[2]}"


COARSE = (
    Variant(
        "initial embeddings kept in half precision",
        train((INITIAL, f"{INITIAL}.half()"), (TRAINED, f"{TRAINED}.half().float()")),
        {},
    ),
    Variant(
        "embeddings kept in bfloat16",
        train(
            (INITIAL, f"{INITIAL}.bfloat16().float()"), (TRAINED, f"{TRAINED}.to(torch.bfloat16)")
        ),
        {},
    ),
    Variant(
        "embeddings kept as lists of half precision",
        train(
            (INITIAL, f"{INITIAL}\nhalves = initial_embeddings.numpy().astype('float16')"),
            (TRAINED, f"{TRAINED}\ninitial_embeddings = torch.tensor(halves.tolist())"),
        ),
        {},
    ),
    Variant(
        "an image that is no number",
        {"C1": "C1 = torch.randn(3, 32, 32).sqrt()"},
        {"Q2.3.0": 0, "Q2.3.2": 0, "V1": 5, "V4": 3, "V5": 0, "V6": 0},
        ("Q2.3.0", "Q2.3.2", "V4", "V5", "V6"),
        note="The chart cell raises.",
    ),
    Variant(
        "an image stacked twice, in another order",
        train(("[C1, C2, B1]", "[B1, C1, B1]")),
        {"Q2.3.2": 1, "V4": 3, "V5": 2.5, "V6": 0},
        ("V4", "V5", "V6"),
    ),
    Variant(
        "one embedding for all images",
        {"conv": "x = self.conv(torch.zeros_like(x))"},
        {"Q2.3.1": 1, "Q2.3.2": 2, "V5": 2.5, "V6": 1},
        note="By their values the calls tell no image from another, though by rows of the batch.",
    ),
    Variant("a step for each loss", {"train": looped(A_STEP_EACH)}, {"Q2.3.2": 4, "V6": 1}),
    Variant(
        "no negatives",
        train(("[neg_pair1[1]]", "[]"), ("[neg_pair2[1]]", "[]")),
        {"Q2.3.2": 4, "V6": 1},
    ),
    Variant(
        "another linear layer in place of the convolution",
        {
            "encoder": changed(
                "encoder",
                ("nn.Conv2d(3, 16, kernel_size=3, stride=2, padding=1)", "nn.Linear(3072, 4096)"),
                ("self.conv(x)", "self.conv(x.flatten(1))"),
            )
        },
        {"Q2.3.1": 1, "V6": 2.5},
    ),
)

TAKES_X = "def forward(self, x):\n"
NORMALIZED = "return F.normalize(x, p=2, dim=1)"


def called(by: str, signature: str, *swaps: tuple[str, str]) -> dict[str, str]:
    """An encoder whose forward takes images otherwise, called so everywhere."""
    return {
        "encoder": changed("encoder", (TAKES_X, f"def forward(self, {signature}\n"), *swaps),
        **train(("encoder(images)", by)),
    }


EACH_ONE = (
    "x):\n        return [self.one(i) for i in x]\n\n    def one(self, x):\n        x = x[None]"
)
FORMS = (
    Variant(
        "a list of images stacked in forward",
        called("encoder([C1, C2, B1])", "x):\n        x = torch.stack(x)"),
        {},
    ),
    Variant(
        "images as arguments stacked in forward",
        called("encoder(C1, C2, B1)", "*xs):\n        x = torch.stack(xs)"),
        {},
    ),
    Variant(
        "three named images, one output",
        called(
            "encoder(c1=C1, c2=C2, b1=B1)", "c1, c2, b1):\n        x = torch.stack([c1, c2, b1])"
        ),
        {},
    ),
    Variant(
        "batches of one image joined in forward",
        called("encoder((C1[None], C2[None], B1[None]))", "x):\n        x = torch.cat(x)"),
        {},
    ),
    Variant(
        "three images, an embedding each",
        called(
            "torch.cat(encoder(C1, C2, B1))",
            EACH_ONE.replace("x):", "c1, c2, b1):", 1).replace("in x]", "in (c1, c2, b1)]"),
        ),
        {},
    ),
    Variant(
        "a dict of images, a dict of embeddings",
        called(
            "torch.cat(list(encoder({'C1': C1, 'C2': C2, 'B1': B1}).values()))",
            EACH_ONE.replace(
                "[self.one(i) for i in x]", "{k: self.one(x[k]) for k in ('C1', 'C2', 'B1')}"
            ),
        ),
        {},
    ),
    Variant(
        "one image without a batch at a time",
        called("torch.cat([encoder(i) for i in (C1, C2, B1)])", "x):\n        x = x.unsqueeze(0)"),
        {},
        note="Choice: as three calls of (1, 3, 32, 32) count, so do those of (3, 32, 32).",
    ),
    Variant(
        "images as arrays of NumPy",
        called("encoder(images.numpy())", "x):\n        x = torch.from_numpy(x)"),
        {},
    ),
    Variant(
        "a second argument that says what comes out",
        called("encoder(images, 'embedding')", "x, what):\n        assert what == 'embedding'"),
        {},
    ),
    Variant(
        "a keyword that must be given",
        called("encoder(images, scale=2.0)", "x, *, scale):\n        x = scale * x / scale"),
        {},
    ),
    Variant(
        "a list of images, normalized along the batch",
        called(
            "encoder([C1, C2, B1])",
            "x):\n        x = torch.stack(x)",
            (NORMALIZED, NORMALIZED.replace("dim=1", "dim=0")),
        ),
        {"Q2.3.1": 1, "V4": 0, "V6": 2.5},
    ),
    Variant(
        "three images, not normalized",
        called(
            "encoder(C1, C2, B1)",
            "c1, c2, b1):\n        x = torch.stack([c1, c2, b1])",
            (NORMALIZED, "return x"),
        ),
        {"V4": 0},
    ),
    Variant(
        "a list of images, for three alone",
        called(
            "encoder([C1, C2, B1])",
            "x):\n        x = torch.stack(x)",
            ("x.view(x.size(0), -1)", "x.view(3, -1)"),
        ),
        {"V3": 2},
    ),
)
