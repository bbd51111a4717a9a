"""The reference solution of HW 5: the written answers and the lines that fill the blanks."""
# ruff: noqa: INP001 -- this folder is scripts, no package

from __future__ import annotations

from prose import paragraphs

TEAM = "Rory Reference (rr10000)"

SOLVED = {
    "C1": "C1 = torch.randn(3, 32, 32)  # Cat image 1, initialized with random values",
    "B1": "B1 = torch.randn(3, 32, 32)  # Bicycle image, initialized with random values",
    "conv": "x = self.conv(x)  # Apply the convolutional layer",
    "fc": "x = self.fc(x)  # Apply the fully connected layer",
    "initial_embeddings": (
        "initial_embeddings = encoder(images).detach()  # Detach to avoid tracking gradients"
    ),
    "pos_pair": "pos_pair = (embeddings[0], embeddings[1])  # Positive pair (C1, C2)",
    "neg_pair1": "neg_pair1 = (embeddings[0], embeddings[2])  # Negative pair (C1, B1)",
    "neg_pair2": "neg_pair2 = (embeddings[1], embeddings[2])  # Negative pair (C2, B1)",
}
"""The lines that fill the blanks, as in the solved copy."""

ANSWERS = {
    "q1-1": paragraphs("""
        In a plain deep network the gradient that reaches an early layer is a product of many
        Jacobians, one a layer, and such a product easily shrinks towards zero. A skip connection
        adds a block's input to its output, y = x + f(x), so the derivative of the block is the
        identity plus f'(x). The gradient always has a path along which nothing is multiplied, and
        early layers keep learning. The block only has to learn a correction to the identity:
        a layer that isn't needed can drive f to zero and do no harm. That is why a deeper residual
        network does not train worse than a shallow one (the degradation problem), and why features
        of early layers stay available to later ones.
        """),
    "q1-2": paragraphs("""
        Batch normalization subtracts, for each channel, the mean over the mini-batch and the
        positions and divides by the standard deviation, then applies a learned scale and shift.
        Each layer therefore sees inputs of a steady range whatever the layers before it do, the
        loss surface is smoother, larger learning rates are safe, initialisation matters less, and
        the noise of the batch statistics regularises a little. It stands between convolution and
        activation because the convolution's output is roughly symmetric and bell-shaped, which
        mean and variance describe well, and because the activation then works in its useful range:
        about half of a ReLU's inputs are negative, a sigmoid is not saturated. After a ReLU the
        values are one-sided, and centring them would undo part of what the ReLU did. The
        convolution's bias becomes superfluous, since the shift takes its place.
        """),
    "q1-3": paragraphs("""
        It comes in two steps. A convolution uses the same weights at every position, so if the
        input moves, the feature map moves with it: that is equivariance, not yet invariance.
        Pooling and strides then forget the exact place: a max over a small window does not change
        when the feature moves inside that window, and global average pooling at the end drops
        position altogether. Augmentation with shifted images helps the layers that still see
        position. The invariance is approximate, since strides and borders break it for some
        shifts. It matters in recognition because a cat is a cat wherever it stands in the picture:
        the network needs not learn each place anew, so it has fewer weights, needs less data and
        generalises to places it never saw.
        """),
    "q2-1": paragraphs("""
        Yes. The missing positive can be made from the one cat we have: C_1 is the reference (the
        anchor), an augmented copy of C_1 (cropped, flipped, with other colours or a little noise)
        is the positive sample, and B_1 is the negative sample. The loss then pulls C_1 and its
        copy together and pushes C_1 and B_1 apart; by symmetry the copy may serve as anchor too.

        This is what SimCLR does with each image of a batch. The weak side is that the encoder
        learns to ignore just those changes that the augmentations make. Another cat would also
        teach it other poses and coats, and with a single negative it may pick an easy difference,
        such as the background.
        """),
    "q2-2": paragraphs("""
        False. What it needs is to know which pairs belong together, and that can come from the
        data: two augmented views of one image, two neighbouring seconds of a recording, an image
        and its caption. Labels can be used where they exist (supervised contrastive learning), but
        they are not required.

        An example: a beekeepers' association has thousands of hours of hive microphones and notes
        on a few dozen swarms. Two excerpts of one hive from the same ten minutes are a positive
        pair, excerpts of other hives and other weeks are negatives. An encoder learned in this way
        separates states of a colony without a label; a small classifier on top needs only the few
        dozen labelled events. Conventional training on these alone would overfit.
        """),
    "q2-3-3": paragraphs("""
        Before training C1 and C2 are already close (0.9193) and B1 is far from both (0.1696 and
        0.1561). The encoder is random at that point, so this reflects the pixels: C2 is C1 plus
        noise of half its size, B1 is independent. After one step the positive pair is at 0.9980
        and the negative pairs are at 0.0626 and 0.0586: the positive pair came closer, and the
        negatives are nearer to orthogonal.

        Two cautions. The loss as given is not a number here: it takes log(1 - exp(cos / T)), which
        has no value once a negative cosine is above 0, and for such a negative its gradient has
        the wrong sign. That the negatives fell is a side effect of this start and of one step of
        Adam; with five steps they rise. InfoNCE at the same temperature does fall in this step,
        from 0.1991 to 0.1427.
        """),
    "q2-3-4": paragraphs("""
        Yes, all three points move, and far. Before training the two red circles (C1, C2) lie near
        each other on the right and the blue circle (B1) lies alone on the left. Afterwards the two
        red squares nearly cover each other, which fits a cosine of 0.9980, and the blue square is
        still far from them; but the groups have changed sides, the cats are on the left and the
        bicycle on the right. One step changed weights that all three images share, so a point's
        position before and after is not to be compared; the distances within each stage are what
        counts.

        Read in that way they make sense: closer positives, negatives still apart. The chart shows
        only the two directions of largest variance of six points in 128 dimensions, so small
        changes, such as the negatives' from 0.17 to 0.06, are better read from the numbers.
        """),
}
"""Answers a grader would give full marks, by the id of the handout's cell they follow."""
