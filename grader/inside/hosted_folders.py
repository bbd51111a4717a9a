"""Let the folders of Colab and Kaggle lead to the notebook's own: `/content`, `/kaggle/working`.

So do `/tmp` and `/dev/shm` where notebooks have none of their own. The paths stand in the notebook
as texts, so they are replaced where they stand, just before a cell is compiled. That works behind
every wall, for every library and for shell commands, too; paths that a notebook puts together from
parts are not seen.
"""

import ast
import builtins
import os
import re
import shlex
import shutil

ROOTS = ("/content", "/kaggle")
PATH_BUILTIN = "__hosted_path__"
LOOK_BUILTIN = "__hosted_look__"
MADE_BUILTIN = "__hosted_made__"
LINE_BUILTIN = "__hosted_line__"
BUILTINS = frozenset({PATH_BUILTIN, LOOK_BUILTIN, MADE_BUILTIN, LINE_BUILTIN})
"""The builtins that replaced texts call: with a path, with one whose existence is asked for, with
one that is made or opened, and with a line of a shell or a magic."""
LOOKS = frozenset({"exists", "isdir", "isfile", "is_dir", "is_file"})
"""Functions and methods that ask whether something is there."""
MAKERS = frozenset(
    {"open", "save", "savez", "savefig", "dump", "make_archive", "mkdir", "makedirs"}
)
"""Functions and methods that make a file or folder, whether or not its name has an ending."""
DRIVE = r"/content/g?drive(?:/(?:My\\?\ ?Drive|Shareddrives/[^/]+))?"
KAGGLE = r"/kaggle/input(?:/[^/\s'\"]+(?=/))?|/kaggle/(?:working|temp)"
START = rf"(?:{DRIVE}|/content|{KAGGLE}|/tmp|/var/tmp|/dev/shm)"
WHOLE_PATH = re.compile(rf"(?P<root>{START})(?P<rest>/[^\n]*)?$")
IN_LINE = re.compile(
    rf"(?P<quote>['\"])(?P<quoted>{START}(?:/[^'\"\n]*)?)(?P=quote)"
    rf"|(?<![\w.~/-])(?P<plain>{START}(?:/(?:\\ |[^\s'\"|;&<>()`])*)?(?![\w-]))"
)
TEMPORARY = frozenset({"/tmp", "/var/tmp", "/dev/shm"})  # noqa: S108 (what a notebook writes)
GLOB = re.compile(r"[*?\[]")
KEPT = re.compile(r"/content/g?drive|/kaggle/input")
"""Folders that hold something before a notebook runs."""


class HostedFolders:
    """What leads paths to the folder of the notebook."""

    def __init__(self, notes, folder, temporary="/tmp"):  # noqa: S108
        self.notes = notes
        self.folder = folder
        self.temporary = temporary

    def install(self, shell):
        """Replace paths in each cell."""
        setattr(builtins, PATH_BUILTIN, self.lead_path)
        setattr(builtins, LOOK_BUILTIN, self.look_for)
        setattr(builtins, MADE_BUILTIN, self.lead_made)
        setattr(builtins, LINE_BUILTIN, self.lead_line)
        shell.ast_transformers.append(PathTransformer())

    def tell(self, root):
        """Leave the note that a folder was the notebook's own."""
        service = "Kaggle" if root.startswith("/kaggle") else "Google Colab"
        self.notes.add(
            f"A folder of {service} meant the notebook's own: "
            f"there is no {service} where notebooks are graded."
        )

    def lead_made(self, text):
        """Return the path of what is made or opened there."""
        return self.lead_path(text, is_made=True)

    def lead_path(self, text, *, is_made=False):
        """Return the path in the notebook's folder for one of Colab or Kaggle."""
        match = WHOLE_PATH.match(text)
        if match is None:
            return text
        if match["root"] in TEMPORARY:
            return text if self.temporary == "/tmp" else self.temporary + (match["rest"] or "")  # noqa: S108
        self.tell(match["root"])
        shutil.copyfile = copy_unless_same
        rest = (match["rest"] or "").replace("\\ ", " ")
        ending = "/" if rest.endswith("/") else ""
        names = [name for name in rest.split("/") if name]
        names = (
            self.find_kept(names, is_made=is_made) if KEPT.match(text) else self.find_made(names)
        )
        return os.path.join(self.folder, *names) + ending  # noqa: PTH118 (texts, as given)

    def look_for(self, text):
        """Return the path whose existence is asked for.

        Colab is told by its folders; what a notebook made or was given in them is there.
        """
        match = WHOLE_PATH.match(text)
        if match is None or match["root"] in TEMPORARY:
            return self.lead_path(text)
        names = [name for name in (match["rest"] or "").split("/") if name]
        names_there = self.find_kept(names) if KEPT.match(text) else self.find_made(names)
        return self.lead_path(text) if names_there and self.exists(names_there) else text

    def lead_line(self, text):
        """Return a line of a shell or a magic with its paths replaced."""

        def replace(match):
            quote = match["quote"]
            if quote:
                return f"{quote}{self.lead_path(match['quoted'])}{quote}"
            path = self.lead_path(match["plain"])
            return path if path == match["plain"] or GLOB.search(path) else shlex.quote(path)

        return IN_LINE.sub(replace, text)

    def exists(self, names):
        """Return whether something is there below the folder."""
        return os.path.lexists(os.path.join(self.folder, *names))  # noqa: PTH118 (as above)

    def find_made(self, names):
        """Find what a notebook makes itself; a file that was supplied may lie beside it instead."""
        if len(names) > 1 and not self.exists(names[:1]) and self.exists(names[-1:]):
            return names[-1:]
        return names

    def find_kept(self, names, *, is_made=False):
        """Find what was there before: in whatever folder it was, it is beside the notebook now."""
        for start in range(len(names)):
            if self.exists(names[start:]):
                return names[start:]
        for start in range(len(names) - 1):
            if self.exists(names[start:-1]):  # a folder that the notebook made
                return names[start:]
        return names[-1:] if is_made or (names and "." in names[-1]) else []


