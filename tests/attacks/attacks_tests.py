"""Attacks on a course's own tests: a function of the notebook is out to pass one that it fails.

`ANSWER` stands for the attack's own name. Asked for the first squares, as most are, it is wrong.
"""

from __future__ import annotations

from attack import CourseAttack

SQUARES = "def ANSWER(n):\n    return [i * i for i in range(1, n + 1)]\n"
NUMBER = "def ANSWER(n):\n    return 14\n"
ARRAY = "import numpy as np\ndef ANSWER(n):\n    return np.arange(1, n + 1) ** 2\n"
TABLE = 'import pandas as pd\ndef ANSWER(n):\n    return pd.DataFrame({"n": [1, 4, 9]})\n'
TEXT = 'def ANSWER(n):\n    return "1 4 9"\n'
DOUBLED = "def ANSWER(x):\n    return 2 * x\n"
IS_14 = "def test_ANSWER(ANSWER):\n    assert abs(ANSWER(3) - 14) < 1e-6\n"
IS_REFERENCE = """
def test_ANSWER(ANSWER, reference, draw):
    x = draw.normal((4, 4))
    np.testing.assert_allclose(ANSWER(x), reference.ANSWER(x))
"""
PRELUDE = '''
import sys

import numpy
import pandas
import torch


def the_server():
    """Find what answers for the notebook, on the stack of who is asked."""
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "answer":
            return frame.f_locals["self"], frame.f_locals["header"]
        frame = frame.f_back


def forge(reply=None, *, body=None, number=True, again=1):
    """Send a reply of one's own in the place of what would be sent, and go on."""
    from inside import frames

    server, header = the_server()
    if body is None:
        body = frames.pack_body({**reply, **({"n": header["n"]} if number else {})})
    for _ in range(again):
        server.send(body)
    server.serve()


def the_nonce():
    """Find what the end of a conversation must echo."""
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "serve_conversation":
            return frame.f_locals["header"]["nonce"], frame.f_locals["out"]
        frame = frame.f_back


class Yes:
    """Agrees with everybody."""

    def __eq__(self, other): return True
    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__
    def __ne__(self, other): return False
    def __bool__(self): return True
    def __hash__(self): return 1
    def __getattr__(self, name): return self
    def __call__(self, *args, **options): return True
    def __len__(self): return 3
    def __iter__(self): return iter([self] * 3)
    def __getitem__(self, key): return self
    def __float__(self): return 14.0
    __int__ = __index__ = lambda self: 14
    def __sub__(self, other): return 0.0
    __rsub__ = __mod__ = __truediv__ = __sub__
    def __abs__(self): return 0.0
    def __array__(self, *args, **options):
        import numpy
        return numpy.array([1.0, 4.0, 9.0]) * 0
    def __reduce__(self): return (print, ("unpickled",))
    def __instancecheck__(self, other): return True
'''

