"""Run one notebook headless with nbclient, in a kernel forked from this process.

A program of its own, or a fork of the fork server. As a program, requests come on standard input
and frames leave on standard output; both are moved out of the way first. It runs until the other
end closes.
"""

import asyncio
import contextlib
import gc
import importlib.metadata
import json
import os
import queue
import select
import signal
import struct
import sys
import tempfile
import time
import typing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from inside import (
    file_placement,
    frames,
    kernel_exit,
    linux,
    output_limits,
    resource_watch,
    run_clock,
    walls,
)
from inside import notebook_kernel as kernel_side

sys.path.pop(0)

INTERRUPT_SECONDS = 2.0
"""Seconds an interrupted cell has to stop before its kernel is killed."""
PORT_NAMES = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")


KEEP_SECONDS = 30.0
"""Seconds a kernel may take to keep a moment between two cells; without it the run ends."""
READY_SECONDS = 60.0
"""Seconds a kernel may take to come up."""
WELCOME_SECONDS = 2.0
"""Seconds a kernel that is up may take to confirm the subscription to its outputs."""


def take_standard_streams():
    """Move the pipes to private descriptors, and redirect 0, 1 and 2 to /dev/null."""
    requests, results = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard_fd in (0, 1, 2):
        os.dup2(nowhere, standard_fd)
    os.close(nowhere)
    return requests, results


def write_connection_file(folder):
    """Write a connection file for unix sockets in a private folder."""
    connection = {name: port for port, name in enumerate(PORT_NAMES, start=1)}
    connection |= {
        "transport": "ipc",
        "ip": os.path.relpath(Path(folder) / "k"),  # paths of sockets must be short
        "key": os.urandom(16).hex(),
        "signature_scheme": "hmac-sha256",
        "kernel_name": "python3",
    }
    path = Path(folder) / "connection.json"
    path.write_text(json.dumps(connection), encoding="utf-8")
    return path


class RunnerContext(typing.NamedTuple):
    """What a runner knows of its sandbox: walls, folder, alerts and filters."""

    plan: dict
    folder: Path
    alert_read_fd: int
    filters: tuple | None
    reserved_bytes: int | None
    """Bytes of address space that libraries had taken; None where that is unknown."""


def fork_kernel(job, connection_file, private_descriptors, context):
    """Fork the kernel before any thread or socket exists; return its pid and the pipes to it."""
    question_r, question_w = frames.wide_pipe()
    answer_r, answer_w = frames.wide_pipe()
    progress_r, progress_w = os.pipe()
    pid = os.fork()
    if pid:
        os.close(question_r)
        os.close(answer_w)
        os.close(progress_w)
        return pid, question_w, answer_r, progress_r
    try:
        walls.confine_kernel(context.plan, context.folder, context.filters)
        linux.die_with_parent()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for fd in (*private_descriptors, question_w, answer_r, progress_r):
            os.close(fd)
        pipes = kernel_side.KernelPipes(questions=question_r, answers=answer_w, progress=progress_w)
        kernel_side.run_kernel(job, connection_file=str(connection_file), pipes=pipes)
    finally:
        os._exit(70)


class ForkedKernel:
    """What nbclient needs of a kernel manager, for a forked process."""

    ipykernel = True
    kernel_id = "notebook"

    def __init__(self, pid, connection_file, pipes):
        self.pid = pid
        self.questions, self.answers, self.progress_fd = pipes
        self.connection_file = connection_file
        self.exit_code = None

    @property
    def has_kernel(self):
        """Whether there is a process."""
        return self.exit_code is None

    def client(self):
        """Make a client of the kernel's sockets that asks this object whether the kernel lives."""
        from jupyter_client.asynchronous.client import AsyncKernelClient

        client = AsyncKernelClient()
        client.load_connection_file(str(self.connection_file))

        async def alive():
            return self.alive()

        client.is_alive = client._async_is_alive = alive
        return client

    def alive(self):
        """Return whether the process still runs."""
        if self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code is None

    async def is_alive(self):
        """Return whether the process still runs; for nbclient."""
        return self.alive()

    async def interrupt_kernel(self):
        """Interrupt the running cell."""
        if self.alive():
            os.kill(self.pid, signal.SIGINT)

    def left_running(self):
        """Return whether the cell that just ended left something that may end the kernel later."""
        os.set_blocking(self.progress_fd, False)
        with contextlib.suppress(BlockingIOError):
            return os.read(self.progress_fd, 4096).endswith(kernel_exit.BUSY)
        return False

    def keep_moments(self, names):
        """Have the kernel keep this moment of the run under some names."""
        for name in names:
            frames.send(self.questions, {"keep": name, "nonce": ""})
            stopwatch = run_clock.Stopwatch(self.pid, KEEP_SECONDS, KEEP_SECONDS)
            (length,) = struct.unpack("<Q", frames.read_exactly(self.answers, 8, stopwatch))
            frames.read_exactly(self.answers, length, stopwatch)

    def kill(self):
        """Kill the process."""
        if self.alive():
            os.kill(self.pid, signal.SIGKILL)
            _, status = os.waitpid(self.pid, 0)
            self.exit_code = os.waitstatus_to_exitcode(status)


