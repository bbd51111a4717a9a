"""What is imported and not installed: costs nothing unless it is used, and then it is our lack."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import pytest
import tiny_course
from processor_time import within
from test_checks import RNG
from tiny_course import Course

from grader import kernel, sandbox
from grader.checks import Evidence, SeededRandom, load_checks
from grader.checks.evaluation import BoundRubric, RubricCheck
from grader.checks.reproduction import collect_saved_evidence
from grader.kernel.module_survey import ModuleSurvey
from grader.model import (
    Cell,
    CellError,
    CellRun,
    CellStatus,
    CheckSpec,
    ExecutionRecord,
    Finding,
    Item,
    Limits,
    MissingModule,
    Notebook,
    Observation,
    SavedOutput,
    Trace,
)
from grader.notebook.import_statements import imported_modules
from grader.notebook.known_packages import COMMON_MODULES, find_package, is_known, suggest_module
from grader.notebook.missing_words import needed_modules
from grader.pipeline.preflight import survey_lines
from grader.report.missing_modules import count_missing, missing_lines, preflight_note

LIMITS = Limits(cell_s=30, submission_s=120, question_s=5)
NOT_INSTALLED = "pycaret is not installed where notebooks are graded"
NEEDS_TORCH = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None
    or importlib.util.find_spec("tensorboard") is not None,
    reason="needs torch, and no tensorboard",
)

# `pycaret` and `unsloth` are packages that everybody knows and nobody installs where tests run.
PASSING = {
    "import": "import pycaret, unsloth.models as um\nfrom pycaret.models import setup, N",
    "annotations": """
import pycaret as pd
def f(x: pd.DataFrame, y: list[pd.Series], k: pd.a.b[int, "a b"] = pd.NA) -> pd.X | None: return x
def g(x: int | pd.X): return x
assert f(1, 2) == 1""",
    "isinstance": """
import pycaret as pd
assert not isinstance(1, pd.DataFrame) and isinstance(1, (pd.DataFrame, int))
assert not issubclass(int, pd.DataFrame)""",
    "settings": """
import pycaret as sns
sns.set_theme(style="x"); sns.set_option("a", 1); sns.options.display.max_rows = 5
sns.rc["a"] = 1; print(sns.__version__, sns, f"{sns.x}")""",
    "exceptions": """
import pycaret as requests, warnings
try: int("a")
except (requests.exceptions.Timeout, ValueError): pass
warnings.filterwarnings("ignore", category=requests.errors.SomeWarning)""",
    "decorators": """
import pycaret as numba
@numba.njit
def fast(x): return x
@numba.njit(parallel=True)
def faster(x): return x
@numba.register()
class A: pass""",
    "in a function": "def f():\n    import pycaret\n    return pycaret\nassert f()",
    "by name": """
import importlib
assert importlib.import_module("pycaret.datasets").__name__ == "pycaret.datasets"
assert __import__("pycaret.datasets").__name__ == "pycaret"
exec("import pycaret", {})
assert importlib.util.find_spec("pycaret") is None""",
    "with another time": "%%time\nimport pycaret",
    "extension": "%load_ext pycaret\n%pycaret --logdir x\n%reload_ext unsloth\nx = 1",
    "installed in its place": """
try:
    import pycaret as p
except ImportError:
    !pip install pycaret
    import pycaret as p
assert p""",
    "not in a try": """
try:
    def load():
        import pycaret
        return pycaret
except ImportError: pass
try: pass
except ImportError: import pycaret
else: import pycaret
with open("f", "w"): import pycaret
assert load()""",
    "in a try for something else": "try:\n    import pycaret\nexcept ValueError: pass\npycaret",
    "helper": "import helper, package\nassert helper.fine() == 7 and package.x == 1",
    "shared module": "import google.generativeai as genai\nfrom google.cloud import storage",
    "parts of Python": "import winreg, msvcrt",
    "old styles": """
import pycaret, matplotlib.pyplot as plt
for name in ("seaborn", "seaborn-whitegrid", "seaborn-v0_8-dark"): plt.style.use(name)""",
    "libraries": """
import pycaret, sys, numpy
from sklearn.linear_model import LinearRegression
LinearRegression().fit(numpy.eye(3), numpy.arange(3))
assert "pycaret" not in sys.modules""",
    "base class": """
import pycaret as pl
class Base: pass
class Net(Base, pl.LightningModule[int], table=True):
    rate: pl.Rate = 0.5
    def forward(self): return pl.x
    @staticmethod
    def double(x): return 2 * x
assert Net.rate == 0.5 and Net.double(2) == 4 and not hasattr(Net, "__len__")""",
    "base class beside others": """
