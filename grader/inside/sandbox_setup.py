"""Turn a fork of the fork server into the runner of one notebook, in its sandbox."""

import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from inside import canary, command_folder, frames, linux, resource_watch, walls

RUNNER_PROGRAM = Path(__file__).resolve().parent / "runner.py"
TEST_PROGRAM = RUNNER_PROGRAM.parent.parent / "course_tests" / "test_process.py"
SANDBOX_FOLDERS = ("work", "tmp")
COMPILER_CACHES = ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR")
"""Variables that would lead out of the sandbox; without them torch takes its temporary folder."""


def redirect_standard_streams(path):
    """Redirect descriptors 0, 1 and 2 to a file."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    for standard_fd in (0, 1, 2):
        os.dup2(descriptor, standard_fd)
    if descriptor > 2:
        os.close(descriptor)


def make_folders(folder, plan):
    """Make the folders of a sandbox that has no file system of its own."""
    commands = folder.parent / walls.COMMANDS
    if not commands.exists():
        command_folder.write_commands(commands, with_substitutes=plan["landlock"])
    for name in SANDBOX_FOLDERS:
        (folder / name).mkdir(parents=True)
        (folder / name).chmod(0o1777)


def enter_sandbox(folder, order):
    """Give up what runners don't need, move into the sandbox, and return its folder."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a kernel may not wake its runner
    redirect_standard_streams(os.devnull)
    folder = walls.confine_runner(order["plan"], order["limits"], folder)
    has_private_mounts = order["plan"]["namespaces"]
    temporary = "/tmp" if has_private_mounts else str(folder / "tmp")  # noqa: S108 (a private mount)
    os.environ |= {
        "HOME": str(folder / "home" if has_private_mounts else folder),
        "TMPDIR": temporary,
        "IPYTHONDIR": temporary + "/ipython",
    }
    commands = (folder if has_private_mounts else folder.parent) / walls.COMMANDS
    command_folder.put_first_in_path(commands, scratch=temporary)
    tempfile.tempdir = None
    for name in COMPILER_CACHES:  # torch remembers in them a folder of the fork server's
        os.environ.pop(name, None)
    os.chdir(folder / "work")
    linux.die_with_parent()  # only now: a change of user undoes it
    return folder


def become_runner(folder, order, pipes, filters):
    """Run the notebook or the tests that are sent, or test the walls; never returns.

    pipes: for requests, results and alerts. filters: see `walls.build_filters`.
    """
    requests, results, alert_read_fd = pipes
    walls.close_other_descriptors(*pipes)
    reserved_bytes = resource_watch.address_space_bytes()
    try:
        folder = enter_sandbox(folder, order)
    except Exception as error:
        frames.send(results, {"frame": "failed", "error": f"{type(error).__name__}: {error}"})
        os._exit(70)
    if order["canary"] is not None:
        canary.serve_canary(results, order, folder, filters)
    elif order["cold"]:
        exec_fresh_runner(folder, order, pipes)
    elif order["program"] == "tests":
        sys.path.append(str(TEST_PROGRAM.parent.parent))
        from course_tests import test_process

        test_process.serve(requests, results)
    else:
        from inside import runner

        context = runner.RunnerContext(
            order["plan"], folder, alert_read_fd, filters, reserved_bytes
        )
        runner.serve_job(requests, results, context)
    os._exit(0)


def exec_fresh_runner(folder, order, pipes):
    """Become a runner in a fresh interpreter, behind the same walls."""
    requests, results, alert_read_fd = pipes
    os.set_inheritable(alert_read_fd, True)
    os.environ["MPLCONFIGDIR"] = os.environ["TMPDIR"] + "/matplotlib"
    os.dup2(requests, 0)
    os.dup2(results, 1)
    context = json.dumps({"plan": order["plan"], "folder": str(folder), "hear": alert_read_fd})
    program = TEST_PROGRAM if order["program"] == "tests" else RUNNER_PROGRAM
    arguments = [sys.executable, "-P", "-Wignore", str(program), context]
    os.execv(sys.executable, arguments)  # noqa: S606 (our own interpreter, our own file)
