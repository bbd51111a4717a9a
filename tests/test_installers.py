"""Installers install nothing, however a notebook calls them, and the rest of the line runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from neutralized import LEVELS, Notebooks, failures, notebooks
from programs import idle_installer, installers

LEFT_OUT = "was left out: nothing is installed where notebooks are graded."
IMPORTS = "import os, subprocess, sys; from pathlib import Path"
INSTALLS = {
    "!pip install -q 'torch>=2' x": "`!pip install -q 'torch>=2' x`",
    "%pip install x": "`%pip install x`",
    "!sudo apt-get install -y x": "`!sudo apt-get install -y x`",
    "%%bash\npip install x && mkdir from_bash": "`pip install x`",
    "%%script bash\npython -m pip install x && mkdir from_script": "`pip install x`",
    "assert os.system('pip3 install x && mkdir from_system') == 0": "`pip install x`",
    "assert os.popen('brew install x; echo more').read() == 'more\\n'": "`brew install x`",
    "out = !pip install x": "`!pip install x`",
    "subprocess.check_call([sys.executable, '-m', 'pip', 'install', 'x'])": "`pip install x`",
    "subprocess.check_call(['pip', 'install', 'x'], env={})": "`pip install x`",
    "subprocess.run(f'{sys.executable} -m pip install x', shell=True, check=True)": (
        "`pip install x`"
    ),
    "subprocess.check_call('uv pip install x && mkdir from_uv', shell=True)": "`pip install x`",
    "subprocess.check_call([Path(sys.prefix, 'bin', 'pip'), 'install', 'x'])": "`pip install x`",
    "os.environ['PATH'] = '/usr/bin:/bin'\nassert os.system('conda install x') == 0": (
        "`conda install x`"
    ),
    "!npm install x > /dev/null && mkdir from_npm": "`npm install x`",
    "subprocess.check_call(['cargo', 'install', 'x'])": "`cargo install x`",
    "!Rscript -e 'install.packages(\"x\")'": "`!Rscript -e 'install.packages(\"x\")'`",
    "import micropip; await micropip.install('x')": "`micropip.install(…)`",
    "assert os.system('sudo -H apt-get update && sudo mkdir from_sudo') == 0": "`apt-get update`",
}
MADE = ("from_bash", "from_script", "from_system", "from_uv", "from_sudo", "from_npm")
QUESTIONS = (
    "assert any('numpy==' in line for line in os.popen('pip freeze'))",
    "assert 'Name: numpy' in subprocess.check_output(['pip', 'show', 'numpy'], text=True)",
    "out = !pip show numpy\nassert out[0] == 'Name: numpy', out",
    "assert os.system('pip freeze > frozen.txt') == 0 and 'numpy' in open('frozen.txt').read()",
    "done = subprocess.run('pip --version', shell=True)\nassert done.args == 'pip --version'",
    f"assert [p for p in {MADE} if not os.path.isdir(p)] == []",
)


@pytest.fixture(scope="module", params=LEVELS)
def level(request: pytest.FixtureRequest) -> Iterator[Notebooks]:
    with notebooks(request.param) as started:
        yield started


@pytest.mark.kernel
def test_nothing_is_installed_and_the_rest_of_the_line_runs(level: Notebooks) -> None:
    sources = [IMPORTS, *INSTALLS, *QUESTIONS]
    with level.run(*sources) as (record, _):
        notes = {s: run.notes for s, run in zip(sources, record.cells, strict=True)}

    assert failures(record, sources) == {}
    expected = {s: (f"{command} {LEFT_OUT}",) for s, command in INSTALLS.items()}
    assert {s: n for s, n in notes.items() if n} == expected


@pytest.mark.kernel
def test_a_shells_line_goes_on_after_an_installer(level: Notebooks) -> None:
    sources = (
        "!pip install x && mkdir out && echo made",
        "!pip freeze > f\nassert 'numpy' in open('f').read()",
        "import os; assert os.path.isdir('out')",
        "import pip\nassert pip.main(['install', 'x']) == 0",
    )
    with level.run(*sources) as (record, _):
        assert failures(record, sources) == {}

    assert record.cells[0].shown.strip() == "made"
    assert record.cells[0].notes == (f"`pip install x` {LEFT_OUT}",)


@pytest.mark.parametrize(
    ("line", "alone"),
    [
        ("pip install x", True),
        ("pip install 'x>=2' \"y<3\"", True),
        ("sudo -H pip3.11 install x", True),
        ("python -m pip install x", True),
        ("pip -q install x", True),
        ("pip", False),
        ("pip freeze", False),
        ("pip install x && mkdir out", False),
        ("pip install x | tail -1", False),
        ("pip install x > log", False),
        ("pip install $(cat names)", False),
        ("uv run python x.py", False),
        ("conda env list", False),
        ("conda create -n x", True),
        ("pip cache dir", False),
        ("pip cache purge", True),
        ("pip config set global.x y", True),
        ("dpkg -l", False),
        ("dpkg -i x.deb", True),
        ("npm i -g x", True),
        ("npm --version", False),
        ("npm run build", False),
        ("npx x", True),
        ("yarn", True),
        ("yarn --version", False),
        ("yarn test", False),
        ("gem install x", True),
        ("poetry add x", True),
        ("poetry run python x.py", False),
        ("pipenv install -r requirements.txt", True),
        ("python -m pipenv install x", True),
        ("pixi add x", True),
        ("cargo install x", True),
        ("cargo build", False),
        ("go install x@latest", True),
        ("go run x.go", False),
        ("Rscript -e \"install.packages('x')\"", True),
        ("Rscript x.R", False),
        ("python x.py install", False),
        ("pipeline install", False),
        ("echo 'pip install", False),
    ],
)
def test_a_line_that_only_installs_is_told_apart(line: str, *, alone: bool) -> None:
    assert installers.is_install_alone(line) is alone


@pytest.mark.parametrize(
    ("words", "call"),
    [
        (["/usr/bin/pip3.12", "list"], ("pip", ["list"])),
        ([r"C:\Python\Scripts\pip.exe", "install", "x"], ("pip", ["install", "x"])),
        ([sys.executable, "-m", "pip", "install"], ("pip", ["install"])),
        (["python3", "-W", "ignore", "-m", "pip"], None),
        (["python3", "-mpip", "list"], ("pip", ["list"])),
        (["python3", "-m", "http.server"], None),
        (["python3", "-m"], None),
        (["ls", "pip"], None),
        ([], None),
    ],
)
def test_a_command_is_known_by_its_words(
    words: list[str], call: tuple[str, list[str]] | None
) -> None:
    assert idle_installer.split_command(words) == call


def test_sudo_and_uv_run_the_rest_of_their_line() -> None:
    assert idle_installer.line_to_run("sudo", ["-u", "me", "A=1", "ls", "-l"]) == ["ls", "-l"]
    assert idle_installer.line_to_run("uv", ["run", "-q", "python", "x.py"]) == ["python", "x.py"]
    assert idle_installer.line_to_run("conda", ["run", "-n", "base", "ls"]) == ["ls"]
    assert idle_installer.line_to_run("pip", ["run"]) is None
    assert not idle_installer.only_asks("jupyter", ["nbconvert", "--to", "html", "x.ipynb"])
    assert not idle_installer.only_asks("jupyter-nbconvert", ["--to", "html", "x.ipynb"])
    assert idle_installer.only_asks("jupyter", ["kernelspec", "list"])


def test_what_only_asks_is_told_from_what_changes_something() -> None:
    asks = ["list", "freeze", "show x", "--version", "-q list", "config list"]
    changes = [
        "install x",
        "-q install x",
        "uninstall x",
        "download x",
        "wheel .",
        "config set a b",
    ]

    assert [line for line in asks if not idle_installer.only_asks("pip", line.split())] == []
    assert [line for line in changes if idle_installer.only_asks("pip", line.split())] == []
