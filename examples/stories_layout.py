"""Invented submissions that are laid out, named or saved in an unusual way."""
# ruff: noqa: INP001 -- this folder is scripts, no package

from __future__ import annotations

from building import filled
from handout import HANDOUT
from pictures import SCRIBBLE
from story import Place, Story, answered

from reference import SOLVED

CODE = {cell.id: filled(cell, SOLVED) for cell in HANDOUT if cell.kind == "code"}

COLAB_SETUP = """\
!pip install -q torch torchvision
%pip install -q matplotlib scikit-learn
from google.colab import drive
drive.mount('/content/drive')
student = input("Who is running this notebook? ")
print("Hello", student)"""

ONE_CELL = Story(
    file="HW5 final (2).ipynb",
    team="1. Ruth Placeholder rp10005",
    cells={
        **dict.fromkeys(("pip", "data", "encoder", "train", "similarities"), ""),
        "chart": "\n\n".join(CODE.values()),
    },
    answers=answered(
        "They help with vanishing gradients, since the gradient can skip layers.",
        """
        Batch norm makes training faster and more stable by normalizing each mini-batch. It comes
        before the activation so that the activation gets normalized inputs.
        """,
        """
        Through max pooling: if the object moves by a pixel the maximum in the window stays the
        same. Needed since objects can be anywhere in the image.
        """,
        "Yes, by augmenting the cat: reference C_1, positive flipped C_1, negative B_1.",
        """
        False. Example: grouping photos of handmade tiles in a warehouse, where the same tile is
        photographed from two sides.
        """,
        """
        Cat and cat went from 0.9193 to 0.9980. Cat and bicycle went from about 0.16 to about 0.06.
        So they are more separated.
        """,
        "The points moved and the red ones are closer together. It makes sense.",
    ),
)

ANSWERS_ABOVE = Story(
    file="Hw5 - Copy.ipynb",
    place=Place.ABOVE,
    answers=answered(
        """
        The deeper the net, the smaller the gradient at the bottom. A skip connection adds the
        input of a block to its output, so the gradient flows around the block unchanged.
        """,
        """
        The inputs of every layer keep about the same distribution, so the layers need not chase
        each other. Normalizing before the ReLU decides which half of the values survives it.
        """,
        """
        A filter that finds whiskers finds them everywhere because its weights are shared. Pooling
        then forgets where exactly. A cat in the corner remains a cat.
        """,
        """
        Yes. We make a second cat by rotating C_1 a little. Anchor C_1, positive rotated C_1,
        negative B_1.
        """,
        """
        False, positives can come from augmentation. Example: telling apart knitting patterns from
        phone photos; there are endless photos and no labels.
        """,
        """
        The positive pair rose from 0.9193 to 0.9980, the negative pairs fell from 0.1696 to 0.0626
        and from 0.1561 to 0.0586.
        """,
        """
        All points move. Red squares lie on each other, blue is far from them, as the numbers say.
        """,
    ),
)

CLEARED = Story(
    file="hw5_vera_cleared.ipynb",
    team="Name: Vera Nobody\n\nEID: vn10013",
    ran=False,
    answers=answered(
        """
        Skip connections keep the signal of earlier layers and let gradients pass, so that networks
        with 100 layers train as well as shallow ones.
        """,
        """
        It reduces covariate shift between batches. Before the activation because the convolution
        output is more Gaussian than the activation output.
        """,
        "Convolution with shared weights and pooling. Recognition should not depend on position.",
        "No, because there is no positive pair with only one cat.",
        "True, we need to know which images are cats.",
        """
        The similarity of the two cats is higher after training and that of cat and bicycle lower.
        """,
        "",
    ),
)

COLAB = Story(
    file="Copy of HW 5.ipynb",
    team="Kit Inventio & Lou Pretend (ki10016, lp10017)",
    place=Place.BELOW,
    cells={"pip": COLAB_SETUP},
    extra={"q2-3-4": (("code", ""),)},
    answers=answered(
        """
        Deep nets forget their input and their gradients vanish. The shortcut x + f(x) helps with
        both: the input is passed on, and the gradient has a factor 1 in it.
        """,
        "My answer is on paper:\n\n![batchnorm.png](attachment:batchnorm.png)",
        """
        With shared kernels a moved input gives a moved map; max pooling removes small moves. That
        is useful because the camera never points at the same place twice.
        """,
        """
        Yes! Reference: C_1. Positive: C_1 with noise, exactly as C2 is made below. Negative: B_1.
        """,
        """
        False. My grandmother's recipe cards: the front and the back of a card are a positive pair,
        and a search for similar recipes needs no labels.
        """,
        """
        Before: 0.9193 for the cats and 0.1696, 0.1561 for the bicycle. After: 0.9980, 0.0626,
        0.0586. Better on all three.
        """,
        """
        Yes they do. The cats melt together. That the whole cat group jumps from right to left is
        odd at first, but only distances matter.
        """,
    ),
    attachments={"q1-2": {"batchnorm.png": {"image/png": SCRIBBLE}}},
)

LAYOUT_STORIES = (ONE_CELL, ANSWERS_ABOVE, CLEARED, COLAB)
