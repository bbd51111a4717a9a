"""Become the kernel of one notebook: ipykernel with stubs, recorder and probe installed."""

import contextlib
import gc
import json
import os
import resource
import sys
import types
import typing

sys.modules.setdefault("debugpy", None)  # ipykernel would import it: a second, for nobody
from inside import (
    descriptor_output,
    fifo_semaphores,
    fork_repair,
    kept_figures,
    kept_moments,
    kept_namespace,
    kernel_exit,
    main_thread,
    probe,
    questions,
    recorder,
    resource_watch,
    seeding,
    stubs,
)
from ipykernel import debugger, ipkernel
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.jsonutil import json_default
from tornado.ioloop import IOLoop
from traitlets.config import Config, Configurable

if sys.modules["debugpy"] is None:
    del sys.modules["debugpy"]


def limit_cell_descriptors(shell):
    """Give cells fewer descriptors than the process, which must go on when a cell uses all."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    set_limit = resource.setrlimit  # before it is one that leaves notes

    def lower_limit(info):
        set_limit(resource.RLIMIT_NOFILE, (soft, hard))

    def raise_limit(result):
        set_limit(resource.RLIMIT_NOFILE, (hard, hard))

    shell.events.register("pre_run_cell", lower_limit)
    shell.events.register("post_run_cell", raise_limit)


GIGABYTE = 1024 * 1024 * 1024
LIBRARY_BYTES = 3 * GIGABYTE
"""Address space that libraries take, where that can't be seen."""


def limit_memory(megabytes, reserved_bytes):
    """Bound how much the address space grows beyond what libraries take, on Linux.

    `resource_watch` measures what all processes of a notebook use; this bound lets one that asks
    for too much get a MemoryError instead of being killed.
    """
    if sys.platform == "linux":
        # Where it can't see itself: what the runner had, and what the kernel's threads reserve.
        used_bytes = (
            resource_watch.address_space_bytes() or (reserved_bytes or LIBRARY_BYTES) + GIGABYTE
        )
        _, hard_limit = resource.getrlimit(resource.RLIMIT_AS)
        size = used_bytes + megabytes * 1024 * 1024
        if hard_limit != resource.RLIM_INFINITY:
            size = min(size, hard_limit)
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


GC_THRESHOLD = 10_000
"""New objects between two collections: in a fork, each page they look at is copied."""


class KernelPipes(typing.NamedTuple):
    """The kernel's ends of the pipes to its runner."""

    questions: int
    answers: int
    progress: int
    """One byte once the kernel is up, then one after each cell; see `kernel_exit`."""


class UniversalSet:
    """A set that contains everything, and compares nothing."""

    def __contains__(self, member):
        return True


class HeadlessKernel(IPKernelApp):
    """ipykernel without what nobody uses here: it starts in a third of the time.

    It has no command line, configuration files, logging, crash handler or heartbeat, and uses the
    runner's connection file.
    """

    def parse_command_line(self, argv=None):
        """There is none."""

    def load_config_file(self, *args, **kwargs):
        """There is none, and one of the system would make notebooks run differently elsewhere."""

    def init_crash_handler(self):
        """Nobody would read its report."""

    def init_heartbeat(self):
        """The runner watches the process itself."""

    def write_connection_file(self, **kwargs):
        """It is there already."""

    def _configure_logging(self):
        """Nobody reads it."""

    def init_code(self):
        """There are no start-up files; IPython would look at the name of every module."""
        self.shell.user_ns_hidden.update(self.shell.user_ns)
        self.shell._sys_modules_keys = UniversalSet()


class SysWithoutModules:
    """`sys` for a module that would look at every imported module."""

    modules = types.MappingProxyType({})

    def __getattr__(self, name):
        return getattr(sys, name)


