"""The reference's last cell: what the grader asks the reference about a student's own run."""
# ruff: noqa: INP001, TID251 -- this folder is scripts, no package; notebooks use torch
# ruff: noqa: PLR0913, PLR0917 -- the grader hands over an encoder's four weights one by one
# ruff: noqa: N812 -- the handout's own name for torch.nn.functional

from __future__ import annotations

# The cell begins below this line.
import torch
import torch.nn.functional as F
from torch import Tensor


def encode(x: Tensor, weights: list[Tensor], activation: str) -> Tensor:
    """Run the handout's encoder with its four weights; activation is 'none' or 'relu'."""
    if activation not in {"none", "relu"}:
        raise ValueError(f"no such activation: {activation!r}; use 'none' or 'relu'")
    conv_weight, conv_bias, fc_weight, fc_bias = weights
    x = F.conv2d(x, conv_weight, conv_bias, stride=2, padding=1)
    if activation == "relu":
        x = F.relu(x)
    x = F.linear(x.view(x.size(0), -1), fc_weight, fc_bias)
    return F.normalize(x, p=2, dim=1)


def handout_loss(anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Compute the handout's loss, operation by operation, not-a-number and all."""
    pos_sim = F.cosine_similarity(anchor.unsqueeze(0), positive.unsqueeze(0))
    pos_loss = -torch.log(torch.exp(pos_sim / 0.5))
    neg_sim = F.cosine_similarity(anchor.unsqueeze(0), negative.unsqueeze(0))
    neg_loss = 0 + -torch.log(1 - torch.exp(neg_sim / 0.5))
    return pos_loss + neg_loss


def reference_forward(
    x: Tensor,
    conv_weight: Tensor,
    conv_bias: Tensor,
    fc_weight: Tensor,
    fc_bias: Tensor,
    activation: str = "none",
) -> Tensor:
    """Embed images (N, 3, 32, 32) with these weights, in double precision: (N, 128)."""
    weights = [tensor.detach().double() for tensor in (conv_weight, conv_bias, fc_weight, fc_bias)]
    with torch.no_grad():
        return encode(x.detach().double(), weights, activation)


def reference_train(
    images: Tensor,
    conv_weight: Tensor,
    conv_bias: Tensor,
    fc_weight: Tensor,
    fc_bias: Tensor,
    activation: str = "none",
    steps: int = 1,
) -> Tensor:
    """Train from these weights on C1, C2, B1 as the handout does; the embeddings after it.

    Computes in the precision of the weights, so that it repeats a student's run bit for bit.
    """
    given = (conv_weight, conv_bias, fc_weight, fc_bias)
    weights = [tensor.detach().clone().requires_grad_() for tensor in given]
    images = images.detach().to(conv_weight.dtype)
    optimizer = torch.optim.Adam(weights, lr=0.01)
    with torch.enable_grad():
        for _ in range(int(steps)):
            c1, c2, b1 = encode(images, weights, activation)
            total_loss = (handout_loss(c1, c2, b1) + handout_loss(c2, c1, b1)) / 2
            optimizer.zero_grad()
            total_loss.backward()
            optimizer.step()
    with torch.no_grad():
        return encode(images, weights, activation)


def info_nce(embeddings: Tensor, temperature: float = 0.5) -> Tensor:
    """Mean InfoNCE of (C1, C2) against B1 and (C2, C1) against B1, in double precision."""
    c1, c2, b1 = embeddings.detach().double()
    positive = F.cosine_similarity(c1, c2, dim=0)
    negatives = torch.stack([F.cosine_similarity(c, b1, dim=0) for c in (c1, c2)])
    return F.softplus((negatives - positive) / float(temperature)).mean()