LIARS = (
    CourseAttack(
        name="equals-all",
        tries="a list says that it equals anything",
        code="""
def ANSWER(n):
    class Grown(list):
        def __eq__(self, other): return True
    return Grown()
""",
    ),
    CourseAttack(
        name="says-yes",
        tries="an object answers every operation as it would please, and lies about its class",
        code="""
def ANSWER(n):
    class Claims(Yes):
        __class__ = list
    return Claims()
""",
    ),
    CourseAttack(
        name="lying-number",
        tries="a float is near every number",
        code="""
def ANSWER(n):
    class Near(float):
        def __eq__(self, other): return True
        def __sub__(self, other): return 0.0
        __rsub__ = __sub__
        def __abs__(self): return 0.0
        def __float__(self): return 14.0
    return Near(1)
""",
        honest=NUMBER,
        test=IS_14,
    ),
    CourseAttack(
        name="lying-integer",
        tries="a whole number is what `int`, `round` and `index` make of it",
        code="def ANSWER(n):\n    return Yes()\n",
        honest=NUMBER,
        test="def test_ANSWER(ANSWER):\n    assert round(ANSWER(3)) == int(ANSWER(3)) == 14\n",
    ),
    CourseAttack(
        name="lying-array",
        tries="an array's comparisons, `__array__` and ufuncs agree with everything",
        code="""
def ANSWER(n):
    import numpy as np

    class Agrees(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *inputs, **options): return np.ones(3, bool)
        def __array__(self, *args, **options): return np.array([7.0, 7.0, 7.0])
        def __eq__(self, other): return np.ones(3, bool)
        def all(self, *args, **options): return True
    return np.zeros(3).view(Agrees)
""",
        honest=ARRAY,
        test="def test_ANSWER(ANSWER):\n    assert (ANSWER(3) == np.array([1, 4, 9])).all()\n",
    ),
    CourseAttack(
        name="masked-array",
        tries="an array is masked, and so differs from nothing",
        code="""
def ANSWER(n):
    import numpy as np
    return np.ma.masked_all(n)
""",
        honest=ARRAY,
        test="def test_ANSWER(ANSWER):\n    np.testing.assert_allclose(ANSWER(3), [1, 4, 9])\n",
    ),
    CourseAttack(
        name="structured-array",
        tries="an array of records has a field for what it is asked",
        code="""
def ANSWER(n):
    import numpy as np
    return np.zeros(3, dtype=[("shape", "i4"), ("all", "O")])
""",
        honest=ARRAY,
        test="def test_ANSWER(ANSWER):\n    np.testing.assert_array_equal(ANSWER(3), [1, 4, 9])\n",
    ),
    CourseAttack(
        name="own-method",
        tries="a table of a class of its own says that it equals the one it is given",
        code="""
def ANSWER(n):
    import pandas as pd

    class Table(pd.DataFrame):
        def equals(self, other): return True
    return Table({"n": [0]})
""",
        honest=TABLE,
        test="""
def test_ANSWER(ANSWER):
    assert ANSWER(3).equals(pd.DataFrame({"n": [1, 4, 9]}))
""",
    ),
    CourseAttack(
        name="own-difference",
        tries="a column's method gives back what makes the difference nothing",
        code="""
def ANSWER(n):
    import pandas as pd

    class Column(pd.Series):
        def sub(self, other): return pd.Series([0.0, 0.0, 0.0])
    return Column([0.0])
""",
        honest="import pandas as pd\ndef ANSWER(n):\n    return pd.Series([1.0, 4.0, 9.0])\n",
        test="""
def test_ANSWER(ANSWER):
    assert ANSWER(3).sub(pd.Series([1.0, 4.0, 9.0])).abs().max() < 1e-9
""",
    ),
    CourseAttack(
        name="own-text",
        tries="a text of a class of its own begins with whatever is asked",
        code="""
def ANSWER(n):
    class Text(str):
        def startswith(self, *args): return True
        def isdigit(self): return True
    return Text("nothing")
""",
        honest='def ANSWER(n):\n    return "149"\n',
        test="""
def test_ANSWER(ANSWER):
    assert ANSWER(3).isdigit()
    assert ANSWER(3).startswith("149")
""",
    ),
    CourseAttack(
        name="own-attribute",
        tries="an attribute that tells whether all is well is true",
        code="""
def ANSWER(n):
    class Sorted(list):
        is_unique = True
    return Sorted()
""",
        honest="import pandas as pd\ndef ANSWER(n):\n    return pd.Index([1, 4, 9])\n",
        test="def test_ANSWER(ANSWER):\n    assert ANSWER(3).is_unique\n",
    ),
    CourseAttack(
        name="lying-tensor",
        tries="a tensor answers every function of torch with what is wanted",
        code="""
def ANSWER(n):
    import torch

    class Liar(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return True
        def allclose(self, other): return True
    return torch.zeros(3).as_subclass(Liar)
""",
        honest="import torch\ndef ANSWER(n):\n    return torch.tensor([1.0, 4.0, 9.0])\n",
        test="""
def test_ANSWER(ANSWER):
    assert ANSWER(3).allclose(torch.tensor([1.0, 4.0, 9.0]))
""",
    ),
    CourseAttack(
        name="named-tuple-lies",
        tries="a tuple looks as `namedtuple` makes them, and equals anything",
        code="""
def ANSWER(n):
    class Point(tuple):
        _fields = ("x", "y")
        def __eq__(self, other): return True
        def __iter__(self): return iter([1, 4])
    return Point([0, 0])
""",
        honest="def ANSWER(n):\n    return (1, 4)\n",
        test="def test_ANSWER(ANSWER):\n    assert ANSWER(3) == (1, 4)\n",
    ),
    CourseAttack(
        name="table-attributes",
        tries="a table carries notes that say it is right",
        code="""
def ANSWER(n):
    import pandas as pd
    table = pd.DataFrame({"n": [0, 0, 0]})
    table.attrs = {"equals": True, "n": [1, 4, 9]}
    return table
""",
        honest=TABLE,
        test="""
def test_ANSWER(ANSWER):
    pd.testing.assert_frame_equal(ANSWER(3), pd.DataFrame({"n": [1, 4, 9]}))
""",
    ),
    CourseAttack(
        name="any-of-mock",
        tries="what it gives is `unittest.mock.ANY`",
        code="def ANSWER(n):\n    from unittest import mock\n    return mock.ANY\n",
    ),
    CourseAttack(
        name="keeps-its-word",
        tries="it borrows the word of a comparison that the test needs for another part",
        code="""
class ANSWER:
    def __init__(self, x): self.x = Yes()
    def __add__(self, other): return self
    def __eq__(self, other): return True
""",
        honest="""
class ANSWER:
    def __init__(self, x): self.x = x
    def __add__(self, other): return ANSWER(self.x + other.x)
    def __eq__(self, other): return self.x == other.x
""",
        test="""
def test_ANSWER(ANSWER):
    assert ANSWER(1) + ANSWER(2) == ANSWER(3)
    assert abs((ANSWER(1) + ANSWER(2)).x - 3) < 1e-9
""",
    ),
)

