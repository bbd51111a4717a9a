"""What all tests share: those that start no kernel must not start one."""

from __future__ import annotations

import pytest

from grader import sandbox


@pytest.fixture(autouse=True)
def _no_kernel_unless_marked(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if request.node.get_closest_marker("kernel") is None:
        monkeypatch.setattr(sandbox, "opened", _refuse)


def _refuse(**_: object) -> None:
    pytest.fail("this test starts a notebook's process: mark it `kernel`")
