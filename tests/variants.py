"""Right and wrong solutions of HW 5 and the points they earn: what the checks are tested against.

Worked out from the rules of the assignment, not from the checks. A built notebook has six code
cells unless the variant's note says otherwise, all of which V1 counts.
"""

from __future__ import annotations

from collections.abc import Mapping

import variants_modules
from variant import FULL, Variant, build
from variants_adversary import ADVERSARY
from variants_encoder import ENCODER
from variants_images import IMAGES
from variants_pairs import PAIRING
from variants_style import STYLE
from variants_training import TRAINING

KINDS: Mapping[str, tuple[Variant, ...]] = {
    "how cells are written and run": STYLE,
    "images": IMAGES,
    "the encoder's layers": ENCODER,
    "pairs": PAIRING,
    "embeddings and training": TRAINING,
    "other modules that see an image": variants_modules.OTHERS,
    "ways to call the encoder": variants_modules.DIRECT,
    "what the encoder is given": variants_modules.FORMS,
    "weights in another object": variants_modules.COPIES,
    "where embeddings are kept": variants_modules.PLACES,
    "given code that has the right values": variants_modules.FALSE_PASSES,
    "the loss, looked at or one's own": variants_modules.LOSS,
    "gradients looked at, and tries undone": variants_modules.UNDONE,
    "images and embeddings of little precision, or none": variants_modules.COARSE,
    "more encoders than one, and long runs": variants_modules.SWEEPS,
    "which image and which class is which": variants_modules.WHICH,
    "an encoder in a wrapper": variants_modules.WRAPPERS,
    "an encoder that is no module": variants_modules.NO_MODULE,
    "tried by someone who had not seen the checks": ADVERSARY,
}
"""All variants by kind, as `docs/fairness.md` shows them."""

VARIANTS = tuple(variant for variants in KINDS.values() for variant in variants)

__all__ = ["FULL", "KINDS", "VARIANTS", "Variant", "build"]