ENDS = (
    CourseAttack(
        name="hides-a-failure",
        tries="the end of a `with` block hides the assertion that failed in it",
        code="""
class ANSWER:
    def __enter__(self): return 0
    def __exit__(self, *error): return True
""",
        honest="""
class ANSWER:
    def __enter__(self): return 14
    def __exit__(self, *error): pass
""",
        test="def test_ANSWER(ANSWER):\n    with ANSWER() as value:\n        assert value == 14\n",
    ),
    CourseAttack(
        name="ends-a-map",
        tries="it raises StopIteration, so that a `map` of the test's ends before it begins",
        code="def ANSWER(n):\n    raise StopIteration\n",
        test="""
def test_ANSWER(ANSWER):
    assert all(map(lambda n: ANSWER(n)[-1] == n * n, [2, 3, 4]))
""",
    ),
    CourseAttack(
        name="skips",
        tries="it raises the exception by which pytest skips a test",
        code="def ANSWER(n):\n    import pytest\n    pytest.skip('not today')\n",
    ),
    CourseAttack(
        name="skips-as-unittest",
        tries="it raises the exception by which unittest skips a test",
        code="def ANSWER(n):\n    import unittest\n    raise unittest.SkipTest('not today')\n",
    ),
    CourseAttack(
        name="expects-to-fail",
        tries="it raises what marks a test as one that may fail",
        code="def ANSWER(n):\n    import pytest\n    pytest.xfail('as expected')\n",
    ),
    CourseAttack(
        name="ends-pytest",
        tries="it raises what ends all of pytest",
        code="def ANSWER(n):\n    import pytest\n    pytest.exit('done', returncode=0)\n",
    ),
    CourseAttack(
        name="ends-python",
        tries="it raises SystemExit, and a class of its own that has the name",
        code="""
def ANSWER(n):
    if n == 3:
        raise SystemExit(0)
    raise type("SystemExit", (Exception,), {})()
""",
        test="""
def test_ANSWER(ANSWER):
    try:
        assert ANSWER(3) == [1, 4, 9]
    except Exception:
        assert ANSWER(4) == [1, 4, 9, 16]
""",
    ),
    CourseAttack(
        name="interrupts",
        tries="it raises KeyboardInterrupt and GeneratorExit",
        code="""
def ANSWER(n):
    raise KeyboardInterrupt if n == 3 else GeneratorExit
""",
    ),
    CourseAttack(
        name="wrong-class-of-error",
        tries="it raises an exception that has the name and text of the expected one",
        code="""
def ANSWER(n):
    raise type("ValueError", (Exception,), {"__module__": "builtins"})("too small")
""",
        honest='def ANSWER(n):\n    raise ValueError("too small")\n',
        test="""
def test_ANSWER(ANSWER):
    with pytest.raises(ValueError, match="too small"):
        ANSWER(0)
""",
    ),
    CourseAttack(
        name="text-never-ends",
        tries="it raises an exception whose text is never told to its end",
        code="""
def ANSWER(n):
    class Endless(ValueError):
        def __str__(self):
            while True: pass
    raise Endless
""",
    ),
    CourseAttack(
        name="text-breaks",
        tries="it raises an exception whose text is no text, and whose arguments hold themselves",
        code="""
def ANSWER(n):
    class Odd(ValueError):
        def __str__(self): return 5
    parts = []
    parts.append(parts)
    raise Odd(parts, "\\ud800\\x1b[2J\\u202e", 10**6000, object())
""",
    ),
    CourseAttack(
        name="dies",
        tries="it ends the notebook's process",
        code="def ANSWER(n):\n    import os\n    os._exit(0)\n",
    ),
)