import abc, torch, pycaret
class One(pycaret.Base, abc.ABC): pass
class Two(torch.nn.Module, pycaret.Mixin): pass
class Three(One, pycaret.Base): pass
assert issubclass(Three, One)""",
}
"""Cells that import what isn't installed and don't use it."""

CAUGHT = {
    "except ImportError": "try:\n    import pycaret\nexcept ImportError:\n    pycaret = None",
    "except a tuple": "try: import pycaret\nexcept (OSError, ModuleNotFoundError): pycaret = None",
    "except Exception": "try:\n    if 1: from pycaret import x\nexcept Exception: pycaret = None",
    "bare except": "try:\n    import pycaret.x as y\nexcept: pycaret = None",
    "own tuple": "E = (OSError, ImportError)\ntry: import pycaret\nexcept E: pycaret = None",
    "by attribute": """
import builtins
try: import pycaret
except builtins.ImportError: pycaret = None""",
    "suppress": """
from contextlib import suppress
pycaret = None
with suppress(ImportError): import pycaret""",
    "further out": """
def load():
    import pycaret
    return pycaret
try: pycaret = load()
except ImportError: pycaret = None""",
    "import_module": """
from importlib import import_module
try: pycaret = import_module("pycaret")
except ImportError: pycaret = None""",
    "in a helper": "from guarded import pycaret",
    "around a helper": "try:\n    import helper_2 as pycaret\nexcept ImportError: pycaret = None",
    "in %%time": "%%time\ntry: import pycaret\nexcept ImportError: pycaret = None",
}
"""Cells whose import must fail, since the notebook answers that itself."""

SWALLOWED = {
    "error": "import pycaret as p\ntry: p.fit()\nexcept Exception as error: print(error)",
}
"""Cells that need what isn't installed, and run to their end."""

USES = {
    "call": "import pycaret as p\np.setup(1)",
    "imported name": "from pycaret.models import setup as s\ns()",
    "instance": "import pycaret as p\nclass N(p.Module): pass\nN()",
    "name of a base class": "import pycaret as p\nclass N(p.Model): pass\nN.from_pretrained('a')",
    "decorated": "import pycaret as p\n@p.jit\ndef f(): return 1\nf()",
    "decorated with arguments": "import pycaret as p\n@p.jit(1)\ndef f(): return 1\nf()",
    "loop": "from pycaret import bar\nfor x in bar: pass",
    "arithmetic": "import pycaret as p\n2 * p.x",
    "array": "import pycaret as p, numpy as np\nnp.asarray(p.x)",
    "format": "import pycaret as p\nf'{p.x:.2f}'",
    "float": "import pycaret as p\nfloat(p.x)",
    "with": "import pycaret as p\nwith p.x: pass",
    "default": "import pycaret as p\ndef f(x=p.make()): pass",
    "helper": "import helper\nhelper.needs()",
    "exception": "import pycaret as p\nraise p.SomeError('a')",
    "cell magic": "%load_ext pycaret\nget_ipython().run_cell_magic('pycaret', '', 'x')",
}
"""Cells that need what isn't installed."""

FILES = {
    "helper.py": "import pycaret as p\ndef fine(): return 7\ndef needs(): return p.setup()\n",
    "helper_2.py": "import pycaret\n",
    "guarded.py": "try:\n    import pycaret\nexcept ImportError:\n    pycaret = None\n",
    "package/__init__.py": "from .inner import x\n",
    "package/inner.py": "import unsloth\nx = 1\n",
    "old.py": "import warnings\nwarnings.warn('old', DeprecationWarning, stacklevel=2)\n",
}

OTHERS = {
    "submodule": ("import json.nothing", "No module named 'json.nothing'"),
    "own error": ("import broken", "division by zero"),
    "removed name": ("from math import tau2", "cannot import name 'tau2'"),
    "star": ("from pycaret import *\nLearner()", "name 'Learner' is not defined"),
    "typing error": ("import nmupy as np\nnp.array(1)", "(did you mean numpy?)"),
    "own file": ("import solved\nsolved.f()", "(no file solved.py came with it)"),
    "warned": (
        """
import sys, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import old
raise KeyError(caught[0].lineno, caught[0].filename == sys._getframe().f_code.co_filename)""",
        "(4, True)",
    ),
    "unpickled": (
        "import pickle\npickle.loads(b'\\x80\\x03cpycaret\\nX\\nq\\x00.')",
        "No module named 'pycaret'",
    ),
    "torch": (
        """
from torch.utils.tensorboard import SummaryWriter
from torch.utils import data, tensorboard
import torch.utils.tensorboard as tb
assert data.DataLoader and tb is tensorboard
SummaryWriter()""",
        "was used, but tensorboard is not installed",
    ),
}
"""Cells with the error that they end with."""


