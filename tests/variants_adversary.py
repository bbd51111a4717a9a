"""Notebooks written to mislead: right in a way that nobody expects, wrong in one that looks right.

Most are what a language model writes when asked for this homework.
"""

from __future__ import annotations

from variant import Variant, changed
from variants_pairs import EMBED, MEAN, PAIRS, STACK, train
from variants_training import ADAM, GIVEN_UPDATE, INITIAL, LOOP, STEP, TRAINED, with_own_loss

HEAD = f"""\
encoder = SimpleEncoder()
{STACK}
{INITIAL}
optimizer = {ADAM}
"""
UPDATE = """\
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
TAIL = f"""
with torch.no_grad():
    {TRAINED}
"""
FORWARD = "    def forward(self, x):\n"
GIVEN_LOSS = changed("encoder").partition("\n# Function")[2]


def loop(body: str, *, above: str = "", steps: int = 1) -> dict[str, str]:
    """A training cell whose loop computes `loss` in its own way."""
    return {"train": f"{HEAD}\n{above}\nfor step in range({steps}):\n{body}{UPDATE}{TAIL}"}


MATRIX = """\
def contrastive_loss(z, partner, temperature=0.5):
    sim = F.cosine_similarity(z[:, None], z[None], dim=-1) / temperature
    sim = sim.masked_fill(torch.eye(3, dtype=torch.bool), -1e9)
    rows = torch.tensor(list(partner))
    return F.cross_entropy(sim[rows], torch.tensor([partner[int(row)] for row in rows]))
"""
SCRIPTED = """\
@torch.jit.script
def contrastive_loss(anchor: torch.Tensor, positive: torch.Tensor, negative: torch.Tensor):
    near, far = torch.dot(anchor, positive) / 0.5, torch.dot(anchor, negative) / 0.5
    return torch.log(torch.exp(near) + torch.exp(far)) - near
"""
SUPERVISED = """\
labels = torch.tensor([0, 0, 1])
def supcon(features, labels, tau=0.5):
    logits = features @ features.t() / tau
    others = 1 - torch.eye(len(labels))
    same = (labels[:, None] == labels[None]).float() * others
    log_prob = logits - torch.log((torch.exp(logits) * others).sum(1, keepdim=True))
    return -((same * log_prob).sum(1) / same.sum(1).clamp(min=1)).mean()
"""
BEST = """\
best, best_state = float("inf"), None
for epoch in range(5):
    z = encoder(images)
    logits = torch.stack([z[0] @ z[1], z[0] @ z[2], z[1] @ z[0], z[1] @ z[2]]).view(2, 2)
    loss = F.cross_entropy(logits / 0.5, torch.tensor([0, 0]))
    if loss.item() < best and epoch:
        best, best_state = loss.item(), copy.deepcopy(encoder.state_dict())
"""
TRAINER = """\
class Trainer:
    def __init__(self, model, lr=0.01):
        self.model, self.history = model, {"loss": [], "emb": []}
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)

    @torch.no_grad()
    def embed(self, x):
        return self.model(x)

    def fit(self, x, epochs=1):
        self.history["emb"].append(self.embed(x))
        for _ in range(epochs):
            a, p, n = self.model(x)
            loss = (contrastive_loss(a, p, [n]) + contrastive_loss(p, a, [n])) / 2
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.history["loss"].append(loss.item())
        self.history["emb"].append(self.embed(x))
        return self

trainer = Trainer(SimpleEncoder()).fit(torch.stack([C1, C2, B1]))
initial_embeddings, trained_embeddings = trainer.history["emb"]
"""
MARGIN_KEPT = """\
def triplet(a, p, n, margin=1.0):
    return F.relu((a - p).pow(2).sum() - (a - n).pow(2).sum() + margin)
"""
MODULE_CALLED = {
    "encoder": changed("encoder", ("def forward(self, x):", "def __call__(self, x):")),
}

NAMED_TENSORS = """\
from dataclasses import astuple, dataclass

@dataclass
class Embeddings:
    C1: torch.Tensor
    C2: torch.Tensor
    B1: torch.Tensor

    def stack(self):
        return torch.stack(astuple(self))

"""
TABLE = """\
import pandas as pd