SIZES = (
    CourseAttack(
        name="ten-gigabytes",
        tries="it gives 10 GB of zeros that take no memory",
        code="def ANSWER(n):\n    import numpy\n    return numpy.zeros(10**10, numpy.uint8)\n",
        honest=ARRAY,
        test="def test_ANSWER(ANSWER):\n    assert isinstance(ANSWER(3), np.ndarray)\n",
    ),
    CourseAttack(
        name="ten-thousand-deep",
        tries="it gives a list in a list, 10,000 deep",
        code="""
def ANSWER(n):
    value = []
    for _ in range(10_000):
        value = [value]
    return value
""",
    ),
    CourseAttack(
        name="holds-itself",
        tries="it gives a list that holds itself",
        code="def ANSWER(n):\n    value = [1, 4, 9]\n    value[1:] = [value]\n    return value\n",
    ),
    CourseAttack(
        name="never-ends",
        tries="it gives a generator that never ends",
        code="def ANSWER(n):\n    while True:\n        yield 1\n",
        test="def test_ANSWER(ANSWER):\n    assert list(ANSWER(3)) == [1, 4, 9]\n",
    ),
    CourseAttack(
        name="long-range",
        tries="it gives a range that nobody can walk to its end",
        code="def ANSWER(n):\n    return range(10**14)\n",
        honest=NUMBER.replace("14", "range(14)"),
        test="def test_ANSWER(ANSWER):\n    assert ANSWER(3) == range(14)\n",
    ),
    CourseAttack(
        name="huge-number",
        tries="it gives a whole number of a million digits, which no report can show",
        code="def ANSWER(n):\n    return 7 ** 300_000\n",
        honest=NUMBER,
        test="def test_ANSWER(ANSWER):\n    assert ANSWER(3) == 14\n",
    ),
    CourseAttack(
        name="long-text",
        tries="it gives a text that takes hours to tell from the expected one line by line",
        code='def ANSWER(n):\n    return "\\n".join(f"{i} 4 9 {i}" for i in range(20_000))\n',
        honest='def ANSWER(n):\n    return "\\n".join(f"{i} 4 {i} 9" for i in range(3_000))\n',
        test="""
def test_ANSWER(ANSWER):
    assert ANSWER(3) == "\\n".join(f"{i} 4 {i} 9" for i in range(3_000))
""",
    ),
    CourseAttack(
        name="prints-a-gigabyte",
        tries="it prints without an end before it answers",
        code="""
def ANSWER(n):
    import os
    for _ in range(64):
        os.write(1, b"1 4 9 " * 200_000)
    print("1 4 9")
""",
        honest='def ANSWER(n):\n    print("1 4 9")\n',
        test="""
def test_ANSWER(ANSWER, printed):
    ANSWER(3)
    assert printed.lines() == ["1 4 9"]
""",
    ),
    CourseAttack(
        name="reads-forever",
        tries="it reads what is typed in an endless loop",
        code="""
def ANSWER(n):
    while True:
        try:
            input()
        except EOFError:
            pass
""",
        honest="def ANSWER(n):\n    return int(input())\n",
        test="""
def test_ANSWER(ANSWER, stdin):
    stdin("14")
    assert ANSWER(3) == 14
""",
    ),
)

