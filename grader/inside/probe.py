"""Answer questions about a live notebook, each batch in a fork, from a thread of its own."""

import contextlib
import gc
import os
import signal
import struct
import sys
import threading
import time

from inside import frames
from inside.questions import answer, describe_error

# Bound before student code runs.
_fork, _kill, _waitpid, _exit, _pipe, _close = (
    os.fork,
    os.kill,
    os.waitpid,
    os._exit,
    frames.wide_pipe,
    os.close,
)
_unpack, _list, _open, _monotonic = struct.unpack, list, open, time.monotonic

KINDS_WITHOUT_FORK = ("notes", "modules")
"""Kinds of question that run none of the notebook's code, so that they need no fork."""


def answer_in_fork(notebook, questions, arrays, fd):
    """Answer in the forked process, and exit without running the notebook's exit handlers."""
    try:
        gc.disable()  # it would touch, and so copy, every page of the notebook's memory
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.settrace(None)
        sink = _open(os.devnull, "w")  # the fork ends in _exit, which closes it
        sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = sink
        for question in questions:
            frames.send_bytes(fd, answer(notebook, question, arrays))
    finally:
        _exit(0)


def serve_batch(notebook, header, arrays, out, *, trusted):
    """Answer a batch; a question that dies or overruns costs itself, and a new fork goes on."""
    questions = _list(header["questions"])
    notebook.modules.clear()
    while questions and (trusted or questions[0]["kind"] in KINDS_WITHOUT_FORK):
        frames.send_bytes(out, answer(notebook, questions.pop(0), arrays))
    while questions:
        reading, writing = _pipe()
        pid = _fork()
        if pid == 0:
            _close(reading)
            answer_in_fork(notebook, questions, arrays, writing)
        _close(writing)
        done, status = forward_answers(reading, len(questions), header["seconds"], out)
        _close(reading)
        with contextlib.suppress(ProcessLookupError):
            _kill(pid, signal.SIGKILL)
        _waitpid(pid, 0)
        questions = questions[done:]
        if questions and status:
            lost = questions.pop(0)
            head = {"id": lost["id"], "nonce": lost["nonce"], "status": status}
            frames.send(out, {**head, "error": ""})


def forward_answers(reading, count, seconds, out):
    """Forward `count` frames of a fork; return how many came, and why no more, as a status."""
    for done in range(count):
        deadline = _monotonic() + seconds
        try:
            (length,) = _unpack("<Q", frames.read_exactly(reading, 8, deadline))
            if length > frames.MAX_FRAME_BYTES:
                return done, "invalid"
            body = frames.read_exactly(reading, length, deadline)
        except frames.ReadTimeout:
            return done, "timed_out"
        except frames.PipeClosed:
            return done, "died"
        frames.send_bytes(out, body)
    return count, ""


def serve_batches(notebook, reading, writing, trusted):
    """Answer batches until the other end closes; a trusted notebook is asked without a fork."""
    while True:
        try:
            header, arrays = frames.receive(reading)
        except Exception:
            return
        try:
            serve_batch(notebook, header, arrays, writing, trusted=trusted)
            frames.send(writing, {"end": True, "nonce": header["nonce"]})
        except Exception as error:
            frames.send(
                writing, {"end": True, "nonce": header["nonce"], "error": describe_error(error)}
            )


def start_probe(notebook, *, reading, writing, trusted):
    """Start serving in a thread that exists before the first line of student code runs."""
    arguments = (notebook, reading, writing, trusted)
    thread = threading.Thread(target=serve_batches, args=arguments, daemon=True)
    thread.start()
