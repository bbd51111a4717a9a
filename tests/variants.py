"""Right and wrong solutions of HW 5 and the points they earn: what the checks are tested against.

Worked out from the rules of the assignment, not from the checks. A built notebook has six code
cells unless the variant's note says otherwise, all of which V1 counts.
"""

from __future__ import annotations

from variant import FULL, Variant, build
from variants_adversary import ADVERSARY
from variants_encoder import ENCODER
from variants_images import IMAGES
from variants_modules import MODULES
from variants_pairs import PAIRING
from variants_style import STYLE
from variants_training import TRAINING

VARIANTS = (*STYLE, *IMAGES, *ENCODER, *PAIRING, *TRAINING, *MODULES, *ADVERSARY)

__all__ = ["FULL", "VARIANTS", "Variant", "build"]