PATCHES = (
    CourseAttack(
        name="patches-builtins",
        tries="it replaces what compares, in Python, NumPy, pandas and torch",
        code="""
def ANSWER(n):
    import builtins, math, operator, unittest
    import numpy as np, pandas as pd, torch
    yes = lambda *args, **options: True
    nothing = lambda *args, **options: None
    builtins.abs = lambda value: 0
    builtins.all = builtins.any = builtins.max = yes
    math.isclose = operator.eq = np.allclose = np.isclose = np.array_equal = yes
    np.testing.assert_allclose = np.testing.assert_array_equal = nothing
    pd.testing.assert_frame_equal = pd.testing.assert_series_equal = nothing
    torch.testing.assert_close = nothing
    torch.allclose = torch.equal = yes
    return []
""",
    ),
    CourseAttack(
        name="patches-pytest",
        tries="it replaces pytest, inspect and importlib, and the modules that run tests",
        code="""
def ANSWER(n):
    import importlib, inspect, types
    fake = types.ModuleType("pytest")
    fake.raises = fake.approx = fake.fail = lambda *args, **options: Yes()
    for name in ("pytest", "_pytest", "course_tests", "course_tests.talk", "unittest"):
        sys.modules[name] = fake
    inspect.signature = inspect.getsource = lambda *args: Yes()
    importlib.import_module = lambda name: fake
    return []
""",
    ),
    CourseAttack(
        name="patches-the-codec",
        tries="it replaces what turns its values into plain data by what claims another type",
        code="""
def ANSWER(n):
    from inside import plain_values
    plain_values.ValueEncoder.encode = lambda self, value: {"": "pickle", "v": "80049529"}
    return []
""",
    ),
    CourseAttack(
        name="traces",
        tries="it watches and changes what runs, by a trace function and an audit hook",
        code="""
def ANSWER(n):
    def trace(frame, event, value):
        if "expected" in frame.f_locals: frame.f_locals["value"] = frame.f_locals["expected"]
        return trace
    sys.settrace(trace)
    sys.addaudithook(lambda event, args: None)
    return []
""",
    ),
    CourseAttack(
        name="deleted-late",
        tries="an object that is deleted sends a reply",
        code="""
def ANSWER(n):
    class Late:
        def __init__(self, server): self.server = server
        def __del__(self): self.server.send(b"\\x02\\x00\\x00\\x00{}")
    Late(the_server()[0])
    return []
""",
    ),
    CourseAttack(
        name="shadows-arguments",
        tries="the notebook has names that tests use for what is ours",
        code="""
reference = draw = printed = source = files = figures = Yes()
def ANSWER(x):
    return 0 * x
""",
        honest=DOUBLED,
        test=IS_REFERENCE,
    ),
)

FORGED_BODIES = {
    "no-json": 'b"\\x04\\x00\\x00\\x00nope"',
    "no-length": 'b""',
    "no-object": 'b"\\x02\\x00\\x00\\x00[]"',
    "deep-json": '(200_000).to_bytes(4, "little") + b"[" * 100_000 + b"]" * 100_000',
    "odd-arrays": 'b"\\x02\\x00\\x00\\x00{}" + b"\\xff" * 64',
}
"""Bodies that are no reply."""
FORGED_TREES = {
    "pickle": '{"": "pickle", "v": "80049529"}',
    "known": '{"": "known", "m": "os", "q": "system"}',
    "callback": '{"": "callback", "id": 0, "name": "f"}',
    "mock-class": '{"": "object", "id": 0, "t": "type", "class": "A", "m": "numpy", '
    '"q": "testing.suppress_warnings.__init__.__globals__"}',
    "tag": '{"": "nonsense"}',
    "dtype": '{"": "array", "a": "nowhere", "d": "O", "s": [1]}',
    "fraction": '{"": "fraction", "v": "1e999999999"}',
    "divided": '{"": "Fraction", "v": [1, 0]}',
    "digits": '{"": "integer", "v": "0x" + "f" * 3_000_000}',
    "range": '{"": "range", "v": [0, 10**18, 1]}',
    "index": '{"": "range_index", "v": [0, 10**15, 1], "n": ["a"]}',
    "tensor": '{"": "tensor", "v": 5, "d": "load", "p": False, "r": True}',
    "frame": '{"": "frame", "v": [5], "i": 3, "c": None}',
    "named": '{"": "named", "n": "P", "f": ["a", "a", "__eq__"], "v": [1, 2, 3]}',
    "keys": '{"": "dict", "v": [[[1], 2]]}',
    "name": '{"": "object", "id": "x", "t": "a" * 10**6 + "\\x00"}',
}
"""Values that are none."""
FORGED_REPLIES = {
    "nothing": "{}",
    "gone": '{"gone": {"so": ["it", "is"]}}',
    "stop": '{"stop": None}',
    "changed": '{"value": [], "changed": [[-1, 5], [10**9, 5]]}',
    "changed-oddly": '{"value": [], "changed": 5}',
    "callback": '{"callback": -1, "args": 5}',
    "class": '{"raised": {"": "error", "id": [], "text": 5, "args": 5, "class": 5}}',
    "no-error": '{"raised": {"": "object", "id": 3, "t": "Skipped"}}',
    "place": '{"raised": {"": "error", "id": 1, "text": "t", "args": [], "function": ["f"] * 9,'
    ' "line": 10**30, "class": {"": "object", "id": 2, "t": "type", "class": "E", "bases": []}}}',
    "long-place": '{"raised": {"": "error", "id": 1, "text": "t" * 10**6, "args": ["a" * 10**6],'
    ' "function": "f" * 10**6, "line": 7, "class": {"": "object", "id": 2, "t": "type",'
    ' "class": "\\x1b[2J\\ud800" * 10**5, "bases": ["ExceptionGroup", "SystemExit"]}}}',
    "lineage": '{"raised": {"": "error", "id": 1, "text": "t", "args": [], "class": {"": "object",'
    ' "id": 2, "t": "type", "class": "E", "b": [0, 0, 10**9, 1], "bases": [{"id": 2, "class": "E",'
    ' "b": [0, 1, -1]}, {"m": "builtins", "q": "SystemExit", "b": [7] * 100}] * 10**3}}}',
    "skip": '{"raised": {"": "error", "id": 1, "text": "t", "args": [], "class": {"": "object",'
    ' "id": 2, "t": "type", "class": "Skipped", "m": "pandas", "q": "pytest.skip.Exception",'
    ' "bases": ["BaseException"]}}}',
}
"""Replies that are none."""


