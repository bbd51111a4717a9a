"""Import what notebooks will need, then fork a runner for each one, ready at once.

A program of its own, started as `fork_server.py CONTROL FOLDER`: orders come on the socket
CONTROL, folders of sandboxes are made below FOLDER. It runs no student code and no tensor work,
has one thread whenever it forks, and when the other end of the socket closes, it ends every
sandbox, removes the folder and exits.

Orders, each a frame whose header names an `order`:

preload   import modules (`modules`); answered by what was left out, and the number of threads
ping      answered at once by the number of processes that closed sandboxes left behind
open      fork a runner (`room`, `plan` and `limits` for its walls, `cold` for a fresh interpreter,
          `canary` to test the walls instead); its two pipes come after it
close     end a sandbox, whatever runs in it
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from pathlib import Path

PROGRAM_FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(PROGRAM_FOLDER.parent))
from inside import absent_gpu, frames, linux, resource_watch, sandbox_setup, walls

sys.path.pop(0)

MADV_COLLAPSE = 25
"""From <linux/mman.h>, Linux 6.1: back a range with huge pages now, so that forks are cheap."""
HUGE_PAGE = 2 * 1024 * 1024
RUNNER_MODULES = (
    "numpy",
    "safetensors.numpy",
    "zmq.asyncio",
    "jupyter_client.asynchronous.client",
    "nbformat.v4",
    "nbclient",
    "ipykernel.kernelapp",
    "IPython.core.completer",
    "matplotlib_inline.backend_inline",
    "inside.runner",
)
"""Modules that each runner and its kernel need themselves."""
WATCH_SECONDS = 0.25
"""Seconds between two checks of what sandboxes use."""
IDLE_SECONDS = 0.05
"""Seconds without an order after which there is time for other things."""
MAX_RESTARTS = 3
"""How often the program starts over to leave modules out."""


def count_threads():
    """Count the threads of this process, with those of libraries where the platform tells."""
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208 (3,000 calls: no Path objects)
    except OSError:
        import threading

        return threading.active_count()


class Preloader:
    """Imports modules, and notices those that must not be imported ahead."""

    def __init__(self, output_file):
        self.output_file = output_file
        self.left_out = {}

    def output_size(self):
        """Return how many bytes have been printed so far."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        return self.output_file.stat().st_size

    def import_modules(self, names):
        """Import modules; return why some must not be imported, which only a restart undoes."""
        culprits = {}
        threads, printed = count_threads(), self.output_size()
        for name in names:
            if name in sys.modules or name in self.left_out:
                continue
            try:
                importlib.import_module(name)
            except BaseException as error:
                self.left_out[name] = f"cannot be imported ({type(error).__name__})"
            current = count_threads(), self.output_size()
            if current[0] > threads:
                culprits[name] = "starts threads"
            elif current[1] > printed:
                culprits[name] = "prints"
            threads, printed = current
        return culprits


