"""Put a folder back as it was, so that no test sees what another one left in it.

Forks share files. What a test's calls wrote, changed or deleted in the notebook's folder is undone
before the next one: new files go, changed ones get back what they held. A file that is still there
is written in place, so that who has it open, as a connection to a database has, goes on with it.
"""

import contextlib
import os
import stat

MAX_KEPT_BYTES = 64 * 1024 * 1024
"""Most bytes that are kept; the smallest files first."""
MAX_KEPT_FILES = 5000
"""Most files and folders that are looked at; of a folder of more nothing is put back."""

# Bound before student code runs.
_scandir, _lstat, _open, _join, _utime = os.scandir, os.lstat, os.open, os.path.join, os.utime
_rmdir, _unlink, _readlink, _symlink = os.rmdir, os.unlink, os.readlink, os.symlink
_mkdir, _chmod, _read, _write, _close = os.mkdir, os.chmod, os.read, os.write, os.close
_is_folder, _is_file, _is_link = stat.S_ISDIR, stat.S_ISREG, stat.S_ISLNK


class TooMany(Exception):
    """More files than are looked at."""


class KeptFolder:
    """A folder that is put back as it was when it was first asked for.

    path: the folder.
    """

    def __init__(self, path):
        self.path = path
        self.states = None
        """By path: what `lstat` said when the folder was kept; None before, and of one too big."""
        self.contents = {}
        self.is_kept = False

    def put_back(self):
        """Keep the folder when this is called first, and put it back from then on."""
        try:
            if self.is_kept:
                if self.states is not None:
                    self.undo()
            else:
                self.is_kept = True
                self.keep()
        except Exception:  # what the notebook's own processes do meanwhile can't be helped
            return

    def keep(self):
        """Keep what there is, and the contents of as many files as the bound allows."""
        states = list_folder(self.path)
        left = MAX_KEPT_BYTES
        for path, entry in sorted(states.items(), key=lambda pair: pair[1].st_size):
            if _is_link(entry.st_mode):
                self.contents[path] = _readlink(path)
            elif _is_file(entry.st_mode) and entry.st_size <= left:
                with contextlib.suppress(OSError):
                    self.contents[path] = read_bytes(path)
                    left -= entry.st_size
        self.states = states

    def undo(self):
        """Remove what is new, and restore what was changed or deleted."""
        now = list_folder(self.path, bound=None)
        for path in sorted(now, reverse=True):  # what is in a folder before the folder
            kept = self.states.get(path)
            if kept is None or stat.S_IFMT(kept.st_mode) != stat.S_IFMT(now[path].st_mode):
                with contextlib.suppress(OSError):
                    (_rmdir if _is_folder(now.pop(path).st_mode) else _unlink)(path)
        for path in sorted(self.states):  # a folder before what is in it
            with contextlib.suppress(OSError):
                self.restore(path, now.get(path))

    def restore(self, path, entry):
        """Restore one file, link or folder, of which `lstat` says now what `entry` has."""
        kept = self.states[path]
        if entry is not None and state_of(entry) == state_of(kept):
            return
        if _is_folder(kept.st_mode):
            if entry is None:
                _mkdir(path)
            _chmod(path, stat.S_IMODE(kept.st_mode))
            return
        if path not in self.contents:
            return
        if _is_link(kept.st_mode):
            if entry is not None:
                _unlink(path)
            _symlink(self.contents[path], path)
        else:
            write_bytes(path, self.contents[path])
            _chmod(path, stat.S_IMODE(kept.st_mode))
            _utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
        self.states[path] = _lstat(path)


def state_of(entry):
    """Return what of `lstat` tells whether a file, or the mode of a folder, was changed."""
    if _is_folder(entry.st_mode):
        return (entry.st_mode,)
    return entry.st_mode, entry.st_size, entry.st_mtime_ns, entry.st_ctime_ns


def list_folder(top, bound=MAX_KEPT_FILES):
    """Return by path what `lstat` says of all below a folder; links are not followed.

    Raises:
        TooMany: there are more than the bound.
    """
    states, folders = {}, [top]
    while folders:
        try:
            with _scandir(folders.pop()) as entries:
                for entry in entries:
                    state = entry.stat(follow_symlinks=False)
                    states[entry.path] = state
                    if _is_folder(state.st_mode):
                        folders.append(entry.path)
        except OSError:  # it may not be read, or is gone
            continue
        if bound is not None and len(states) > bound:
            raise TooMany
    return states


def read_bytes(path):
    """Return what a file holds."""
    descriptor = _open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        parts = []
        while part := _read(descriptor, 1 << 20):
            parts.append(part)
        return b"".join(parts)
    finally:
        _close(descriptor)


def write_bytes(path, data):
    """Write a file, in place where it is there."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = _open(path, flags, 0o600)
    except PermissionError:  # a test took the right to write from it
        _chmod(path, 0o600)
        descriptor = _open(path, flags, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[_write(descriptor, view) :]
    finally:
        _close(descriptor)