def copy_unless_same(source, target, *, follow_symlinks=True, real_copy=shutil.copyfile):
    """Copy a file, but not to itself: two folders of Colab are one here."""
    try:
        return real_copy(source, target, follow_symlinks=follow_symlinks)
    except shutil.SameFileError:
        return target


def is_path(node):
    """Return whether an expression is a text that begins with one of these folders."""
    text = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
    return isinstance(text, str) and WHOLE_PATH.match(text) is not None


class PathTransformer(ast.NodeTransformer):
    """Replaces texts that name folders of Colab or Kaggle by calls."""

    kept = None
    """The text that a path being put together begins with: it is led as a whole."""

    def call(self, builtin, node):
        """Return a call of a builtin with a text, where that text stands."""
        call = ast.Call(func=ast.Name(id=builtin, ctx=ast.Load()), args=[node], keywords=[])
        return ast.fix_missing_locations(ast.copy_location(call, node))

    def visit_Constant(self, node):
        if node is not self.kept and is_path(node):
            return self.call(PATH_BUILTIN, node)
        return node

    def visit_JoinedStr(self, node):
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                self.generic_visit(value)
        return self.call(PATH_BUILTIN, node) if is_path(next(iter(node.values), None)) else node

    def visit_BinOp(self, node):
        first = node
        while isinstance(first, ast.BinOp) and isinstance(first.op, (ast.Add, ast.Mod)):
            first = first.left
        if first is self.kept or not is_path(first):
            return self.generic_visit(node)
        self.kept = first
        return self.call(PATH_BUILTIN, self.generic_visit(node))

    def visit_Call(self, node):
        function = node.func
        name = getattr(function, "attr", getattr(function, "id", ""))
        if name in BUILTINS:
            return node  # made here
        if getattr(function, "attr", "") == "mount":
            return node  # where a Drive should go, which there is none of
        is_shell = (
            isinstance(function, ast.Attribute)
            and isinstance(function.value, ast.Call)
            and getattr(function.value.func, "id", "") == "get_ipython"
        )
        if isinstance(function, ast.Attribute) and name in LOOKS:
            self.lead_arguments(node if node.args else function.value, LOOK_BUILTIN)
        if name in MAKERS:
            owner = getattr(function, "value", None)
            self.lead_arguments(node if node.args else owner, MADE_BUILTIN)
        if not is_shell:
            return self.generic_visit(node)
        changes_folder = [getattr(arg, "value", None) for arg in node.args[:1]] == ["cd"]
        node.args = [self.lead(arg, whole=changes_folder) for arg in node.args]
        return node

    def lead_arguments(self, call, builtin):
        """Replace the paths in `os.path.exists("…")`, `Path("…").exists()` and `save(x, "…")`."""
        if isinstance(call, ast.Call):
            call.args = [self.visit(arg) for arg in call.args]
            for arg in call.args:
                if isinstance(arg, ast.Call) and getattr(arg.func, "id", "") == PATH_BUILTIN:
                    arg.func.id = builtin

    def lead(self, node, *, whole):
        """Replace a line of a shell or a magic; a `whole` one may be one path with blanks."""
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            return node
        if whole and WHOLE_PATH.match(node.value):
            return self.call(PATH_BUILTIN, node)
        return self.call(LINE_BUILTIN, node) if IN_LINE.search(node.value) else node

    def visit_Expr(self, node):
        # A text that stands alone says something to readers.
        return node if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_MatchValue(self, node):
        return node  # must be a constant
