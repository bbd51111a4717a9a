"""Invented submissions in which something went wrong, one thing in each (two in the last)."""
# ruff: noqa: INP001 -- this folder is scripts, no package

from __future__ import annotations

from building import filled
from handout import HANDOUT
from story import Place, Story, answered, but

from reference import SOLVED

CODE = {cell.id: filled(cell, SOLVED) for cell in HANDOUT if cell.kind == "code"}
NORMALIZED = "return F.normalize(x, p=2, dim=1)"

WRONG_NEGATIVE_PAIR = Story(
    file="Homework5_Omar_Invented.ipynb",
    team="**Omar Invented** oi10004",
    blanks=but(neg_pair1="neg_pair1 = (embeddings[0], embeddings[1])"),
    answers=answered(
        """
        ResNet blocks learn only the difference to their input. The gradient reaches lower layers
        directly through the shortcut, so it doesn't vanish.
        """,
        """
        Normalization per batch keeps activations from exploding, the learning rate can be higher.
        It's used before the activation so the ReLU does not kill most units.
        """,
        """
        Pooling layers and shared filters. If translation mattered we would need training images of
        each object at each position.
        """,
        "Yes: anchor C_1, positive is C_1 with changed colors, negative is B_1.",
        """
        False. A farm drone films sheep; frames that follow each other show the same sheep and give
        the positives.
        """,
        """
        Before: 0.9193, 0.1696, 0.1561, after: 0.9921, 0.1481, 0.1130. The cats come closer and the
        bicycle moves away, but only a little compared with what I expected.
        """,
        "Cats closer, bicycle a bit further. The negatives changed least, same as in the numbers.",
    ),
)

NO_LINEAR_LAYER = Story(
    file="hw5-tessa.ipynb",
    team="Tessa Fable - tf10006",
    blanks=but(fc="# x = self.fc(x)"),
    answers=answered(
        "Skip connections make the network faster because some layers are skipped.",
        "It normalizes the batch. It is placed before the activation by convention.",
        "By convolving the image with filters.",
        "Yes, using C_1 as reference and positive and B_1 as negative.",
        "False, it works without labels. Example: face unlock on a phone.",
        """
        0.8935 to 0.8949 for the positive pair, that is almost no change. The negatives went up from
        0.0568 and 0.0609 to 0.0947 and 0.0944. So the training did not help in my case. Maybe my
        embedding is too large.
        """,
        "The points hardly move relative to each other.",
    ),
)

NOT_NORMALIZED = Story(
    file="HW5_pat_quill.ipynb",
    team="* Pat Quill (pq10007)",
    place=Place.BELOW,
    cells={"encoder": CODE["encoder"].replace(NORMALIZED, "return x")},
    answers=answered(
        """
        In deep networks gradients are products of many factors and vanish. A skip connection adds
        an identity path, so part of the gradient arrives unchanged, and a block that is not needed
        can simply output zero.
        """,
        """
        BN standardizes every feature map over the batch and learns a scale and an offset. Training
        becomes less dependent on initialization. It sits before the activation because there the
        distribution is symmetric.
        """,
        """
        Weight sharing gives equivariance; pooling gives invariance to small shifts. A classifier
        should say cat wherever the cat is.
        """,
        """
        Yes. Positive sample: a crop of C_1. Reference: C_1. Negative: B_1. One negative is little,
        so it may learn only a trivial difference.
        """,
        """
        False. Example: matching the left and the right shoe in a lost property office from photos
        only.
        """,
        """
        Positive 0.9193 -> 0.9980, negatives 0.1696 -> 0.0626 and 0.1561 -> 0.0586. I left the
        vectors at their own length, cosine similarity doesn't care about length.
        """,
        """
        The points move a lot since my vectors aren't on the unit sphere; after training they are
        longer. The two cats move together.
        """,
    ),
)