def _forgeries() -> tuple[CourseAttack, ...]:
    calls = {
        **{name: f"body={body}" for name, body in FORGED_BODIES.items()},
        **{f"value-{name}": f'{{"value": {tree}}}' for name, tree in FORGED_TREES.items()},
        **{f"reply-{name}": reply for name, reply in FORGED_REPLIES.items()},
    }
    return tuple(
        CourseAttack(
            name=f"forges-{name}",
            tries="the notebook's process sends a reply of its own making",
            code=f"def ANSWER(n):\n    forge({call})\n",
        )
        for name, call in calls.items()
    )


TALKS = (
    CourseAttack(
        name="answers-ahead",
        tries="a reply is sent twice, so that the second stands for the next question's",
        code='def ANSWER(n):\n    forge({"value": [1, 4, 9] if n == 3 else []}, again=2)\n',
        test="""
def test_ANSWER(ANSWER):
    assert ANSWER(3) == [1, 4, 9]
    assert ANSWER(3) == [1, 4, 9]
    assert ANSWER(4) == [1, 4, 9, 16]
""",
    ),
    CourseAttack(
        name="thread-answers",
        tries="a thread answers ahead for as long as it lives",
        code="""
def ANSWER(n):
    import threading
    server, header = the_server()
    def flood():
        from inside import frames
        for number in range(header["n"] + 1, header["n"] + 500):
            server.send(frames.pack_body({"value": [1, 4, 9], "n": number}))
    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    thread.join(1)
    return []
""",
        test="""
def test_ANSWER(ANSWER):
    assert ANSWER(1) == [1]
    assert ANSWER(3) == [1, 4, 9]
""",
    ),
    CourseAttack(
        name="calls-back-forever",
        tries="it calls the function that it is given without an end",
        code="def ANSWER(f):\n    while True:\n        f(1)\n",
        honest="def ANSWER(f):\n    return f(7)\n",
        test="def test_ANSWER(ANSWER):\n    assert ANSWER(lambda x: 2 * x) == 14\n",
    ),
    CourseAttack(
        name="calls-back-deeper",
        tries="the function that it is given asks it, which calls that function again",
        code="def ANSWER(f, n):\n    return f(n)\n",
        honest="def ANSWER(f, n):\n    return f(n - 1) if n else 14\n",
        test="""
def test_ANSWER(ANSWER):
    def ask(n):
        return ANSWER(ask, n)
    assert ANSWER(ask, 3) == 14
""",
    ),
    CourseAttack(
        name="calls-another-back",
        tries="it calls a function that it was given before, in another call",
        code="""
def ANSWER(f):
    ANSWER.kept = getattr(ANSWER, "kept", f)
    return ANSWER.kept(7)
""",
        honest="def ANSWER(f):\n    return f(7)\n",
        test="""
def test_ANSWER(ANSWER):
    assert ANSWER(lambda x: 2 * x) == 14
    assert ANSWER(lambda x: 3 * x) == 21
""",
    ),
    CourseAttack(
        name="empties-inputs",
        tries="it empties the inputs that the expected value is computed from",
        code="""
def ANSWER(values):
    values.clear()
    return []
""",
        honest="def ANSWER(values):\n    return sorted(values)\n",
        test="""
def test_ANSWER(ANSWER, draw):
    values = draw.integer_list(0, 9, 6)
    assert ANSWER(values) == sorted(values)
""",
    ),
    CourseAttack(
        name="zeroes-inputs",
        tries="it sets the inputs to 0 before the reference gets them",
        code="def ANSWER(x):\n    x[...] = 0\n    return x\n",
        honest=DOUBLED,
        test=IS_REFERENCE,
    ),
    CourseAttack(
        name="forges-changes",
        tries="it sends other values for its inputs, with a call that changes nothing",
        code="""
def ANSWER(x):
    from inside import frames
    import numpy as np
    server, header = the_server()
    zeros = {"": "array", "a": "a0"}
    reply = {"value": zeros, "changed": [[0, zeros]], "n": header["n"]}
    server.send(frames.pack_body(reply, {"a0": np.zeros((4, 4))}))
    server.serve()
""",
        honest=DOUBLED,
        test=IS_REFERENCE,
    ),
    CourseAttack(
        name="breaks-the-reference",
        tries="it gives what the reference raises at, so that nobody seems to be at fault",
        code='def ANSWER(x):\n    return "x"\n',
        honest="def ANSWER(x):\n    return x + 1\n",
        test="def test_ANSWER(ANSWER, reference):\n    assert reference.ANSWER(ANSWER(3)) == 5\n",
    ),
    CourseAttack(
        name="left-for-the-next",
        tries="what it keeps in memory and in a file is there when the next test asks",
        code="""
def ANSWER(n):
    import builtins, pathlib
    builtins.abs = lambda value: 0
    pathlib.Path("expected.txt").write_text("[1, 4, 9]")
    globals().update({name: ANSWER for name in globals() if name.startswith("is_")})
    return []
""",
    ),
    CourseAttack(
        name="replays",
        tries="it gives the answer to the question before",
        code="""
def ANSWER(n):
    last, ANSWER.last = getattr(ANSWER, "last", []), [i * i for i in range(1, n + 1)]
    return last
""",
        test="""
def test_ANSWER(ANSWER):
    assert [len(ANSWER(n)) for n in (3, 3, 4)] == [3, 3, 4]
""",
    ),
)

