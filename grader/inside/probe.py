"""Answer questions about a live notebook, as its main thread would: each batch in a fork.

A thread of its own reads the questions and has the main thread fork between cells, so that
connections, settings and locks that belong to that thread work as in a cell. A question that needs
the notebook's other threads, which a fork loses, can be put to the live process itself.
"""

import contextlib
import gc
import mmap
import os
import signal
import struct
import sys
import threading

from inside import conversation_server, fork_repair, frames, run_clock
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
_unpack, _list, _open = struct.unpack, list, open

KINDS_WITHOUT_FORK = ("notes", "modules")
"""Kinds of question that run none of the notebook's code, so that they need no fork."""


def answer_in_fork(notebook, questions, arrays, fd):
    """Answer in the forked process, and exit without running the notebook's exit handlers."""
    try:
        prepare_fork()
        silence_output()
        for question in questions:
            frames.send_bytes(fd, answer(notebook, question, arrays))
    finally:
        _exit(0)


def prepare_fork():
    """Make a fork of the notebook fit to be asked."""
    gc.disable()  # it would touch, and so copy, every page of the notebook's memory
    signal.setitimer(signal.ITIMER_REAL, 0)
    sys.settrace(None)
    fork_repair.repair_fork()


def silence_output():
    """Send what questions print nowhere; the fork ends in _exit, which closes it."""
    sink = _open(os.devnull, "w")
    os.dup2(sink.fileno(), 1)
    os.dup2(sink.fileno(), 2)
    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = sink


def serve_batch(notebook, header, arrays, out, *, trusted, main_thread):
    """Answer a batch; a question that dies or overruns costs itself, and a new fork goes on."""
    questions = _list(header["questions"])
    notebook.modules.clear()
    while questions and (trusted or questions[0]["kind"] in KINDS_WITHOUT_FORK):
        frames.send_bytes(out, answer(notebook, questions.pop(0), arrays))
    while questions:
        shared = questions[: count_sharing(questions)]
        reading, writing = _pipe()
        pid = _fork()
        if pid == 0:
            _close(reading)
            answer_in_fork(notebook, shared, arrays, writing)
        _close(writing)
        done, status = forward_answers(reading, len(shared), make_stopwatch(pid, header), out)
        _close(reading)
        with contextlib.suppress(ProcessLookupError):
            _kill(pid, signal.SIGKILL)
        _waitpid(pid, 0)
        questions = questions[done:]
        if questions and status:
            frames.send(out, lost_answer(questions.pop(0), status, main_thread))


def count_sharing(questions):
    """Return how many of the next questions one fork may answer.

    A function may change what the notebook holds, so that no other question follows in its fork;
    what a module's call changes is put back.
    """
    kinds = [question["kind"] for question in questions]
    return kinds.index("function") + 1 if "function" in kinds else len(kinds)


def lost_answer(question, status, main_thread):
    """Return the answer to a question that gave none, and whether a fork may be the reason."""
    data = {"has_threads": main_thread.has_company()}
    head = {"id": question["id"], "nonce": question["nonce"], "status": status}
    return {**head, "data": data, "error": ""}


class ConversationClock(run_clock.RunClock):
    """How long the notebook has worked in a conversation: waiting for the test does not count."""

    def __init__(self, pid, working):
        self.working = working
        super().__init__(pid)

    def count(self, passed, worked):
        """Return what of the seconds that passed is the notebook's."""
        return super().count(passed, worked) if self.working[0] else worked or 0.0


def serve_conversation(notebook, header, reading, out):
    """Let a test use the notebook in a fork of its own, until it ends or its time is up."""
    working = mmap.mmap(-1, 1)
    pid = _fork()
    if pid == 0:
        try:
            prepare_fork()
            output = conversation_server.CapturedOutput()
            output.capture()
            notebook.restore_forgotten()
            if "torch" in sys.modules:
                sys.modules["torch"].set_num_threads(1)
            conversation_server.ConversationServer(
                notebook.namespace,
                lambda: frames.receive_bytes(reading),
                lambda body: frames.send_bytes(out, body),
                output=output,
                busy=lambda is_working: working.__setitem__(0, is_working),
            ).serve()
        finally:
            _exit(0)
    watch = run_clock.Stopwatch(pid, header["seconds"], header["most_seconds"])
    watch.clock = ConversationClock(pid, working)
    late = False
    while not late and not has_ended(pid, watch.wait_seconds()):
        late = watch.is_over()
    if late:
        with contextlib.suppress(ProcessLookupError):
            _kill(pid, signal.SIGKILL)
        _waitpid(pid, 0)
    return "timed_out" if late else "died"


def has_ended(pid, seconds):
    """Return whether a child ends within some seconds; it is then waited for."""
    with contextlib.suppress(OSError, AttributeError):
        descriptor = os.pidfd_open(pid)
        poll = frames._poll()
        poll.register(descriptor, frames._POLLIN)
        poll.poll(seconds * 1000)
        _close(descriptor)
    done, _ = _waitpid(pid, os.WNOHANG)
    return bool(done)


def serve_live(notebook, header, arrays, out, main_thread):
    """Answer a batch in the live process itself, where the notebook's threads are."""
    for question in header["questions"]:
        body = main_thread.run_within(
            lambda question=question: answer(notebook, question, arrays),
            make_stopwatch(os.getpid(), header)(),
        )
        if body is None:
            frames.send(out, lost_answer(question, "timed_out", main_thread))
        else:
            frames.send_bytes(out, body)


def make_stopwatch(pid, header):
    """Return a function that starts a stopwatch for one question of a batch."""
    return lambda: run_clock.Stopwatch(pid, header["seconds"], header["most_seconds"])


def forward_answers(reading, count, start_stopwatch, out):
    """Forward `count` frames of a fork; return how many came, and why no more, as a status."""
    for done in range(count):
        stopwatch = start_stopwatch()
        try:
            (length,) = _unpack("<Q", frames.read_exactly(reading, 8, stopwatch))
            if length > frames.MAX_FRAME_BYTES:
                return done, "invalid"
            body = frames.read_exactly(reading, length, stopwatch)
        except frames.ReadTimeout:
            return done, "timed_out"
        except frames.PipeClosed:
            return done, "died"
        frames.send_bytes(out, body)
    return count, ""


def serve_batches(notebook, reading, writing, *, trusted, main_thread):
    """Answer batches until the other end closes; a trusted notebook is asked without a fork."""

    def serve_forked():
        if header.get("conversation"):
            end["status"] = serve_conversation(notebook, header, reading, writing)
            return
        serve_batch(notebook, header, arrays, writing, trusted=trusted, main_thread=main_thread)

    with contextlib.suppress(Exception):
        while True:
            header, arrays = frames.receive(reading)
            if "nonce" not in header:  # a request that its conversation did not live to read
                continue
            end = {"end": True, "nonce": header["nonce"]}
            try:
                if header.get("live"):
                    serve_live(notebook, header, arrays, writing, main_thread)
                elif not main_thread.run(serve_forked):
                    serve_forked()
            except Exception as error:
                end["error"] = describe_error(error)
            frames.send(writing, end)


def start_probe(notebook, *, reading, writing, trusted, main_thread):
    """Start serving in a thread that exists before the first line of student code runs."""
    options = {"trusted": trusted, "main_thread": main_thread}
    arguments = (notebook, reading, writing)
    thread = threading.Thread(target=serve_batches, args=arguments, kwargs=options, daemon=True)
    thread.start()