@contextlib.contextmanager
def without_debugger():
    """Keep ipykernel from making a debugger: nobody steps through a graded notebook.

    For it ipykernel would look at the file of every module, in a fork a page fault each.
    """
    real_sys, available = ipkernel.sys, getattr(debugger, "_is_debugpy_available", False)
    ipkernel.sys = SysWithoutModules()
    debugger._is_debugpy_available = False
    try:
        yield
    finally:
        ipkernel.sys = real_sys
        debugger._is_debugpy_available = available


@contextlib.contextmanager
def configure_only_named():
    """Let traitlets look for configuration only in classes that have some.

    It would look up every trait of each of the 35 objects that make a kernel, for three settings.
    """
    real_load_config = Configurable._load_config

    def load(self, config, section_names=None, traits=None):
        if any(cls.__name__ in config for cls in type(self).__mro__):
            real_load_config(self, config, section_names, traits)

    Configurable._load_config = load
    try:
        yield
    finally:
        Configurable._load_config = real_load_config


def connect_inline_figures():
    """Connect matplotlib to the shell, if it was imported before there was one."""
    if "matplotlib.pyplot" in sys.modules:
        from matplotlib_inline import backend_inline

        backend_inline._enable_matplotlib_integration()


def kernel_configuration():
    """Return the configuration of ipykernel and IPython."""
    config = Config()
    config.HeadlessKernel.capture_fd_output = False
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    return config


def replace_lone_surrogates(session):
    """Let messages with text that is no Unicode be sent, with question marks in it.

    Without its reply a cell would wait until its limit, and an error would be lost.
    """
    real_pack = session.pack

    def pack(message):
        try:
            return real_pack(message)
        except (UnicodeEncodeError, TypeError):  # orjson raises the latter
            text = json.dumps(message, default=json_default, ensure_ascii=False)
            return text.encode("utf-8", errors="replace")

    session.pack = pack


def prepare_shell(app, job, pipes):
    """Install all that replaces, records and limits; return what questions will be about."""
    shell = app.shell
    replace_lone_surrogates(app.session)
    descriptor_output.show_descriptor_output(shell)
    if not descriptor_output.has_terminals():
        descriptor_output.run_commands_without_terminal(shell)
    if not job["private_files"]:
        fifo_semaphores.substitute_shared_memory()
    limit_cell_descriptors(shell)
    notes = stubs.Notes()
    moments = kept_moments.KeptMoments(job.get("moments", ()))
    notes.tell_check = moments.keep
    notebook_recorder = recorder.Recorder(job["record"], notes)
    if job.get("weight_shapes"):
        notebook_recorder.weights.shapes = {tuple(shape) for shape in job["weight_shapes"]}
    stubs.install_stubs(
        shell,
        app.kernel,
        notes=notes,
        unknown=job.get("unknown_modules", {}),
        temporary=os.environ["TMPDIR"],
    )
    kernel_exit.end_cells_only(shell, app.kernel, notes)
    notebook_recorder.install(shell)
    kernel_exit.report_background_activity(shell, pipes.progress)
    fork_repair.repair_after_import()
    if job.get("keep_figures"):
        kept_figures.keep_figures()
    seeding.seed_notebook(shell, job)
    forgotten = kept_namespace.keep_forgotten(shell)
    return questions.ObservedNotebook(shell.user_ns, notebook_recorder, notes, forgotten, moments)


def run_kernel(job, *, connection_file, pipes):
    """Run the kernel until it is killed; never returns."""
    with without_debugger(), configure_only_named():
        app = HeadlessKernel.instance(
            connection_file=connection_file, config=kernel_configuration()
        )
        app.initialize([])
    connect_inline_figures()
    notebook = prepare_shell(app, job, pipes)
    limit_memory(job["limits"]["memory_mb"], job["taken"])
    gc.set_threshold(GC_THRESHOLD, 10, 10)
    caller = main_thread.MainThread(IOLoop.current().asyncio_loop)
    caller.follow(app.shell)
    probe.start_probe(
        notebook,
        reading=pipes.questions,
        writing=pipes.answers,
        trusted=job.get("trusted", False),
        main_thread=caller,
    )
    os.write(pipes.progress, b"!")
    kernel_exit.run_loop_forever(app)
