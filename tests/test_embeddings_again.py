"""What is said of embeddings that were computed anew when a notebook had ended is true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_checks import evidence

from grader.checks.check import ARRAYS_QUESTION, Evidence
from grader.checks.recording import Forward, Recording
from grader.contrastive.embeddings import AGAIN_CAPTION, CAPTION, EmbeddingsBeforeTraining
from grader.model import Observation

IMAGES = dict(zip("ABC", np.random.default_rng(3).standard_normal((3, 2, 3)), strict=True))
EARLY, ROWS = np.random.default_rng(4).standard_normal((2, 3, 5))
CHECK = EmbeddingsBeforeTraining(labels=("A", "B", "C"), shape=(2, 3), before="early", after="late")


def evidence_of(*calls: tuple[np.ndarray, int, bool], **arrays: np.ndarray) -> Evidence:
    """Evidence of calls: the rows that each made, the state of its weights, whether at the end."""
    batch = np.stack(list(IMAGES.values()))
    forwards = tuple(
        Forward(
            event_index=index,
            cell=0,
            module=0,
            state=state,
            grad=True,
            steps=0,
            inputs=(batch,),
            outputs=(made,),
            again=again,
        )
        for index, (made, state, again) in enumerate(calls)
    )
    answer = Observation(id=ARRAYS_QUESTION.id, status="ok", arrays={**IMAGES, **arrays})
    recording = Recording(forwards=forwards)
    return replace(evidence(), observations={answer.id: answer}, recording=recording)


@pytest.mark.parametrize(
    ("own", "caption"),
    [(ROWS, CAPTION), (2 * ROWS, CAPTION), (ROWS + 1, AGAIN_CAPTION), (ROWS[::-1], AGAIN_CAPTION)],
)
def test_only_embeddings_that_the_notebook_never_made_are_computed_anew(
    own: np.ndarray, caption: str
) -> None:
    """Whatever its variables are called; those of the same weights are equal."""
    seen = evidence_of((EARLY, 0, False), (own, 1, False), (ROWS, 1, True))
    exhibit = CHECK.build_exhibit(seen)

    assert exhibit is not None
    assert exhibit.caption == caption


@pytest.mark.parametrize(
    ("held", "warnings"), [(EARLY, 0), (3 * EARLY, 0), (EARLY + 1, 1), (ROWS, 1)]
)
def test_a_variable_that_holds_other_vectors_than_are_shown_is_said(
    held: np.ndarray, warnings: int
) -> None:
    """What a notebook computes from it is not what the table shows."""
    seen = evidence_of((EARLY, 0, False), (ROWS, 1, False), early=held)
    exhibit = CHECK.build_exhibit(seen)

    assert exhibit is not None
    assert exhibit.caption.count("`early` holds other vectors") == warnings
