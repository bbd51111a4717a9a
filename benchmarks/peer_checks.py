"""What the peers are asked to check: assertions on the names and numbers the grader checks too.

A peer's checks run inside the student's process and see only what has names there; each is less
work than the grader's check of the same matter, which errs in the peers' favor.
"""

from __future__ import annotations

CHECKS = {
    "shapes": """\
assert tuple(images.shape) == (3, 3, 32, 32)
assert tuple(initial_embeddings.shape) == (3, 128)
assert tuple(trained_embeddings.shape) == (3, 128)
for n in (1, 2, 3, 7):
    assert tuple(encoder(torch.randn(n, 3, 32, 32)).shape) == (n, 128)""",
    "normalization": """\
assert torch.allclose(initial_embeddings.norm(dim=1), torch.ones(3), atol=1e-4)
assert torch.allclose(trained_embeddings.norm(dim=1), torch.ones(3), atol=1e-4)
for scale in (1e-3, 1.0, 1e3):
    made = encoder(scale * torch.randn(5, 3, 32, 32))
    assert torch.allclose(made.norm(dim=1), torch.ones(5), atol=1e-4)""",
    "order": """\
for rows in (images.flatten(1), initial_embeddings, trained_embeddings):
    similar = F.cosine_similarity(rows[0], rows[1], dim=0)
    assert similar > F.cosine_similarity(rows[0], rows[2], dim=0)
    assert similar > F.cosine_similarity(rows[1], rows[2], dim=0)""",
    "loss": """\
def info_nce(rows):
    close = F.cosine_similarity(rows[0], rows[1], dim=0) / 0.5
    far = [F.cosine_similarity(rows[i], rows[2], dim=0) / 0.5 for i in (0, 1)]
    return sum(torch.logsumexp(torch.stack([close, one]), dim=0) - close for one in far) / 2
assert not torch.equal(initial_embeddings, trained_embeddings)
assert torch.isfinite(info_nce(trained_embeddings))
assert info_nce(trained_embeddings) < info_nce(initial_embeddings) + 0.25""",
}
"""Each check's name and the statements it is made of."""
