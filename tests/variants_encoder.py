"""How students complete and rewrite the encoder, right and wrong."""

from __future__ import annotations

from variant import Variant, changed

NORMALIZE = "return F.normalize(x, p=2, dim=1)"
CONV = "self.conv = nn.Conv2d(3, 16, kernel_size=3, stride=2, padding=1)"
LINEAR = "self.fc = nn.Linear(16 * 16 * 16, 128)"
VIEW = "x = x.view(x.size(0), -1)"
FORWARD = """\
        # Pass x through conv layer
        x = self.conv(x)
        x = x.view(x.size(0), -1)
        # Pass x through the Fully Connected Layer
        x = self.fc(x)
        return F.normalize(x, p=2, dim=1)"""


def returning(expression: str) -> dict[str, str]:
    """The encoder's cell with another last line of forward."""
    return {"encoder": changed("encoder", (NORMALIZE, f"return {expression}"))}


def one_line(expression: str) -> dict[str, str]:
    """The encoder's cell with a forward of one line."""
    return {"encoder": changed("encoder", (FORWARD, f"        return {expression}"))}


def flattened(line: str) -> dict[str, str]:
    """The encoder's cell with another line that flattens."""
    return {"encoder": changed("encoder", (VIEW, line))}


ENCODER = (
    Variant("relu after the convolution", {"conv": "x = F.relu(self.conv(x))"}, {}),
    Variant("relu as a method", {"conv": "x = self.conv(x)\nx = x.relu()"}, {}),
    Variant(
        "relu as a module",
        {
            "encoder": changed(
                "encoder",
                (LINEAR, LINEAR + "\n        self.act = nn.ReLU()"),
                ("x = self.conv(x)", "x = self.act(self.conv(x))"),
            ),
        },
        {},
    ),
    Variant("flatten", flattened("x = torch.flatten(x, 1)"), {}),
    Variant("reshape", flattened("x = x.reshape(len(x), 16 * 16 * 16)"), {}),
    Variant("flatten as a module", flattened("x = nn.Flatten()(x)"), {}),
    Variant(
        "one-line forward",
        one_line("F.normalize(self.fc(self.conv(x).flatten(1)), dim=1)"),
        {},
    ),
    Variant(
        "one-line forward with relu",
        one_line(
            "F.normalize(self.fc(torch.relu(self.conv(x)).flatten(start_dim=1)), p=2.0, dim=-1)"
        ),
        {},
    ),
    Variant("own norm", returning("x / x.norm(dim=1, keepdim=True)"), {}),
    Variant("own norm by squares", returning("x / (x * x).sum(1, keepdim=True).sqrt()"), {}),
    Variant(
        "own norm with a floor",
        returning("x / torch.clamp(torch.linalg.norm(x, dim=1, keepdim=True), min=1e-12)"),
        {},
    ),
    Variant(
        "layers renamed",
        {
            "encoder": changed("encoder", ("self.conv", "self.conv1"), ("self.fc", "self.fc1")),
        },
        {},
    ),
    Variant(
        "layers in a sequence",
        {
            "encoder": changed(
                "encoder",
                (CONV, f"self.net = nn.Sequential({CONV[12:]}, nn.Flatten(), {LINEAR[10:]})"),
                (f"        {LINEAR}\n", ""),
                (FORWARD, "        return F.normalize(self.net(x), dim=1)"),
            ),
        },
        {},
    ),
    Variant(
        "the class defined twice, the last one right",
        {
            "encoder": changed("encoder", ("x = self.fc(x)", "pass")) + "\n\n" + changed("encoder"),
        },
        {},
    ),
    Variant(
        "the class defined twice in two cells",
        {
            "encoder": changed("encoder", (NORMALIZE, "return x"))
            + "\n# %%\n"
            + changed("encoder"),
        },
        {},
    ),
    Variant(
        "the class renamed and typed",
        {
            "encoder": changed(
                "encoder",
                ("SimpleEncoder", "CatEncoder"),
                ("super(CatEncoder, self)", "super()"),
                ("def forward(self, x):", "def forward(self, x: torch.Tensor) -> torch.Tensor:"),
            ),
            "train": changed("train", ("SimpleEncoder", "CatEncoder")),
        },
        {},
    ),
    Variant(
        "leaky relu",
        {"conv": "x = F.leaky_relu(self.conv(x))"},
        {"Q2.3.1": 1, "V6": 2.5},
        note=(
            "No accepted activation fits. Choice: the reference runs without one, R 0.1427. "
            "Start 0.2937, trained 0.2881."
        ),
    ),
    Variant(
        "gelu",
        {"conv": "x = F.gelu(self.conv(x))"},
        {"Q2.3.1": 1, "V6": 2.5},
        note=(
            "No accepted activation fits. Choice: the reference runs without one, R 0.1427. "
            "Start 0.2310, trained 0.1801."
        ),
    ),
    Variant(
        "tanh",
        {"conv": "x = torch.tanh(self.conv(x))"},
        {"Q2.3.1": 1},
        note=(
            "No accepted activation fits. Choice: the reference runs without one, R 0.1427. "
            "Start 0.1881, trained 0.1412."
        ),
    ),
    Variant(
        "sigmoid",
        {"conv": "x = torch.sigmoid(self.conv(x))"},
        {"Q2.3.1": 1, "V6": 1},
        note=(
            "No accepted activation fits. Choice: the reference runs without one, R 0.1427. "
            "Start 0.6382, trained 0.6655."
        ),
    ),
    Variant(
        "relu after the last layer",
        {"fc": "x = self.fc(x).relu()"},
        {"Q2.3.1": 1, "V6": 2.5},
        note=(
            "No accepted activation fits. Choice: the reference runs without one, R 0.1427. "
            "Start 0.2912, trained 0.2491."
        ),
    ),
    Variant(
        "a further layer with weights",
        {
            "encoder": changed(
                "encoder",
                (LINEAR, LINEAR + "\n        self.bn = nn.BatchNorm2d(16)"),
                ("x = self.conv(x)", "x = self.bn(self.conv(x))"),
            ),
        },
        {"Q2.3.1": 1},
        note=(
            "No accepted activation fits. Choice: the reference runs without one, R 0.1427. "
            "Start 0.1922, trained 0.1388."
        ),
    ),
    Variant(
        "no convolution",
        {"conv": "pass"},
        {"Q2.3.1": 0, "Q2.3.2": 0, "V1": 5, "V3": 1, "V4": 0, "V5": 2.5, "V6": 0},
        (
            "Q2.3.2",
            "V3",
            "V4",
            "V5",
            "V6",
        ),
        note=(
            "The linear layer raises on 3072 values. The batch and the pixels can still be judged."
        ),
    ),
    Variant(
        "the convolution's result discarded",
        {
            "encoder": changed(
                "encoder",
                (LINEAR, "self.fc = nn.Linear(3 * 32 * 32, 128)"),
                ("x = self.conv(x)", "self.conv(x)"),
            )
        },
        {"Q2.3.1": 1, "V6": 2.5},
        note=(
            "Choice: the reference cannot run from a layer of 3072 inputs; InfoNCE falls "
            "from 0.1797 to 0.1194, which gives 2.5."
        ),
    ),
    Variant(
        "no fully connected layer",
        {"fc": "pass"},
        {"Q2.3.1": 1, "V3": 1, "V6": 1},
        note=(
            "No accepted activation fits. Choice: the reference runs without one, R 0.1427. "
            "Start 0.1726, trained 0.1838. Embeddings (N, 4096) fail V3, they do not block "
            "it."
        ),
    ),
    Variant(
        "a layer's name mistyped",
        {"conv": "x = self.cov(x)"},
        {"Q2.3.1": 0, "Q2.3.2": 0, "V1": 5, "V3": 1, "V4": 0, "V5": 2.5, "V6": 0},
        (
            "Q2.3.2",
            "V3",
            "V4",
            "V5",
            "V6",
        ),
        note="As without a convolution: forward raises.",
    ),
    Variant(
        "a view for three images only",
        flattened("x = x.view(3, -1)"),
        {"V3": 2},
        note="V4 asks with three images at a time.",
    ),
    Variant(
        "normalized over the batch",
        returning("F.normalize(x, dim=0)"),
        {"Q2.3.1": 1, "V4": 0, "V6": 2.5},
        note=(
            "No accepted activation fits. Choice: the reference runs without one, R 0.1427. "
            "Start 0.2367, trained 0.1703."
        ),
    ),
    Variant("not normalized", returning("x"), {"V4": 0}),
    Variant("normalized by the sum", returning("F.normalize(x, p=1, dim=1)"), {"V4": 0}),
    Variant("one norm for the whole batch", returning("x / x.norm()"), {"V4": 0}),
    Variant("normalized twice", {"fc": "x = F.normalize(self.fc(x), dim=1)"}, {}),
    Variant(
        "forward returns nothing",
        {
            "encoder": changed("encoder", (NORMALIZE, "x = F.normalize(x, p=2, dim=1)")),
        },
        {"Q2.3.1": 0, "Q2.3.2": 0, "V1": 5, "V3": 1, "V4": 0, "V5": 2.5, "V6": 0},
        (
            "Q2.3.2",
            "V3",
            "V4",
            "V5",
            "V6",
        ),
        note="Choice: no output blocks V3 and V4 as a forward that raises does.",
    ),
    Variant(
        "forward left unfilled",
        {"conv": "#FILLME", "fc": "#FILLME"},
        {"Q2.3.1": 0, "Q2.3.2": 0, "V1": 5, "V3": 0, "V4": 0, "V5": 2.5, "V6": 0},
        (
            "Q2.3.2",
            "V3",
            "V4",
            "V5",
            "V6",
        ),
        note=(
            "The encoder cell does not parse; a class statement assigns its name. Choice: "
            "without a stack the pixels of C1, C2 and B1 are judged by name."
        ),
    ),
)
