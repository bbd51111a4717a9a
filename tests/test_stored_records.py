"""What the gradebook keeps of a grade is read back equal, or refused in words."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable

import numpy as np
import pytest
import specimens

from grader.errors import UsageError
from grader.gradebook.array_storage import ArrayPacker, PackedArrays
from grader.gradebook.stored_records import RecordCodec
from grader.model import Answer, Graded, ItemScore

CODEC = RecordCodec()


def without_arrays(scores: tuple[ItemScore, ...]) -> list[object]:
    return [(s.item, s.verdict, s.earned, [(f.code, f.earned) for f in s.findings]) for s in scores]


@pytest.mark.parametrize("make", specimens.ALL)
def test_a_grade_is_read_back_equal(make: Callable[[], Graded]) -> None:
    graded, packer = make(), ArrayPacker()
    scores = graded.score.items if graded.score else ()
    items = CODEC.decode_items(CODEC.encode_items(tuple(score.item for score in scores)))

    document = CODEC.encode_graded(graded, packer=packer)
    again = CODEC.decode_graded(
        document, items=items, arrays=PackedArrays(pack=packer.pack, blobs={})
    )

    assert (again.submission, again.record, again.students) == (
        graded.submission,
        graded.record,
        graded.students,
    )
    assert (again.provenance, again.answers, again.code) == (
        graded.provenance,
        graded.answers,
        graded.code,
    )
    again_scores = again.score.items if again.score else ()
    assert without_arrays(again_scores) == without_arrays(scores)
    exhibits = [f.exhibit for s in scores for f in s.findings if f.exhibit]
    again_exhibits = [f.exhibit for s in again_scores for f in s.findings if f.exhibit]
    for exhibit, again_exhibit in zip(exhibits, again_exhibits, strict=True):
        for stage, again_stage in zip(exhibit.stages, again_exhibit.stages, strict=True):
            assert np.array_equal(stage.vectors, again_stage.vectors, equal_nan=True)


def test_a_record_of_another_version_is_refused() -> None:
    document = CODEC.encode_answer(Answer(item="Q1", text="so"))
    newer = bytes([document[0] + 1]) + document[1:]
    unversioned = zlib.compress(b"{}")

    for other in (newer, unversioned, b""):
        with pytest.raises(UsageError, match="another version of the grader"):
            CODEC.decode_answer(other)


def test_a_damaged_record_is_refused() -> None:
    document = CODEC.encode_answer(Answer(item="Q1", text="so"))
    plain = json.loads(zlib.decompress(document[1:]))
    del plain["item"]

    with pytest.raises(UsageError, match=r"(?s)damaged.*item"):
        CODEC.decode_answer(document[:1] + zlib.compress(json.dumps(plain).encode()))
