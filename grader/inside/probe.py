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
import time

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

MAX_PAUSES = 500
"""How often a fork whose time is up may be found in the midst of a frame."""
PAUSE_SECONDS = 0.01
"""Seconds until it is looked at again."""
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
        if shared[-1]["kind"] == "function":
            notebook.folder.put_back()
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

    def __init__(self, pid, state):
        self.state = state
        super().__init__(pid)

    def count(self, passed, worked):
        """Return what of the seconds that passed is the notebook's."""
        return super().count(passed, worked) if self.state[0] else worked or 0.0


class ForkPipes:
    """The pipes of the fork that a test talks with.

    state: memory that it shares with its parent: whether it works, and whether it is in the midst
    of a frame.
    """

    def __init__(self, reading, out, state):
        self.reading = reading
        self.out = out
        self.state = state

    def set_busy(self, is_working):
        """Tell whether the notebook works, or waits for the test."""
        self.state[0] = is_working

    def receive(self):
        """Wait for a request and return its body."""
        poll = frames._poll()
        poll.register(self.reading, frames._POLLIN)
        poll.poll()
        self.state[1] = True
        body = frames.receive_bytes(self.reading)
        self.state[1] = False
        return body

    def send(self, body):
        """Send a reply."""
        self.state[1] = True
        frames.send_bytes(self.out, body)
        self.state[1] = False


def converse_in_fork(notebook, pipes):
    """Serve one test in the forked process; never returns."""
    try:
        prepare_fork()
        output = conversation_server.CapturedOutput()
        output.capture()
        notebook.restore_forgotten()
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(1)
        conversation_server.ConversationServer(
            notebook.namespace, pipes.receive, pipes.send, output=output, busy=pipes.set_busy
        ).serve()
    finally:
        _exit(0)


def serve_conversation(notebook, header, reading, out):
    """Let a test use the notebook in a fork of its own, until it ends or its time is up."""
    state = mmap.mmap(-1, 2)
    pid = _fork()
    if pid == 0:
        converse_in_fork(notebook, ForkPipes(reading, out, state))
    watch = run_clock.Stopwatch(pid, header["seconds"], header["most_seconds"])
    watch.clock = ConversationClock(pid, state)
    late = False
    while not late and not has_ended(pid, watch.wait_seconds()):
        late = watch.is_over()
    if late:
        kill_between_frames(pid, state)
    return "timed_out" if late else "died"


def kill_between_frames(pid, state):
    """Kill a fork when it neither reads nor sends a frame: half of one would spoil all others."""
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        for _ in range(MAX_PAUSES):
            _kill(pid, signal.SIGSTOP)
            _waitpid(pid, os.WUNTRACED)
            if not state[1]:
                break
            _kill(pid, signal.SIGCONT)
            time.sleep(PAUSE_SECONDS)
        _kill(pid, signal.SIGKILL)
        _waitpid(pid, 0)


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
    options = {"trusted": trusted, "main_thread": main_thread}
    with contextlib.suppress(Exception):
        while True:
            header, arrays = frames.receive(reading)
            if "nonce" not in header:  # a request that its conversation did not live to read
                continue
            end = {"end": True, "nonce": header["nonce"]}
            serve = make_server(notebook, (header, arrays), writing, end, **options)
            try:
                if header.get("live"):
                    serve_live(notebook, header, arrays, writing, main_thread)
                elif not main_thread.run(serve):
                    serve()
            except Exception as error:
                end["error"] = describe_error(error)
            frames.send(writing, end)


def make_server(notebook, request, out, end, **options):
    """Return what does what a request asks for, in forks; it notes in `end` how a test ended."""
    header, arrays = request

    def serve():
        if "keep" in header:
            notebook.moments.keep(header["keep"])
        elif header.get("conversation"):
            notebook.folder.put_back()
            end["status"] = notebook.moments.talk(header)
            if end["status"] == "timed_out" and options["main_thread"].has_threads():
                end["status"] = "lacks_threads"
        else:
            serve_batch(notebook, header, arrays, out, **options)

    return serve


def start_probe(notebook, *, reading, writing, trusted, main_thread):
    """Start serving in a thread that exists before the first line of student code runs."""
    options = {"trusted": trusted, "main_thread": main_thread}
    arguments = (notebook, reading, writing)
    notebook.moments.serve = lambda header: serve_conversation(notebook, header, reading, writing)
    thread = threading.Thread(target=serve_batches, args=arguments, kwargs=options, daemon=True)
    thread.start()
