"""The walls: what they are made of, that a canary tries them, and what is said where none hold."""

from __future__ import annotations

import errno
import os
import platform
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from programs import seccomp

from grader import kernel, sandbox
from grader.cli import cli
from grader.errors import IsolationError
from grader.model import Cell, CellStatus, ExecutionRecord, Limits, Question
from grader.sandbox import IsolationLevel, IsolationRequest, bubblewrap, wall_plans
from grader.sandbox.fork_client import ForkServer
from grader.sandbox.wall_check import check_walls
from grader.sandbox.wall_plans import WallPlan, drop_checkouts

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="walls are of Linux")
LEVELS = (IsolationLevel.FULL, IsolationLevel.NAMESPACES, IsolationLevel.REDUCED)


# ---------------------------------------------------------------- the filter

ALLOWED = 0x7FFF0000
KILLED = 0x80000000


def verdict(program: bytes, number: int, *arguments: int, architecture: int) -> int:
    """What a filter says of a call: classic BPF, run here."""
    words = struct.pack("<iIQ6Q", number, architecture, 0, *[*arguments, *[0] * 6][:6])
    code = list(struct.iter_unpack("HBBI", program))
    at, value = 0, 0
    while True:
        instruction, if_true, if_false, k = code[at]
        at += 1
        if instruction == seccomp.LOAD:
            (value,) = struct.unpack_from("<I", words, k)
        elif instruction == seccomp.MASK:
            value &= k
        elif instruction == seccomp.RETURN:
            return int(k)
        else:
            holds = {
                seccomp.EQUAL: value == k,
                seccomp.AT_LEAST: value >= k,
                seccomp.ANY_BIT: bool(value & k),
            }[instruction]
            at += if_true if holds else if_false


MACHINES = {"x86_64": 0, "aarch64": 1}


@pytest.fixture(params=sorted(MACHINES))
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def ask(machine: str, name: str, *arguments: int, connects: bool = True) -> int:
    program = seccomp.build_program(connects=connects, machine=machine)
    numbers = {**seccomp.CALLS, **seccomp.REFUSED, **seccomp.ON_OTHER_PROCESSES}
    number = numbers[name][MACHINES[machine]]
    return verdict(program, number, *arguments, architecture=seccomp.ARCHITECTURES[machine])


def test_every_listed_call_is_refused(machine: str) -> None:
    for name, numbers in seccomp.REFUSED.items():
        if numbers[MACHINES[machine]] is not None:
            assert ask(machine, name) == seccomp.REFUSE | errno.EPERM, name


@pytest.mark.parametrize(
    ("name", "arguments", "refused"),
    [
        ("socket", (1, 1), 0),
        ("socket", (1, 1 | 0o2000000), 0),
        ("socket", (1, 2), errno.EOPNOTSUPP),
        ("socket", (2, 1), errno.EOPNOTSUPP),
        ("socket", (10, 2), errno.EOPNOTSUPP),
        ("socket", (16, 3), errno.EOPNOTSUPP),
        ("socket", (40, 1), errno.EOPNOTSUPP),
        ("socketpair", (1, 1), 0),
        ("socketpair", (2, 1), errno.EOPNOTSUPP),
        ("clone", (0x01200011,), 0),
        ("clone", (0x10000011,), errno.EPERM),
        ("clone", (0x00020011,), errno.EPERM),
        ("clone3", (), errno.ENOSYS),
        ("ioctl", (0, 0x5401), 0),
        ("ioctl", (0, 0x5412), errno.EPERM),
        ("ioctl", (0, 0x541C), errno.EPERM),
        ("connect", (), 0),
        ("fcntl", (3, 1), 0),
        ("fcntl", (3, 1024, 1), errno.EPERM),
        ("prlimit64", (0, 7), 0),
        ("prlimit64", (2, 7), errno.EPERM),
        ("socketpair", (1, 2), 0),
        ("sched_setaffinity", (2, 8), 0),
        ("setpriority", (0, 2, 19), 0),
    ],
)
def test_calls_that_are_looked_at_closely(
    machine: str, name: str, arguments: tuple[int, ...], refused: int
) -> None:
    expected = seccomp.REFUSE | refused if refused else ALLOWED
    assert ask(machine, name, *arguments) == expected