def build_notebook(job):
    """Build a notebook of version 4 from the job's cells, for nbclient."""
    from nbformat import v4

    cells = [v4.new_code_cell(source=cell["source"]) for cell in job["cells"]]
    return v4.new_notebook(cells=cells)


def disable_configuration():
    """Keep traitlets from looking for configuration in this process: there is none."""
    from traitlets.config import Configurable

    Configurable._load_config = lambda *args, **kwargs: None


class NotebookRun:
    """A run of one notebook, whose cells are reported as soon as they end."""

    def __init__(self, job, manager, client, send_frame, *, output, alert_read_fd):
        self.job = job
        self.output = output
        self.alert_read_fd = alert_read_fd
        self.manager = manager
        self.client = client
        self.send_frame = send_frame
        self.began = time.monotonic()
        self.used_seconds = 0.0

    async def run_cells(self):
        """Run the cells in order; return False when the kernel died."""
        total = self.job["submission_s"]
        for position, cell in enumerate(self.job["cells"]):
            seconds_left = total - self.used_seconds
            most_left = total * self.job["wall_factor"] - (time.monotonic() - self.began)
            if min(seconds_left, most_left) <= 0:
                self.send_frame({"frame": "out_of_time"})
                return True
            seconds = min(seconds_left, self.job["limits"]["cell_s"])
            self.manager.keep_moments(cell.get("before", ()))
            await self.run_cell(position, cell["index"], seconds)
            if not self.manager.alive():
                return False
            self.manager.keep_moments(cell.get("after", ()))
        return True

    async def run_cell(self, position, index, seconds):
        """Run one cell within `seconds`, and report it."""
        cell = self.client.nb.cells[position]
        self.output.begin_cell()
        most_seconds = seconds * self.job["wall_factor"]
        stopwatch = run_clock.Stopwatch(self.manager.pid, seconds, most_seconds)
        task = asyncio.ensure_future(self.client.async_execute_cell(cell, position))
        late = not await self.wait_for(task, stopwatch)
        by_the_clock = late and stopwatch.clock.used < seconds
        if late:
            await self.manager.interrupt_kernel()
            patience = run_clock.Stopwatch(
                self.manager.pid, INTERRUPT_SECONDS, INTERRUPT_SECONDS * self.job["wall_factor"]
            )
            if not await self.wait_for(task, patience):
                self.manager.kill()
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await task
        self.used_seconds += stopwatch.clock.look()
        self.send_frame(
            {
                "frame": "cell",
                "index": index,
                "seconds": stopwatch.clock.elapsed(),
                "limit": (most_seconds if by_the_clock else seconds) if late else None,
                "by_the_clock": by_the_clock,
                "exit": None if self.manager.alive() else self.manager.exit_code,
                "left_running": self.manager.left_running(),
                "error": output_limits.last_error(cell),
                "shown": self.output.summarize_cell(cell),
                "over": resource_watch.read_alert(self.alert_read_fd)
                or self.output.exceeded_limit(),
            }
        )

    async def wait_for(self, task, stopwatch):
        """Return whether the task ends in time; the kernel's death ends it at once."""
        while not task.done() and not stopwatch.is_over():
            await asyncio.wait({task}, timeout=stopwatch.wait_seconds())
            if not task.done() and not self.manager.alive():
                task.cancel()
        return task.done()