def table(z):
    df = pd.DataFrame(z.detach().numpy())
    df["image"] = ["C1", "C2", "B1"]
    return df

"""
HANDOUT_IN_LINE = """\
    z = F.normalize(encoder(images), dim=1)
    near, far, other = z[0] @ z[1], z[0] @ z[2], z[1] @ z[2]
    apart = torch.log(1 - torch.exp(far / 0.5)) + torch.log(1 - torch.exp(other / 0.5))
    loss = -near / 0.5 - apart / 2
"""
COSINE_NCE = """\
def info_nce(a, p, n, tau=0.5):
    near, far = (torch.exp(F.cosine_similarity(a, z, dim=0) / tau) for z in (p, n))
    return -torch.log(near / (near + far))
"""
THREE_PAIRS = """\
def contrastive_loss(pos_pair, neg_pair1, neg_pair2, temperature=0.5):
    def likeness(pair):
        return torch.exp(torch.dot(pair[0], pair[1]) / temperature)

    near = likeness(pos_pair)
    return -torch.log(near / (near + likeness(neg_pair1) + likeness(neg_pair2)))
"""
THREE_IMAGES = """\
def contrastive_loss(c1, c2, b1, temperature=0.5):
    def likeness(a, b):
        return F.cosine_similarity(a.unsqueeze(0), b.unsqueeze(0)) / temperature

    apart = torch.log(1 - likeness(c1, b1).exp()) + torch.log(1 - likeness(c2, b1).exp())
    return -likeness(c1, c2) - apart
"""
HEAD_ON_TOP = """\
class Projected(nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 32))

    def forward(self, x):
        return F.normalize(self.head(self.encoder(x)), dim=1)

model = Projected(encoder)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
"""
SIAMESE = """\
class Siamese(nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, one, two):
        return self.encoder(one), self.encoder(two)

class PairLoss(nn.Module):
    def forward(self, one, two, label):
        d = F.pairwise_distance(one, two)
        return ((1 - label) * d.pow(2) + label * (3 - d).clamp(min=0).pow(2)).mean()