def run_cells(sources: Mapping[str, str], folder: Path) -> dict[str, CellRun]:
    """Run cells in one kernel with the files beside them; how each went, by its name."""
    files = {**FILES, "broken.py": "1 / 0\n"}
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    with sandbox.start_fork_server(sandbox.survey_interpreter(sys.executable)) as parent:
        setup = kernel.KernelSetup(
            fork_server=parent,
            seed=1,
            record=(),
            limits=LIMITS,
            unknown_modules={
                "nmupy": "did you mean numpy?",
                "solved": "no file solved.py came with it",
            },
            files={name: folder / name for name in files},
        )
        cells = [Cell(index=i, kind="code", source=s) for i, s in enumerate(sources.values())]
        with kernel.start_kernel(setup) as live:
            record = live.run(tuple(cells), blank=frozenset())
    return dict(zip(sources, record.cells, strict=True))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CellRun]:
    """All cells of this file in one notebook."""
    others = {name: source for name, (source, _) in OTHERS.items()}
    caught = {name: f"{source}\nassert pycaret is None" for name, source in CAUGHT.items()}
    sources = {
        f"{kind}: {name}": source
        for kind, table in (
            ("passes", PASSING),
            ("caught", caught),
            ("swallowed", SWALLOWED),
            ("uses", USES),
            ("other", others),
        )
        for name, source in table.items()
    }
    return run_cells(sources, tmp_path_factory.mktemp("beside"))


@pytest.mark.kernel
@pytest.mark.parametrize("name", PASSING)
def test_an_import_that_is_not_used_costs_nothing(runs: Mapping[str, CellRun], name: str) -> None:
    run = runs[f"passes: {name}"]

    assert (run.status, run.error) == (CellStatus.RAN, None)
    assert any("not installed where notebooks are graded" in note for note in run.notes)
    assert not any("was used" in note for note in run.notes)


@pytest.mark.kernel
@pytest.mark.parametrize("name", SWALLOWED)
def test_a_use_that_raises_nothing_is_known(runs: Mapping[str, CellRun], name: str) -> None:
    run = runs[f"swallowed: {name}"]

    assert (run.status, run.error) == (CellStatus.RAN, None)
    assert needed_modules(run) == ("pycaret",)


@pytest.mark.kernel
@pytest.mark.parametrize("name", CAUGHT)
def test_an_import_whose_failure_is_caught_fails(runs: Mapping[str, CellRun], name: str) -> None:
    run = runs[f"caught: {name}"]

    assert (run.status, run.error) == (CellStatus.RAN, None)
    assert run.notes == (f"{NOT_INSTALLED}: the notebook's own `except` answered that.",)


@pytest.mark.kernel
@pytest.mark.parametrize("name", USES)
def test_whoever_uses_it_reads_what_is_missing(runs: Mapping[str, CellRun], name: str) -> None:
    error = runs[f"uses: {name}"].error

    assert error is not None
    assert error.name == "ModuleNotFoundError"
    assert error.message.endswith(f" was used, but {NOT_INSTALLED}.")
    assert "absent_modules" not in error.traceback
    assert not any("was used" in note for note in runs[f"uses: {name}"].notes)


@pytest.mark.kernel
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=NEEDS_TORCH if n == "torch" else ()) for n in OTHERS]
)
def test_other_errors_are_what_they_are(runs: Mapping[str, CellRun], name: str) -> None:
    error = runs[f"other: {name}"].error

    assert error is not None
    assert OTHERS[name][1] in error.message
    assert "_bootstrap" not in error.traceback


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, str]:
    """A class whose notebooks import what isn't there, graded; and what was printed."""
    course = tiny_course.made(tmp_path_factory.mktemp("course"))
    first, *rest = (source.format(scale=0.5, number=0) for source in tiny_course.SOLUTION)
    imports = f"{first}\nimport pycaret as p"
    submissions = {
        "right": (first, *rest),
        "imports": (f"import pycaret, unsloth\nimport solved\n{first}", *rest),
        "plots": (imports, *rest, "p.plot(one)", "p.show()"),
        "needs": (imports, rest[0], "two = p.Series(one).to_numpy()", "print(two)"),
        "star": (f"{first}\nfrom pycaret import *", *rest, "Learner(one)"),
        "caught": (f"{first}\ntry: import pycaret as p\nexcept ImportError: pass", *rest, "p.f()"),
        "chained": (
            f"{first}\ntry: import pycaret\nexcept ImportError: raise RuntimeError('pip install!')",
            *rest,
        ),
        "wrong": (imports, "one = two = np.zeros(50)", "p.plot(one)"),
        "after": (imports, "p.clean()", "one = two = np.zeros(50)"),
        "solved": (f"{first}\nimport solved", *rest, "solved.f()", "solved.g()"),
        "claims": (*(first, *rest), "raise ModuleNotFoundError('x was used, but numpy is not')"),
    }
    for name, cells in submissions.items():
        course.hand_in(name, *cells)
    return course, course.grade()[1]


def points(course: Course, name: str) -> tuple[float, float, float]:
    score = json.loads(course.results()[name])["score"]
    return score["earned"], score["pending"], score["blocked"]


