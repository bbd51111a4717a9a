"""Tests of A small network: what a test takes is the notebook's, but for fixtures and `draw`.

Modules stay in the notebook; tensors come back as tensors, parameters with their gradients.
"""

import pytest
import torch
import torch.nn.functional as F


@pytest.fixture(scope="session")
def unseen():
    """Points as the handout makes them, but of another seed; made once for the class."""
    random = torch.Generator().manual_seed(20261202)
    y = torch.randint(3, (600,), generator=random)
    radius = torch.rand(600, generator=random)
    angle = 4 * radius + y * 2 * torch.pi / 3
    X = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)
    return X + 0.05 * torch.randn(600, 2, generator=random), y


@pytest.fixture(scope="session")
def points():
    """A batch of 50 points."""
    return torch.randn(50, 2, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="session")
def classes(points):
    """A class for each, which can be learned."""
    return (points > 0).sum(dim=1)


def test_shape(MLP, points):
    """The output holds a score for each class."""
    assert MLP(2, 8, 3, 0.5)(points).shape == (50, 3)


def test_parameters(MLP, draw):
    """The layers have as many parameters as sizes drawn ask for."""
    inputs, hidden, outputs = draw.sample(range(2, 20), 3)
    count = sum(p.numel() for p in MLP(inputs, hidden, outputs, 0.5).parameters())
    assert count == inputs * hidden + 2 * hidden + hidden * outputs + outputs


def test_dropout(MLP, points):
    """Dropout changes scores in training, and none in evaluation."""
    model = MLP(2, 16, 3, 0.5)
    assert not torch.equal(model(points), model(points))
    model.eval()
    assert torch.equal(model(points), model(points))


def test_dropout_rate(MLP, points):
    """At p = 0 nothing is dropped, at p = 1 everything: all rows give the same scores."""
    keeps, drops = MLP(2, 16, 3, 0.0), MLP(2, 16, 3, 1.0)
    assert torch.equal(keeps(points), keeps(points))
    scores = drops(points)
    torch.testing.assert_close(scores, scores[:1].expand(50, 3))


def test_batch_norm_in_training(MLP, points):
    """In training, batch norm takes mean and scale off what the first layer gives."""
    model = MLP(2, 16, 3, 0.0)
    torch.testing.assert_close(model(points), model(10 * points + 3), rtol=0.01, atol=0.01)


def test_batch_norm_in_evaluation(MLP, points):
    """In evaluation, batch norm uses what it has seen in training, and not the batch."""
    model = MLP(2, 16, 3, 0.0)
    model.eval()
    before = model(points)
    torch.testing.assert_close(model(points[:5]), before[:5])
    model.train()
    model(points + 5)
    model.eval()
    assert not torch.allclose(model(points), before)


def test_not_linear(MLP, points):
    """There is a ReLU between the layers: the network is no linear function."""
    model = MLP(2, 16, 3, 0.0)
    model.eval()
    middle = (model(points) + model(-points)) / 2
    assert not torch.allclose(middle, model(0 * points), atol=0.001)


def test_step_gives_loss(MLP, SGD, train_step, points, classes):
    """train_step gives the cross-entropy that the scores had before the step."""
    model = MLP(2, 8, 3, 0.0)
    expected = F.cross_entropy(model(points), classes).item()
    loss = train_step(model, SGD(model.parameters(), lr=0.1), points, classes)
    assert loss == pytest.approx(expected, rel=1e-4)


def test_step_lowers_loss(MLP, SGD, train_step, points, classes):
    """Twenty steps lower the loss."""
    model = MLP(2, 32, 3, 0.0)
    optimizer = SGD(model.parameters(), lr=0.5)
    losses = [train_step(model, optimizer, points, classes) for _ in range(20)]
    assert losses[-1] < 0.7 * losses[0]


def test_gradients(MLP, SGD, train_step, points, classes):
    """Every parameter gets a gradient, and a second step does not add to that of the first."""
    model = MLP(2, 8, 3, 0.0)
    optimizer = SGD(model.parameters(), lr=0.0)  # so that both steps have the same gradients
    train_step(model, optimizer, points, classes)
    first = [p.grad for p in model.parameters()]
    assert all(grad is not None and grad.abs().sum() > 0 for grad in first)
    train_step(model, optimizer, points, classes)
    second = [p.grad for p in model.parameters()]
    torch.testing.assert_close(second, first)


def test_step_trains_in_training_mode(MLP, SGD, train_step, points, classes):
    """A model in evaluation mode is put into training mode."""
    model = MLP(2, 8, 3, 0.5)
    model.eval()
    train_step(model, SGD(model.parameters(), lr=0.1), points, classes)
    assert model.training is True


def test_accuracy(MLP, accuracy, points, classes):
    """accuracy gives the share of points whose class has the highest score."""
    model = MLP(2, 16, 3, 0.0)
    model.eval()
    right = model(points).argmax(dim=1) == classes
    assert accuracy(model, points, classes) == pytest.approx(right.float().mean().item())


def test_accuracy_evaluates(MLP, accuracy, points, classes):
    """A model in training mode is evaluated in evaluation mode, and learns nothing from it."""
    model = MLP(2, 16, 3, 0.9)
    model.eval()
    before = model(points)
    model.train()
    share = accuracy(model, points, classes)
    assert share == pytest.approx((before.argmax(dim=1) == classes).float().mean().item())
    model.eval()
    assert torch.equal(model(points), before)


def test_losses(losses, model, X, y):
    """The last loss is below half of the first, and so is the loss that the model has on X."""
    model.eval()
    assert 0 < losses[-1] < losses[0] / 2
    assert F.cross_entropy(model(X), y) < losses[0] / 2


@pytest.mark.parametrize("share", [0.7, 0.8, 0.9])
def test_unseen_points(model, unseen, share):
    """model is right on points that nobody has seen."""
    X, y = unseen
    model.eval()
    right = model(X).argmax(dim=1) == y
    assert right.float().mean() >= share
