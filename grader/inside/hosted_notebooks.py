"""Stand for what Google Colab and Kaggle bring along: their modules, and their folders.

`google.colab` and `kaggle_secrets` are there, and do nothing. A notebook that tries to import them
where a failure is caught finds none, as on any other computer, and goes its own way.
"""

import ast
import functools
import importlib.machinery
import linecache
import os
import sys
from pathlib import Path

from inside import hosted_folders
from inside.idle_modules import IdleLoader, IdleStub

MODULES = ("google.colab", "kaggle_secrets", "kaggle_datasets")
IMPORT_ERRORS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
MAX_UPLOAD_BYTES = 50_000_000
"""Most bytes of files that `files.upload()` gives."""


class HostedFinder:
    """Finds modules of Colab and Kaggle, and `google` itself where nothing else does."""

    def __init__(self, notes):
        self.notes = notes
        self.loader = IdleLoader(self.answer)

    def find_spec(self, fullname, path=None, target=None):
        """Return a module that does nothing, unless its absence is looked for."""
        is_hosted = any(fullname == m or fullname.startswith(f"{m}.") for m in MODULES)
        if fullname != "google" and not is_hosted:
            return None
        if is_absence_expected(sys._getframe(1)):
            return None
        loader = self.loader if is_hosted else None
        spec = importlib.machinery.ModuleSpec(fullname, loader, is_package=True)
        if not is_hosted:
            spec.submodule_search_locations = []
        return spec

    def answer(self, name):
        """Answer a call of something in these modules."""
        service = "Kaggle" if name.startswith("kaggle") else "Colab"
        self.notes.add(f"{name}(…) did nothing: there is no {service} here")
        if name.endswith("files.upload"):
            return upload_files(Path.cwd())
        if name.endswith(("userdata.get", "get_secret", "get_gcs_path")):
            return ""
        if name.endswith("UserSecretsClient"):
            return self.client()
        return None

    def client(self):
        """Return a client of Kaggle's secrets, which are empty."""
        return IdleStub("kaggle_secrets.UserSecretsClient", self.answer)


def upload_files(folder):
    """Return the files beside the notebook as if they were uploaded: contents by name."""
    files, bytes_left = {}, MAX_UPLOAD_BYTES
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.is_file():
            continue
        bytes_left -= path.stat().st_size
        if bytes_left >= 0:
            files[path.name] = path.read_bytes()
    return files


# ---------------------------------------------------------------- imports that may fail


def is_absence_expected(frame):
    """Return whether the code that imports catches a failure, or only looks."""
    while frame is not None:
        module = frame.f_globals.get("__name__") or ""
        if module in {"importlib.util", "pkgutil"}:
            return True
        if module.startswith(("IPython.", "ipykernel.")):
            return False
        if not module.startswith(("importlib", "inside.", "_frozen")) and catches_import_error(
            frame.f_code.co_filename, frame.f_lineno
        ):
            return True
        frame = frame.f_back
    return False


def catches_import_error(filename, line):
    """Return whether a line stands in a `try` or `suppress` that catches a failed import."""
    return any(first <= line <= last for first, last in guarded_lines(filename))


def guarded_lines(filename):
    """Return the lines, from first to last, of blocks that catch failed imports."""
    return find_guarded_lines("".join(linecache.getlines(filename)))


@functools.lru_cache(maxsize=64)
def find_guarded_lines(source):
    """Find such blocks in a source; none where it can't be parsed."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return ()
    blocks = [node for node in ast.walk(tree) if is_guarded(node)]
    return tuple((block.body[0].lineno, block.body[-1].end_lineno) for block in blocks)


def is_guarded(node):
    """Return whether a block catches failed imports."""
    if isinstance(node, ast.Try):
        return any(map(catches, node.handlers))
    return isinstance(node, ast.With) and any(suppresses(i.context_expr) for i in node.items)


def catches(handler):
    """Return whether an `except` catches a failed import."""
    return handler.type is None or names_import_error(handler.type)


def suppresses(call):
    """Return whether a context is `suppress(ImportError)` or the like."""
    return (
        isinstance(call, ast.Call)
        and ast.unparse(call.func).rpartition(".")[2] == "suppress"
        and any(map(names_import_error, call.args))
    )


def names_import_error(node):
    """Return whether an expression names an error of imports, alone or in a tuple."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return any(ast.unparse(part).rpartition(".")[2] in IMPORT_ERRORS for part in parts)


# ---------------------------------------------------------------- magics


def register_magics(shell):
    """Let Colab's own magics be there: `%%shell`, and one that does nothing any more."""

    def run_shell(line="", cell=None):
        if cell is None:
            shell.system(line)
        else:
            shell.run_cell_magic("bash", "", cell)

    shell.register_magic_function(run_shell, "line_cell", "shell")
    shell.register_magic_function(lambda line="": None, "line", "tensorflow_version")


def install(shell, notes, temporary=None):
    """Let the modules be found, and the folders lead to the notebook's own.

    temporary: a sandbox's temporary folder; None on a student's own computer.
    """
    sys.meta_path.append(HostedFinder(notes))
    register_magics(shell)
    runs_there = temporary is None and any(map(os.path.isdir, hosted_folders.ROOTS))
    if not runs_there:
        folders = hosted_folders.HostedFolders(notes, str(Path.cwd()), temporary or "/tmp")  # noqa: S108
        folders.install(shell)