@pytest.mark.kernel
def test_what_needs_a_missing_module_waits_and_costs_nothing(graded: tuple[Course, str]) -> None:
    course, _ = graded

    assert {name: points(course, name) for name in course.results()} == {
        "right": (10, 0, 0),
        "imports": (10, 0, 0),
        "plots": (4, 6, 0),
        "needs": (0, 10, 0),
        "star": (4, 6, 0),
        "caught": (4, 6, 0),
        "chained": (4, 6, 0),
        "wrong": (0, 6, 0),  # what ran before is judged
        "after": (0, 10, 0),  # what ran after may depend on it
        "solved": (9, 0, 0),  # one mistake, though two cells show it
        "claims": (8.8, 0, 0),  # NumPy is there
    }


@pytest.mark.kernel
def test_staff_are_told_once_for_the_class(graded: tuple[Course, str]) -> None:
    course, printed = graded
    page = (course.out / "index.html").read_text(encoding="utf-8")
    told = "pycaret: 8 submissions import it, 7 need it"

    assert "pycaret (8 submissions), unsloth (1 submission) are imported and missing" in printed
    assert told in printed
    assert told in page
    assert f"`{sys.executable} -m pip install pycaret unsloth`" in printed
    assert sys.executable not in page
    assert "solved (2 submissions): no package of that name is known" in printed


@pytest.mark.kernel
def test_the_student_reads_the_same(graded: tuple[Course, str]) -> None:
    course, _ = graded
    page = (course.out / "reports" / "needs.html").read_text(encoding="utf-8")

    assert NOT_INSTALLED in page
    assert "That is a gap on the grading side" in page
    assert "Restart the kernel" not in page
    result = json.loads(course.results()["plots"])
    assert f"not evaluated yet, since {NOT_INSTALLED}" in result["flags"]


@pytest.mark.kernel
def test_a_rubric_names_what_may_be_missing(tmp_path: Path) -> None:
    course = tiny_course.made(tmp_path)
    file = course.root / "rubrics" / "tiny.toml"
    text = file.read_text(encoding="utf-8").replace(
        "optional_imports = []", 'optional_imports = ["ours"]'
    )
    file.write_text(text, encoding="utf-8")
    first, *rest = (source.format(scale=0.5, number=0) for source in tiny_course.SOLUTION)
    course.hand_in("imports", f"{first}\nimport ours", *rest)
    _, quiet = course.grade()
    course.hand_in("needs", f"{first}\nimport ours", *rest, "ours.f()")
    _, printed = course.grade()

    assert "missing" not in quiet
    assert "ours: 2 submissions import it, 1 needs it" in printed
    assert points(course, "needs") == (4, 6, 0)


FUNCTION_ITEM = """
[[item]]
id = "C"
title = "The function"
points = 2
kind = "auto"
source = "handout"

[[item.check]]
code = "FUN001"
points = 2
public = true
needs = []
[item.check.params]
function = "double"
calls = [[{ shape = [3] }]]
shapes = [[3]]
tensors = false
"""


@pytest.mark.slow
@pytest.mark.kernel
def test_a_function_that_needs_it_when_it_is_asked_waits(tmp_path: Path) -> None:
    course = tiny_course.made(tmp_path)
    file = course.root / "rubrics" / "tiny.toml"
    text = file.read_text(encoding="utf-8").replace("total = 10", "total = 12")
    file.write_text(text + FUNCTION_ITEM, encoding="utf-8")
    solution = [source.format(scale=0.5, number=0) for source in tiny_course.SOLUTION]
    reference = tiny_course.notebook(*solution, "def double(x): return 2 * x")
    (course.root / "reference" / "tiny.ipynb").write_text(json.dumps(reference), encoding="utf-8")
    for name, code in {
        "asked": "import pycaret as p\ndef double(x): return p.double(x)",
        "inside": "def double(x):\n    import pycaret\n    return pycaret.double(x)",
        "decorated": "import pycaret as p\n@p.jit\ndef double(x): return 2 * x",
        "own_way": "def double(x):\n    try: import pycaret\n    except ImportError: return 2 * x",
        "wrong": "import pycaret\ndef double(x): return x[:1]",
        "misspelled": "import nmupy as n\ndef double(x): return n.double(x)",
    }.items():
        course.hand_in(name, *solution, code)
    course.grade()

    assert {name: points(course, name) for name in course.results()} == {
        "asked": (10, 2, 0),
        "inside": (10, 2, 0),
        "decorated": (10, 2, 0),
        "own_way": (12, 0, 0),
        "wrong": (10, 0, 0),
        "misspelled": (10, 0, 0),
    }


