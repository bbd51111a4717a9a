"""Set what holds for all tests: which may start kernels, which are slow, which run together."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator

import pytest
from levels import offered

STARTS_KERNEL = ("fork_server.py", "grader.selfcheck.check_kernel", "ipykernel_launcher")
"""Programs that are a notebook's process, or that start one."""
RUNS_NOTEBOOKS = {"run", "check", "validate", "release"}
"""Commands of `grade` that start a kernel."""
SHARED = {"session", "package", "module", "class"}
"""Scopes of fixtures that several tests share."""

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
    """Watch which programs tests start, and heed Ctrl-C."""
    config.stash[_running] = None
    sys.addaudithook(lambda event, args: _refuse_kernels(config, event, args))
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # A shell that starts us in the background ignores it, and all our children would inherit
        # that, among them those that tests interrupt.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header(config: pytest.Config) -> str:
    """Say which levels of isolation the attacks run at, and which slow tests run."""
    return f"isolation: {', '.join(offered())}; slow tests: {config.getoption('slow')}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave slow tests out, put together what shares fixtures, and begin with what takes long."""
    for item in items:
        if group := _group(item):
            item.add_marker(pytest.mark.xdist_group(group))
    deselected = _slow_tests_not_asked_for(config, items)
    config.hook.pytest_deselected(items=deselected)
    left = [item for item in items if item not in deselected]
    # Kernels mostly wait, so they go first and what needs the processor fills the gaps.
    items[:] = sorted(left, key=lambda item: item.get_closest_marker("kernel") is None)


def _group(item: pytest.Item) -> str:
    """Name the tests that one worker runs together; '' for a test that may run anywhere.

    Tests with kernels that share no fixture are spread; all others stay with their file.
    """
    if item.get_closest_marker("xdist_group"):
        return ""
    definitions = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]  # noqa: SLF001 (nothing public tells)
    shared = [
        name
        for name, versions in definitions.items()
        if any(fixture.scope in SHARED and fixture.baseid for fixture in versions)
    ]
    if item.get_closest_marker("kernel") and not shared:
        return ""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    variants = [str(parameters[name]) for name in shared if name in parameters]
    return "-".join([item.path.stem, *variants])


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
    names = {item: _slow_part(item) for item in slow}
    order = sorted(set(names.values()))
    chosen = set(order[int(part) - 1 :: int(parts)])
    return {*soak, *(item for item in slow if names[item] not in chosen)}


def _slow_part(item: pytest.Item) -> str:
    """Name what is left out or run as a whole: a group, or a test in none."""
    group = item.get_closest_marker("xdist_group")
    return str(group.args[0]) if group else item.nodeid


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
