"""Write the files of a 7z archive that anyone may have made as a tar archive.

A program of its own: the archive comes on standard input, a tar leaves on standard output. What
decodes 7z takes sizes from the archive, so this runs where it can reach nothing, with little memory
and little time. Links and what is no file are left out.
"""

import io
import sys
import tarfile
import threading
from pathlib import Path

import psutil
import py7zr
from py7zr.io import Py7zIO, WriterFactory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from inside.confined_process import restrict_process

sys.path.pop(0)

CPU_SECONDS = 60
IS_ENCRYPTED, IS_TOO_LARGE = 3, 4
"""Exit codes."""


class TarWriter(WriterFactory):
    """Writes each file into a tar as soon as it is whole."""

    def __init__(self, tar, *, max_bytes):
        self.tar = tar
        self.remaining = max_bytes
        self.lock = threading.Lock()

    def create(self, filename):
        return OneFile(filename, writer=self)

    def spend(self, size):
        """Count bytes of all files together."""
        with self.lock:
            self.remaining -= size
            if self.remaining < 0:
                raise MemoryError

    def add(self, name, data):
        member = tarfile.TarInfo(name)
        member.size = len(data)
        with self.lock:
            self.tar.addfile(member, io.BytesIO(data))


class OneFile(Py7zIO):
    """One file, until it is whole."""

    def __init__(self, name, *, writer):
        self.name = name
        self.writer = writer
        self.buffer = io.BytesIO()

    def write(self, s):
        self.writer.spend(len(s))
        return self.buffer.write(s)

    def read(self, size=None):
        return self.buffer.read(size)

    def seek(self, offset, whence=0):
        return self.buffer.seek(offset, whence)

    def flush(self):
        pass

    def size(self):
        return self.buffer.getbuffer().nbytes

    def close(self):
        data, self.buffer = self.buffer.getvalue(), io.BytesIO()
        self.writer.add(self.name, data)


def import_codecs():
    """Import everything that reading needs, by reading an archive of ours."""
    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w") as archive:
        archive.writestr(b"x", "x")
    with py7zr.SevenZipFile(io.BytesIO(buffer.getvalue())) as archive:
        archive.extract(factory=py7zr.io.BytesIOFactory(limit=9))
    memory = psutil.virtual_memory()  # it asks at each file, and /proc can't be read later
    psutil.virtual_memory = lambda: memory


def main():
    """Write the tar, within a number of files and bytes."""
    max_files, max_bytes = map(int, sys.argv[1:3])
    import_codecs()
    restrict_process(2 * max_bytes + 1024 * max_files, cpu_seconds=CPU_SECONDS)
    try:
        copy_files(max_files, max_bytes)
    except py7zr.exceptions.PasswordRequired:
        sys.exit(IS_ENCRYPTED)
    except MemoryError:
        sys.exit(IS_TOO_LARGE)


def copy_files(max_files, max_bytes):
    """Copy the files of the archive on standard input."""
    with (
        py7zr.SevenZipFile(sys.stdin.buffer) as archive,
        tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as tar,
    ):
        if archive.needs_password():
            sys.exit(IS_ENCRYPTED)
        listed = archive.list()
        if len(listed) > max_files:
            sys.exit(IS_TOO_LARGE)
        for entry in listed:
            if entry.is_directory:
                folder = tarfile.TarInfo(entry.filename)
                folder.type = tarfile.DIRTYPE
                tar.addfile(folder)
        files = {entry.filename for entry in listed if entry.is_file and not entry.is_symlink}
        if files:
            archive.extract(targets=files, factory=TarWriter(tar, max_bytes=max_bytes))


if __name__ == "__main__":
    main()