@pytest.fixture
def interpreter(tmp_path: Path) -> Path:
    """An interpreter with all that this one has, and packages of its own."""
    folder = tmp_path / "venv"
    made = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(made, check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "more.pth").write_text("\n".join(ours), encoding="utf-8")
    (packages / "broken_op.py").write_text("raise RuntimeError('no operator nms')")
    (packages / "needy").mkdir()
    (packages / "needy" / "__init__.py").write_text("from . import parts")
    (packages / "needy" / "parts.py").write_text("import pycaret")
    return folder / "bin" / "python"


@pytest.mark.slow
@pytest.mark.kernel
def test_what_waits_is_judged_once_the_package_is_there(tmp_path: Path, interpreter: Path) -> None:
    course = tiny_course.made(tmp_path / "course")
    first, *rest = (source.format(scale=0.5, number=0) for source in tiny_course.SOLUTION)
    course.hand_in("broken", f"{first}\nimport broken_op as b", *rest, "b.f()")
    course.hand_in("needy", f"{first}\nimport needy.parts as n", *rest, "n.f()")
    course.hand_in("needs", f"{first}\nimport pycaret", *rest, "pycaret.f()")
    course.hand_in("unused", f"{first}\nimport broken_op, needy, pycaret", *rest)
    _, printed = course.grade("--python", str(interpreter))
    before = {name: points(course, name) for name in course.results()}
    _, again = course.grade("--python", str(interpreter))

    waits = (4, 6, 0)
    assert before == {"broken": waits, "needs": waits, "needy": waits, "unused": (10, 0, 0)}
    assert "broken_op: 1 submission imports it, 1 needs it; it is installed" in printed
    assert "broken_op cannot be imported where notebooks are graded" in printed
    assert "kept 4 submissions" in again

    packages = next(interpreter.parent.parent.glob("lib/python*/site-packages"))
    (packages / "pycaret.py").write_text("def f(): pass")
    (packages / "pycaret-1.0.dist-info").mkdir()
    _, after = course.grade("--python", str(interpreter))

    assert "are imported and missing" not in after
    assert points(course, "needs") == (10, 0, 0)
    assert points(course, "broken") == waits


# ------------------------------------------------------------ without a kernel


def notebook(*sources: str) -> Notebook:
    cells = (Cell(index=i, kind="code", source=s) for i, s in enumerate(sources))
    return Notebook(cells=tuple(cells), sha256="")


def test_imports_are_found_at_any_depth() -> None:
    found = imported_modules(
        notebook(
            "import a.b, c as d\nfrom e.f import g as h\nfrom . import own",
            "def f():\n    try:\n        import i\n    except ImportError: from j import *",
            "%load_ext k.l\n!pip install not_this",
            "%%time\nimport m",
            "%%bash\nimport not_this",
            "importlib.import_module('n.o')\n__import__('p')\nimport google.cloud.storage",
            "from google import genai\nx = 'import not_this'",
        )
    )

    names = {module.name for module in found}
    assert names == {*"aceijkmnp", "google.cloud", "google.genai"}
    assert {module.bound for module in found} == {"a", "d", "h", "i", "", "m", "google", "genai"}
    assert [module.name for module in found if module.star] == ["j"]


@pytest.mark.parametrize(
    "source",
    [
        "from torch.utils.tensorboard import SummaryWriter",
        "from torch.utils import tensorboard as tb, data",
        "import torch.utils.tensorboard",
    ],
)
def test_a_part_that_is_nothing_without_another_package_needs_it(source: str) -> None:
    survey = ModuleSurvey(installed=frozenset({"torch"}))

    assert [m.name for m in survey.missing_imports(notebook(source))] == ["tensorboard"]


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("pandas", "pandas"),
        ("cv2", "opencv-python-headless"),
        ("pytorch_lightning", "pytorch-lightning"),
        ("torch_directml", "torch-directml"),
        ("ignite", "pytorch-ignite"),
        ("sklearn_extra", "scikit-learn-extra"),
        ("MeCab", "mecab-python3"),
        ("sb3_contrib", "sb3-contrib"),
        ("ydata_profiling", "ydata-profiling"),
        ("winreg", ""),
        ("helper", ""),
    ],
)
def test_packages_are_known_by_their_modules(module: str, package: str) -> None:
    assert find_package(module) == package
    assert is_known(module) == (module != "helper")


@pytest.mark.parametrize(
    ("module", "meant"),
    [("nmupy", "numpy"), ("pandsa", "pandas"), ("sklern", "sklearn"), ("solution", ""), ("ut", "")],
)
def test_typing_errors_are_recognized(module: str, meant: str) -> None:
    assert suggest_module(module, installed=["numpy", "pandas"]) == meant


