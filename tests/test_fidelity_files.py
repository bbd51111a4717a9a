"""A notebook may write, and start processes, as on its own computer, at every level."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from live_notebook import LEVELS, Outcome, fork_server, run_and_ask

pytestmark = pytest.mark.kernel

CHILD = """
if __name__ == '__main__':
    with mp.Pool(1) as pool, mp.Lock(): print(pool.map(double, [2]))
"""
NOTED = {
    "_, most = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
    "resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 30, most))": (
        "A limit of the system was set as high as it may be where notebooks are graded."
    ),
    "import matplotlib; matplotlib.use('TkAgg')\nimport matplotlib.pyplot as plt; plt.plot([1])": (
        "matplotlib's TkAgg was answered with inline figures"
    ),
}
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
    "%%writefile tool.py\n#!/usr/bin/env python\nimport numpy; print(numpy.__version__)",
    (
        "!chmod +x tool.py && ./tool.py > version.txt\n"
        "assert open('version.txt').read().strip() == np.__version__"
    ),
    (
        "import pwd, grp; user = pwd.getpwuid(os.getuid())\n"
        "assert pwd.getpwnam(user.pw_name).pw_uid == os.getuid() and Path(user.pw_dir).is_dir()\n"
        "assert Path('tool.py').owner() == user.pw_name and grp.getgrgid(os.getgid()).gr_name"
    ),
    "os.makedirs('/var/tmp/hw', exist_ok=True); open('/var/tmp/hw/x', 'w').write('x')",
    "assert 'TORCHINDUCTOR_CACHE_DIR' not in os.environ and 'TRITON_CACHE_DIR' not in os.environ",
    "from IPython.core.display import display, HTML; display(HTML('<b>x</b>'))",
    "from IPython.display import set_matplotlib_formats; get_ipython().magic('who_ls')",
    "import argparse\nreader = argparse.ArgumentParser(); _ = reader.add_argument('-f')",
    "assert reader.parse_args().f.endswith('.json')",
    "%%writefile par.py\nimport multiprocessing as mp\ndef double(x): return 2 * x\n" + CHILD,
    "import subprocess, sys; print(subprocess.check_output([sys.executable, 'par.py']))",
    "lines = !python par.py\nassert lines == ['[4]'], lines",
    "import par, multiprocessing as mp; spawn = mp.get_context('spawn')",
    "with spawn.Pool(1) as p: assert p.map(par.double, [1]) == [2]",
    "q = spawn.Queue(); p = spawn.Process(target=q.put, args=[3]); p.start(); assert q.get() == 3",
    "from joblib import Parallel, delayed",
    "assert Parallel(2, backend='loky')(delayed(lambda x: -x)(n) for n in range(2)) == [0, -1]",
    *NOTED,
    "def asked(x):\n    open('/tmp/asked', 'w').write('a')\n    return x",
)


@pytest.fixture(scope="module", params=LEVELS)
def outcome(request: pytest.FixtureRequest) -> Iterator[Outcome]:
    with fork_server(request.param) as server:
        yield run_and_ask(server, SOURCES, "asked")


def test_files_are_written_where_notebooks_write_them(outcome: Outcome) -> None:
    assert outcome.failures(SOURCES) == {}
    assert outcome.answers["asked"].status == "ok"
    notes = [run.notes for run in outcome.record.cells if run.notes]
    assert notes == [(note,) for note in NOTED.values()]