def package_versions():
    """Return the versions of Python and packages that notebooks see here."""
    packages = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in ("torch", "numpy", "ipykernel", "nbclient"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            packages[name] = importlib.metadata.version(name)
    return packages


async def connect_client(client, manager):
    """Open the client's channels and wait until the kernel answers and its outputs arrive."""
    client.km = manager
    client.kc = manager.client()
    if not await wait_readable(manager.progress_fd, READY_SECONDS):
        raise TimeoutError("the kernel did not come up")
    if not os.read(manager.progress_fd, 1):
        raise RuntimeError("the kernel ended before it was up")
    client.kc.start_channels(stdin=False, hb=False)
    if not await wait_for_welcome(client.kc):
        await client.kc.wait_for_ready(timeout=READY_SECONDS)
    client.kc.allow_stdin = False


async def wait_readable(fd, seconds):
    """Return whether there is something to read from a pipe in time."""
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(fd, event.set)
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(fd)
    return True


async def wait_for_welcome(kernel_client):
    """Return whether the kernel confirms the subscription to its outputs (ipykernel 7)."""
    deadline = time.monotonic() + WELCOME_SECONDS
    while (seconds_left := deadline - time.monotonic()) > 0:
        try:
            message = await kernel_client.get_iopub_msg(timeout=seconds_left)
        except queue.Empty:
            return False
        if message["msg_type"] == "iopub_welcome":
            return True
    return False


async def run_notebook(job, manager, send_frame, alert_read_fd):
    """Run the notebook; return whether the kernel is there to be asked."""
    disable_configuration()
    output = output_limits.OutputMeter(job["limits"])
    client = output_limits.make_bounded_client(build_notebook(job), manager, output)
    try:
        await connect_client(client, manager)
    except Exception as error:
        send_frame({"frame": "failed", "error": f"{type(error).__name__}: {error}"[:500]})
        return False
    try:
        alive = await NotebookRun(
            job, manager, client, send_frame, output=output, alert_read_fd=alert_read_fd
        ).run_cells()
    finally:
        client.kc.stop_channels()
    send_frame({"frame": "ran", "alive": alive, "versions": package_versions()})
    return alive


def relay_frames(requests, results, questions, answers):
    """Forward frames to the probe and back, without reading them, until an end closes."""
    poll = select.poll()
    routes = {requests: questions, answers: results}
    for reading in routes:
        poll.register(reading, select.POLLIN)
    with contextlib.suppress(frames.PipeClosed, OSError):
        while True:
            for reading, _ in poll.poll():
                frames.send_bytes(routes[reading], frames.receive_bytes(reading))


def serve_job(requests, results, context):
    """Receive a job, run it, and forward questions until the other end closes."""
    linux.adopt_orphans()
    job, _ = frames.receive(requests)
    job["taken"] = context.reserved_bytes
    job["private_files"] = context.plan["namespaces"] or not context.plan["landlock"]
    file_placement.receive_files(requests, job.get("files", 0))
    with tempfile.TemporaryDirectory(prefix="k") as folder:
        connection_file = write_connection_file(folder)
        pid, *pipes = fork_kernel(
            job, connection_file, (requests, results, context.alert_read_fd), context
        )
        walls.confine_forked_runner(context.filters)
        gc.disable()  # short-lived, and all pages are shared with the parent until touched
        manager = ForkedKernel(pid, connection_file, pipes)
        try:
            if asyncio.run(
                run_notebook(
                    job, manager, lambda frame: frames.send(results, frame), context.alert_read_fd
                )
            ):
                relay_frames(requests, results, manager.questions, manager.answers)
        finally:
            manager.kill()


def main():
    """Serve on the standard streams, in an interpreter of its own."""
    arguments = json.loads(sys.argv[1])
    plan = arguments["plan"]
    requests, results = take_standard_streams()
    linux.set_dumpable(dumpable=False)
    linux.die_with_parent()
    os.set_inheritable(arguments["hear"], False)
    serve_job(
        requests,
        results,
        RunnerContext(
            plan, Path(arguments["folder"]), arguments["hear"], walls.build_filters(plan), None
        ),
    )


if __name__ == "__main__":
    main()