INSTALLED = {
    "a line of the shell": "!pip install -q fogbank 'x>=1'",
    "pinned": "%pip install --upgrade fog-bank==1.2",
    "commented out": "# !pip3 install fog_bank[all]",
    "a shell's cell": "%%bash\nset -e\npip install numpy fogbank",
    "a process": "subprocess.check_call([sys.executable, '-m', 'pip', 'install', 'fogbank'])",
    "over lines": "run([sys.executable, '-m',\n    'pip',\n    'install', 'fogbank'])",
    "a longer line": "!pip install numpy \\\n    fogbank",
    "an address": "!pip install git+https://example.org/someone/FogBank.git@main",
    "a loop": "for p in ['numpy', 'fogbank>=2']:\n    !pip install {p}",
    "conda": "!conda install -y -c conda-forge fogbank",
    "uv": "!uv add fogbank",
    "pipenv": "!pipenv install fogbank",
    "pixi": "!pixi add fogbank",
    "a browser": "await micropip.install('fogbank')",
}
NOT_INSTALLED_BY_NAME = {
    "another": "!pip install numpy",
    "after it": "!pip install numpy && echo fogbank # fogbank",
    "in words": "# please install fogbank",
    "an import beside it": "!pip install numpy\nimport fogbank",
    "a list": "!pip list\nnames = ['fogbank']",
}


@pytest.mark.parametrize("name", [*INSTALLED, *NOT_INSTALLED_BY_NAME])
def test_what_a_notebook_installs_is_a_package(name: str) -> None:
    source = {**INSTALLED, **NOT_INSTALLED_BY_NAME}[name]
    survey = ModuleSurvey(installed=frozenset({"numpy"}))
    found = survey.missing_imports(notebook(source, "import fogbank"))

    assert [(m.name, m.known, m.package) for m in found] == [("fogbank", name in INSTALLED, "")]
    unknown = {"fogbank": "no file fogbank.py came with it"}
    assert survey.explain_unknown(found) == ({} if name in INSTALLED else unknown)


FETCHED = {
    "wget": "!wget -nc https://example.org/course/fogbank.py",
    "curl": "%%bash\ncurl -sS https://example.org/raw?f=1 \\\n  -o fogbank.py",
    "a repository": "!git clone https://example.org/someone/course-code\n%cd course-code",
    "its name": "import os; os.system('git clone https://example.org/fogbank.git')",
    "a process": "subprocess.run(['git', 'clone', 'https://example.org/someone/tools'])",
    "a function": "urllib.request.urlretrieve(URL, 'fogbank.py')",
    "an answer": "r = requests.get('https://example.org/fogbank.py'); open(f, 'w').write(r.text)",
    "gdown": "gdown.download(id='1abc', output='fogbank.py')",
    "a folder": "!gdown --folder https://drive.example.org/1abc",
    "a model's": "hf_hub_download('someone/fogbank', 'fogbank.py')",
    "unpacked": "!wget https://example.org/code.zip\n!unzip code.zip fogbank.py",
}
NOT_FETCHED = {
    "another file": "!wget https://example.org/cat.png",
    "beside it": "!wget https://example.org/cat.png\nimport fogbank\nfogbank.show('cat.png')",
    "data": "!wget https://example.org/images.zip && unzip images.zip",
    "a comment": "# !wget https://example.org/fogbank.py",
    "its own repository": "!git status && git log fogbank",
}


@pytest.mark.parametrize("name", [*FETCHED, *NOT_FETCHED])
def test_what_a_notebook_fetches_was_not_forgotten_by_the_student(name: str) -> None:
    source = {**FETCHED, **NOT_FETCHED}[name]
    survey = ModuleSurvey(installed=frozenset({"numpy"}))
    found = survey.missing_imports(notebook(source, "import fogbank, nmupy"))

    assert [(m.name, m.known) for m in found if m.name in {"fogbank", "nmupy"}] == [
        ("fogbank", name in FETCHED),
        ("nmupy", False),
    ]
    assert survey.explain_unknown(found) == {
        "fogbank": "the notebook fetches it, and there is no network"
        if name in FETCHED
        else "no file fogbank.py came with it",
        "nmupy": "did you mean numpy?",
    }
    lines = missing_lines(count_missing([found]), pip="pip")
    assert ("fogbank: 1 submission imports it; notebooks fetch it" in lines[0]) == (name in FETCHED)


def observed_missing(source: Notebook, *ends: tuple[str, str]) -> tuple[MissingModule, ...]:
    """Return what is missing where cells end with these errors."""
    runs = (
        CellRun(index=i, status=CellStatus.RAISED, error=CellError(name=name, message=message))
        for i, (name, message) in enumerate(ends)
    )
    survey = ModuleSurvey(installed=frozenset({"numpy", "torch"}))
    return survey.add_observed(
        survey.missing_imports(source),
        notebook=source,
        record=ExecutionRecord(cells=tuple(runs)),
        observations={},
    ).missing