def test_connecting_can_be_refused(machine: str) -> None:
    assert ask(machine, "connect", connects=False) == seccomp.REFUSE | errno.ECONNREFUSED


@pytest.mark.parametrize(
    ("name", "arguments", "refused"),
    [
        ("socketpair", (1, 1 | 0o2000000), 0),
        ("socketpair", (1, 2), errno.EOPNOTSUPP),
        ("sched_setaffinity", (0, 8), 0),
        ("sched_setaffinity", (2, 8), errno.EPERM),
        ("sched_setscheduler", (2, 0), 0),
        ("sched_setscheduler", (2, 5), errno.EPERM),
        ("setpriority", (0, 0, 19), 0),
        ("setpriority", (0, 2, 19), errno.EPERM),
        ("setpriority", (2, 0, 19), errno.EPERM),
    ],
)
def test_where_others_can_be_named_nothing_reaches_them(
    machine: str, name: str, arguments: tuple[int, ...], refused: int
) -> None:
    expected = seccomp.REFUSE | refused if refused else ALLOWED
    assert ask(machine, name, *arguments, connects=False) == expected


def test_calls_by_another_table_end_the_process(machine: str) -> None:
    other = next(number for name, number in seccomp.ARCHITECTURES.items() if name != machine)
    assert (
        verdict(seccomp.build_program(connects=True, machine=machine), 1, architecture=other)
        == KILLED
    )
    x32 = verdict(
        seccomp.build_program(connects=True, machine="x86_64"),
        seccomp.X32 + 1,
        architecture=seccomp.ARCHITECTURES["x86_64"],
    )
    assert x32 == seccomp.REFUSE | errno.ENOSYS


@LINUX
def test_the_numbers_are_those_of_this_machine() -> None:
    headers = {"x86_64": "asm/unistd_64.h", "aarch64": "asm-generic/unistd.h"}
    places = [*Path("/usr/include").glob(f"**/{headers[platform.machine()]}")]
    if not places:
        pytest.skip("no kernel headers here to compare with")
    told = dict(
        line.split()[1:3]
        for line in places[0].read_text(encoding="utf-8").splitlines()
        if line.startswith("#define __NR_") and len(line.split()) == 3
    )
    for name, numbers in {**seccomp.CALLS, **seccomp.REFUSED, **seccomp.ON_OTHER_PROCESSES}.items():
        known = told.get(f"__NR_{name}")
        if known and known.isdigit():
            assert int(known) == numbers[MACHINES[platform.machine()]], name


# ---------------------------------------------------------------- the plans


def test_what_is_hidden_is_left_out_of_what_may_be_read(tmp_path: Path) -> None:
    for name in ("lib/a", "lib/secret/b", "lib/c/d"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    secret = str(tmp_path / "lib" / "secret")

    read, listed = wall_plans.readable_paths([str(tmp_path)], hidden=[secret])

    assert read == (str(tmp_path / "lib" / "a"), str(tmp_path / "lib" / "c"))
    assert listed == (str(tmp_path), str(tmp_path / "lib"))


def test_no_checkout_of_this_program_is_shown(tmp_path: Path) -> None:
    for place in ("other", "python/lib/site-packages"):
        (tmp_path / place / "grader" / "inside").mkdir(parents=True)
    (tmp_path / "course").mkdir()
    folders = [str(tmp_path / p) for p in ("course", "other", "python/lib/site-packages")]

    assert drop_checkouts([*folders, str(Path(__file__).parent.parent)]) == (folders[0], folders[2])


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("bwrap: setting up uid map: Permission denied\n", "apparmor_restrict"),
        ("bwrap: No permissions to create new namespace, likely because…\n", "container"),
        ("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", "/proc"),
        ("bwrap: Creating new namespace failed: No space left on device\n", "max_user_namespaces"),
        ("bwrap: something new\n", ""),
    ],
)
def test_what_bubblewrap_says_is_explained(said: str, hint: str) -> None:
    why, what_to_do = bubblewrap.explain_failure(said)

    assert why == said.strip().removeprefix("bwrap: ")
    assert hint in what_to_do
    assert bool(what_to_do) == bool(hint)


