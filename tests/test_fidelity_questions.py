"""Functions answer questions as they would answer a cell of their own notebook, at every level."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from live_notebook import LEVELS, Outcome, fork_server, run_and_ask

from grader.model import Limits
from grader.sandbox import IsolationLevel

pytestmark = pytest.mark.kernel

IMPORTS = """
import asyncio, decimal, os, queue, signal, sqlite3, subprocess, sys, threading, time
import multiprocessing as mp
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.pool import ThreadPool
import numpy as np
"""
FUNCTIONS = {
    "database": (
        """
connection = sqlite3.connect(':memory:')
connection.execute('create table t(x)'); connection.execute('insert into t values(3)')
def database(x): return np.array(connection.execute('select x from t').fetchall(), float)
""",
        [[3.0]],
    ),
    "threads": (
        """
pool = ThreadPoolExecutor(2); list(pool.map(abs, [1, 2]))
def threads(x): return np.array(list(pool.map(abs, x)))
""",
        [1.0, 2.0],
    ),
    "processes": (
        """
workers = ProcessPoolExecutor(2); list(workers.map(abs, [1, 2]))
def processes(x): return np.array(list(workers.map(abs, list(x))))
""",
        [1.0, 2.0],
    ),
    "process_pool": (
        """
mp_pool = mp.Pool(2); mp_pool.map(abs, [1, 2])
def process_pool(x): return np.array(mp_pool.map(abs, list(x)))
""",
        [1.0, 2.0],
    ),
    "thread_pool": (
        """
thread_workers = ThreadPool(2); thread_workers.map(abs, [1])
def thread_pool(x): return np.array(thread_workers.map(abs, list(x)))
""",
        [1.0, 2.0],
    ),
    "own_process": (
        """
def own_process(x):
    results = mp.Queue()
    process = mp.Process(target=results.put, args=(3.0,)); process.start()
    value = results.get(); process.join()
    return np.array([value])
own_process(1)
""",
        [3.0],
    ),
    "loop_in_thread": (
        """
loop = asyncio.new_event_loop(); threading.Thread(target=loop.run_forever, daemon=True).start()
async def double(x): return x * 2
def loop_in_thread(x): return asyncio.run_coroutine_threadsafe(double(x), loop).result()
loop_in_thread(1)
""",
        [-2.0, 4.0],
    ),
    "worker_thread": (
        """
requests, results = queue.Queue(), queue.Queue()
def work():
    while True: results.put(requests.get() * 2)
threading.Thread(target=work, daemon=True).start()
def worker_thread(x):
    requests.put(x)
    return results.get()
worker_thread(1)
""",
        [-2.0, 4.0],
    ),
    "impatient": (
        """
impatient_loop = asyncio.new_event_loop()
threading.Thread(target=impatient_loop.run_forever, daemon=True).start()
async def triple(x): return x * 3
def impatient(x):
    return asyncio.run_coroutine_threadsafe(triple(x), impatient_loop).result(timeout=0.5)
impatient(1)
""",
        [-3.0, 6.0],
    ),
    "impatient_worker": (
        """
jobs, done = queue.Queue(), queue.Queue()
def serve_jobs():
    while True: done.put(jobs.get() * 2)
server = threading.Thread(target=serve_jobs, daemon=True); server.start()
def impatient_worker(x):
    assert server.is_alive()
    jobs.put(x)
    return done.get(timeout=0.5)
impatient_worker(1)
""",
        [-2.0, 4.0],
    ),
    "heartbeat": (
        """
beat = threading.Event()
def heart():
    while True: beat.set(); time.sleep(0.02); beat.clear(); time.sleep(0.02)
threading.Thread(target=heart, daemon=True).start()
def heartbeat(x):
    if not beat.wait(0.5): raise RuntimeError('nothing beats')
    return x
""",
        [-1.0, 2.0],
    ),
    "child_alive": (
        """
child = mp.Process(target=time.sleep, args=(600,), daemon=True); child.start()
program = subprocess.Popen(['sleep', '600'])
def child_alive(x):
    assert child.is_alive() and os.waitpid(program.pid, os.WNOHANG) == (0, 0)
    return x
child_alive(1)
""",
        [-1.0, 2.0],
    ),
    "own_pid": (
        """
PID = os.getpid()
def own_pid(x):
    assert os.getpid() == PID, 'only in the main process'
    return x
""",
        [-1.0, 2.0],
    ),
    "coroutine": (
        "async def coroutine(x):\n    await asyncio.sleep(0.01)\n    return x * 3",
        [-3.0, 6.0],
    ),
    "precision": (
        """
decimal.getcontext().prec = 5
def precision(x): return np.array([float(decimal.Decimal(1) / decimal.Decimal(3))])
""",
        [0.33333],
    ),
    "errors": (
        """
np.seterr(all='raise')
def errors(x):
    try: return np.ones(1) / np.zeros(1)
    except FloatingPointError: return np.array([7.0])
""",
        [7.0],
    ),
    "thread_local": (
        "own = threading.local(); own.v = 5.0\ndef thread_local(x): return np.array([own.v])",
        [5.0],
    ),
    "main_thread": (
        """
def main_thread(x):
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # a ValueError in any other thread
    return np.array([float(threading.current_thread() is threading.main_thread())])