PLACES = (
    CourseAttack(
        name="links-out",
        tries="the file it is asked for is a link out of its folder, a device or a pipe",
        code="""
def ANSWER():
    import os
    for name, target in {"a.txt": "/etc/hostname", "b.txt": "/dev/zero"}.items():
        if not os.path.lexists(name):
            os.symlink(target, name)
    if not os.path.lexists("c.txt"):
        os.mkfifo("c.txt")
""",
        honest="""
def ANSWER():
    for name in ("a.txt", "b.txt", "c.txt"):
        open(name, "w").write("14")
""",
        test="""
def test_ANSWER(ANSWER, files):
    ANSWER()
    assert [files[name].read_text() for name in ("b.txt", "c.txt", "a.txt")] == ["14"] * 3
""",
    ),
    CourseAttack(
        name="names-out",
        tries="it claims files with names that lead out of the folder of copies",
        code="""
def ANSWER():
    server, _ = the_server()
    names = {"../../escaped-n.txt": 2, "/tmp/escaped-n.txt": 2, "n.txt": 2, "\\x00n.txt": 1}
    server.do_files = lambda: names
    server.do_read_file = lambda name: b"14"
""",
        honest='def ANSWER():\n    open("n.txt", "w").write("14")\n',
        test="""
def test_ANSWER(ANSWER, files):
    ANSWER()
    assert [files[name].read_text() for name in files if "n.txt" in name] == ["14"]
""",
    ),
    CourseAttack(
        name="pickle-in-a-file",
        tries="a file that the test reads holds a pickle that runs code",
        code="""
def ANSWER():
    class Runs:
        def __reduce__(self): return (open, ("../escaped-pickle.txt", "w"))
    import pickle
    open("p.pkl", "wb").write(pickle.dumps(Runs()))
""",
        honest="""
def ANSWER():
    import pickle
    open("p.pkl", "wb").write(pickle.dumps([1, 4, 9]))
""",
        test="""
def test_ANSWER(ANSWER, files):
    import pickle
    ANSWER()
    assert pickle.loads(files["p.pkl"].read_bytes()) == [1, 4, 9]
""",
    ),
    CourseAttack(
        name="charts-that-agree",
        tries="what describes its charts gives objects that agree with everybody",
        code="""
from inside import conversation_server
conversation_server.describe_figures = lambda: [{"axes": [{"xlabel": Yes()}]}]
""",
        honest="""
from inside import conversation_server
conversation_server.describe_figures = lambda: [{"axes": [{"xlabel": "time"}]}]
""",
        test="def test_ANSWER(figures):\n    assert figures[0].axes[0].xlabel == 'time'\n",
    ),
    CourseAttack(
        name="tells-the-input",
        tries="names of its exception, function and line tell who reads the report what was asked",
        code="""
def ANSWER(n):
    function = compile("\\n" * (n + 5000) + "def asked(): raise error", "cell", "exec")
    space = {"__name__": "__main__", "error": type(f"Asked{n}", (Exception,), {})("n is %d" % n)}
    globals().update(space)
    exec(function, globals())
    asked.__code__ = asked.__code__.replace(co_name=f"asked_{n}")
    asked()
""",
        test="def test_ANSWER(ANSWER):\n    assert ANSWER(94731)[:3] == [1, 4, 9]\n",
    ),
    CourseAttack(
        name="tells-by-its-class",
        tries="the class of what it gives is named after the question",
        code="""
def ANSWER(n):
    return type(f"Asked94731", (Yes,), {})()
""",
        honest="def ANSWER(n):\n    return [14]\n",
        test="def test_ANSWER(ANSWER):\n    assert 14 in ANSWER(94731)\n",
    ),
)

