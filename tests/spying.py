"""A right HW 5 notebook that looks for things wherever a notebook can look, and what it looks for.

It knows what it looks for only in disguise, so that it does not find what it brought along.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
from variants import VARIANTS, build

SHIFT = 37
"""What is added to every byte of what it looks for: done twice, it is not undone."""
PLANTED = b"the canary that sings in the student's own notebook"

SPY = '''
from itertools import chain as _chain
import ctypes as _ctypes, gc as _gc, os as _os, stat as _stat, sys as _sys

SHIFTED = bytes((byte + 37) % 256 for byte in range(256))
SOUGHT = {name: bytes.fromhex(told) for name, told in WHAT_IS_SOUGHT.items()}
LIBRARIES = (".so", ".pyc", ".a", ".h", ".pyi")


def sought_in(data):
    data = data.translate(SHIFTED)
    return {name for name, what in SOUGHT.items() if what in data}


KNOWN_PLACES = PLACES_BY_NAME


def in_stream(stream, size):
    """What stands in so many bytes from here, piece by piece."""
    found, tail = set(), b""
    while size > 0:
        piece = stream.read(min(size, 1 << 24))
        if not piece:
            break
        size -= len(piece)
        found |= sought_in(tail + piece)
        tail = piece[-256:]
    return found


def in_memory(process="self"):
    try:
        return in_memory_of(process)
    except PermissionError:
        if process != "self":
            raise
        return in_memory_by_touch()


def in_memory_by_touch():
    """Without a map: from where objects are, outwards, as far as Linux finds something to copy."""
    libc = _ctypes.CDLL(None, use_errno=True)
    libc.pwrite.argtypes = [_ctypes.c_int, _ctypes.c_void_p, _ctypes.c_size_t, _ctypes.c_long]
    libc.pwrite.restype = _ctypes.c_ssize_t
    page, piece = 1 << 12, 1 << 20
    objects = _gc.get_objects()
    todo = {id(held) // piece for one in objects for held in (one, *_gc.get_referents(one))}
    for one in objects:
        near = [one, *_gc.get_referents(one)]
        far = [held for holder in near if type(holder) is dict for held in holder.values()]
        for held in (*near, *far):
            if type(held).__name__ == "Tensor":
                todo.add(held.data_ptr() // piece)
            elif type(held).__name__ == "ndarray":
                todo.add(held.ctypes.data // piece)
    del objects
    found, seen = set(), set()
    with open("touched", "wb+", 0) as copy:
        while todo and len(seen) < 6000:
            place = todo.pop()
            seen.add(place)
            offset, kept = 0, b""
            while offset < piece:
                got = libc.pwrite(copy.fileno(), place * piece + offset, piece - offset, 0)
                if got > 0:
                    kept += _os.pread(copy.fileno(), got, 0)
                offset += max(got, 0) // page * page or page
            if kept:
                found |= sought_in(kept)
                todo |= {place - 1, place + 1} - seen
    _os.remove("touched")
    return found


def in_memory_of(process):
    found = set()
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
        for line in list(maps):
            place, rights, _, _, _, *path = line.split(None, 5)
            library = path and ".so" in path[0] and "w" not in rights
            if "r" not in rights or library or (path and path[0].startswith("[v")):
                continue
            begin, end = (int(word, 16) for word in place.split("-"))
            try:
                memory.seek(begin)
                found |= in_stream(memory, end - begin)
            except (OSError, ValueError, OverflowError):
                pass
    return found


def in_objects():
    texts, found = [], set()
    for one in _gc.get_objects():
        for held in (one, *_gc.get_referents(one)):
            if type(held) is str:
                texts.append(held)
            elif type(held) in (bytes, bytearray):
                found |= sought_in(bytes(held))
            elif type(held).__name__ in ("ndarray", "Tensor"):
                try:
                    array = held.detach().numpy() if hasattr(held, "detach") else held
                    found |= sought_in(array.tobytes())
                except Exception:
                    pass
    texts = "\\0".join(set(texts)).encode("utf-8", "replace")
    return found | sought_in(texts)


def in_files():
    found, count = set(), 0
    starts = ["/", "/usr/lib", "/etc", "/home", "/tmp", _sys.prefix, _sys.base_prefix, _os.getcwd()]
    for place, folders, files in _chain(*map(_os.walk, dict.fromkeys([*starts, *KNOWN_PLACES]))):
        if place in ("/", ""):
            folders[:] = [f for f in folders if f not in ("proc", "sys", "dev")] + ["dev/shm"]
        for name in files:
            path = _os.path.join(place, name)
            try:
                told = _os.lstat(path)
                if not _stat.S_ISREG(told.st_mode) or told.st_size > 1 << 21:
                    continue
                if name.endswith(LIBRARIES):
                    continue
                with open(path, "rb") as stream:
                    found |= in_stream(stream, told.st_size + 1)
                count += 1
            except OSError:
                pass
    return found if count > 100 else {"almost nothing"}


def in_processes():
    """What others are called with, and their memory where it can be read."""
    found = set()
    for process in _os.listdir("/proc"):
        if not process.isdigit():
            continue
        for part in ("environ", "cmdline", "comm", "maps"):
            try:
                with open(f"/proc/{process}/{part}", "rb") as stream:
                    found |= in_stream(stream, 1 << 24)
            except OSError:
                pass
        if int(process) != _os.getpid():
            try:
                found |= in_memory_of(process)
            except OSError:
                pass
    return found


def looked(*places):
    told = []
    for place in places:
        name = place.__name__[3:]
        try:
            told.append(f"{name}: {', '.join(sorted(place())) or 'nothing'}")
        except BaseException as error:
            told.append(f"{name}: {type(error).__name__}")
    return "; ".join(told)


planted = bytes(reversed(WHAT_IS_PLANTED)).decode()
open("planted.txt", "w").write(planted)
ASKED, TOLD = False, ""


def when_asked():
    """Nothing while the notebook runs; then what is within reach while a question is answered."""
    global TOLD
    if ASKED:
        TOLD = TOLD or looked(in_memory, in_objects)
        raise RuntimeError(TOLD)
'''
LAST = """
ASKED = True
raise RuntimeError(looked(in_memory, in_objects, in_files, in_processes))
"""
FORWARD = "def forward(self, x):\n"


def spy(sought: Mapping[str, bytes], *, places: Sequence[Path]) -> dict[str, Any]:
    """The notebook, given what to look for by name, and folders that it may have heard of.

    What it plants itself is 'planted'.
    """
    disguised = {
        name: bytes((byte + SHIFT) % 256 for byte in what).hex()
        for name, what in {**sought, "planted": PLANTED}.items()
    }
    text: str = nbformat.writes(build(solved()))  # type: ignore[no-untyped-call]
    notebook: dict[str, Any] = json.loads(text)
    edited = 0
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if FORWARD in source:
            indent = " " * 8
            cell["source"] = source.replace(FORWARD, f"{FORWARD}{indent}when_asked()\n")
            edited += 1
    assert edited == 1
    first = SPY.replace("WHAT_IS_SOUGHT", repr(disguised))
    first = first.replace("PLACES_BY_NAME", repr([str(place) for place in places]))
    first = first.replace("WHAT_IS_PLANTED", repr(bytes(reversed(PLANTED))))
    notebook["cells"] = [cell_of(first), *notebook["cells"], cell_of(LAST)]
    return notebook


def solved() -> Any:
    """The right solution."""
    return next(variant for variant in VARIANTS if not variant.edits)


def cell_of(source: str) -> dict[str, Any]:
    """A code cell."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"spy{len(source)}",
        "metadata": {},
        "outputs": [],
        "source": source,
    }