net, criterion = Siamese(encoder), PairLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
"""
HEAD_APART = """\
head = nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 32))
optimizer = torch.optim.Adam([*encoder.parameters(), *head.parameters()], lr=0.01)
"""
HEAD_IN_METHOD = """\
class SimCLR(nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder, self.head = encoder, nn.Linear(128, 64)

    def loss(self, x):
        z = F.normalize(self.head(self.encoder(x)), dim=1)
        return contrastive_loss(z[0], z[1], [z[2]]) + contrastive_loss(z[1], z[0], [z[2]])

model = SimCLR(encoder)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
"""


def shown(before: str, after: str) -> dict[str, str]:
    """The cells below the training with other expressions for the embeddings."""
    swaps = ("s(initial_embeddings, ", f"s({before}, "), ("s(trained_embeddings, ", f"s({after}, ")
    call = "plot_embeddings(initial_embeddings, trained_embeddings, labels)"
    head, _, _ = changed("chart").rpartition(call)
    return {
        "similarities": changed("similarities", *swaps),
        "chart": f"{head}plot_embeddings({before}, {after}, labels)",
    }


RIGHT = (
    Variant(
        "a score that the optimizer maximizes",
        loop(
            """\
    z = encoder(images)
    loss = (z[0] * z[1] - z[0] * z[2] - z[1] * z[2]).sum()
""",
            above="optimizer = torch.optim.Adam(encoder.parameters(), lr=0.01, maximize=True)",
        ),
        {},
    ),
    Variant(
        "the bicycle against the mean of the cats",
        loop(
            """\
    z = encoder(images)
    near = F.cosine_similarity(z[0], z[1], dim=0)
    loss = F.cosine_similarity((z[0] + z[1]) / 2, z[2], dim=0) - near
"""
        ),
        {},
    ),
    Variant("the handout's loss in line, by products", loop(HANDOUT_IN_LINE), {}),
    Variant(
        "more threads asked for, in cells and in forward",
        {
            "encoder": changed(
                "encoder", (FORWARD, FORWARD + "        torch.set_num_threads(2)\n")
            ),
            "train": "torch.set_num_threads(4)\nassert torch.get_num_threads() == 4\n"
            + changed("train"),
        },
        {},
    ),
    Variant(
        "a dataclass for each stage",
        {
            "train": NAMED_TENSORS
            + changed(
                "train",
                (INITIAL, "initial_embeddings = Embeddings(*encoder(images).detach())"),
                (TRAINED, "trained_embeddings = Embeddings(*encoder(images))"),
            ),
            **shown("initial_embeddings.stack()", "trained_embeddings.stack()"),
        },
        {},
    ),
    Variant(
        "tables with a column of names",
        {
            "train": TABLE
            + changed(
                "train",
                (INITIAL, "initial_embeddings = table(encoder(images))"),
                (TRAINED, "trained_embeddings = table(encoder(images))"),
            ),
            **shown(
                "torch.tensor(initial_embeddings[list(range(128))].values)",
                "torch.tensor(trained_embeddings[list(range(128))].values)",
            ),
        },
        {},
    ),
    Variant(
        "a history of a hundred stages under the handout's name",
        {
            "train": changed(
                "train",
                (LOOP, f"trained_embeddings = []\n{LOOP.replace('1', '100')}"),
                (STEP, f"{STEP}    trained_embeddings.append(encoder(images).detach())\n"),
                (TRAINED, "pass"),
            ),
            **shown("initial_embeddings", "trained_embeddings[-1]"),
        },
        {},
        note="V5 after training: the reference's order fails from the same start, too.",
    ),
    Variant(
        "a step for each triplet",
        loop(
            """\
  for a, p, n in ((0, 1, 2), (1, 0, 2)):
    e = encoder(images)
    loss = contrastive_loss(e[a], e[p], [e[n]])
"""
        ),
        {"Q2.3.2": 4, "V6": 1},
        note="By the letter, the first step contrasts one triplet. InfoNCE rises: a fifth of V6.",
    ),
    Variant(
        "three pairs as arguments",
        {
            "encoder": with_own_loss(THREE_PAIRS),
            **loop("""\
    e = encoder(images)
    loss = contrastive_loss((e[0], e[1]), (e[0], e[2]), (e[1], e[2]))
"""),
        },
        {},
    ),
    Variant(
        "three images as arguments",
        {
            "encoder": with_own_loss(THREE_IMAGES),
            **loop("    loss = contrastive_loss(*encoder(images))\n"),
        },
        {},
        note="The given formula: its gradient tells which are contrasted, their order the roles.",
    ),
    Variant(
        "a head on top of the encoder",
        loop(
            """\
    z = model(images)
    loss = contrastive_loss(z[0], z[1], [z[2]]) + contrastive_loss(z[1], z[0], [z[2]])
""",
            above=HEAD_ON_TOP,
        ),
        {},
        note="The pairs are those of the head's vectors.",
    ),
    Variant(
        "a projection head of its own",
        loop(
            """\
    z = F.normalize(head(encoder(images)), dim=1)
    loss = (contrastive_loss(z[0], z[1], [z[2]]) + contrastive_loss(z[1], z[0], [z[2]])) / 2
""",
            above=HEAD_APART,
        ),
        {},
    ),
    Variant(
        "a projection head in a method of a wrapper",
        loop("    loss = model.loss(images)\n", above=HEAD_IN_METHOD),
        {},
    ),
    Variant(
        "each pair encoded anew, by distances",
        loop(
            """\
    loss = 0
    for a, b, is_near in ((C1, C2, True), (C1, B1, False), (C2, B1, False)):
        d = F.pairwise_distance(encoder(a[None]), encoder(b[None]))
        loss = loss + (d.pow(2) if is_near else (3 - d).clamp(min=0).pow(2)).mean()
"""
        ),
        {},
    ),
    Variant(
        "a tower for each of two images, and a loss that is a class",
        loop(
            """\
    loss = 0
    for a, b, label in ((C1, C2, 0), (C1, B1, 1), (C2, B1, 1)):
        loss = loss + criterion(*net(a[None], b[None]), label)
""",
            above=SIAMESE,
        ),
        {},
    ),
    Variant(
        "keys without a gradient",
        loop(
            """\
    q = encoder(torch.stack([C1, C2]))
    with torch.no_grad():
        k, bike = encoder(torch.stack([C2, C1])), encoder(B1[None])
    logits = torch.cat([(q * k).sum(1, keepdim=True), q @ bike.T], 1) / 0.5
    loss = F.cross_entropy(logits, torch.zeros(2, dtype=torch.long))
"""
        ),
        {"V6": 1},
        note="Half of each pair is pulled: InfoNCE is no lower after that step.",
    ),
    Variant(
        "InfoNCE of cosines under another name",
        loop(
            """\
    e = encoder(images)
    loss = info_nce(e[0], e[1], e[2]) + info_nce(e[1], e[0], e[2])
""",
            above=COSINE_NCE,
        ),
        {},
    ),
    Variant("a trainer with a history", {"train": TRAINER}, {}),
    Variant("`__call__` in place of forward", MODULE_CALLED, {}),
    Variant(
        "a matrix of cosine similarities",
        {
            "encoder": with_own_loss(MATRIX),
            **loop("    loss = contrastive_loss(encoder(images), {0: 1, 1: 0})\n"),
        },
        {},
        note="Each image is compared with each: which are pulled together tells the gradient.",
    ),
    Variant(
        "a supervised contrastive loss",
        loop("    loss = supcon(encoder(images), labels)\n", above=SUPERVISED, steps=3),
        {},
    ),
    Variant(
        "a loss that is scripted",
        {
            "encoder": changed("encoder").replace("# Function" + GIVEN_LOSS, SCRIPTED),
            **train(("[neg_pair1[1]]", "neg_pair1[1]"), ("[neg_pair2[1]]", "neg_pair2[1]")),
        },
        {},
    ),
    Variant(
        "the loop in bfloat16",
        train(
            (
                EMBED,
                """\
    with torch.autocast("cpu", dtype=torch.bfloat16):
        embeddings = encoder(images)
    embeddings = embeddings.float()
""",
            )
        ),
        {},
        note="Only the embeddings that the loss is computed from are of length 0.998 to 1.001.",
    ),
    Variant(
        "the best epoch's weights loaded at the end",
        {
            "train": f"import copy\n{HEAD}\n{BEST}{UPDATE}"
            f"encoder.load_state_dict(best_state)\n{TAIL}"
        },
        {},
    ),
    Variant(
        "embeddings rounded",
        train(
            (
                INITIAL,
                "initial_embeddings = torch.tensor(encoder(images).detach().numpy().round(4))",
            ),
            (TRAINED, "trained_embeddings = torch.tensor(encoder(images).numpy().round(4))"),
        ),
        {},
    ),
    Variant(
        "a closure for the optimizer",
        {
            "train": f"""{HEAD}
def closure():
    optimizer.zero_grad()
    z = encoder(images)
    loss = (contrastive_loss(z[0], z[1], [z[2]]) + contrastive_loss(z[1], z[0], [z[2]])) / 2
    loss.backward()
    return loss

optimizer.step(closure)
{TAIL}"""
        },
        {},
    ),
    Variant(
        "a look whether the loss is a number",
        train((GIVEN_UPDATE, f"    print(torch.isnan(total_loss))\n{GIVEN_UPDATE}")),
        {},
    ),
    Variant(
        "two optimizers and a clipped gradient",
        train(
            (
                f"optimizer = {ADAM}",
                "optimizers = [torch.optim.Adam(m.parameters(), 0.01) for m in encoder.children()]",
            ),
            (
                GIVEN_UPDATE,
                """\
    encoder.zero_grad()
    total_loss.backward()
    nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()
""",
            ),
        ),
        {},
    ),
    Variant(
        "classical labels, batched",
        {
            "encoder": with_own_loss("""\
def contrastive_loss(x1, x2, label, margin=1.5):
    d = F.pairwise_distance(x1, x2)
    return (label * d.pow(2) + (1 - label) * F.relu(margin - d).pow(2)).mean()
"""),
            **loop("""\
    e = encoder(images)
    loss = contrastive_loss(e[[0, 0, 1]], e[[1, 2, 2]], torch.tensor([1.0, 0.0, 0.0]))
"""),
        },
        {},
    ),
)

WRONG = (
    Variant(
        "InfoNCE of cosines under another name with roles exchanged",
        loop(
            """\
    e = encoder(images)
    loss = info_nce(e[0], e[2], e[1]) + info_nce(e[1], e[2], e[0])
""",
            above=COSINE_NCE,
        ),
        {"Q2.3.2": 2, "V6": 2.5},
    ),
    Variant(
        "three pairs as arguments, two of them exchanged",
        {
            "encoder": with_own_loss(THREE_PAIRS),
            **loop("""\
    e = encoder(images)
    loss = contrastive_loss((e[0], e[2]), (e[0], e[1]), (e[1], e[2]))
"""),
        },
        {"Q2.3.2": 3, "V6": 2.5},
    ),
    Variant(
        "a module of distances with roles exchanged",
        loop(
            """\
    e = encoder(images)
    loss = criterion(e[:2], e[[2, 2]], e[[1, 0]])
""",
            above="""\
criterion = nn.TripletMarginWithDistanceLoss(
    distance_function=lambda a, b: 1 - F.cosine_similarity(a, b), margin=2.0
)
""",
        ),
        {"Q2.3.2": 2, "V6": 2.5},
    ),
    Variant(
        "trained on noise",
        train((EMBED, "    embeddings = encoder(torch.randn(3, 3, 32, 32))\n")),
        {"Q2.3.2": 2, "V6": 1},
    ),
    Variant(
        "a matrix of cosine similarities with wrong partners",
        {
            "encoder": with_own_loss(MATRIX),
            **loop("    loss = contrastive_loss(encoder(images), {0: 2, 2: 0})\n"),
        },
        {"Q2.3.2": 3, "V6": 2.5},
        note="C1 and B1 are pulled together, C2 away from both: only {C2, B1} is right.",
    ),
    Variant(
        "numbers typed in, nothing trained",
        {"train": f"{HEAD}\ntrained_embeddings = initial_embeddings + 0.01\n"},
        {"Q2.3.2": 1, "V6": 0},
        ("Q2.3.2",),
    ),
    Variant(
        "the images trained",
        train(
            (STACK, f"{STACK}.requires_grad_(True)"),
            ("torch.optim.Adam(encoder.parameters(), ", "torch.optim.Adam([images], "),
        ),
        {"Q2.3.2": 4, "V6": 0},
    ),
    Variant(
        "C1 stacked in place of C2",
        train((STACK, "images = torch.stack([C1, C1, B1])")),
        {"Q2.3.2": 1, "V4": 3, "V5": 2.5, "V6": 0},
        ("V4", "V5", "V6"),
        note="{C1, B1} is contrasted; there is no embedding of C2 to be compared.",
    ),
    Variant(
        "pairs of images",
        train(
            (
                PAIRS,
                PAIRS.replace("embeddings[", "images["),
            )
        ),
        {"Q2.3.2": 1, "V1": 5, "V5": 3.75, "V6": 0},
        ("Q2.3.2", "V5", "V6"),
        note="backward raises, since no weight is in the loss.",
    ),
    Variant(
        "a margin that is kept from the start",
        loop(
            """\
    c1, c2, b1 = encoder(images)
    loss = triplet(c1, c2, b1) + triplet(c2, c1, b1)
""",
            above=MARGIN_KEPT,
        ),
        {"Q2.3.2": None, "V6": 0},
        note="The gradient is 0: nothing moves, and nothing shows which pairs were meant.",
    ),
    *(
        Variant(
            f"a guard against NaN: {name}",
            train(swap),
            {"Q2.3.2": None, "V6": None},
            note="The loss is not a number from this start: for a person.",
        )
        for name, swap in (
            ("break", (GIVEN_UPDATE, f"    if torch.isnan(total_loss): break\n{GIVEN_UPDATE}")),
            (
                "a step skipped",
                (
                    STEP,
                    "    if total_loss.item() == total_loss.item():\n        optimizer.step()\n",
                ),
            ),
            ("nan_to_num", (MEAN, f"{MEAN.replace('(loss1', 'torch.nan_to_num(loss1')}")),
        )
    ),
    Variant(
        "the second loss left out of the total",
        train((MEAN, "total_loss = (loss1 + loss1) / 2")),
        {"Q2.3.2": 4.5, "V6": 2.5},
    ),
    Variant(
        "a scheduler that starts at 0",
        train(
            (
                f"optimizer = {ADAM}",
                f"""\
optimizer = {ADAM}
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: n / 10)""",
            )
        ),
        {"Q2.3.2": 4, "V6": 0},
    ),
    Variant(
        "each pair encoded anew, the negative as the positive",
        loop(
            """\
    loss = 0
    for a, b, is_near in ((C1, C2, False), (C1, B1, True)):
        d = F.pairwise_distance(encoder(a[None]), encoder(b[None]))
        loss = loss + (d.pow(2) if is_near else (3 - d).clamp(min=0).pow(2)).mean()