@pytest.mark.parametrize(
    ("error", "message", "missing"),
    [
        ("ModuleNotFoundError", "No module named 'fogscript'", "fogscript"),
        ("ModuleNotFoundError", "No module named 'fogscript.parts'", "fogscript"),
        (
            "PackageNotFoundError",
            "No package metadata was found for torch-geometric",
            "torch_geometric",
        ),
        (
            "DistributionNotFound",
            "The 'pandas>=2' distribution was not found and is required",
            "pandas",
        ),
        ("ValueError", "this requires kaleido:\n$ pip install -U kaleido", "kaleido"),
        ("ImportError", "Use `pip install 'opencv-python-headless'`.", "cv2"),
        ("ValueError", "pip install helper", ""),
        ("ModuleNotFoundError", "No module named 'torch.parts'", ""),
        ("RuntimeError", "No module named 'fogscript'", ""),
    ],
)
def test_what_a_library_looks_for_is_a_package(error: str, message: str, missing: str) -> None:
    source = notebook("import torch\ntorch.onnx.export(f)")
    found = observed_missing(source, (error, message))

    assert [m.name for m in found] == ([missing] if missing else [])
    assert all(m.known and m.used and not m.imported for m in found)


def test_what_the_notebook_itself_looks_for_may_be_its_own_file() -> None:
    source = notebook("import solved")
    assert not any(
        m.known for m in observed_missing(source, ("ImportError", "No module named 'solved'"))
    )


def test_staff_read_who_imports_a_module_and_who_only_needs_it() -> None:
    own = MissingModule(name="fogbank", known=True)
    sought = MissingModule(
        name="tabulate", known=True, package="tabulate", imported=False, used=True
    )
    python = MissingModule(name="winreg", known=True)
    lines = missing_lines(count_missing([(own, sought, python), (own,)]), pip="pip")

    assert lines[0] == "tabulate: 1 submission needs it"
    assert lines[1].startswith("fogbank: 2 submissions import it; what to install for it is not")
    assert lines[2].startswith("winreg: 1 submission imports it; it is part of Python")
    assert lines[3].startswith("`pip install tabulate`, or")  # what a notebook names is no advice


def test_what_lies_beside_a_notebook_is_not_missing() -> None:
    survey = ModuleSurvey(installed=frozenset({"numpy", "torch"}))
    found = survey.missing_imports(
        notebook("import numpy, helper, tools.x, inner, pandas, sollution, grader, google.colab"),
        files=["helper.py", "tools/x.py", "src/inner.py", "pandas.csv", "sollution.txt"],
    )

    assert [(module.name, module.known) for module in found] == [
        ("pandas", True),
        ("sollution", False),
    ]


def test_a_file_that_was_made_or_found_meanwhile_is_not_missing() -> None:
    survey = ModuleSurvey(installed=frozenset({"numpy"}))
    source = notebook("import made, sought, pandas")
    note = "there is no module sought where notebooks are graded (no file …). Its import …"
    run = CellRun(index=0, status=CellStatus.RAN, notes=(note,))
    record = survey.add_observed(
        survey.missing_imports(source),
        notebook=source,
        record=ExecutionRecord(cells=(run,)),
        observations={},
    )

    assert [module.name for module in record.missing] == ["sought", "pandas"]


def test_only_what_is_missing_counts_as_missing() -> None:
    survey = ModuleSurvey(installed=frozenset({"numpy", "torchvision"}))
    said = ("numpy is not installed", "torchvision cannot be imported", "tensorboard is not there")
    runs = [
        CellRun(
            index=i,
            status=CellStatus.RAISED,
            error=CellError(name="ModuleNotFoundError", message=f"x was used, but {text}"),
        )
        for i, text in enumerate(said)
    ]
    answer = Observation(
        id="f", status="raised", error="ModuleNotFoundError: p.f was used, but pandas is not there"
    )
    source = notebook("import pandas, seaborn")
    record = survey.add_observed(
        survey.missing_imports(source),
        notebook=source,
        record=ExecutionRecord(cells=tuple(runs)),
        observations={"f": answer},
    )

    assert {m.name: (m.used, m.broken) for m in record.missing} == {
        "pandas": (True, False),
        "seaborn": (False, False),
        "tensorboard": (True, False),
        "torchvision": (True, True),
    }


def test_a_class_that_lacks_much_is_told_in_few_lines() -> None:
    many = tuple(
        MissingModule(name=f"m{i}\n{'x' * 200}", known=True, package=f"p{i}") for i in range(50)
    )
    lines = missing_lines(count_missing([many] * 3), pip="python -m pip")

    assert len(lines) == 14
    assert lines[12] == "and 38 more"
    assert all(len(line) < 500 and "\n" not in line for line in lines)
    assert len(preflight_note(count_missing([many]), pip="pip")) < 2000
    assert missing_lines(()) == ()
    assert preflight_note((), pip="pip") == ""


def test_the_survey_of_an_interpreter_lists_its_modules() -> None:
    modules = sandbox.survey_interpreter(sys.executable).modules

    assert {"json", "numpy", "sys", "IPython", "zlib"} <= modules
    assert not {"pycaret", "winreg", "stubs", "interpreter_survey"} & modules


