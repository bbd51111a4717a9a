"""Let `input()` read lines of a test in place of what somebody types."""

import builtins
import sys


def type_lines(source):
    """Let `input()` read from a stream; each line ends that of its prompt, as typing it does."""

    def read_line(prompt="", /):
        line = source.readline()
        sys.stdout.write(f"{prompt}\n" if line and str(prompt) else str(prompt))
        if not line:
            raise EOFError("EOF when reading a line")
        return line.rstrip("\n")

    builtins.input = read_line
