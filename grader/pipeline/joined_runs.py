"""Joins what the notebooks of one submission left behind to one record, and takes it apart again.

The cells of all notebooks are numbered through, so that a number names one cell of a submission.
Until they are joined, empty cells stand in each notebook for those of the notebooks before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from grader.model import (
    CellRun,
    ExecutionRecord,
    Isolation,
    Notebook,
    NotebookPart,
    Observation,
    SavedEvidence,
    Trace,
)
from grader.notebook import pad_cells
from grader.sandbox import IsolationLevel

SEPARATOR = "/"
"""Stands between the id of a notebook and that of a question."""


def join_digests(digests: Iterable[str]) -> str:
    """Return a digest of several."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def join_traces(traces: Mapping[str, tuple[str, Trace]]) -> Trace:
    """Return the traces of a submission's notebooks as one.

    Args:
        traces: by the notebook's id, in order, the name of its file and its trace.
    """
    parts, first = [], 0
    for notebook, (file, trace) in traces.items():
        count, sha256 = len(trace.notebook.cells) - first, trace.notebook.sha256
        parts.append(NotebookPart(id=notebook, file=file, first=first, count=count, sha256=sha256))
        first += count
    each = [trace for _, trace in traces.values()]
    own_cells = (
        trace.notebook.cells[part.first :] for part, trace in zip(parts, each, strict=True)
    )
    return Trace(
        notebook=Notebook(
            cells=tuple(chain.from_iterable(own_cells)),
            sha256=join_digests(part.sha256 for part in parts),
            notes=tuple(chain.from_iterable(trace.notebook.notes for trace in each)),
            without_figures=any(trace.notebook.without_figures for trace in each),
            parts=tuple(parts),
        ),
        record=join_records([trace.record for trace in each]),
        observations=_join_answers({n: t.observations for n, (_, t) in traces.items()}),
        expected=_join_answers({n: t.expected for n, (_, t) in traces.items()}),
        faults=tuple(chain.from_iterable(trace.faults for trace in each)),
    )


def split_trace(trace: Trace) -> Mapping[str, Trace]:
    """Return the trace of each notebook that was joined; notes on reading stay with the first."""
    return {part.id: _take_part(trace, part) for part in trace.notebook.parts}


def _take_part(trace: Trace, part: NotebookPart) -> Trace:
    indexes = range(part.first, part.first + part.count)
    cells = [cell for cell in trace.notebook.cells if cell.index in indexes]
    return Trace(
        notebook=Notebook(
            cells=(*pad_cells(part.first), *cells),
            sha256=part.sha256,
            notes=() if part.first else trace.notebook.notes,
            without_figures=trace.notebook.without_figures,
        ),
        record=replace(
            trace.record,
            cells=tuple(run for run in trace.record.cells if run.index in indexes),
            notes=() if part.first else trace.record.notes,
        ),
        observations=_answers_of(part.id, trace.observations),
        expected=_answers_of(part.id, trace.expected),
        faults=trace.faults,
    )


def _join_answers(
    answers: Mapping[str, Mapping[str, Observation]],
) -> Mapping[str, Observation]:
    return {
        f"{notebook}{SEPARATOR}{question}": observation
        for notebook, observations in answers.items()
        for question, observation in observations.items()
    }


def _answers_of(notebook: str, answers: Mapping[str, Observation]) -> Mapping[str, Observation]:
    prefix = f"{notebook}{SEPARATOR}"
    own = {key.removeprefix(prefix): a for key, a in answers.items() if key.startswith(prefix)}
    return {key: replace(answer, id=key) for key, answer in own.items()}


def join_records(records: Iterable[ExecutionRecord]) -> ExecutionRecord:
    """Return the runs of several notebooks as one; the least isolated says how."""
    each = list(records)
    cells: tuple[CellRun, ...] = tuple(chain.from_iterable(record.cells for record in each))
    levels = list(IsolationLevel)
    run = [record for record in each if record.cells]
    isolations = [record.isolation for record in run or each]

    def weakness(isolation: Isolation) -> int:
        return levels.index(IsolationLevel(isolation.level))

    return ExecutionRecord(
        cells=cells,
        versions={key: v for record in each for key, v in record.versions.items()},
        notes=_each_once(record.notes for record in each),
        isolation=max(isolations, key=weakness),
        heard=all(record.heard for record in run),
        missing=tuple(dict.fromkeys(chain.from_iterable(record.missing for record in each))),
    )


def join_evidence(each: Sequence[SavedEvidence]) -> SavedEvidence | None:
    """Return what the saved outputs of several notebooks tell; None where nothing was run."""
    if not each:
        return None
    return SavedEvidence(
        numbered=any(evidence.numbered for evidence in each),
        out_of_order=tuple(chain.from_iterable(evidence.out_of_order for evidence in each)),
        never_run=tuple(chain.from_iterable(evidence.never_run for evidence in each)),
        errors=tuple(chain.from_iterable(evidence.errors for evidence in each)),
        compared=sum(evidence.compared for evidence in each),
        differences=tuple(chain.from_iterable(evidence.differences for evidence in each)),
        quotes=tuple(chain.from_iterable(evidence.quotes for evidence in each)),
    )


def _each_once(texts: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(texts)))
