"""Notebooks with one odd thing each in a right solution, by the kind of thing, all invented."""

from __future__ import annotations

from dataclasses import dataclass

from tiny_course import RUBRIC, SOLUTION

FIRST, *OTHERS = (source.format(scale=0.5, number=0) for source in SOLUTION)
BEFORE = (FIRST, "def asked(x): return 2 * x")
"""What stands before the odd cells."""
POINTS = 12
"""What the right solution is worth."""

FIDELITY_RUBRIC = (
    RUBRIC.replace("total = 10", "total = 12")
    + """
[[item]]
id = "C"
title = "A function"
points = 2
kind = "auto"
source = "handout"

[[item.check]]
code = "FUN002"
points = 2
public = true
needs = []
[item.check.params]
function = "asked"
tensors = false
calls = [[{{ shape = [4] }}], [{{ shape = [2, 3] }}]]
"""
)
"""The tiny course's, and a function that is asked for twice its argument."""


@dataclass(frozen=True, slots=True)
class Odd:
    """Cells that stand behind the imports, before all that is judged."""

    cells: tuple[str, ...]
    fails: int = 0
    """How many of them should not run to their end."""
    waits: float = 0.0
    """Points that wait for us, since a package is missing."""
    differs: str = ""
    """Why a plain run in Jupyter raises in other cells."""
    never_plain: str = ""
    """Why it is not run plainly at all."""

    def notebook(self) -> tuple[str, ...]:
        """The whole notebook's cells."""
        return (*BEFORE, *self.cells, *OTHERS)

    def place(self, index: int) -> str:
        """Which of the odd cells the cell at an index is, from 1; any other by its own words."""
        place = index - len(BEFORE)
        return str(place + 1) if 0 <= place < len(self.cells) else f"`{self.notebook()[index]}`"

    def points(self) -> float:
        """What an ordinary right notebook with as many failing cells earns."""
        count = len(self.notebook())
        runs = min(5.0, 6 * (count - self.fails) / count) if self.fails else 6.0
        return POINTS - 6 + (0 if self.waits else runs)


def odd(
    *cells: str,
    fails: int = 0,
    waits: float = 0.0,
    differs: str = "",
    never_plain: str = "",
) -> Odd:
    """Odd cells."""
    return Odd(cells, fails, waits, differs, never_plain)


ENDS = "Jupyter's kernel ends here or soon after, with cells behind; here that cell fails alone"
NO_GPU = "without a GPU it raises in Jupyter; here it means the CPU"
NO_KEYBOARD = "nobody answers in a plain run, so it raises; here `1` is answered"
NO_HOST = "there is no Colab and no Kaggle in a plain run, so it raises; here it is stood in for"
MISSING = "an import of a missing package raises in Jupyter; here what uses it does"
INSTALLS = "it installs; no test of ours does that"

