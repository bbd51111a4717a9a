"""Answer imports of what is not installed with stubs: in the notebook's own code, nowhere else.

Libraries probe for one another, so that a stub in `sys.modules` would break those that are there.
The hook therefore looks at who imports: a cell or a file beside the notebook gets a stub, which no
other code can find. An import whose failure the notebook itself would catch fails as anywhere.
"""

import builtins
import importlib
import importlib.machinery
import importlib.util
import opcode
import os
import sys
import types

from inside import absent_modules
from inside.absent_modules import Absence, AbsentModule
from inside.caught_imports import SyntaxTrees
from inside.hosted_notebooks import MODULES as HOSTED

IMPORT_NAME = opcode.opmap["IMPORT_NAME"]
NAMESPACES = ("google",)
"""Modules that are shared by packages, so that one of them may be missing."""
EXPLICIT_IMPORTS = ("__import__", "import_module")
IMPORT_SYSTEM = "<frozen importlib._bootstrap>"
OWN_FILES = (IMPORT_SYSTEM, absent_modules.__file__)
NOT_MISSING = (MemoryError, RecursionError)
"""Errors of an import that say nothing of the module."""
EXTENSION_MAGICS = {
    "line_profiler": ("lprun",),
    "memory_profiler": ("memit", "mprun"),
    "google.colab.data_table": (),
}
"""Magics of extensions; of any other, the last part of its name."""


class ImportHook:
    """Stands between the notebook's imports and Python's.

    Args:
        shell: whose namespace and files the notebook's code is.
        notes: hears what was let pass.
        unknown: modules that are no package anyone knows, with what may be the matter, in words.
        where: where all this is, in words.
    """

    def __init__(self, shell, notes, *, unknown, where):
        self.shell = shell
        self.notes = notes
        self.unknown = unknown
        self.where = where
        self.folder = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118 (compared with strings)
        self.trees = SyntaxTrees()
        self.stubs = {}

    def install(self):
        """Answer every kind of import from now on."""
        self.shell.ast_transformers.append(self.trees)
        builtins.__import__ = self.wrap_import(builtins.__import__)
        importlib.import_module = self.wrap_import_module(importlib.import_module)
        self.wrap_extensions(self.shell.extension_manager)
        hide_own_frames(self.shell)

    def wrap_import(self, real_import):
        """Return what `import` statements call."""

        def import_or_stub(name, globals=None, locals=None, fromlist=(), level=0):  # noqa: A002
            try:
                return real_import(name, globals, locals, fromlist, level)
            except NOT_MISSING:
                raise
            except Exception as error:
                stub = None
                if not level and isinstance(name, str):
                    stub = self.answer(name, fromlist, error, sys._getframe(1))
                if stub is None:
                    raise
                return stub

        return hide_frame(import_or_stub)

    def wrap_import_module(self, real_import_module):
        """Return what `importlib.import_module` is for the notebook."""

        def import_module(name, package=None):
            """Import a module."""
            try:
                return real_import_module(name, package)
            except NOT_MISSING:
                raise
            except Exception as error:
                stub = None
                if isinstance(name, str) and not name.startswith("."):
                    stub = self.answer(name, ("",), error, sys._getframe(1))
                if stub is None:
                    raise
                return stub

        return hide_frame(import_module)

    # ------------------------------------------------------------ who imports what

    def answer(self, name, fromlist, error, frame):
        """Return what a failed import gets, or None to let it fail."""
        if name.startswith(HOSTED) or not self.is_own(frame) or not is_explicit(frame):
            return None
        absence = self.find_absence(name, error)
        if absence is None:
            return None
        if self.is_caught(error, frame):
            self.notes.add(f"{absence.reason}: the notebook's own `except` answered that.")
            return None
        self.notes.add(f"{absence.reason}. The import was skipped, and it costs nothing.")
        return self.make_answer(name, fromlist, absence)

    def is_own(self, frame):
        """Return whether a frame runs code of the notebook or of a file beside it."""
        while frame is not None and "__name__" not in frame.f_globals:  # of a bare `exec`
            frame = frame.f_back
        if frame is None:
            return False
        names = frame.f_globals
        if names is self.shell.user_ns or names["__name__"] == "__main__":
            return True
        file = names.get("__file__")
        return isinstance(file, str) and os.path.abspath(file).startswith(self.folder)  # noqa: PTH100

    def is_caught(self, error, frame):
        """Return whether the notebook's own code catches the error, here or further out."""
        while frame is not None:
            if self.is_own(frame) and self.trees.catches(frame, error):
                return True
            frame = frame.f_back
        return False

    def expects_absence(self, frame):
        """Return whether what imports, from a frame on, is no code of the notebook's that needs it.

        That is a library, a look such as `find_spec`, or an import whose failure is caught.
        """
        while frame is not None and is_import_system(frame):
            frame = frame.f_back
        if frame is None:
            return True
        if (frame.f_globals.get("__name__") or "").startswith("IPython."):  # `%load_ext`
            return False
        return not self.is_own(frame) or self.is_caught(ModuleNotFoundError(), frame)

    def find_absence(self, name, error):
        """Return what is absent; None where the import failed for another reason."""
        top = name.partition(".")[0]
        if isinstance(error, ModuleNotFoundError) and error.name:
            missing = top_level(error.name)
            if is_findable(missing):
                return None
            # `_tkinter` is the half of tkinter that is missing.
            return self.make_absence(top if missing == f"_{top}" else missing)
        if top in sys.modules or top in sys.stdlib_module_names or not self.is_installed(top):
            return None
        return self.make_absence(top, error)

    def is_installed(self, top):
        """Return whether a module is found, and not beside the notebook."""
        spec = importlib.machinery.PathFinder.find_spec(top)
        paths = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
        return any(paths) and not any(
            os.path.abspath(path).startswith(self.folder)  # noqa: PTH100 (see above)
            for path in paths
            if path
        )

    def make_absence(self, module, error=None):
        """Word why a module can't be used."""
        reason = f"{module} is not installed {self.where}"
        if error is not None:
            detail = f"{type(error).__name__}: {error}"[:60]
            reason = f"{module} cannot be imported {self.where} ({detail})"
        elif module in self.unknown:
            reason = f"there is no module {module} {self.where} ({self.unknown[module]})"
        return Absence(module, reason, notes=self.notes, trees=self.trees)

    # ------------------------------------------------------------ stubs

    def make_answer(self, name, fromlist, absence):
        """Return what an import statement binds, or takes names from."""
        module = self.module(name, absence)
        if fromlist and not isinstance(module, AbsentModule):
            for part in fromlist:
                if part != "*" and not hasattr(module, part):
                    self.module(f"{name}.{part}", absence)
        return module if fromlist else self.module(name.partition(".")[0], absence)

    def module(self, name, absence):
        """Return a module: the one that is there, or a stub, set in its parent."""
        if name in sys.modules and sys.modules[name] is not None:
            return sys.modules[name]
        if name not in self.stubs:
            self.stubs[name] = AbsentModule(name, absence)
        parent, _, own_name = name.rpartition(".")
        if parent:
            setattr(self.module(parent, absence), own_name, self.stubs[name])
        return self.stubs[name]

    # ------------------------------------------------------------ extensions

    def wrap_extensions(self, manager):
        """Let `%load_ext` of what is not installed pass, and its line magics do nothing."""
        real_load = manager.load_extension

        def load_extension(module_str):
            try:
                return real_load(module_str)
            except ModuleNotFoundError as error:
                absence = self.find_absence(module_str, error)
                if absence is None:
                    raise
            self.notes.add(f"{absence.reason}. `%load_ext {module_str}` was skipped.")
            for magic in EXTENSION_MAGICS.get(module_str, (module_str.rpartition(".")[2],)):
                self.make_magic(magic, absence)
            return None

        object.__setattr__(manager, "load_extension", load_extension)

    def make_magic(self, magic, absence):
        """Register a line magic that does nothing, and a cell magic that fails."""

        def do_nothing(line=""):
            self.notes.add(f"%{magic} did nothing: {absence.reason}.")

        def fail(line, cell):
            absence.fail(f"%%{magic}")

        self.shell.register_magic_function(do_nothing, "line", magic)
        self.shell.register_magic_function(fail, "cell", magic)