NORMALIZED_OVER_THE_BATCH = Story(
    file="hw5_Ingrid Beispiel.ipynb",
    team="Ingrid Beispiel <br> ib10008",
    cells={"encoder": CODE["encoder"].replace(NORMALIZED, "return F.normalize(x, dim=0)")},
    answers=answered(
        "The gradient can flow through the identity, this avoids vanishing gradients.",
        """
        The layer inputs have mean zero and variance one. If we did it after the activation then the
        positive values of a ReLU would be shifted to negative ones again.
        """,
        "",
        "Yes, with data augmentation of C_1 as positive sample and B_1 as negative sample.",
        "False. Medical images, since labels from doctors are expensive.",
        """
        0.7479 / 0.0710 / 0.1042 before and 0.9811 / 0.1509 / 0.1272 after. Positive pair much
        better, negatives slightly worse.
        """,
        "",
    ),
)

CONSTANT_IMAGE = Story(
    file="hw_5_submission.ipynb",
    team="Sam Nemo, sn10009",
    place=Place.BELOW,
    blanks=but(C1="C1 = torch.ones(3, 32, 32)"),
    answers=answered(
        "They skip layers so training is easier.",
        "It makes the data normal. It is before the activation because the paper does it.",
        "CNNs see the image in patches so it doesn't matter where something is.",
        "No. You need two cats.",
        "True.",
        """
        C1 and C2 went from 0.8656 to 0.9948. The others went up as well, from 0.0302 to 0.2135 and
        from -0.0667 to 0.2054, so everything got more similar.
        """,
        "The cats are together and the bicycle is not.",
    ),
)

NEVER_TRAINED = Story(
    file="HW5-v3.ipynb",
    team="Jo Phantom jp10010 and Max Unreal mu10011",
    cells={"train": CODE["train"].replace("range(1)", "range(0)")},
    answers=answered(
        """
        Without shortcuts the error signal shrinks with each layer. With x + f(x) it reaches the
        first layers.
        """,
        """
        Stable statistics in each layer, so faster training. Before the activation, because the
        activation works best around zero.
        """,
        "Same filter everywhere plus pooling, so the position is lost on purpose.",
        "Yes, augment C_1 to get a positive.",
        "False. Example: satellite images of the same field in spring and autumn.",
        """
        The similarities are exactly the same before and after, 0.9193, 0.1696 and 0.1561. So the
        contrastive learning had no effect. We are not sure why.
        """,
        "The squares cover the circles. No point moved.",
    ),
)

DATA_CELL_FAILS = Story(
    file="hw5 (1).ipynb",
    team="Kim Nobody\n\n- EID kn10012",
    blanks=but(C1="C1 = Torch.randn(3, 32, 32)"),
    answers=answered(
        "Skip connections carry the gradient past the layers, otherwise it gets too small.",
        "Normalizes the activations of each layer, which speeds up training.",
        "Pooling makes small shifts irrelevant.",
        "Yes: C_1 reference, rotated C_1 positive, B_1 negative.",
        "False. Comparing songs by snippets of the same song.",
        "My notebook stopped with an error, but I expect the cats to be closer afterwards.",
        "I could not plot it.",
    ),
)

UNFILLED = Story(
    file="hw5_blank_dana.ipynb",
    team="Dana Draft (dd10015)",
    blanks={},
    ran=False,
)

TWO_MISTAKES = Story(
    file="hw5_draft2.ipynb",
    team="Finn Imaginary (fi10018)",
    place=Place.BELOW,
    blanks=but(C1="C1 = torch.randn(32, 32)", conv="x = F.leaky_relu(self.conv(x))"),
    answers=answered(
        """
        The identity path of a residual block has derivative one, so the gradient of the loss
        reaches every block.
        """,
        "It whitens the batch, and the ReLU afterwards makes it non-linear again.",
        "",
        "Yes, with an augmented cat as the positive sample.",
        "False, e.g. for finding duplicate photos on my phone.",
        "",
        "",
    ),
)

WRONG_STORIES = (
    WRONG_NEGATIVE_PAIR,
    NO_LINEAR_LAYER,
    NOT_NORMALIZED,
    NORMALIZED_OVER_THE_BATCH,
    CONSTANT_IMAGE,
    NEVER_TRAINED,
    DATA_CELL_FAILS,
    UNFILLED,
    TWO_MISTAKES,
)
