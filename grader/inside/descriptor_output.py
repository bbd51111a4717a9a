"""Show what goes past Python to a cell's output: child processes, C libraries, `os.write(1, …)`.

As in Jupyter, descriptors 1 and 2 lead to the notebook's output. Unlike there, all that was written
while a cell ran is shown in that cell: the end of a cell waits for it.
"""

import codecs
import contextlib
import os
import subprocess
import sys
import threading

PIPE_BYTES = 65_536
END_OF_CELL_SECONDS = 1.0
"""Seconds that the end of a cell waits at most."""

_read, _write = os.read, os.write


class DescriptorOutput:
    """Copies what is written to one descriptor to a stream, from a thread."""

    def __init__(self, descriptor, stream):
        self.stream = stream
        self.reading, self.writing = os.pipe()
        os.dup2(self.writing, descriptor)
        self.end_of_cell = b"\0" + os.urandom(8) + b"\0"
        self.caught_up = threading.Event()
        stream._original_stdstream_copy = self.writing  # what `fileno()` returns
        threading.Thread(target=self.copy, daemon=True).start()

    def copy(self):
        """Copy until the process ends."""
        decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        while data := _read(self.reading, PIPE_BYTES):
            text = decode(data.replace(self.end_of_cell, b""))
            with contextlib.suppress(Exception):  # a notebook may have closed the stream
                if text:
                    self.stream.write(text)
            if data.endswith(self.end_of_cell):
                self.caught_up.set()

    def catch_up(self):
        """Wait until all that was written so far was copied."""
        self.caught_up.clear()
        _write(self.writing, self.end_of_cell)
        self.caught_up.wait(END_OF_CELL_SECONDS)


def show_descriptor_output(shell):
    """Lead descriptors 1 and 2 to the output of the cell that runs."""
    outputs = [DescriptorOutput(1, sys.stdout), DescriptorOutput(2, sys.stderr)]

    def catch_up(result):
        for output in outputs:
            output.catch_up()

    shell.events.register("post_run_cell", catch_up)


def has_terminals():
    """Return whether a pseudoterminal can be opened, as IPython does for `!command`."""
    try:
        for descriptor in os.openpty():
            os.close(descriptor)
    except OSError:
        return False
    return True


def run_commands_without_terminal(shell):
    """Let `!command` write to a pipe where it can't have a terminal."""

    def system(command):
        expanded = shell.var_expand(command, depth=1)
        if expanded.rstrip().endswith("&"):
            raise OSError("Background processes not supported.")  # as IPython says it
        done = subprocess.run(expanded, shell=True, stdin=subprocess.DEVNULL, check=False)  # noqa: S602 (it is the notebook's)
        shell.user_ns["_exit_code"] = done.returncode

    object.__setattr__(shell, "system", system)
