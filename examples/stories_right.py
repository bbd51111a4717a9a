"""Invented submissions whose code is right, each in its own way."""
# ruff: noqa: INP001 -- this folder is scripts, no package

from __future__ import annotations

from building import filled
from handout import HANDOUT
from story import Place, Story, answered

from reference import SOLVED

CODE = {cell.id: filled(cell, SOLVED) for cell in HANDOUT if cell.kind == "code"}

ONE_LINE_ENCODER = """\
class SimpleEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, kernel_size=3, stride=2, padding=1)
        self.fc = nn.Linear(16 * 16 * 16, 128)

    def forward(self, x):
        return F.normalize(self.fc(torch.flatten(F.relu(self.conv(x)), 1)), dim=1)

def contrastive_loss(anchor, positive, negatives, temperature=0.5):
    pos_sim = F.cosine_similarity(anchor.unsqueeze(0), positive.unsqueeze(0))
    pos_loss = -torch.log(torch.exp(pos_sim / temperature))
    neg_loss = sum(-torch.log(1 - torch.exp(F.cosine_similarity(
        anchor.unsqueeze(0), neg.unsqueeze(0)) / temperature)) for neg in negatives)
    return pos_loss + neg_loss"""

OWN_NAMES_TRAINING = """\
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
net = SimpleEncoder().to(device)
batch = torch.stack([C1, C2, B1]).to(device)

with torch.no_grad():
    before = net(batch)

adam = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(1):
    cat, other_cat, bike = net(batch)
    loss = (contrastive_loss(cat, other_cat, [bike]) + contrastive_loss(other_cat, cat, [bike])) / 2
    adam.zero_grad()
    loss.backward()
    adam.step()

net.eval()
with torch.no_grad():
    after = net(batch)"""

INFO_NCE = """\
# The loss above prints nan for me, see my comment below. This is InfoNCE.
def contrastive_loss(anchor, positive, negatives, temperature=0.5):
    candidates = torch.stack([positive] + list(negatives))
    scores = F.cosine_similarity(anchor.unsqueeze(0), candidates) / temperature
    return -F.log_softmax(scores, dim=0)[0]"""


TEAM_OF_TWO = Story(
    file="hw5_ada_ben.ipynb",
    team="Ada Example (ae10001) </br> Ben Sample (bs10002)",
    answers=answered(
        """
        A block with a skip connection computes x + f(x), so in the backward pass the gradient is
        split into a part that goes through f and a part that goes straight through. The second
        part is never multiplied by small weights, so even the first layers of a very deep ResNet
        receive a useful gradient. Also, if more layers do not help, f can become zero and the
        block is just the identity, so adding depth should not make training error worse.
        """,
        """
        It normalizes each channel with the batch mean and variance and then rescales with learned
        gamma and beta. The scale of the activations stays under control, so we can use a higher
        learning rate and are less sensitive to initialization; the batch noise regularizes a bit.
        Before the activation the values are still spread to both sides of zero, so normalizing
        centers them where the ReLU is interesting. After a ReLU half of the values would be exactly
        zero and mean and variance would say little about them.
        """,
        """
        The same kernel slides over the whole image, so a shifted cat gives a shifted feature map
        (equivariance). Pooling and striding throw away the exact position, and after several of
        them the output hardly changes when the cat moves: that is the (approximate) invariance.
        For recognition this is important because the class does not depend on where the object is,
        and the network does not need examples of each object at each position.
        """,
        """
        Yes. C_1 is the reference sample. For the positive sample we augment C_1 ourselves, e.g. a
        crop or a flip with some color jitter. B_1 is the negative sample. We pull the two views of
        C_1 together and push B_1 away from both.
        """,
        """
        False: the pairs can be made from the data by augmentation, so no labels are needed.
        Example: our city has thousands of photos of manhole covers taken by a street sweeper.
        Two photos of the same GPS point are a positive pair and other points are negatives. With
        the embedding one can find covers that changed (broken or stolen), although nobody ever
        labelled a single photo.
        """,
        """
        Before training: C1/C2 0.9193, C1/B1 0.1696, C2/B1 0.1561. After: 0.9980, 0.0626 and 0.0586.
        The positive pair was already similar, as C2 is a noisy C1, and got closer. Both negative
        pairs got less similar, so in this run one step was enough to move in the right direction.
        """,
        """
        Yes, the points move. The two cats are two separate circles before and nearly one square
        after, and the bicycle is far away from them both times. Cats and bicycle even swap sides
        of the plot. I think the side has no meaning since PCA axes and the shared weights may
        flip it; the distances are what makes sense.
        """,
    ),
)

