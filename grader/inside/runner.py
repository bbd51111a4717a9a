"""Runs one notebook headless with nbclient, in a kernel forked from this process.

A program of its own: requests come on standard input, frames leave on standard output, both moved
out of the way before anything else. It stays until the other end closes.
"""

import asyncio
import contextlib
import gc
import importlib.metadata
import json
import os
import queue
import signal
import sys
import tempfile
import time
import typing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from inside import file_placement, frames, linux, output_limits, resource_watch, walls
from inside import notebook_kernel as kernel_side

sys.path.pop(0)

GRACE = 2.0
"""Seconds an interrupted cell has to stop before its kernel is killed."""
CHANNELS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")


READY = 60.0
"""Seconds a kernel may take to come up."""
WELCOME = 2.0
"""Seconds a kernel that is up may take to say that its outputs can be heard."""


def take_standard_streams():
    """Move the pipes to private descriptors; 0, 1 and 2 then lead nowhere."""
    requests, results = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.close(nowhere)
    return requests, results


def write_connection_file(folder):
    """A connection over unix sockets in a private folder."""
    connection = {name: place for place, name in enumerate(CHANNELS, start=1)}
    connection |= {
        "transport": "ipc",
        "ip": str(Path(folder) / "k"),
        "key": os.urandom(16).hex(),
        "signature_scheme": "hmac-sha256",
        "kernel_name": "python3",
    }
    path = Path(folder) / "connection.json"
    path.write_text(json.dumps(connection), encoding="utf-8")
    return path


class Room(typing.NamedTuple):
    """Where a runner is: behind which walls, in which folder, told what by the parent."""

    plan: dict
    folder: Path
    hear: int
    filters: tuple | None
    taken: int | None
    """Bytes of address space that libraries had taken; None where it is not known."""


def fork_kernel(job, connection_file, keep_from_it, room):
    """Fork the kernel before any thread or socket exists here; its pid and the pipes to it."""
    question_r, question_w = frames.wide_pipe()
    answer_r, answer_w = frames.wide_pipe()
    ready_r, ready_w = os.pipe()
    pid = os.fork()
    if pid:
        os.close(question_r)
        os.close(answer_w)
        os.close(ready_w)
        return pid, question_w, answer_r, ready_r
    try:
        walls.around_kernel(room.plan, room.folder, room.filters)
        linux.die_with_the_parent()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for fd in (*keep_from_it, question_w, answer_r, ready_r):
            os.close(fd)
        pipes = kernel_side.Pipes(questions=question_r, answers=answer_w, ready=ready_w)
        kernel_side.become(job, connection_file=str(connection_file), pipes=pipes)
    finally:
        os._exit(70)


class ForkedKernel:
    """What nbclient needs of a kernel manager, for a process that we forked."""

    ipykernel = True
    kernel_id = "notebook"

    def __init__(self, pid, connection_file, ready):
        self.pid = pid
        self.ready = ready
        self.connection_file = connection_file
        self.exit = None

    @property
    def has_kernel(self):
        """Whether there is a process."""
        return self.exit is None

    def client(self):
        """A client of the kernel's sockets, reading this object for signs of life."""
        from jupyter_client.asynchronous.client import AsyncKernelClient

        client = AsyncKernelClient()
        client.load_connection_file(str(self.connection_file))

        async def alive():
            return self.alive()

        client.is_alive = client._async_is_alive = alive
        return client

    def alive(self):
        """Whether the process still runs."""
        if self.exit is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit = os.waitstatus_to_exitcode(status)
        return self.exit is None

    async def is_alive(self):
        """The same, for nbclient."""
        return self.alive()

    async def interrupt_kernel(self):
        """Ask the running cell to stop."""
        if self.alive():
            os.kill(self.pid, signal.SIGINT)

    def kill(self):
        """End the process, whatever it does."""
        if self.alive():
            os.kill(self.pid, signal.SIGKILL)
            _, status = os.waitpid(self.pid, 0)
            self.exit = os.waitstatus_to_exitcode(status)


def notebook_of(job):
    """The job's cells as a notebook of version 4, for nbclient."""
    from nbformat import v4

    cells = [v4.new_code_cell(source=cell["source"]) for cell in job["cells"]]
    return v4.new_notebook(cells=cells)


def leave_unconfigured():
    """Have traitlets look for no configuration in this process: there is none to find."""
    from traitlets.config import Configurable

    Configurable._load_config = lambda *args, **kwargs: None


