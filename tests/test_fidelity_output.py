"""What a cell shows here is what Jupyter shows, whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from live_notebook import LEVELS, Outcome, fork_server, run_and_ask

pytestmark = pytest.mark.kernel

SHOWN = {
    "import ctypes, os, subprocess, sys\nprint('Python')": "Python",
    "subprocess.run(['echo', 'child']);": "child",
    "subprocess.run('echo error 1>&2', shell=True);": "error",
    "subprocess.run(['echo', 'stdout'], stdout=sys.stdout);": "stdout",
    "subprocess.Popen(['echo', 'stderr'], stderr=sys.stderr).wait();": "stderr",
    "os.system('echo system');": "system",
    "os.write(1, b'descriptor\\n');": "descriptor",
    "ctypes.CDLL(None).puts(b'C library'); ctypes.CDLL(None).fflush(None);": "C library",
    "import faulthandler; faulthandler.dump_traceback(all_threads=False)": "most recent call first",
    "!echo shell": "shell",
    "%%bash\necho bash": "bash",
    "!echo {[1 + 1]}": "[2]",
    "def shows():\n    word = 'inner'\n    !echo {word}\nshows()": "inner",
    "def keeps():\n    word = 'deep'\n    got = !echo $word\n    print(got)\nkeeps()": "['deep']",
    "lines = !echo kept\nprint(lines)": "['kept']",
    "get_ipython().system('exit 3')\nprint(_exit_code)": "3",
    "print('before'); os.system('echo between'); print('after');": "between",
    "for n in range(300): os.system(f'echo line {n}')": "line 299",
    "os.write(1, 'grüße'.encode());": "grüße",
    "os.write(2, b'\\xff\\xfe');": "\N{REPLACEMENT CHARACTER}",
    "print('\\ud800')": "?",
    "sys.stdout.write('\\udcff');": "\N{REPLACEMENT CHARACTER}",
    "display({'text/plain': 'plain \\ud800'}, raw=True)": "plain ?",
    "print('still here')": "still here",
}


@pytest.fixture(scope="module", params=LEVELS)
def outcome(request: pytest.FixtureRequest) -> Iterator[Outcome]:
    with fork_server(request.param) as server:
        yield run_and_ask(server, [*SHOWN, "raise ValueError('odd \\ud800')", "x = 1"])


def test_all_that_a_cell_writes_is_shown_in_that_cell(outcome: Outcome) -> None:
    assert outcome.failures([*SHOWN, "raises"]) == {"raises": "ValueError: odd ?"}
    for number, text in enumerate(SHOWN.values()):
        assert text in outcome.cell(number).shown
    assert all(run.seconds < 20 for run in outcome.record.cells)