WRITTEN_ANOTHER_WAY = Story(
    file="noor_fiction_HW5.ipynb",
    team="- **Noor Fiction**, EID: nf10003",
    place=Place.BELOW,
    cells={
        "encoder": ONE_LINE_ENCODER,
        "train": OWN_NAMES_TRAINING,
        "similarities": CODE["similarities"]
        .replace("(initial_embeddings, stage", "(before, stage")
        .replace("(trained_embeddings, stage", "(after, stage"),
        "chart": CODE["chart"].replace(
            "\nplot_embeddings(initial_embeddings, trained_embeddings,",
            "\nplot_embeddings(before, after,",
        ),
    },
    answers=answered(
        """
        They give the gradient a short cut. Without them it is multiplied layer after layer and
        vanishes; with them there is always an identity term in the derivative.
        """,
        """
        BN keeps the distribution of each channel stable during training (mean 0, variance 1, then
        gamma and beta), which allows larger steps. Before the nonlinearity the distribution is
        close to a Gaussian, so standardizing is meaningful there, and the nonlinearity gets inputs
        in the range where it bends.
        """,
        """
        Shared weights make convolution equivariant to shifts, and pooling turns this into local
        invariance. It means fewer parameters and that objects are recognized anywhere.
        """,
        """
        Yes we can: reference C_1, positive an augmented C_1, negative B_1. The embedding can only
        learn what the augmentations tell it, so they should be chosen with care.
        """,
        """
        False. For instance bird song: two cuts of one recording are positives. Ringing and
        labelling birds is expensive, microphones in a forest are not.
        """,
        """
        With my ReLU encoder the cats go from 0.9185 to 0.9930, but the negatives go UP, from 0.3838
        and 0.3858 to 0.4613 and 0.4495. So the positive pair improved and the separation did not.
        I would not call this an improvement overall after a single step.
        """,
        """
        They move. The cats get closer to each other. The bicycle stays apart from them, yet
        relative to before it is not further away, which agrees with the cosines above.
        """,
    ),
)

OWN_LOSS = Story(
    file="CL_homework_emil_mustertext.ipynb",
    team="Emil Mustertext\n\nem10014",
    place=Place.BELOW,
    cells={
        "encoder": CODE["encoder"] + "\n\n" + INFO_NCE,
        "train": CODE["train"].replace("for _ in range(1):", "for step in range(50):")
        + '\nprint("last loss", total_loss.item())',
    },
    answers=answered(
        """
        Because d/dx (x + f(x)) = 1 + f'(x). The 1 keeps the product of derivatives over a hundred
        layers from going to zero, so the early layers still learn.
        """,
        """
        It fixes mean and variance of every channel per batch, which smooths optimization. Before
        the activation, because otherwise the activation destroys the symmetric distribution that
        BN assumes, and because BN then decides how much of it is cut off by the ReLU.
        """,
        """
        Weight sharing plus pooling. Strictly speaking convolution is equivariant and only the
        pooling makes it (locally) invariant. Objects appear at any place in a photo, so this saves
        data and parameters.
        """,
        """
        Yes: anchor C_1, positive = random crop of C_1, negative = B_1.
        """,
        """
        False. I once worked at a library: scans of the same page before and after restoration are
        natural positive pairs, and pages of other books negatives. Nobody has to label anything.
        """,
        """
        The loss of the handout is nan in my run. It takes log(1 - exp(cos/T)), and as soon as a
        negative pair has a cosine above 0 the argument of the log is negative. Even its gradient
        then pulls the negatives closer. I replaced it with InfoNCE at the same temperature and ran
        50 steps. Before: 0.9193, 0.1696, 0.1561. After: 0.9975, -0.9891, -0.9903. Positives stay
        together and the negatives end up on the opposite side of the sphere, which is what the
        method promises.
        """,
        """
        Yes. After 50 steps the cats are one point and the bicycle is at the other end of the first
        axis. This makes sense: with cosine near -1 all the variance lies along one direction.
        """,
    ),
)

RIGHT_STORIES = (TEAM_OF_TWO, WRITTEN_ANOTHER_WAY, OWN_LOSS)
