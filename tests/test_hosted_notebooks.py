"""Notebooks of Colab and Kaggle run where there is neither."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from neutralized import LEVELS, Notebooks, call, failures, notebooks, numbers
from programs import hosted_folders, hosted_notebooks

START = "import os, shutil, sys; from pathlib import Path; work = os.getcwd()"
LOOKING = (
    "try:\n    import google.colab\nexcept ImportError: pass\nelse: assert False",
    (
        "try:\n    from google.colab import drive\nexcept (OSError, ImportError): drive = None\n"
        "assert drive is None"
    ),
    (
        "try: from kaggle_secrets import UserSecretsClient\nexcept Exception: client = None\n"
        "assert client is None"
    ),
    "try:\n    import google.colab\nexcept:\n    pass\nassert 'google.colab' not in sys.modules",
    "from contextlib import suppress\nwith suppress(ImportError):\n  import google.colab; 1 / 0",
    (
        "def in_colab():\n    import google.colab\n    return True\n"
        "try: assert not in_colab()\nexcept ImportError: pass"
    ),
    (
        "import importlib.util\ntry: assert importlib.util.find_spec('google.colab') is None\n"
        "except ModuleNotFoundError: pass"
    ),
    (
        "Missing = (ImportError, OSError)\ntry: import google.colab\nexcept Missing: pass\n"
        "else: assert False"
    ),
    (
        "import tempfile\nlibrary = tempfile.mkdtemp(); sys.path.append(library)\n"
        "look = 'import importlib\\ntry: importlib.import_module(\"google.colab\")\\n'\n"
        "look += 'except ImportError: FOUND = False'\n"
        "_ = Path(library, 'colab_user.py').write_text(look)\n"
        "import colab_user; assert not colab_user.FOUND"
    ),
    "assert not os.path.exists('/content') and not Path('/kaggle/input').is_dir()",
)
"""Ways to look whether a notebook runs in Colab: here it does not."""
STANDING = (
    "from google.colab import drive, files, userdata\ndrive.mount('/content/drive')",
    "assert userdata.get('KEY') == '' and files.upload() == {'data.csv': b'a,b\\n'}",
    "from google.colab.patches import cv2_imshow; cv2_imshow(None)",
    "import google.colab as colab; colab.output.clear(); colab.auth.authenticate_user()",
    (
        "from kaggle_secrets import UserSecretsClient\n"
        "assert UserSecretsClient().get_secret('KEY') == ''"
    ),
)
MAGICS = (
    "%tensorflow_version 2.x",
    "%%shell\ntouch from_shell",
    "%load_ext google.colab.data_table\nassert os.path.exists('from_shell')",
)
PATHS = (
    "assert open('/content/data.csv').read() == 'a,b\\n'",
    "assert open('/content/drive/MyDrive/Colab Notebooks/hw 5/data.csv').read() == 'a,b\\n'",
    "name = 'data'; assert Path(f'/content/drive/My Drive/{name}.csv').exists()",
    "assert os.path.isfile('/kaggle/input/some-set/data.csv')",
    "os.makedirs('/content/out/deep'); open('/content/out/deep/x', 'w').write('1')",
    "assert os.path.exists('/kaggle/working/out') and os.listdir('/content/out') == ['deep']",
    "(Path('/kaggle/working') / 'y.txt').write_text('2')",
    "shutil.copy('/content/y.txt', '/content/drive/MyDrive/y.txt')",
    "%cd -q /content/drive/MyDrive/Colab Notebooks\nassert os.getcwd() == work",
    "%%bash\ncp /content/data.csv '/content/drive/My Drive/copy.csv' && test -e /content/copy.csv",
    "%%writefile /content/helper.py\nvalue = 5",
    "sys.path.append('/content/drive/MyDrive'); import helper; assert helper.value == 5",
    "import numpy as np; np.savetxt('/content/numbers.txt', [1.0, 2.0])",
    "n = 3\nnp.save(f'/content/drive/MyDrive/hw5/model_{n}.npy', np.ones(1))",
    "np.load('/content/drive/MyDrive/hw5/model_' + str(n) + '.npy'); np.load('model_%d.npy' % n)",
    "np.save('/content/drive/MyDrive/hw5/plain', np.ones(1)); np.load('plain.npy')",
    (
        "if not os.path.exists('/content/drive/MyDrive/hw5/made'):\n"
        "    os.makedirs('/content/drive/MyDrive/hw5/made')"
    ),
    "open(f'/content/drive/MyDrive/hw5/made/log{n}', 'w').write('x'); assert open('made/log3')",
    "assert os.path.exists(f'/content/drive/MyDrive/hw5/made/log{n}')",
    "(Path('/content/drive/MyDrive/other') / 'z.txt').write_text('z'); assert open('z.txt')",
    "def later():\n    return np.loadtxt('/content/drive/MyDrive/numbers.txt')",
)


@pytest.fixture(scope="module", params=LEVELS)
def level(request: pytest.FixtureRequest) -> Iterator[Notebooks]:
    with notebooks(request.param) as started:
        yield started


@pytest.mark.kernel
def test_notebooks_of_colab_and_kaggle_run(level: Notebooks, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("a,b\n", encoding="utf-8")
    sources = (START, *LOOKING, *STANDING, *PATHS, *MAGICS)
    with level.run(*sources, files={"data.csv": data}) as (record, live):
        notes = [run.notes for run in record.cells]

        assert failures(record, sources) == {}
        assert numbers(live.ask((call("later"),))["later"]) == [1, 2]

    assert set(notes[: len(LOOKING) + 1]) == {()}
    assert all(notes[len(LOOKING) + 1 : -len(MAGICS) - 4])


@pytest.mark.parametrize(
    ("text", "led"),
    [
        ("/content", "/w"),
        ("/content/", "/w/"),
        ("/content/a b/c.txt", "/w/a b/c.txt"),
        ("/content/drive/MyDrive", "/w"),
        ("/content/drive/My Drive/hw5/", "/w/"),
        ("/content/gdrive/MyDrive/hw5/model.pt", "/w/model.pt"),
        ("/kaggle/input/set/train.csv", "/w/train.csv"),
        ("/kaggle/working/out", "/w/out"),
        ("/contents", "/contents"),
        ("/content.txt", "/content.txt"),
        ("see /content", "see /content"),
        ("/kaggle", "/kaggle"),
    ],
)
def test_a_path_leads_to_the_notebooks_folder(text: str, led: str) -> None:
    assert folders().lead_path(text) == led


@pytest.mark.parametrize(
    ("line", "led"),
    [
        ("ls /content", "ls /w"),
        ("cat '/content/drive/My Drive/a b.txt' > /content/out", "cat '/w/a b.txt' > /w/out"),
        (r"ls /content/drive/My\ Drive/x.txt", "ls /w/x.txt"),
        ("curl https://example.org/content/x -o x", "curl https://example.org/content/x -o x"),
        ("ls ./content/x; ls /contents", "ls ./content/x; ls /contents"),
        ("unzip -q /content/x.zip -d /kaggle/working;ls", "unzip -q /w/x.zip -d /w;ls"),
    ],
)
def test_paths_in_a_shells_line_lead_there_too(line: str, led: str) -> None:
    assert folders().lead_line(line) == led


def folders() -> Any:
    class Notes:
        def add(self, text: str) -> None:
            assert "meant the notebook's own" in text

    return hosted_folders.HostedFolders(Notes(), "/w")


Files = dict[str, bytes]
IN_VAIN: dict[str, Callable[[Files], object]] = {
    "first": lambda files: next(iter(files), None),
    "list": list,
    "loop": lambda files: [name for name in files.keys()],  # noqa: SIM118, C416 (as notebooks do)
    "contents": lambda files: list(files.values()),
    "pairs": lambda files: list(files.items()),
    "count": len,
    "get": lambda files: files.get("a.csv"),
    "pop": lambda files: files.pop("a.csv", b""),
}


@pytest.mark.parametrize("name", IN_VAIN)
def test_a_look_for_an_upload_that_is_not_there_is_noted_in_its_cell(name: str) -> None:
    notes: set[str] = set()
    files = hosted_notebooks.UploadedFiles({}, notes)
    assert notes == {hosted_notebooks.NO_SUCH_UPLOAD}
    notes.clear()

    IN_VAIN[name](files)

    assert notes == {hosted_notebooks.NO_SUCH_UPLOAD}


def test_uploads_that_are_there_are_no_matter() -> None:
    notes: set[str] = set()
    files = hosted_notebooks.UploadedFiles({"data.csv": b"a"}, notes)

    assert [*files] == ["data.csv"] == list(files.keys())
    assert files["data.csv"] == files.get("data.csv") == b"a"
    assert [len(files), notes] == [1, set()]
    with pytest.raises(KeyError):
        files["other.csv"]
    assert notes == {hosted_notebooks.NO_SUCH_UPLOAD}
