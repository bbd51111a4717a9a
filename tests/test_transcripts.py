"""What was asked in a test is kept, and asked again without a notebook."""

from __future__ import annotations

from grader.kernel.transcripts import (
    TranscriptEntry,
    pack_transcript,
    replay,
    unpack_transcript,
)

ENTRIES = tuple(
    TranscriptEntry(party=party, request=request, reply=request.upper())
    for party, request in (("notebook", b"a"), ("reference", b"b"), ("notebook", b"c"))
)


def test_replies_come_again_in_the_order_in_which_they_were_asked_for() -> None:
    asked_anew: list[str] = []
    kept = unpack_transcript(pack_transcript({"test_it": ENTRIES}))
    converse = replay(kept, on_new=lambda: asked_anew.append("test_it"))

    notebook, reference = converse("notebook", "test_it"), converse("reference", "test_it")

    assert [notebook.exchange(b"a"), reference.exchange(b"b")] == [b"A", b"B"]
    assert (notebook.exchange(b"other"), notebook.gone) == (None, "not_asked")
    assert asked_anew == ["test_it"]


def test_a_case_that_was_run_twice_is_replayed_twice() -> None:
    converse = replay({"test_it": ENTRIES}, on_new=lambda: None)

    first = converse("notebook", "test_it").exchange(b"a")
    second = converse("notebook", "test_it").exchange(b"c")

    assert (first, second) == (b"A", b"C")