# ---------------------------------------------------------------- the levels


@pytest.fixture(scope="module")
def environment() -> sandbox.Environment:
    return sandbox.survey_interpreter(sys.executable)


def opened_at(level: IsolationLevel, environment: sandbox.Environment) -> Iterator[ForkServer]:
    try:
        with sandbox.start_fork_server(
            environment, request=IsolationRequest(level=level)
        ) as parent:
            yield parent
    except IsolationError as error:
        pytest.skip(f"this machine cannot have level {level}: {error}")


@pytest.fixture(params=LEVELS)
def walled(
    request: pytest.FixtureRequest, environment: sandbox.Environment
) -> Iterator[ForkServer]:
    yield from opened_at(request.param, environment)


def run(parent: ForkServer, source: str, *, limits: Limits | None = None) -> dict[str, float]:
    """Run one cell that must not raise; the numbers it left."""
    record, found = tried_out(parent, source, limits=limits)
    assert record.cells[0].status is CellStatus.RAN, record.cells[0].error
    return found


def tried_out(
    parent: ForkServer, *sources: str, limits: Limits | None = None
) -> tuple[ExecutionRecord, dict[str, float]]:
    setup = kernel.KernelSetup(fork_server=parent, seed=1, record=(), limits=limits or Limits())
    cells = tuple(Cell(index=i, kind="code", source=s) for i, s in enumerate(sources))
    with kernel.start_kernel(setup) as live:
        record = live.run(cells, blank=frozenset())
        arrays = live.ask((Question(id="a", kind="arrays"),))["a"].arrays
        return record, {name: float(value.ravel()[0]) for name, value in arrays.items()}


