"""A notebook may write where it may on its own computer, at every level."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from live_notebook import LEVELS, Outcome, fork_server, run_and_ask

pytestmark = pytest.mark.kernel

SOURCES = (
    "import os, resource, sqlite3, tempfile\nimport numpy as np\nfrom pathlib import Path",
    "open('/tmp/a.txt', 'w').write('a')\nassert open('/tmp/a.txt').read() == 'a'",
    "os.makedirs('/tmp/data/deep', exist_ok=True)\nassert os.listdir('/tmp/data') == ['deep']",
    "Path('/tmp/p.txt').write_text('p')\nassert Path('/tmp/p.txt').exists()",
    "np.save('/dev/shm/x.npy', np.ones(2))\nassert np.load('/dev/shm/x.npy').sum() == 2",
    "connection = sqlite3.connect('/tmp/x.db'); connection.execute('create table t(x)')",
    "n = 3\nopen(f'/tmp/part{n}', 'w').write('p')\nassert os.path.exists('/tmp/part3')",
    "!echo shell > /tmp/s.txt && cat /tmp/s*.txt\nassert open('/tmp/s.txt').read() == 'shell\\n'",
    "%%bash\necho bash > /tmp/b.txt\n",
    "assert open('/tmp/b.txt').read() == 'bash\\n'",
    "assert not os.path.exists('/tmp/none') and '/tmpfoo' != '/tmp'",
    "with tempfile.NamedTemporaryFile() as file: file.write(b'x')",
    "with tempfile.TemporaryDirectory() as folder: Path(folder, 'x').write_text('x')",
    "(Path.home() / 'x').write_text('x'); open(os.path.expanduser('~/y'), 'w').write('y')",
    "assert open('/proc/self/maps').read() and open('/proc/cpuinfo').read()",
    "resource.setrlimit(resource.RLIMIT_STACK, resource.getrlimit(resource.RLIMIT_STACK))",
    "import threadpoolctl; threadpoolctl.threadpool_info()",
    "def asked(x):\n    open('/tmp/asked', 'w').write('a')\n    return x",
)


@pytest.fixture(scope="module", params=LEVELS)
def outcome(request: pytest.FixtureRequest) -> Iterator[Outcome]:
    with fork_server(request.param) as server:
        yield run_and_ask(server, SOURCES, "asked")


def test_files_are_written_where_notebooks_write_them(outcome: Outcome) -> None:
    assert outcome.failures(SOURCES) == {}
    assert outcome.answers["asked"].status == "ok"
    assert [run.notes for run in outcome.record.cells if run.notes] == []