""",
        [1.0],
    ),
    "command": (
        """
def command(x):
    shown = subprocess.run(['echo', '4'], capture_output=True, text=True).stdout
    return np.array([float(shown)])
""",
        [4.0],
    ),
    "loop_within_a_loop": (
        """
async def triple_of(x): return x * 3
def loop_within_a_loop(x):
    coroutine = triple_of(x)
    try: return asyncio.run(coroutine)
    except RuntimeError: coroutine.close(); return np.array([9.0])
assert loop_within_a_loop(np.ones(1)) == 9  # a cell's loop runs
""",
        [9.0],
    ),
    "loop_of_another_thread": (
        """
def loop_of_another_thread(x):
    with ThreadPoolExecutor() as executor:
        return executor.submit(asyncio.run, triple_of(x)).result()
""",
        [-3.0, 6.0],
    ),
    "task": (
        """
def task(x):
    made = asyncio.get_running_loop().create_task(asyncio.sleep(0)); made.cancel()
    return np.array([float(made.done())])
""",
        [0.0],
    ),
    "interrupted_twice": (
        """
def interrupted_twice(x):
    with ThreadPoolExecutor() as executor:
        return np.array(list(executor.map(float, x)))
""",
        [-1.0, 2.0],
    ),
}


@pytest.fixture(scope="module", params=LEVELS)
def outcome(request: pytest.FixtureRequest) -> Iterator[Outcome]:
    sources = [IMPORTS, *(source for source, _ in FUNCTIONS.values())]
    with fork_server(request.param) as server:
        yield run_and_ask(server, sources, *FUNCTIONS, "gone")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_answers_as_in_a_cell(outcome: Outcome, name: str) -> None:
    assert outcome.failures([IMPORTS, *FUNCTIONS]) == {}
    answer = outcome.answers[name]
    assert (answer.status, answer.error) == ("ok", "")
    assert answer.arrays["out0"].tolist() == FUNCTIONS[name][1]


def test_a_function_that_is_not_there_is_missing(outcome: Outcome) -> None:
    assert outcome.answers["gone"].status == "missing"


LOADERS = (
    """
import torch
from torch.utils.data import DataLoader, TensorDataset
numbers = TensorDataset(torch.arange(4.0))
loader = DataLoader(numbers, batch_size=2, num_workers=2, persistent_workers=True)
assert [batch.tolist() for [batch] in loader] == [[0, 1], [2, 3]]
def persistent(x): return torch.cat([batch for [batch] in loader])
""",
    """
def fresh(x): return torch.cat([batch for [batch] in DataLoader(numbers, num_workers=1)])
""",
    """
from sklearn.cluster import KMeans
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
import numpy as np
points = np.arange(20.0).reshape(10, 2)
points[5:] += 100
def search(x):
    found = GridSearchCV(Ridge(), {'alpha': [1, 2]}, n_jobs=2, cv=2).fit(points, points[:, 0])
    return np.array([found.best_params_['alpha']])
def cluster(x):
    return np.sort(KMeans(2, n_init=1, random_state=0).fit(points).cluster_centers_, axis=0)
search(1), cluster(1)
""",
)
EXPECTED = {
    "persistent": [0, 1, 2, 3],
    "fresh": [0, 1, 2, 3],
    "search": [1],
    "cluster": [[4, 5], [114, 115]],
}


@pytest.mark.slow
@pytest.mark.parametrize("level", [IsolationLevel.FULL, IsolationLevel.REDUCED])
def test_loaders_and_estimators_with_workers_answer_as_in_a_cell(level: IsolationLevel) -> None:
    with fork_server(level) as server:
        outcome = run_and_ask(server, LOADERS, *EXPECTED)

    assert outcome.failures(LOADERS) == {}
    assert {answer.error for answer in outcome.answers.values()} == {""}
    values = {name: answer.arrays["out0"].tolist() for name, answer in outcome.answers.items()}
    assert values == EXPECTED


@pytest.mark.parametrize("level", LEVELS)
def test_what_a_function_changes_is_not_there_at_the_next_question(level: IsolationLevel) -> None:
    code = "calls = [0.0]\ndef count(x):\n    calls[0] += 1\n    return calls[0]\nagain = count"
    with fork_server(level) as server:
        outcome = run_and_ask(server, [code], "count", "again")

    assert [outcome.answers[name].arrays["out0"].item() for name in ("count", "again")] == [1, 1]


def test_a_function_that_never_ends_or_ends_all_ends_nothing_else() -> None:
    quick = Limits(cell_s=30, submission_s=60, question_s=1)
    sources = (
        "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()",
        "import os; PID = os.getpid()",
        "def forever(x):\n    while True: pass\ndef doubles(x): return 2 * x",
        "def ends_all(x):\n    if os.getpid() == PID: os._exit(3)\n    raise ValueError('a fork')",
    )
    with fork_server() as server:
        outcome = run_and_ask(server, sources, "ends_all", "forever", "doubles", limits=quick)

    ends_all = outcome.answers["ends_all"]
    assert (ends_all.status, ends_all.error) == ("raised", "ValueError: a fork")
    assert outcome.answers["forever"].status == "timed_out"
    assert outcome.answers["doubles"].arrays["out0"].tolist() == [-2.0, 4.0]
