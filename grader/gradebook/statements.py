"""SQL statements that load and save one submission; the caller holds the transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import BindParameter, Connection, bindparam, delete, exists, insert, select, update

from grader.gradebook.array_storage import PackedArrays
from grader.gradebook.encoded_submissions import EncodedTrace, StoredResult
from grader.gradebook.tables import blobs, item_lists, submissions, trace_blobs, traces

# Built once: building a statement takes longer than SQLite takes to run it.
_NAME: BindParameter[str] = bindparam("submission")
_DIGEST: BindParameter[str] = bindparam("digest")
_DIGESTS: BindParameter[Sequence[str]] = bindparam("digests", expanding=True)
_RESULT = (
    select(
        submissions.c.result,
        submissions.c.pack,
        item_lists.c.digest,
        item_lists.c.document,
        submissions.c.assignment,
    )
    .join(item_lists, isouter=True)
    .where(submissions.c.name == _NAME)
)
_UPDATE_RESULT = (
    update(submissions)
    .where(submissions.c.name == _NAME)
    .values(
        {name: bindparam(name) for name in ("key", "item_list", "result", "pack", "assignment")}
    )
)
_KNOWN_ITEM_LIST = select(item_lists.c.digest).where(item_lists.c.digest == _DIGEST)
_DELETE_UNUSED_ITEM_LISTS = delete(item_lists).where(
    ~exists().where(submissions.c.item_list == item_lists.c.digest)
)
_TRACE = select(traces.c.document, traces.c.pack).where(traces.c.name == _NAME)
_UPDATE_TRACE = (
    update(traces)
    .where(traces.c.name == _NAME)
    .values(document=bindparam("document"), pack=bindparam("pack"))
)
_DELETE_TRACE = delete(traces).where(traces.c.name == _NAME)
_LINKED_DIGESTS = select(trace_blobs.c.digest).where(trace_blobs.c.name == _NAME)
_UNLINK_BLOBS = delete(trace_blobs).where(
    trace_blobs.c.name == _NAME, trace_blobs.c.digest.in_(_DIGESTS)
)
_BLOBS = select(blobs.c.digest, blobs.c.data).join(trace_blobs).where(trace_blobs.c.name == _NAME)
_KNOWN_BLOBS = select(blobs.c.digest).where(blobs.c.digest.in_(_DIGESTS))
_DELETE_UNUSED_BLOBS = delete(blobs).where(
    blobs.c.digest.in_(_DIGESTS), ~exists().where(trace_blobs.c.digest == blobs.c.digest)
)


def load_result(connection: Connection, name: str) -> StoredResult | None:
    """Return the result of a submission, if there is one of that name."""
    row = connection.execute(_RESULT, {"submission": name}).one_or_none()
    if row is None:
        return None
    items = None if row[2] is None else (row[2], row[3])
    return StoredResult(result=row[0], pack=row[1], item_list=items, assignment=row[4])


def update_result(connection: Connection, name: str, *, key: str, stored: StoredResult) -> bool:
    """Replace an earlier result; return whether there is one."""
    list_added = False
    if stored.item_list is not None:
        digest, document = stored.item_list
        known = connection.execute(_KNOWN_ITEM_LIST, {"digest": digest}).one_or_none()
        if known is None:
            connection.execute(insert(item_lists), {"digest": digest, "document": document})
            list_added = True
    row = {"submission": name, "key": key, **stored.as_row()}
    updated = connection.execute(_UPDATE_RESULT, row).rowcount > 0
    if list_added and updated:
        # Only when one is new: a list or two that nobody uses take a few kB.
        connection.execute(_DELETE_UNUSED_ITEM_LISTS)
    return updated


def save_result(connection: Connection, name: str, *, key: str, stored: StoredResult) -> None:
    """Add a submission, or replace its earlier result."""
    if not update_result(connection, name, key=key, stored=stored):
        connection.execute(insert(submissions), {"name": name, "key": key, **stored.as_row()})


def load_trace(connection: Connection, name: str) -> tuple[bytes, PackedArrays] | None:
    """Return the encoded bytes of a trace and its arrays; None without a trace."""
    row = connection.execute(_TRACE, {"submission": name}).one_or_none()
    if row is None:
        return None
    blob_data = {
        blob.digest: blob.data for blob in connection.execute(_BLOBS, {"submission": name})
    }
    return row[0], PackedArrays(pack=row[1], blobs=blob_data)


def replace_trace(connection: Connection, name: str, *, trace: EncodedTrace | None) -> None:
    """Replace the trace of a submission; remove the large arrays that no trace refers to then.

    Args:
        connection: a transaction that writes.
        name: the submission.
        trace: the trace; None to delete it.

    Raises:
        KeyError: a large array that the store should have is not there.
    """
    linked = frozenset(connection.execute(_LINKED_DIGESTS, {"submission": name}).scalars())
    blobs_by_digest = trace.blobs if trace is not None else {}
    if trace is not None:
        values = {"document": trace.document, "pack": trace.pack}
        if connection.execute(_UPDATE_TRACE, {"submission": name, **values}).rowcount == 0:
            connection.execute(insert(traces), {"name": name, **values})
    new_blobs = {digest: data for digest, data in blobs_by_digest.items() if digest not in linked}
    _link_blobs(connection, name, new_blobs)
    unlinked = list(linked - blobs_by_digest.keys())
    if unlinked:
        connection.execute(_UNLINK_BLOBS, {"submission": name, "digests": unlinked})
        connection.execute(_DELETE_UNUSED_BLOBS, {"digests": unlinked})
    if trace is None:
        connection.execute(_DELETE_TRACE, {"submission": name})


def _link_blobs(
    connection: Connection, name: str, new_blobs: Mapping[str, bytes | memoryview | None]
) -> None:
    if not new_blobs:
        return
    existing = set(connection.execute(_KNOWN_BLOBS, {"digests": list(new_blobs)}).scalars())
    missing = [{"digest": d, "data": data} for d, data in new_blobs.items() if d not in existing]
    for blob in missing:
        if blob["data"] is None:
            raise KeyError(blob["digest"])
    if missing:
        connection.execute(insert(blobs), missing)
    links = [{"name": name, "digest": digest} for digest in new_blobs]
    connection.execute(insert(trace_blobs), links)
