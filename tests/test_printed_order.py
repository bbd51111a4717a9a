"""`printed` of a test holds what a function wrote in the order in which it wrote it."""

from __future__ import annotations

from pathlib import Path

from course_bench import run_tests

NOTEBOOK = """
import ctypes, io, logging, os, subprocess, sys

class KernelStream(io.TextIOBase):
    # Stands for the stream of Jupyter's kernel, which writes to no descriptor.
    def write(self, text):
        return len(text)

out = sys.stdout = KernelStream()
log = logging.getLogger("notebook")
log.addHandler(logging.StreamHandler(sys.stdout))

def by_child():
    print("a")
    subprocess.run(["echo", "b"])
    print("c")

def by_shell():
    print("a", end=" ")
    os.system("echo b")
    print("c")

def by_descriptor():
    print("a")
    os.write(1, b"b\\n")
    print("c")

def by_library():
    print("a")
    library = ctypes.CDLL(None)
    library.puts(b"b")
    library.fflush(None)
    print("c")

def by_stream():
    print("a")
    subprocess.Popen(["echo", "b"], stdout=sys.stdout).wait()
    sys.stdout.buffer.write(b"c\\n")

def by_logger():
    print("a")
    log.warning("b")
    print("c", file=out)

def by_name():
    out.writelines(["a\\n", "b\\n"])
    out.flush()
    print("c")

def by_words():
    sys.stdout.writelines(["ä", "€", "\\ud800", "\\n"])
    print(*range(3), sep="\\n", flush=True)
"""
TESTS = """
def test_child(by_child, printed):
    by_child()
    assert printed.lines() == ["a", "b", "c"]

def test_shell(by_shell, printed):
    by_shell()
    assert printed.lines() == ["a b", "c"]

def test_descriptor(by_descriptor, printed):
    by_descriptor()
    assert printed.lines() == ["a", "b", "c"]

def test_library(by_library, printed):
    by_library()
    assert printed.lines() == ["a", "b", "c"]

def test_stream(by_stream, printed):
    by_stream()
    assert printed.lines() == ["a", "b", "c"]

def test_logger(by_logger, printed):
    by_logger()
    assert printed.lines() == ["a", "b", "c"]

def test_name(by_name, printed):
    by_name()
    assert printed.lines() == ["a", "b", "c"]

def test_words(by_words, printed):
    by_words()
    assert printed.lines() == ["ä€?", "0", "1", "2"]
"""


def test_what_children_and_libraries_write_stands_where_it_was_written(tmp_path: Path) -> None:
    outcomes = run_tests(tmp_path, tests=TESTS, notebook=NOTEBOOK)

    wrong = {name: o.get("sentence") for name, o in outcomes.items() if o["outcome"] != "passed"}
    assert wrong == {}
    assert len(outcomes) == 8
