"""Answer what waits for a person: `input()`, `getpass()` and debuggers; nobody is there.

An answer is as good as any: it reads as a word, as a whole number and as a float, and there are as
many words as the line unpacks. A loop that waits for another answer gets the words that people end
loops with, and at last the end of the input.
"""

import ast
import builtins
import dis
import getpass
import linecache
import pdb  # noqa: T100 (to keep it from waiting)
import sys

from inside.caught_imports import parse
from inside.idle_modules import IdleFinder, IdleStub

ANSWER = "1"
ENDINGS = ("", "q", "quit", "exit", "n", "no", "y", "yes", "done", "stop", "end", "0", "-1", "x")
"""Words that end loops, tried once each."""
PATIENCE = 100
"""Answers in one cell before they are tried."""
MAX_ANSWERS = 300
"""Answers in one cell before the input ends."""
DEBUGGERS = frozenset({"pdb", "bdb", "IPython.core.debugger", "IPython.terminal.debugger"})
CONSOLES = frozenset({"code", "IPython.terminal.embed"})
"""Modules that ask for code; they stop at the end of the input."""
DEBUGGER_MODULES = ("ipdb", "pudb", "web_pdb", "remote_pdb")
"""Debuggers that are no part of Python or IPython."""


class AbsentKeyboard:
    """What answers in a person's place."""

    def __init__(self, notes):
        self.notes = notes
        self.count = 0
        """Answers since the last cell ended."""

    def install(self, shell, kernel):
        """Answer in cells, where ipykernel asks, and in questions, where Python does."""
        object.__setattr__(kernel, "raw_input", self.answer)
        object.__setattr__(kernel, "getpass", self.answer_password)
        builtins.input, getpass.getpass = self.answer, self.answer_password
        shell.events.register("post_run_cell", self.begin_again)
        self.pass_over_debuggers(shell)

    def begin_again(self, result):
        """Count anew after each cell."""
        self.count = 0

    def answer(self, prompt="", *args, **kwargs):
        """Answer `input()`."""
        return self.answer_call("input()", sys._getframe(1))

    def answer_password(self, prompt="", *args, **kwargs):
        """Answer `getpass()`."""
        return self.answer_call("getpass()", sys._getframe(1))

    def answer_call(self, called, frame):
        """Return an answer at once to a call in a frame.

        Raises:
            EOFError: the cell was answered many times, and goes on asking.
        """
        callers = self.calling_modules(frame)
        if callers & DEBUGGERS:
            self.tell_debugger()
            return "c"  # go on
        if callers & CONSOLES:
            raise EOFError
        self.count += 1
        if self.count > MAX_ANSWERS:
            raise EOFError(f"{called} was answered {MAX_ANSWERS} times, and nobody is there")
        self.notes.add(f"{called} was answered with {ANSWER!r}")
        ending = self.count - PATIENCE - 1
        if 0 <= ending < len(ENDINGS):
            return ENDINGS[ending]
        return compose_answer(frame)

    def calling_modules(self, frame):
        """Return the names of the modules of the nearest frames."""
        names = set()
        for _ in range(8):
            if frame is None:
                break
            names.add(frame.f_globals.get("__name__"))
            frame = frame.f_back
        return names

    # ------------------------------------------------------------ debuggers

    def tell_debugger(self, name=""):
        """Leave the note that nobody debugs."""
        self.notes.add("A debugger was passed over: nobody is there to use it.")

    def pass_over(self, *args, **kwargs):
        """Do nothing in place of a debugger."""
        self.tell_debugger()

    def pass_over_debuggers(self, shell):
        """Let `breakpoint()` and what waits like it do nothing."""
        sys.breakpointhook = pdb.set_trace = self.pass_over
        for name, attribute in (("IPython.core.debugger", "set_trace"), ("IPython", "embed")):
            module = sys.modules.get(name)
            if module is not None:
                setattr(module, attribute, self.pass_over)
        sys.meta_path.insert(0, IdleFinder(DEBUGGER_MODULES, self.debug_with))

    def debug_with(self, name):
        """Answer a call of another debugger; some are context managers."""
        self.tell_debugger()
        return IdleStub(name, self.debug_with)


def compose_answer(frame):
    """Return an answer of as many words as the frame's line unpacks, one if it does not."""
    try:
        count, separator = expected_words(frame)
    except Exception:
        count, separator = 1, " "
    return separator.join([ANSWER] * count)


def expected_words(frame):
    """Return how many words the call that a frame is in must give, and what separates them."""
    separator = ""
    instructions = iter(dis.get_instructions(frame.f_code))
    line = frame.f_lineno
    for instruction in instructions:
        if instruction.offset <= frame.f_lasti:
            continue
        positions = instruction.positions
        if positions is not None and positions.lineno not in {None, line}:
            break
        if instruction.argval == "split":
            following = next(instructions)
            is_text = following.opname == "LOAD_CONST" and isinstance(following.argval, str)
            separator = following.argval if is_text else " "
        elif instruction.opname in {"UNPACK_SEQUENCE", "UNPACK_EX"}:
            return min(instruction.arg & 0xFF, 20), separator
        elif instruction.opname.startswith("STORE_"):
            return (count_parts(frame, instruction.argval) if separator else 1), separator
    return 1, " "


def count_parts(frame, name):
    """Return how many parts of a list are taken by a later line of the same cell or file."""
    count = 1
    for node in ast.walk(parse("".join(linecache.getlines(frame.f_code.co_filename)))):
        if getattr(node, "lineno", 0) <= frame.f_lineno:
            continue
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=parts)], value=ast.Name(id=source)):
                count = max(count, len(parts) if source == name else 1)
            case ast.Subscript(value=ast.Name(id=source), slice=ast.Constant(value=int(index))):
                count = max(count, index + 1 if source == name else 1)
    return min(count, 20)
