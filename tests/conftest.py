"""Set what holds for all tests: which may start kernels, which are slow, which run together."""

from __future__ import annotations

import contextlib
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from levels import offered

STARTS_KERNEL = ("fork_server.py", "grader.selfcheck.check_kernel", "ipykernel_launcher")
"""Programs that are a notebook's process, or that start one."""
RUNS_NOTEBOOKS = {"run", "check", "validate", "release"}
"""Commands of `grade` that start a kernel."""
SPREAD = {
    "test_rerun",
    "test_people_runs",
    "test_rerun_marks",
    "test_parent",
    "test_selfcheck_files",
}
"""Files whose tests take long and share no fixture: any worker may run any of them."""
BY_LEVEL = {
    "test_attacks",
    "test_limits",
    "test_belongings",
    "test_installers",
    "test_hosted_notebooks",
    "test_own_files",
    "test_fidelity_corpus",
    "test_fidelity_homework",
}
"""Files whose fixtures are made for each level of isolation."""
ANY_PART = {*SPREAD, "test_variants"}
"""Files of whose slow tests each takes its own turn."""
LEVEL = re.compile(r"(?<=[\[-])(none|reduced|namespaces|full)(?=[\]-])")

_running = pytest.StashKey[pytest.Item | None]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let slow tests be asked for."""
    parser.addoption(
        "--slow",
        default="none",
        metavar="none|all|I/K",
        help="tests marked slow to run as well: none, all, or the I-th of K parts",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Watch which programs tests start, heed Ctrl-C, and let no test fail by the clock."""
    with contextlib.suppress(ImportError):
        from hypothesis import settings  # noqa: PLC0415 (not installed everywhere)

        if settings().deadline is not None:  # the mutants' runs have a profile of their own
            settings.register_profile("any machine", deadline=None)
            settings.load_profile("any machine")
    config.stash[_running] = None
    sys.addaudithook(lambda event, args: _refuse_kernels(config, event, args))
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # A shell that starts us in the background ignores it, and all our children would inherit
        # that, among them those that tests interrupt.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header(config: pytest.Config) -> str:
    """Say which levels of isolation the attacks run at, and which slow tests run."""
    return f"isolation: {', '.join(offered())}; slow tests: {config.getoption('slow')}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave slow tests out, and begin with what takes long."""
    deselected = _slow_tests_not_asked_for(config, items)
    config.hook.pytest_deselected(items=deselected)
    left = [item for item in items if item not in deselected]
    # Kernels mostly wait, so they go first and what needs the processor fills the gaps.
    items[:] = sorted(left, key=lambda item: item.get_closest_marker("kernel") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Give each worker one group of tests after another (where pytest-xdist is installed)."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 (not installed everywhere)

    class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    return GroupScheduling(config, log)


def group(nodeid: str) -> str:
    """Name the tests that one worker runs together, since they share fixtures.

    That is a test's file, or the part of it for one level of isolation. The mark `xdist_group`
    would say it at the test, but pytest-xdist 3.8 does not see it under pytest 9.2.
    """
    file, _, test = nodeid.partition("::")
    stem = Path(file).stem
    if stem in SPREAD:
        return nodeid
    if stem in BY_LEVEL and (level := LEVEL.search(test)):
        return f"{stem}-{level[0]}"
    return stem


def _slow_tests_not_asked_for(config: pytest.Config, items: list[pytest.Item]) -> set[pytest.Item]:
    asked = str(config.getoption("slow"))
    slow = [item for item in items if item.get_closest_marker("slow")]
    soak = {item for item in items if item.get_closest_marker("soak")}
    if asked == "all":
        return set()
    if "soak" in config.getoption("markexpr"):
        soak = set()
    if asked == "none":
        return {*slow, *soak}
    part, _, parts = asked.partition("/")
    names = {item: _turn(item.nodeid) for item in slow}
    order = sorted(set(names.values()))
    chosen = set(order[int(part) - 1 :: int(parts)])
    return {*soak, *(item for item in slow if names[item] not in chosen)}


def _turn(nodeid: str) -> str:
    """Name the slow tests that take their turn together."""
    stem = Path(nodeid.partition("::")[0]).stem
    return nodeid if stem in ANY_PART else group(nodeid)


@pytest.fixture(autouse=True)
def _no_kernel_unless_marked(request: pytest.FixtureRequest) -> Iterator[None]:
    request.config.stash[_running] = request.node
    yield
    request.config.stash[_running] = None


def _refuse_kernels(config: pytest.Config, event: str, args: tuple[object, ...]) -> None:
    """End an unmarked test that starts a notebook's process, here or by way of the command."""
    if event != "subprocess.Popen":
        return
    item = config.stash[_running]
    if item is None or item.get_closest_marker("kernel") or item.get_closest_marker("browser"):
        return
    words = [str(word) for word in args[1]]  # type: ignore[attr-defined]
    program = next((word for word in words if word.endswith(STARTS_KERNEL)), "")
    if program or _runs_notebooks(words):
        pytest.fail(f"this test starts a notebook's process ({' '.join(words)}): mark it `kernel`")


def _runs_notebooks(words: list[str]) -> bool:
    if words[1:3] != ["-m", "grader"]:
        return False
    command = next((word for word in words[3:] if not word.startswith("-")), "")
    return command in RUNS_NOTEBOOKS