@pytest.mark.kernel
def test_where_namespaces_can_be_made_the_highest_level_holds(
    environment: sandbox.Environment,
) -> None:
    words = ["--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "true"]
    possible = [
        found
        for found in bubblewrap.find_executables()
        if not subprocess.run([found.path, *words], capture_output=True, check=False).returncode
    ]
    if not possible:
        pytest.skip("NO NAMESPACES HERE: the highest level is not tested")

    with sandbox.start_fork_server(environment) as parent:
        assert parent.isolation.level == IsolationLevel.FULL


@pytest.mark.kernel
def test_a_canary_finds_no_way_out(walled: ForkServer) -> None:
    assert walled.isolation.level == walled.plan.level
    assert walled.isolation.description.startswith(f"{walled.plan.level}: ")


@LINUX
@pytest.mark.kernel
@pytest.mark.parametrize(
    ("broken", "reached"),
    [
        (
            WallPlan(level=IsolationLevel.REDUCED, landlock=False),
            "reads files of the person who grades",
        ),
        (WallPlan(level=IsolationLevel.REDUCED, filter=False, read=("/",)), "has internet sockets"),
        (
            WallPlan(level=IsolationLevel.FULL, landlock=False, filter=False),
            "connects to this computer",
        ),
    ],
)
def test_walls_with_a_hole_are_not_used(
    environment: sandbox.Environment, broken: WallPlan, reached: str
) -> None:
    parent = ForkServer(environment, plan=broken, hidden=())
    try:
        found = check_walls(parent, protected=[])
    finally:
        parent.shut_down()

    assert found.isolation is None
    assert reached in found.reason


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that every user may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.kernel
def test_what_is_protected_cannot_be_read_wherever_it_lies(
    environment: sandbox.Environment, open_folder: Path
) -> None:
    secret = open_folder / "lib" / "secret"
    secret.mkdir(parents=True)
    (secret / "answers").write_text("42", encoding="utf-8")
    (open_folder / "lib" / "fine.txt").write_text("x", encoding="utf-8")
    seen = replace(environment, folders=(*environment.folders, str(open_folder / "lib")))
    # Written as "/tmp/..." it would lead to the notebook's own folder at reduced.
    source = (
        "import numpy as np, os\n"
        "def read(*path):\n"
        "    try: return len(open(os.path.join(os.sep, *path)).read())\n"
        "    except OSError: return -1\n"
        f"fine = np.array([read{(open_folder / 'lib' / 'fine.txt').parts[1:]!r}])\n"
        f"secret = np.array([read{(secret / 'answers').parts[1:]!r}])"
    )

    for level in (IsolationLevel.FULL, IsolationLevel.REDUCED):
        wanted = IsolationRequest(level=level, hidden_paths=(str(secret),))
        try:
            with sandbox.start_fork_server(seen, request=wanted) as parent:
                found = run(parent, source)
        except IsolationError as error:
            pytest.skip(str(error))
        assert found == {"fine": 1, "secret": -1}, level


@pytest.mark.kernel
def test_an_interpreter_below_tmp_can_be_used(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("below-tmp") / "venv"
    if not place.is_relative_to("/tmp"):  # noqa: S108 (where pytest makes its folders)
        pytest.skip("temporary folders are elsewhere here")
    made = [sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", str(place)]
    subprocess.run(made, check=True)
    packages = next(place.glob("lib/python*/site-packages"))
    ours = [p for p in sys.path if p.endswith("site-packages")]
    (packages / "more.pth").write_text("\n".join(ours), encoding="utf-8")

    with sandbox.start_fork_server(
        sandbox.survey_interpreter(str(place / "bin" / "python"))
    ) as parent:
        source = "import sys, numpy as np\nours = np.array([sys.prefix.startswith('/tmp')])"
        assert run(parent, source) == {"ours": 1}


@pytest.mark.kernel
def test_what_a_notebook_needs_works_behind_every_wall(walled: ForkServer) -> None:
    source = (
        "import numpy as np, os, subprocess, sys, tempfile, threading, multiprocessing, getpass\n"
        "from IPython import get_ipython\n"
        "open('left.txt', 'w').write('x')\n"
        "tempfile.NamedTemporaryFile().close()\n"
        "said = get_ipython().getoutput('echo hello')\n"
        "script = subprocess.run([sys.executable, '-c', 'print(3)'], capture_output=True)\n"
        "thread = threading.Thread(target=print); thread.start(); thread.join()\n"
        "child = multiprocessing.get_context('fork').Process(target=int)\n"
        "child.start(); child.join()\n"
        "getpass.getuser(); os.path.expanduser('~')\n"
        "good = np.array([said == ['hello'] and script.stdout == b'3\\n' and child.exitcode == 0])"
    )

    assert run(walled, source) == {"good": 1}


@pytest.mark.kernel
def test_loaders_with_workers_work_where_files_are_private(
    environment: sandbox.Environment,
) -> None:
    pytest.importorskip("torch")
    source = (
        "import torch, numpy as np\n"
        "from torch.utils.data import DataLoader, TensorDataset\n"
        "data = TensorDataset(torch.arange(8.0))\n"
        "total = np.array([float(sum(x.sum() for x, in DataLoader(data, num_workers=2)))])"
    )

    for parent in opened_at(IsolationLevel.FULL, environment):
        assert run(parent, source)["total"] == 28


@pytest.mark.kernel
def test_a_plain_user_has_the_highest_level_too() -> None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    readable = all(Path(p).stat().st_mode & 1 for p in Path(sys.base_prefix).parents)
    if not readable or not bubblewrap.find_executables():
        pytest.skip("another user could not run this interpreter, or there is no bubblewrap")
    done = subprocess.run(
        [sys.executable, "-m", "grader", "doctor"],
        user=1001,
        group=1001,
        extra_groups=(),
        cwd="/",
        env={"HOME": "/", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Notebooks run at level full." in done.stdout, done.stdout + done.stderr


# ---------------------------------------------------------------- what is said


@pytest.mark.kernel
def test_where_nothing_holds_nothing_is_graded(
    environment: sandbox.Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.sandbox.wall_plans.sys.platform", "darwin")

    with (
        pytest.raises(IsolationError, match="--allow-unsandboxed"),
        sandbox.start_fork_server(environment),
    ):
        pass
    with sandbox.start_fork_server(
        environment, request=IsolationRequest(unsandboxed=True)
    ) as parent:
        assert parent.isolation.level == "none"
        assert "forged" in parent.isolation.description


@pytest.mark.kernel
def test_no_isolation_must_be_asked_for_twice(tmp_path: Path) -> None:
    out = tmp_path / "out"
    args = ["examples/submissions", "--isolation", "none", "--out", str(out)]
    found = CliRunner().invoke(cli, args)

    assert isinstance(found.exception, IsolationError)
    assert "--allow-unsandboxed" in str(found.exception)
    assert not list(out.glob("results/*"))


@pytest.mark.parametrize("word", ["nonsense=3", "cell_s=0", "cell_s=soon", "memory_mb=-1"])
def test_a_limit_that_is_none_is_refused(word: str) -> None:
    found = CliRunner().invoke(cli, ["examples/submissions", "--limit", word])

    assert "limit" in str(found.exception)


# ---------------------------------------------------------------- what a notebook holds

HOLDS = """
import os, numpy as np
kinds = []
for fd in sorted(map(int, os.listdir('/proc/self/fd'))):
    try:
        kinds.append((fd, os.readlink(f'/proc/self/fd/{fd}')))
    except OSError:
        pass
standard = np.array([dict(kinds)[0] == '/dev/null'])
pipes = np.array([sum(place.startswith('pipe:') for fd, place in kinds)])
files = np.array([sum(place.startswith('/') for fd, place in kinds if fd > 2)])
try:
    open('/dev/tty', 'w')
    terminal = np.array([1])
except OSError:
    terminal = np.array([0])
"""


@pytest.mark.kernel
def test_a_notebook_holds_no_descriptor_but_those_of_its_questions(
    environment: sandbox.Environment,
) -> None:
    for parent in opened_at(IsolationLevel.FULL, environment):
        parent.preload(())
        found = run(parent, HOLDS)
        # Questions and answers, its progress, and both ends of what leads 1 and 2 to its output.
        assert found == {"standard": 1, "pipes": 3 + 2 * 3, "files": 0, "terminal": 0}


@pytest.mark.kernel
def test_two_notebooks_at_once_leave_each_other_nothing(environment: sandbox.Environment) -> None:
    leave = (
        "import os\n"
        "for folder in ('/tmp', '/dev/shm', '.', os.path.expanduser('~')):\n"
        "    open(folder + '/left', 'w').write('x')\n"
    )
    find = (
        "import os, numpy as np\n"
        "left = np.array([sum(os.path.exists(folder + '/left') for folder in\n"
        "    ('/tmp', '/dev/shm', '.', os.path.expanduser('~')))])\n"
        "seen = np.array([len([n for n in os.listdir('/proc') if n.isdigit()])])\n"
    )
    for parent in opened_at(IsolationLevel.FULL, environment):
        parent.preload(())
        setup = kernel.KernelSetup(fork_server=parent, seed=1, record=(), limits=Limits())
        with kernel.start_kernel(setup) as first:
            record = first.run((Cell(index=0, kind="code", source=leave),), blank=frozenset())
            assert record.cells[0].status is CellStatus.RAN, record.cells[0].error
            found = run(parent, find)

        assert found["left"] == 0
        assert found["seen"] == 2  # its runner and itself
