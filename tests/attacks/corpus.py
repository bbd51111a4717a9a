"""All attacks, and for each row of the table of sixty where it is accounted for."""

from __future__ import annotations

from attack import Attack
from attacks_answers import ANSWERS
from attacks_channel import CHANNEL
from attacks_load import LOAD
from attacks_machine import MACHINE
from attacks_others import OTHERS
from elsewhere import ELSEWHERE

ROWS = range(1, 61)
ATTACKS: tuple[Attack, ...] = (*ANSWERS, *CHANNEL, *MACHINE, *OTHERS, *LOAD)

__all__ = ["ATTACKS", "ELSEWHERE", "ROWS"]