def test_saved_outputs_are_judged_as_always() -> None:
    saved = SavedOutput(text="0.5\n", mimes=())
    cells = (
        Cell(index=0, kind="code", source="import pandas as pd", count=2),
        Cell(index=1, kind="code", source="pd.f()", count=1, outputs=(saved,)),
    )
    error = CellError(
        name="ModuleNotFoundError", message="pandas.f was used, but pandas is not installed …"
    )
    record = ExecutionRecord(
        cells=(
            CellRun(index=0, status=CellStatus.RAN),
            CellRun(index=1, status=CellStatus.RAISED, error=error),
        ),
        heard=True,
        missing=(MissingModule(name="pandas", known=True, package="pandas", used=True),),
    )
    source = Notebook(cells=cells, sha256="")
    checks = ("OUT001", "OUT002", "OUT003", "OUT004", "EXE001")
    findings = judge(checks, source, record)

    assert {code: findings[code].lack for code in checks} == {
        "OUT001": "",
        "OUT002": "",
        "OUT003": "",
        "OUT004": "pandas is not installed where notebooks are graded",
        "EXE001": "pandas is not installed where notebooks are graded",
    }
    (difference,) = collect_saved_evidence(source, record=record, answers={}).differences
    assert difference.why == "needed pandas, which is missing where notebooks are graded"


def judge(
    codes: tuple[str, ...], source: Notebook, record: ExecutionRecord
) -> Mapping[str, Finding]:
    """Judge a run by checks of the file and the run, by their codes."""
    params = {"OUT001": {"count": 3, "what": "numbers"}, "EXE001": {"at_most": "1/2"}}
    registry = load_checks(())
    rubric_checks = tuple(
        RubricCheck(
            item=ITEM,
            spec=CheckSpec(code=code, points=Fraction(1)),
            check=registry[code].model_validate(params.get(code, {})),
        )
        for code in codes
    )
    bound = BoundRubric(
        rubric_checks=rubric_checks,
        judging_order=tuple(range(len(codes))),
        questions=(),
        constant_questions=(),
        rng=RNG,
    )
    trace = Trace(notebook=source, record=record, observations={}, expected={})
    evidence = Evidence.from_trace(trace, rng=SeededRandom(seed=b"seed"))
    return {finding.code: finding for finding in bound.judge(evidence).findings}


ITEM = Item(id="A", title="An item", points=Fraction(5), kind="auto", source="course")


def test_the_doctor_looks_through_a_folder_and_runs_nothing(tmp_path: Path) -> None:
    for name, source in {
        "a": "import pandas, cv2, tools",
        "b": "import pandas, nmupy",
        "c/d": "import numpy",
        ".ipynb_checkpoints/e": "import wandb",
    }.items():
        file = tmp_path / f"{name}.ipynb"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(tiny_course.notebook(source)), encoding="utf-8")
    (tmp_path / "broken.ipynb").write_text("{", encoding="utf-8")
    (tmp_path / "tools.py").touch()
    installed = frozenset({"numpy", "tqdm", "plotly", "seaborn", "ipywidgets"})

    lines = list(survey_lines(tmp_path, installed=installed, python="py"))

    assert lines[:3] == [
        "Notebooks run in py.",
        "  It lacks pandas, which many notebooks import: `py -m pip install pandas`.",
        f"  4 notebooks in {tmp_path}: these are missing",
    ]
    assert lines[3:5] == ["    pandas: 2 submissions import it", "    cv2: 1 submission imports it"]
    assert lines[5].startswith("    `py -m pip install pandas opencv-python-headless`, or ")
    assert lines[6].startswith("    nmupy (1 submission): no package of that name is known here")
    assert len(lines) == 7


def test_the_doctor_has_nothing_to_say_of_what_is_there(tmp_path: Path) -> None:
    installed = frozenset({*COMMON_MODULES, "numpy"})
    file = tmp_path / "a.ipynb"
    file.write_text(json.dumps(tiny_course.notebook("import numpy, pandas")), encoding="utf-8")

    assert list(survey_lines(file, installed=installed, python="py")) == [
        "Notebooks run in py.",
        f"  It has {', '.join(COMMON_MODULES)}, which many notebooks import.",
        f"  1 notebook in {file}: no package is missing",
    ]


def test_a_class_is_looked_through_within_a_second(tmp_path: Path) -> None:
    cells = [f"import pandas as pd\nx{n} = {n}\ndef f{n}(a): return a + {n}" for n in range(30)]
    for number in range(60):
        own = f"import seaborn\nname = 'student {number}'"
        text = json.dumps(tiny_course.notebook(*cells, own))
        (tmp_path / f"{number}.ipynb").write_text(text, encoding="utf-8")
    with within(1):
        lines = list(survey_lines(tmp_path, installed=frozenset(), python="py"))

        assert "    pandas: 60 submissions import it" in lines