class Run:
    """One notebook, cell by cell, each reported as soon as it is over."""

    def __init__(self, job, manager, client, tell, *, output, hear):
        self.job = job
        self.output = output
        self.hear = hear
        self.manager = manager
        self.client = client
        self.tell = tell
        self.end = time.monotonic() + job["submission_s"]

    async def all_cells(self):
        """Run the cells in order; False when the kernel died."""
        for place, cell in enumerate(self.job["cells"]):
            left = self.end - time.monotonic()
            if left <= 0:
                self.tell({"frame": "out_of_time"})
                return True
            await self.one_cell(place, cell["index"], min(left, self.job["limits"]["cell_s"]))
            if not self.manager.alive():
                return False
        return True

    async def one_cell(self, place, index, seconds):
        """Run one cell within its time."""
        cell = self.client.nb.cells[place]
        self.output.begin_cell()
        began = time.monotonic()
        task = asyncio.ensure_future(self.client.async_execute_cell(cell, place))
        late = not await self.within(task, seconds)
        if late:
            await self.manager.interrupt_kernel()
            if not await self.within(task, GRACE):
                self.manager.kill()
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await task
        self.tell(
            {
                "frame": "cell",
                "index": index,
                "seconds": time.monotonic() - began,
                "limit": seconds if late else None,
                "exit": None if self.manager.alive() else self.manager.exit,
                "error": output_limits.error_of(cell),
                "shown": self.output.shown_by(cell),
                "over": resource_watch.heard(self.hear) or self.output.over(),
            }
        )

    async def within(self, task, seconds):
        """Whether the task ends in time; the death of the kernel ends it too, at once."""
        end = time.monotonic() + seconds
        while not task.done() and time.monotonic() < end:
            await asyncio.wait({task}, timeout=min(0.5, max(0.0, end - time.monotonic())))
            if not task.done() and not self.manager.alive():
                task.cancel()
        return task.done()


def versions():
    """What notebooks see here."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in ("torch", "numpy", "ipykernel", "nbclient"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


async def ready(client, manager):
    """Open the client's channels and wait until the kernel answers and can be heard."""
    client.km = manager
    client.kc = manager.client()
    if not await readable(manager.ready, READY):
        raise TimeoutError("the kernel did not come up")
    if not os.read(manager.ready, 1):
        raise RuntimeError("the kernel ended before it was up")
    client.kc.start_channels(stdin=False, hb=False)
    if not await welcomed(client.kc):
        await client.kc.wait_for_ready(timeout=READY)
    client.kc.allow_stdin = False


async def readable(fd, seconds):
    """Whether there is something to read from a pipe in time."""
    loop, there = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(fd, there.set)
    try:
        await asyncio.wait_for(there.wait(), seconds)
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(fd)
    return True


async def welcomed(kernel_client):
    """Whether the kernel says that our subscription to its outputs has arrived (ipykernel 7)."""
    end = time.monotonic() + WELCOME
    while (left := end - time.monotonic()) > 0:
        try:
            message = await kernel_client.get_iopub_msg(timeout=left)
        except queue.Empty:
            return False
        if message["msg_type"] == "iopub_welcome":
            return True
    return False


async def run(job, manager, tell, hear):
    """Run the notebook; True when the kernel is there to be asked."""
    leave_unconfigured()
    output = output_limits.Output(job["limits"])
    client = output_limits.bounded_client(notebook_of(job), manager, output)
    try:
        await ready(client, manager)
    except Exception as error:
        tell({"frame": "failed", "error": f"{type(error).__name__}: {error}"[:500]})
        return False
    try:
        alive = await Run(job, manager, client, tell, output=output, hear=hear).all_cells()
    finally:
        client.kc.stop_channels()
    tell({"frame": "ran", "alive": alive, "versions": versions()})
    return alive


def relay(requests, results, questions, answers):
    """Pass batches of questions to the probe and its frames back, unopened."""
    while True:
        try:
            body = frames.receive_bytes(requests)
            frames.send_bytes(questions, body)
            nonce = frames.header_of(body)["nonce"]
            while True:
                reply = frames.receive_bytes(answers)
                frames.send_bytes(results, reply)
                header = frames.header_of(reply)
                if header.get("end") and header.get("nonce") == nonce:
                    break
        except (frames.Closed, OSError, ValueError, KeyError):
            return


def serve(requests, results, room):
    """Take a job, run it, answer questions, and go."""
    linux.adopt_orphans()
    job, _ = frames.receive(requests)
    job["taken"] = room.taken
    file_placement.receive(requests, job.get("files", 0))
    with tempfile.TemporaryDirectory(prefix="k") as folder:
        connection_file = write_connection_file(folder)
        pid, questions, answers, up = fork_kernel(
            job, connection_file, (requests, results, room.hear), room
        )
        walls.around_runner_once_forked(room.filters)
        gc.disable()  # short-lived, and all pages are shared with the parent until touched
        manager = ForkedKernel(pid, connection_file, up)
        try:
            if asyncio.run(run(job, manager, lambda frame: frames.send(results, frame), room.hear)):
                relay(requests, results, questions, answers)
        finally:
            manager.kill()


def main():
    """Serve on the standard streams, in an interpreter of its own."""
    told = json.loads(sys.argv[1])
    plan = told["plan"]
    requests, results = take_standard_streams()
    linux.be_seen(dumpable=False)
    linux.die_with_the_parent()
    os.set_inheritable(told["hear"], False)
    serve(
        requests, results, Room(plan, Path(told["folder"]), told["hear"], walls.filters(plan), None)
    )


if __name__ == "__main__":
    main()
