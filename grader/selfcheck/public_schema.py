"""The two files that students get of a rubric: what is asked in public, and a few numbers.

`NAME.rubric.json` holds the public checks with what only the reference knows left out, and how
many more there are. `NAME.numbers.safetensors` holds what the reference answered at inputs that
anyone can draw: never at those of the secret seed, and nothing that was trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

RUBRIC_SUFFIX = ".rubric.json"
"""How the name of a public rubric ends."""
NUMBERS_SUFFIX = ".numbers.safetensors"
"""How the name of the numbers beside it ends."""

Points = Annotated[str, Field(pattern=r"^\d+(/[1-9]\d*)?$")]
"""Exact: '2', '5/2'."""


class PublicPart(BaseModel):
    """A JSON object; keys that a later version added are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class PublicCheck(PublicPart):
    """A public check."""

    code: str
    points: Points
    needs: list[str] = []
    ask: str = ""
    params: dict[str, Any] = {}


class PublicItem(PublicPart):
    """An item of the rubric."""

    id: str
    title: str
    points: Points
    kind: Literal["auto", "written"]
    source: str
    prompt: str = ""
    checks: list[PublicCheck] = []
    later: list[list[str]] = []
    """For each check that runs after handing in, what it needs."""


class PublicNotice(PublicPart):
    """What students see and need not worry about."""

    says: str
    printed: str = ""


class PublicRubricFile(PublicPart):
    """A whole public rubric; `format` rises when a key changes its meaning."""

    format: Literal[1] = 1
    id: str
    title: str
    total: Points
    seed: int
    optional_imports: list[str] = []
    record: list[str] = []
    check_modules: list[str] = []
    """Modules of the course's own checks."""
    limits: Mapping[str, float] = {}
    draws: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """The public seed of all inputs, in hexadecimal digits."""
    numbers: str
    """SHA-256 of the file of numbers."""
    handout: list[str] = []
    """Lines of the handout, so that what is left of a notebook is the student's."""
    notices: list[PublicNotice] = []
    items: list[PublicItem]


def numbers_path_for(path: Path) -> Path:
    """Where the numbers of a public rubric are."""
    return path.with_name(path.name.removesuffix(RUBRIC_SUFFIX) + NUMBERS_SUFFIX)
