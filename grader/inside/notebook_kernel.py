"""Becomes the kernel of one notebook: ipykernel, with stand-ins, recorder and probe in place."""

import contextlib
import gc
import os
import resource
import sys
import types
import typing

sys.modules.setdefault("debugpy", None)  # ipykernel would import it: a second, for nobody
from inside import probe, questions, recorder, resource_watch, seeding, stubs
from ipykernel import debugger, ipkernel
from ipykernel.kernelapp import IPKernelApp
from traitlets.config import Config, Configurable

if sys.modules["debugpy"] is None:
    del sys.modules["debugpy"]


def keep_descriptors(shell):
    """Let cells have fewer descriptors than the process: it must go on when a cell leaves none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def fewer(info):
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def all_of_them(result):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    shell.events.register("pre_run_cell", fewer)
    shell.events.register("post_run_cell", all_of_them)


GIGABYTE = 1024 * 1024 * 1024
TAKEN = 3 * GIGABYTE
"""Bytes of address space that libraries take, where nothing can be seen."""


def limit_memory(megabytes, taken):
    """Bound how much the address space grows, where the platform can: libraries fill some already.

    Behind the walls `watch` measures what all processes of a notebook use; this bound has one that
    asks for too much get a MemoryError instead.
    """
    if sys.platform == "linux":
        # Where it can't see itself: what the runner had, and what the kernel's threads reserve.
        there = resource_watch.address_space() or (taken or TAKEN) + GIGABYTE
        size = there + megabytes * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


YOUNG = 10_000
"""New objects between two looks for garbage: in a fork, a page that is looked at is copied."""


class Pipes(typing.NamedTuple):
    """The kernel's ends of the pipes to its runner."""

    questions: int
    answers: int
    ready: int


class Everything:
    """A set that has every member, and looks at none."""

    def __contains__(self, member):
        return True


class HeadlessKernel(IPKernelApp):
    """ipykernel without what nobody uses here: it starts in a third of the time.

    No command line, configuration files, logging, crash handler or heartbeat; the connection is
    that of the runner.
    """

    def parse_command_line(self, argv=None):
        """There is none."""

    def load_config_file(self, *args, **kwargs):
        """There is none, and one of the system would make notebooks run otherwise elsewhere."""

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
        self.shell._sys_modules_keys = Everything()


class SysWithoutModules:
    """`sys` for a module that would look at every module there is."""

    modules = types.MappingProxyType({})

    def __getattr__(self, name):
        return getattr(sys, name)


@contextlib.contextmanager
def without_debugger():
    """Have ipykernel make no debugger: nobody steps through a graded notebook.

    For it ipykernel looks at the file of every module, which in a fork is a page fault each.
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
def only_named_configured():
    """Have traitlets look for configuration only where there is some.

    It looks up every trait of each of the 35 objects that make a kernel, for three settings.
    """
    real = Configurable._load_config

    def load(self, config, section_names=None, traits=None):
        if any(cls.__name__ in config for cls in type(self).__mro__):
            real(self, config, section_names, traits)

    Configurable._load_config = load
    try:
        yield
    finally:
        Configurable._load_config = real


def draw_inline():
    """Connect matplotlib, where it was imported before there was a shell, to the shell."""
    if "matplotlib.pyplot" in sys.modules:
        from matplotlib_inline import backend_inline

        backend_inline._enable_matplotlib_integration()


def configuration():
    """What ipykernel and IPython are told."""
    told = Config()
    told.HeadlessKernel.capture_fd_output = False
    told.HistoryManager.enabled = False
    told.InteractiveShell.colors = "nocolor"
    return told


def find_modules_beside_the_notebook():
    """Let notebooks import what lies in the working folder, as Jupyter does.

    IPython leaves that out where Python was started with -P, as we are, so that nothing a student
    writes is imported before the notebook runs. It comes after the standard library.
    """
    packages = {"site-packages", "dist-packages"}
    places = (n for n, path in enumerate(sys.path) if os.path.basename(path) in packages)  # noqa: PTH119 (as IPython does)
    sys.path.insert(next(places, len(sys.path)), "")


def become(job, *, connection_file, pipes):
    """Run the kernel until it is killed; never returns."""
    with without_debugger(), only_named_configured():
        app = HeadlessKernel.instance(connection_file=connection_file, config=configuration())
        app.initialize([])
    draw_inline()
    find_modules_beside_the_notebook()
    notes = stubs.Notes()
    watch = recorder.Recorder(job["record"], notes)
    stubs.install(app.shell, app.kernel, optional_imports=job["optional_imports"], notes=notes)
    watch.install(app.shell)
    keep_descriptors(app.shell)
    seeding.before_the_first_cell(app.shell, lambda: seeding.seed_everything(job["seed"]))
    limit_memory(job["limits"]["memory_mb"], job["taken"])
    gc.set_threshold(YOUNG, 10, 10)
    notebook = questions.Notebook(app.shell.user_ns, watch, notes)
    probe.start(
        notebook, reading=pipes.questions, writing=pipes.answers, trusted=job.get("trusted", False)
    )
    os.write(pipes.ready, b"!")
    os.close(pipes.ready)
    app.start()
    os._exit(0)