def collapse_pages():
    """Move what was imported to few, large pages, so that forks are cheap: half a second."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for line in Path("/proc/self/maps").read_text(encoding="ascii", errors="replace").splitlines():
        span, mode, _, device, *rest = line.split()
        is_private = (
            mode.startswith("rw") and device == "00:00" and (not rest[1:] or rest[1] == "[heap]")
        )
        if is_private:
            start, end = (int(address, 16) for address in span.split("-"))
            start, end = -(-start // HUGE_PAGE) * HUGE_PAGE, end // HUGE_PAGE * HUGE_PAGE
            if end > start:
                libc.madvise(start, end - start, MADV_COLLAPSE)


def compile_notebook_schema():
    """Compile the notebook schema, which every runner would compile again."""
    with contextlib.suppress(Exception):
        import nbformat

        nbformat.reads('{"cells":[],"metadata":{},"nbformat":4,"nbformat_minor":5}', as_version=4)


class ForkLoop:
    """The main loop: receives orders, forks sandboxes and ends them."""

    def __init__(self, control, folder, state):
        self.control = control
        self.folder = folder
        self.sandboxes = {
            int(n): resource_watch.WatchedSandbox(*fields)
            for n, fields in state.get("rooms", {}).items()
        }
        self.preloader = Preloader(folder / "printed")
        self.preloader.left_out.update(state.get("left_out", {}))
        self.loaded = list(state.get("loaded", ()))
        self.restarts = state.get("restarts", 0)
        self.pending = state.get("pending")
        self.pages_scattered = False
        self.forker = self.filters = None

    def serve(self):
        """Follow orders until the other end closes."""
        if self.pending is not None:
            self.preload(self.pending)
        while True:
            self.collapse_when_idle()
            self.watch_until_order()
            header, _ = frames.receive(self.control)
            if header["order"] == "preload":
                self.preload(header["modules"])
            elif header["order"] == "ping":
                frames.send(self.control, {"left": len(self.orphans())})
            elif header["order"] == "open":
                self.open_sandbox(header)
            elif header["order"] == "close":
                self.close_sandbox(header["room"])

    def watch_until_order(self):
        """Check the limits of sandboxes until an order comes."""
        while self.sandboxes and not self.has_order(WATCH_SECONDS):
            for sandbox in self.sandboxes.values():
                sandbox.check_limits()

    # ------------------------------------------------------------ ahead

    def preload(self, names):
        """Import modules, start over without those that can't stay, and report how it went."""
        culprits = self.preloader.import_modules([*RUNNER_MODULES, *self.loaded, *names])
        if culprits and self.restarts < MAX_RESTARTS:
            self.preloader.left_out.update(culprits)
            self.restart(names)
        self.loaded += [name for name in names if name not in self.preloader.left_out]
        compile_notebook_schema()
        absent_gpu.change_ahead()
        gc.collect()
        gc.freeze()  # so that no fork's collector touches, and so copies, all there is
        self.pages_scattered = True
        left_out = self.preloader.left_out
        answer = {
            "left_out": {
                name: reason for name, reason in left_out.items() if name not in RUNNER_MODULES
            },
            "broken": [name for name in RUNNER_MODULES if name in left_out],
            "threads": count_threads(),
        }
        frames.send(self.control, answer)

    def restart(self, pending):
        """Become a fresh interpreter that knows its sandboxes and goes on with the order."""
        state = {
            "rooms": {number: sandbox.as_state() for number, sandbox in self.sandboxes.items()},
            "left_out": self.preloader.left_out,
            "loaded": self.loaded,
            "restarts": self.restarts + 1,
            "pending": list(pending),
        }
        state_file = self.folder / "state"
        state_file.write_text(json.dumps(state), encoding="utf-8")
        for descriptor in (
            self.control,
            *(sandbox.alert_write_fd for sandbox in self.sandboxes.values()),
        ):
            os.set_inheritable(descriptor, True)
        options = [f"-W{option}" for option in sys.warnoptions]
        arguments = [str(PROGRAM_FOLDER / "fork_server.py"), str(self.control), str(self.folder)]
        os.execv(sys.executable, [sys.executable, "-P", *options, *arguments])  # noqa: S606 (itself)

    def collapse_when_idle(self):
        """Collapse pages once the first notebooks run and no order is waiting."""
        if self.pages_scattered and len(self.sandboxes) > 1 and not self.has_order(IDLE_SECONDS):
            self.pages_scattered = False
            collapse_pages()

    def has_order(self, seconds):
        """Return whether an order comes within some seconds."""
        waiting, _, _ = select.select([self.control], [], [], seconds)
        return bool(waiting)

    # ------------------------------------------------------------ sandboxes

    def open_sandbox(self, order):
        """Fork a runner with the two pipes that follow the order."""
        _, pipes, _, _ = socket.recv_fds(socket.socket(fileno=os.dup(self.control)), 1, 2)
        if len(pipes) != 2:  # they could not be sent, and the other side knows
            return
        folder = self.folder / str(order["room"])
        if not order["plan"]["namespaces"]:
            sandbox_setup.make_folders(folder, order["plan"])
        if self.forker is None:
            self.forker = walls.NamespaceForker() if order["plan"]["namespaces"] else os
            self.filters = walls.build_filters(order["plan"])
        alert_read_fd, alert_write_fd = os.pipe()
        pid = self.forker.fork()
        if pid == 0:
            try:
                sandbox_setup.become_runner(folder, order, (*pipes, alert_read_fd), self.filters)
            finally:
                os._exit(70)
        for pipe in (*pipes, alert_read_fd):
            os.close(pipe)
        os.set_blocking(alert_write_fd, False)
        watched_folder = None if order["plan"]["namespaces"] else folder
        baseline_bytes = 0 if order["cold"] else resource_watch.private_memory(os.getpid())
        self.sandboxes[order["room"]] = resource_watch.WatchedSandbox(
            pid, alert_write_fd, order["limits"], watched_folder, baseline_bytes
        )

    def close_sandbox(self, number):
        """Kill a runner and all it started, and remove its folder."""
        sandbox = self.sandboxes.pop(number, None)
        if sandbox is None:
            return
        os.close(sandbox.alert_write_fd)
        pid = sandbox.pid
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        self.kill_orphans()
        resource_watch.remove_tree(self.folder / str(number))

    def orphans(self):
        """Return processes that became this one's children when their runner died."""
        known = {sandbox.pid for sandbox in self.sandboxes.values()}
        return [pid for pid in resource_watch.children(os.getpid()) if pid not in known]

    def kill_orphans(self):
        """Kill processes that ended runners left behind."""
        while orphans := self.orphans():
            for pid in orphans:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)

    def shut_down(self):
        """End every sandbox, and leave nothing behind."""
        for number in list(self.sandboxes):
            self.close_sandbox(number)
        self.kill_orphans()
        resource_watch.remove_tree(self.folder)


def main():
    """Serve on the socket until it closes."""
    control, folder = int(sys.argv[1]), Path(sys.argv[2])
    state_file = folder / "state"
    state = {}
    if state_file.exists():
        state = json.loads(state_file.read_text(encoding="utf-8"))
        state_file.unlink()
    os.set_inheritable(control, False)
    sandbox_setup.redirect_standard_streams(folder / "printed")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    linux.adopt_orphans()
    loop = ForkLoop(control, folder, state)
    try:
        loop.serve()
    except (frames.PipeClosed, OSError):
        pass
    finally:
        loop.shut_down()


if __name__ == "__main__":
    main()