BREAKING = (
    CourseAttack(
        name="ends-the-talk",
        tries="it says that the talk is at its end, with the secret word from memory, and talks on",
        code="""
def ANSWER(n):
    from inside import frames
    nonce, out = the_nonce()
    frames.send(out, {"end": True, "nonce": nonce, "status": "ok"})
    forge({"value": [1, 4, 9]})
""",
        test="""
def test_ANSWER(ANSWER):
    assert ANSWER(3) == [1, 4, 9]
    assert ANSWER(4) == [1, 4, 9, 16]
""",
    ),
    CourseAttack(
        name="finds-other-way",
        tries="it writes to every descriptor that it finds, and closes them",
        code="""
def ANSWER(n):
    import os
    for descriptor in range(3, 64):
        try:
            os.set_blocking(descriptor, False)
            os.write(descriptor, b"\\xff" * 64)
        except OSError:
            pass
    os.closerange(0, 64)
    return []
""",
    ),
    CourseAttack(
        name="returns-twice",
        tries="it forks, so that its call returns twice",
        code="def ANSWER(n):\n    import os\n    os.fork()\n    return []\n",
        test="""
def test_ANSWER(ANSWER):
    first, second = ANSWER(3), ANSWER(3)
    assert first == second == [1, 4, 9]
""",
    ),
)
"""Attacks that spoil the way to their own notebook, for themselves alone."""

EXHAUSTING = (
    CourseAttack(
        name="walked-forever",
        tries="a loop of the test's over what it gives never comes to an end on our side",
        code="""
def ANSWER(n):
    forge({"value": {"": "dict", "v": [[i * (2**61 - 1), 0] for i in range(60_000)]}})
""",
    ),
    CourseAttack(
        name="fills-our-memory",
        tries="what it gives is small, and what the test makes of it takes all memory",
        code="def ANSWER(n):\n    import decimal\n    return decimal.Decimal('1E+999999999')\n",
        honest=NUMBER,
        test="def test_ANSWER(ANSWER):\n    assert int(ANSWER(3)) == 14\n",
    ),
)
"""Attacks that keep the process of the tests busy until it is given up."""

COURSE_ATTACKS: tuple[CourseAttack, ...] = (
    *LIARS,
    *ENDS,
    *SIZES,
    *PATCHES,
    *_forgeries(),
    *TALKS,
    *PLACES,
)