"""
        ),
        {"Q2.3.2": 2, "V6": 2.5},
    ),
    Variant(
        "a projection head, cosines with the roles exchanged",
        loop(
            """\
    z = F.normalize(head(encoder(images)), dim=1)
    near, far = F.cosine_similarity(z[0], z[2], dim=0), F.cosine_similarity(z[0], z[1], dim=0)
    loss = 1 - near + far.clamp(min=0)
""",
            above=HEAD_APART,
        ),
        {"Q2.3.2": 2, "V6": 2.5},
    ),
    Variant(
        "a step for each pair, by a loss of torch",
        loop(
            """\
    a, b, sign = ((C1, C2, 1.0), (C1, B1, -1.0), (C2, B1, -1.0))[step]
    loss = sign * F.mse_loss(encoder(a[None]), encoder(b[None]))
""",
            steps=3,
        ),
        {"Q2.3.2": 3, "V6": 2.5},
    ),
    Variant(
        "no negatives, by a cosine",
        loop(
            "    z = encoder(images)\n    loss = 1 - F.cosine_similarity(z[0], z[1], dim=0)\n",
        ),
        {"Q2.3.2": 3, "V6": 1},
    ),
    Variant(
        "cosines that pull all three together",
        loop(
            """\
    z = encoder(images)
    cosine = nn.CosineSimilarity(dim=0)
    loss = 3 - cosine(z[0], z[1]) - cosine(z[0], z[2]) - cosine(z[1], z[2])
