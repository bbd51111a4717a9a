"""Asks a live notebook in its own process, and restores everything afterwards.

A graded notebook is asked in a fork, which ends afterwards. Here the questions run among the
student's own variables, on Windows and in Colab as well. Therefore what they change is restored:
random states, weights and modes of modules, and the recording.
"""

from __future__ import annotations

import contextlib
import io
import random
import signal
import sys
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from grader import wire
from grader.errors import WireError
from grader.model import Observation, Question
from grader.selfcheck import inside_loader
from grader.selfcheck.public_tests import TEST_KIND, answer_tests

inside_questions = inside_loader.load_inside("questions")
_Notebook: Any = inside_questions.ObservedNotebook

BUILTIN_NAME = "__observed__"
"""The builtin of `check_kernel` that answers a file of questions."""


class OwnNotebook(_Notebook):  # type: ignore[misc] # that side of the wall has no types
    """A notebook that its owner can interrupt, though questions catch what is raised in them."""

    tests = Path()
    """The file of the course's public tests."""
    cells: Sequence[str] = ()
    """The source of its code cells."""
    stopped = False
    """Whether an interrupt was received: then no further question is answered."""

    def cast(self, torch: Any, module: Any, array: Any) -> Any:
        """Return an input for a module, unless all is to end."""
        if self.stopped:
            raise KeyboardInterrupt
        return super().cast(torch, module, array)

    def interrupt(self, *_: object) -> None:
        """Let an interrupt end the whole batch, not just the question that it hits."""
        self.stopped = True
        raise KeyboardInterrupt


def answer_batch(notebook: OwnNotebook, frame: bytes) -> Iterator[bytes]:
    """Yield the body of a frame for each question of a batch, in order.

    Args:
        notebook: The notebook that is asked; all that questions change is restored.
        frame: The questions, as `wire.compose_batch` returns them.

    Raises:
        KeyboardInterrupt: The owner interrupted it.
    """
    header, arrays = inside_loader.load_inside("frames").unpack_body(frame[8:])  # behind its length
    notebook.modules.clear()
    tests = [question for question in header["questions"] if question["kind"] == TEST_KIND]
    with _restore_everything(notebook):
        cases = answer_tests(tests, notebook.namespace, path=notebook.tests, cells=notebook.cells)
    for question in header["questions"]:
        if question["kind"] == TEST_KIND:
            yield _pack_cases(question, cases[question["id"]])
            continue
        with _interruptible(notebook), _restore_everything(notebook):
            body: bytes = inside_questions.answer(notebook, question, arrays)
        yield body


def _pack_cases(question: Mapping[str, Any], cases: list[Any]) -> bytes:
    """Return what came of a test as an answer like any other."""
    head = {"id": question["id"], "nonce": question["nonce"], "status": "ok"}
    body: bytes = inside_loader.load_inside("frames").pack_body({**head, "data": {"cases": cases}})
    return body


@contextlib.contextmanager
def _interruptible(notebook: OwnNotebook) -> Iterator[None]:
    try:
        before = signal.signal(signal.SIGINT, notebook.interrupt)
    except ValueError:  # outside of the main thread nobody can interrupt it
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if notebook.stopped:
        raise KeyboardInterrupt


def parse_answers(
    bodies: Iterable[bytes], questions: Sequence[Question], *, nonces: dict[str, str]
) -> Mapping[str, Observation]:
    """Return an observation for each question from the bodies of frames, in the same order.

    Where answers end early, the process died of the first question without one.
    """
    observations = {q.id: Observation(id=q.id, status="not_asked") for q in questions}
    answered = tuple(bodies)
    for question, body in zip(questions, answered, strict=False):
        try:
            observation = wire.read_observation(wire.parse_frame(body), nonces=nonces)
        except WireError as error:  # an answer out of bounds: that question alone is invalid
            observation = wire.refused_answer(question.id, str(error))
        observations[observation.id] = observation
    for question in questions[len(answered) : len(answered) + 1]:
        observations[question.id] = Observation(id=question.id, status="died")
    return observations


@contextlib.contextmanager
def _restore_everything(notebook: Any) -> Iterator[None]:
    torch = sys.modules.get("torch")
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(_restore_random())
        stack.enter_context(_restore_recorder(notebook.recorder))
        stack.enter_context(_without_notes(notebook.notes))
        if torch is not None:
            stack.enter_context(_restore_modules(torch, notebook))
            stack.enter_context(_restore_torch(torch))
        yield


@contextlib.contextmanager
def _restore_random() -> Iterator[None]:
    plain, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002 (what notebooks use)
    try:
        yield
    finally:
        random.setstate(plain)
        np.random.set_state(legacy)  # noqa: NPY002 (as above)


@contextlib.contextmanager
def _restore_recorder(recorder: Any) -> Iterator[None]:
    """Make the recorder forget the calls that questions made."""
    before = dict(vars(recorder))
    before |= {
        "head": list(recorder.head),
        "tail": deque(recorder.tail, maxlen=recorder.tail.maxlen),
        "modules": recorder.modules.copy(),
        "weights": recorder.weights.copy(),
        "event_counts": dict(recorder.event_counts),
        "answered": set(recorder.answered),
        "sizes": dict(recorder.sizes),
        "calling": [],
        "steps": dict(recorder.steps),
    }
    try:
        yield
    finally:
        torch = recorder.torch  # it may have been imported by a question's own code
        vars(recorder).update(before)
        recorder.torch = torch


@contextlib.contextmanager
def _without_notes(notes: Any) -> Iterator[None]:
    """Keep off the cells what is noted while questions are asked."""
    cell, notes.cell = notes.cell, -1
    try:
        yield
    finally:
        notes.cell = cell


@contextlib.contextmanager
def _restore_torch(torch: Any) -> Iterator[None]:
    threads, grad = torch.get_num_threads(), torch.is_grad_enabled()
    cuda = torch.cuda.is_available() and torch.cuda.is_initialized()
    devices = range(torch.cuda.device_count()) if cuda else ()
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_grad_enabled(grad)


@contextlib.contextmanager
def _restore_modules(torch: Any, notebook: Any) -> Iterator[None]:
    """Restore modes and buffers of all modules, and the weights of those that were asked."""
    named_modules = [v for v in list(notebook.namespace.values()) if isinstance(v, torch.nn.Module)]
    followed = [m for m in notebook.recorder.modules if isinstance(m, torch.nn.Module)]
    roots = [*followed, *named_modules]
    modules = {id(part): part for root in roots for part in root.modules()}
    modes = [(part, part.training) for part in modules.values()]
    buffers = [
        (buffer, buffer.detach().clone(), buffer._version)  # noqa: SLF001 (torch has no other word)
        for part in modules.values()
        for buffer in part.buffers(recurse=False)
    ]
    try:
        yield
    finally:
        for *_, start in notebook.modules.values():
            start.restore()
        with torch.no_grad():
            for buffer, value, version in buffers:
                if buffer._version != version:  # noqa: SLF001 (as above)
                    buffer.copy_(value)
        for part, training in modes:
            part.training = training
