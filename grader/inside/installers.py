"""Let every way to call an installer from a notebook do nothing, and leave a note.

The folder of `command_folder` answers most: shells, scripts and processes find its programs. What
would pass them by is turned here: lists that name a program by its path, environments of a
notebook's own, and pip as a library.
"""

import contextlib
import functools
import os
import re
import shlex
import subprocess
import sys

from inside import after_import, command_folder, idle_installer
from inside.idle_modules import IdleFinder

MENTION = re.compile(r"\b(pip[\d.]*|ensurepip|" + "|".join(idle_installer.NAMES) + r")\b")
MAGICS = ("pip", "conda", "mamba", "micromamba", "uv")
PUNCTUATION = frozenset("();<>|&`\n")
BROWSER_MODULES = ("micropip", "piplite")
"""Installers of Jupyter in a browser: `await micropip.install(…)`."""
MAX_LINES = 20
"""Most notes of what was left out in one cell."""


def describe(command):
    """Word the note on a command that was left out."""
    why = "nothing is installed where notebooks are graded"
    if "nbconvert" in command:
        why = "the notebook is graded as it is, and exported nowhere"
    return f"`{command.strip()[:120]}` was left out: {why}."


def is_install_alone(command):
    """Return whether a shell's line is one command, and that an installer that would install."""
    try:
        parser = shlex.shlex(command.strip(), posix=True, punctuation_chars=True)
        parser.whitespace_split = True
        words = list(parser)
    except ValueError:
        return False
    if any(set(word) <= PUNCTUATION for word in words if word) or "`" in command or "$(" in command:
        return False
    while words[:1] == ["sudo"]:
        words = idle_installer.line_to_run("sudo", words[1:])
    call = idle_installer.split_command(words)
    return (
        call is not None
        and idle_installer.line_to_run(*call) is None
        and not idle_installer.only_asks(*call)
    )


@contextlib.contextmanager
def expanded_already(shell):
    """Leave a command as it is: names of a function's locals were put in where they are known."""
    object.__setattr__(shell, "var_expand", lambda command, *_args, **_options: command)
    try:
        yield
    finally:
        object.__delattr__(shell, "var_expand")


class Done:
    """What can be awaited, and is done."""

    def __await__(self):
        return iter(())


class Installers:
    """Everything through which a notebook reaches an installer."""

    def __init__(self, shell, notes):
        self.shell = shell
        self.notes = notes
        self.read_bytes = 0
        """How much of the file that tells what was left out has been read."""

    def install(self):
        """Turn every way."""
        self.turn_shell()
        self.turn_processes()
        after_import.call_after_import({"pip._internal.cli.main": self.turn_pip_library})
        sys.meta_path.append(IdleFinder(BROWSER_MODULES, self.leave_out))
        self.shell.events.register("post_run_cell", self.read_left_out)

    def turn_shell(self):
        """Answer `!pip install …` and `%pip install …` without a process."""
        shell = self.shell
        real_system, real_getoutput = shell.system, shell.getoutput

        def system(command):
            command = shell.var_expand(str(command), depth=1)
            if is_install_alone(command):
                return self.notes.add(describe("!" + command.strip()))
            with expanded_already(shell):
                return real_system(command)

        def getoutput(command, split=True, depth=0):  # noqa: FBT002 (IPython's signature)
            command = shell.var_expand(str(command), depth=depth + 1)
            if is_install_alone(command):
                self.notes.add(describe("!" + command.strip()))
                command = "true"
            with expanded_already(shell):
                return real_getoutput(command, split)

        object.__setattr__(shell, "system", system)
        object.__setattr__(shell, "getoutput", getoutput)
        for name in MAGICS:
            shell.register_magic_function(self.make_magic(name), "line", name)

    def make_magic(self, name):
        """Make the magic `%name`, which asks and never installs."""

        def magic(line=""):
            if is_install_alone(f"{name} {line}"):
                self.notes.add(describe(f"%{name} {line}"))
            else:
                self.shell.system(f"{name} {line}")

        return magic

    def turn_processes(self):
        """Keep `subprocess` and `os.system` from an installer that is not in PATH."""
        real_init, real_system = subprocess.Popen.__init__, os.system

        @functools.wraps(real_init)
        def __init__(process, args, *rest, **options):  # noqa: N807 (it replaces one)
            real_init(process, redirect(args, options), *rest, **options)
            process.args = args

        @functools.wraps(real_system)
        def system(command):
            if MENTION.search(os.fsdecode(command)):
                os.environ |= command_folder.commands_first(os.environ)
            return real_system(command)

        subprocess.Popen.__init__ = __init__
        os.system = system

    def turn_pip_library(self):
        """Let `pip.main(["install", …])` do nothing, too."""
        library = sys.modules["pip._internal.cli.main"]
        real_main = library.main

        @functools.wraps(real_main)
        def main(args=None):
            words = list(sys.argv[1:] if args is None else args)
            if idle_installer.only_asks("pip", words):
                return real_main(args)
            self.notes.add(describe(shlex.join(["pip", *words])))
            return 0

        library.main = main

    def leave_out(self, name):
        """Do nothing in place of an installer that is awaited."""
        self.notes.add(describe(f"{name}(…)"))
        return Done()

    def read_left_out(self, result):
        """Make notes of what processes of the cell left out."""
        try:
            with open(os.environ[idle_installer.LEFT_OUT_VARIABLE], "rb") as file:  # noqa: PTH123 (each cell)
                file.seek(self.read_bytes)
                text = file.read(8192)
        except (KeyError, OSError):
            return
        self.read_bytes += len(text)
        for line in text.decode("utf-8", "replace").splitlines()[:MAX_LINES]:
            self.notes.add(describe(line))


def redirect(args, options):
    """Return what a process should be started with in place of `args`; amend its options."""
    if isinstance(args, (list, tuple)):
        try:
            words = [os.fsdecode(word) for word in args]
        except TypeError:
            return args
        call = None if options.get("shell") else idle_installer.split_command(words)
        if call is not None:
            options.pop("executable", None)
            words = [
                sys.executable,
                *command_folder.OPTIONS,
                str(command_folder.PROGRAM),
                call[0],
                *call[1],
            ]
            args = words
        text = " ".join(words)
    elif isinstance(args, (str, bytes)):
        text = os.fsdecode(args)
    else:
        return args
    if MENTION.search(text):
        own = options.get("env")
        environment = os.environ if own is None else own
        options["env"] = {**environment, **command_folder.commands_first(environment)}
    return args