"""
        ),
        {"Q2.3.2": 2, "V6": 2.5},
    ),
    Variant(
        "a classifier trained instead",
        loop(
            "    loss = F.cross_entropy(classifier(encoder(images)), torch.tensor([0, 0, 1]))\n",
            above="classifier = nn.Linear(128, 2)\n"
            "optimizer = torch.optim.Adam([*encoder.parameters(), *classifier.parameters()])",
        ),
        {"Q2.3.2": None},
        note="No pair is contrasted, or it is in a form that no check reads: a person decides.",
    ),
    Variant(
        "a projection head, the negative as the positive",
        loop(
            """\
    z = F.normalize(head(encoder(images)), dim=1)
    loss = contrastive_loss(z[0], z[2], [z[1]]) + contrastive_loss(z[1], z[2], [z[0]])
""",
            above=HEAD_APART,
        ),
        {"Q2.3.2": 2, "V6": 2.5},
    ),
    Variant(
        "a loss made anew from its number",
        train((MEAN, "total_loss = torch.tensor((loss1 + loss2).item() / 2, requires_grad=True)")),
        {"Q2.3.2": 4, "V6": 0},
    ),
    Variant(
        "embeddings of the loop kept as the trained ones",
        train((TRAINED, "trained_embeddings = embeddings.detach()")),
        {"Q2.3.2": 4},
    ),
    Variant(
        "stages exchanged",
        train(
            (
                TRAINED,
                f"""\
{TRAINED}
initial_embeddings, trained_embeddings = trained_embeddings, initial_embeddings""",
            )
        ),
        {"Q2.3.2": 3},
    ),
    Variant(
        "gradients cleared before the step",
        train((GIVEN_UPDATE, "    total_loss.backward()\n    optimizer.zero_grad()\n" + STEP)),
        {"Q2.3.2": 4, "V6": 0},
    ),
)

ADVERSARY = (*RIGHT, *WRONG)
