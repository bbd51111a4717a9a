"""Nobody sits at the keyboard: `input()` is answered, debuggers go on, and nothing waits."""

from __future__ import annotations

import pytest
from neutralized import call, failures, notebooks, numbers

from grader.sandbox import IsolationLevel

pytestmark = pytest.mark.kernel

ANSWERED = "input() was answered with '1'"
PASSED_OVER = "A debugger was passed over: nobody is there to use it."
ANSWERS = (
    "assert int(input('How many? ')) == float(input()) == 1",
    "a, b = map(float, input('Two numbers: ').split()); assert (a, b) == (1, 1)",
    "a, b, c = [int(word) for word in input().split(',')]; assert c == 1",
    "def ask():\n    first, *rest = input().split(';')\n    return first\nassert ask() == '1'",
    "numbers = [int(word) for word in input('Three numbers: ').split()]\na, b, c = numbers",
    "words = input().split(','); x = 1\nassert int(words[1]) + int(words[0]) == 2",
    "count = 0\nwhile input() != 'q': count += 1\nassert count > 50",
    "while input('Again? (y/n) ') not in ('y', 'n'): pass",
    "numbers = []\nwhile word := input(): numbers.append(int(word))\nassert set(numbers) == {1}",
    "import threading; t = threading.Thread(target=input); t.start(); t.join()",
    "from getpass import getpass; assert getpass('Password: ') and getpass()",
)
DEBUGGERS = (
    "breakpoint(); x = 1",
    "import pdb; pdb.set_trace(); x = 2",
    "from pdb import set_trace; set_trace(); assert x == 2",
    "pdb.Pdb().set_trace(); x = 3",
    "def f(z):\n    breakpoint()\n    return 1 / z\nassert f(1) == 1",
    "try: f(0)\nexcept ZeroDivisionError: pdb.post_mortem()",
    "pdb.run('x = 4'); pdb.runcall(f, 1)",
    "%debug f(1)",
    "%%debug\nx = 5",
    "import ipdb; ipdb.set_trace()\nwith ipdb.launch_ipdb_on_exception(): x = 6",
    "from IPython.core.debugger import set_trace, Pdb; set_trace(); Pdb().set_trace()",
    "import IPython; IPython.embed(); assert x == 6",
)
QUIET = (
    "import sys; assert sys.stdin.readline() == sys.stdin.read() == '' and not list(sys.stdin)",
    "import code; code.interact()",
)
LATER = """
import numpy as np
from getpass import getpass as hidden
def later():
    breakpoint()
    a, b = map(float, input().split())
    return np.array([a, b, float(hidden()), float(input())])
"""


def test_whatever_waits_for_a_person_goes_on() -> None:
    post_mortem = ("%pdb on\nf(0)", "%pdb off", "f(0)", "%debug", "while True: input()")
    sources = (*ANSWERS, *DEBUGGERS, *QUIET, LATER, *post_mortem)
    with (
        notebooks(IsolationLevel.NONE) as started,
        started.run(*sources) as (record, live),
    ):
        notes = [run.notes for run in record.cells]
        later = live.ask((call("later"),))["later"]

    assert failures(record, sources).keys() == {post_mortem[0], post_mortem[2], post_mortem[4]}
    assert numbers(later) == [1, 1, 1, 1]
    assert set(notes[: len(ANSWERS) - 1]) == {(ANSWERED,)}
    assert notes[len(ANSWERS) - 1] == ("getpass() was answered with '1'",)
    assert set(notes[len(ANSWERS) : len(ANSWERS) + len(DEBUGGERS)]) == {(PASSED_OVER,)}
    assert max(run.seconds for run in record.cells) < 10
    last = record.cells[-1].error
    assert last is not None
    assert (last.name, last.message[:5]) == ("EOFError", "input")