def is_explicit(frame):
    """Return whether a frame imports by its own words, rather than by unpickling, say."""
    code = frame.f_code
    return code.co_code[frame.f_lasti] == IMPORT_NAME or any(
        name in EXPLICIT_IMPORTS for name in code.co_names
    )


def is_import_system(frame):
    """Return whether a frame is of Python's import system, or of what stands before it here."""
    name = frame.f_globals.get("__name__") or ""
    return name == "importlib" or name.startswith(("importlib._", "inside."))


def top_level(name):
    """Return the module that a package would bring for a module to be there."""
    top, _, rest = name.partition(".")
    return f"{top}.{rest.partition('.')[0]}" if top in NAMESPACES and rest else top


def is_findable(name):
    """Return whether there is a module of that name."""
    if sys.modules.get(name) is not None or name in sys.builtin_module_names:
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def hide_frame(function):
    """Let a function be passed over as Python's own import system is, by warnings say."""
    function.__code__ = function.__code__.replace(co_filename=IMPORT_SYSTEM)
    return function


def hide_own_frames(shell):
    """Let a shown traceback end where the notebook's own code does."""
    real_get = shell._get_exc_info

    def get_exc_info(exc_tuple=None):
        kind, error, traceback = real_get(exc_tuple)
        return kind, error, without_own_frames(traceback) or traceback

    object.__setattr__(shell, "_get_exc_info", get_exc_info)


def without_own_frames(traceback):
    """Return a traceback without what is behind imports and stubs."""
    entries = []
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename not in OWN_FILES:
            entries.append((traceback.tb_frame, traceback.tb_lasti, traceback.tb_lineno))
        traceback = traceback.tb_next
    for entry in reversed(entries):
        traceback = types.TracebackType(traceback, *entry)
    return traceback