CORPUS: dict[str, tuple[Odd, ...]] = {
    "1 ends of kernels": (
        odd("exit()", fails=1, differs=ENDS),
        odd("quit()", fails=1, differs=ENDS),
        odd("import sys; sys.exit('done')", fails=1),
        odd("get_ipython().ask_exit()", fails=1, differs=ENDS),
        odd("get_ipython().kernel.do_shutdown(True)", fails=1, differs=ENDS),
        odd("import os", "if not os.path.exists('gpu'):\n    exit()", fails=1, differs=ENDS),
        odd("import os; os._exit(1)", fails=1, differs=ENDS),
        odd("import ctypes; ctypes.string_at(0)", fails=1, differs=ENDS),
        odd("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", fails=1, differs=ENDS),
    ),
    "2 questions as the notebook would ask": (
        odd(
            "import sqlite3\nc = sqlite3.connect(':memory:')",
            "def asked(x): return x * c.execute('select 2.0').fetchone()[0]",
        ),
        odd(
            "from concurrent.futures import ThreadPoolExecutor\np = ThreadPoolExecutor(2)\n"
            "list(p.map(abs, [1]))",
            "def asked(x): return np.array(list(p.map(lambda row: 2 * row, x)))",
        ),
        odd(
            "from concurrent.futures import ProcessPoolExecutor\np = ProcessPoolExecutor(2)\n"
            "list(p.map(abs, [1]))",
            "def asked(x): return x + np.array(list(p.map(np.positive, x)))",
        ),
        odd(
            "import multiprocessing as mp\np = mp.Pool(2); p.map(abs, [1])",
            "def asked(x): return x + np.array(p.map(np.positive, list(x)))",
        ),
        odd(
            "from joblib import Parallel, delayed",
            "def asked(x): return 2 * np.array(Parallel(2)(delayed(np.positive)(r) for r in x))",
        ),
        odd(
            "import asyncio, threading\nloop = asyncio.new_event_loop()\n"
            "threading.Thread(target=loop.run_forever, daemon=True).start()",
            "async def double(x): return 2 * x\n"
            "def asked(x): return asyncio.run_coroutine_threadsafe(double(x), loop).result()",
        ),
        odd(
            "import threading\nown = threading.local(); own.two = 2",
            "def asked(x): return own.two * x",
        ),
        odd(
            "import decimal\ndecimal.getcontext().prec = 1",
            "def asked(x): return x * float(decimal.Decimal('1.96') + 0)",
        ),
    ),
    "3 what walls forbid": (
        odd("!echo shell", "lines = !echo kept\nassert lines == ['kept']"),
        odd("import multiprocessing as mp\nwith mp.Pool(2) as p: p.map(abs, [1, 2])"),
        odd("import multiprocessing as mp\nwith mp.Lock(): q = mp.Queue(); q.put(1); q.get()"),
        odd(
            "%%writefile pooled.py\nimport multiprocessing as mp\n"
            "with mp.Pool(1) as p: p.map(abs, [1])",
            "import subprocess, sys\nsubprocess.check_call([sys.executable, 'pooled.py']);",
        ),
        odd("open('/tmp/fidelity-a.txt', 'w').write('a'); open('/tmp/fidelity-a.txt').read()"),
        odd("np.save('/dev/shm/fidelity-a.npy', np.ones(2)); np.load('/dev/shm/fidelity-a.npy')"),
        odd("import tempfile\nwith tempfile.NamedTemporaryFile() as f: f.write(b'x')"),
        odd("from sklearn.cluster import KMeans\nKMeans(2, n_init=1).fit(np.eye(4));"),
        odd(
            "import torch; from torch.utils.data import DataLoader",
            "list(DataLoader(torch.arange(4), num_workers=2));",
        ),
    ),
    "4 missing packages": (
        odd("import pycaret", differs=MISSING),
        odd("import pycaret as p", "def f(x: p.DataFrame): return x", differs=MISSING),
        odd("import pycaret as p", "p.setup(1)", fails=1, waits=6, differs=MISSING),
        odd("try: import pycaret\nexcept ImportError: pycaret = None"),
        odd("import sys, importlib.util\nassert importlib.util.find_spec('pycaret') is None"),
    ),
    "5 no GPU": (
        odd("import torch", "torch.ones(2).cuda();", differs=NO_GPU),
        odd("import torch", "torch.ones(2).to('cuda:0');", differs=NO_GPU),
        odd("import torch", "torch.ones(2, device='cuda');", differs=NO_GPU),
        odd("import torch", "d = torch.device('cuda:0')\ntorch.ones(2).to(d);", differs=NO_GPU),
        odd("import torch", "torch.zeros(2, device='mps');", differs=NO_GPU),
        odd(
            "import torch",
            "d = 'cuda' if torch.cuda.is_available() else 'cpu'\ntorch.ones(2).to(d);",
        ),
    ),
    "6 installers": (
        odd("!pip install -q nothing-of-ours", never_plain=INSTALLS),
        odd("%pip install -q nothing-of-ours", never_plain=INSTALLS),
        odd("%%bash\npip install nothing-of-ours && mkdir out", never_plain=INSTALLS),
        odd(
            "!pip install nothing-of-ours && mkdir out\nimport os; os.listdir('out');",
            never_plain=INSTALLS,
        ),
        odd(
            "import subprocess, sys\n"
            "subprocess.check_call([sys.executable, '-m', 'pip', 'install', 'nothing-of-ours']);",
            never_plain=INSTALLS,
        ),
        odd(
            "import os\nassert os.system('apt-get install -y nothing-of-ours') == 0",
            never_plain=INSTALLS,
        ),
    ),
    "7 input and debuggers": (
        odd("name = input('Your name? ')", differs=NO_KEYBOARD),
        odd("a, b = map(float, input().split())", differs=NO_KEYBOARD),
        odd("import getpass; getpass.getpass();", differs=NO_KEYBOARD),
        odd("while input('Another word? ') != 'q': pass", differs=NO_KEYBOARD),
        odd("def asked(x): return 2 * x * float(input())"),
        odd("breakpoint()"),
        odd("1 / 0", "%debug", fails=1, differs=NO_KEYBOARD),
    ),
    "8 Colab and Kaggle": (
        odd("try: import google.colab\nexcept ImportError: pass\nelse: raise ValueError"),
        odd("from google.colab import drive\ndrive.mount('/content/drive')", differs=NO_HOST),
        odd("from google.colab import userdata\nuserdata.get('KEY');", differs=NO_HOST),
        odd("np.save('/content/drive/MyDrive/a.npy', np.ones(2))", differs=NO_HOST),
        odd(
            "n = 1\nnp.save(f'/content/drive/MyDrive/hw/a{n}.npy', np.ones(2))",
            differs=NO_HOST,
        ),
        odd("open('/kaggle/working/a.txt', 'w').write('a');", differs=NO_HOST),
        odd("import os\nif os.path.exists('/content'): raise ValueError"),
    ),
    "9 the notebook's own Python": (
        odd(
            "%%writefile own.py\nprint('own')",
            "!python own.py",
            "!{__import__('sys').executable} own.py",
        ),
        odd(
            "%%writefile grader.py\nvalue = 2",
            "import grader\ndef asked(x): return grader.value * x",
        ),
        odd("%%writefile inside.py\nvalue = 2", "import inside\nassert inside.value == 2"),
        odd(
            "import argparse\np = argparse.ArgumentParser(); p.add_argument('-f')\np.parse_args();",
            differs="nbconvert gives its kernel one argument more than Jupyter does",
        ),
        odd("import shutil, sys\nassert shutil.which('python')"),
    ),
    "10 output of child processes": (
        odd("import subprocess\nsubprocess.run(['echo', 'child']);"),
        odd("import subprocess, sys\nsubprocess.run(['echo', 'child'], stdout=sys.stdout);"),
        odd("import os\nos.system('echo system');"),
        odd("import os\nos.write(1, b'descriptor');"),
    ),
    "11 limits of the host": (
        odd("import resource as r\nr.setrlimit(r.RLIMIT_STACK, r.getrlimit(r.RLIMIT_STACK))"),
        odd(
            "import resource as r\n_, hard = r.getrlimit(r.RLIMIT_NOFILE)\n"
            "r.setrlimit(r.RLIMIT_NOFILE, (hard, hard))"
        ),
        odd("import sys\nsys.setrecursionlimit(5000)"),
    ),
    "12 load": (
        odd("print('\\ud800')"),
        odd("for n in range(3000): print(n)"),
        odd("import threading, time\nthreading.Thread(target=time.sleep, args=[1]).start()"),
    ),
}
"""Odd cells by the kind of thing; other kinds need more than a notebook."""

ELSEWHERE = {
    "2 questions as the notebook would ask": "all of them: `tests/test_fidelity_questions.py`",
    "11 limits of the host": (
        "`ulimit`, a container's memory, a shared drive: `tests/test_limits.py`, `test_stores.py`"
    ),
    "12 load": "a busy computer, limits: `tests/test_fidelity_load.py`",
    "13 files that vanish": "a folder is the input: `tests/test_layouts.py`, `test_submissions.py`",
    "14 Windows and pipes": "a terminal is the input: `tests/test_cli_encoding.py`",
}
"""What is tested with other inputs."""


def named() -> dict[str, Odd]:
    """The corpus by names of files."""
    return {
        name_of(kind, place): entry
        for kind, entries in CORPUS.items()
        for place, entry in enumerate(entries)
    }


def name_of(kind: str, place: int) -> str:
    """The file's name of an entry."""
    return f"kind-{int(kind.partition(' ')[0]):02}-{place + 1}"
