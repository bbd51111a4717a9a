"""What all tests share: those that start no kernel must not start one."""

from __future__ import annotations

import pytest
from levels import offered

from grader import sandbox


def pytest_report_header() -> str:
    """Which levels of isolation the attacks run at."""
    note = "" if len(offered()) > 1 else " (the command has no --isolation yet)"
    return f"attacks run at isolation: {', '.join(offered())}{note}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the soak out unless it is asked for."""
    if "soak" not in config.getoption("markexpr"):
        skip = pytest.mark.skip(reason="`make soak` runs it")
        for item in items:
            if item.get_closest_marker("soak"):
                item.add_marker(skip)


@pytest.fixture(autouse=True)
def _no_kernel_unless_marked(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if request.node.get_closest_marker("kernel") is None:
        monkeypatch.setattr(sandbox, "start_fork_server", _refuse)


def _refuse(*_: object, **__: object) -> None:
    pytest.fail("this test starts a notebook's process: mark it `kernel`")
