"""Landlock: a process gives up files, TCP, signals and abstract sockets outside its own; by ctypes.

The interface is that of <linux/landlock.h>, see https://docs.kernel.org/userspace-api/landlock.html.
Every layer also keeps a process from tracing, or reading the memory of, one that is not below it.
"""

import ctypes
import os
import stat
import struct

from inside import linux

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""System calls; the same numbers on every machine."""
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_CHAR, MAKE_BLOCK = 1 << 6, 1 << 11
FIRST_RIGHTS = (1 << 13) - 1
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
TO_READ = EXECUTE | READ_FILE | READ_DIR
TO_USE = READ_FILE | WRITE_FILE | IOCTL_DEV
TCP = 0b11
"""To bind and to connect."""
SCOPES = 0b11
"""Abstract unix sockets, and signals."""
BENEATH = 1
VERSION = 1


def abi():
    """The version of Landlock that this kernel offers; 0 for none."""
    result = linux.library().syscall(
        CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(VERSION)
    )
    return max(0, result)


def rights_of_files(version):
    """Every right on files that a version knows."""
    rights = FIRST_RIGHTS
    for since, right in ((2, REFER), (3, TRUNCATE), (5, IOCTL_DEV)):
        if version >= since:
            rights |= right
    return rights


def restrict(*, read=(), listed=(), write=(), use=()):
    """Keep this process, and all it starts, to these paths; no TCP, no signals outwards.

    read: files and folders to be read and executed. listed: folders whose names may be seen.
    write: folders in which anything may be done but execution and making devices. use: devices.
    What is not there is left out.
    """
    version = abi()
    if not version:
        raise OSError("this kernel has no Landlock")
    rights = rights_of_files(version)
    words = (rights, TCP if version >= 4 else 0, SCOPES if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    attributes = ctypes.create_string_buffer(struct.pack("QQQ", *words), 24)
    library = linux.library()
    ruleset = linux.checked(
        library.syscall(CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0)),
        "landlock",
    )
    try:
        for paths, wanted in (
            (read, TO_READ),
            (listed, READ_DIR),
            (write, rights & ~(EXECUTE | MAKE_CHAR | MAKE_BLOCK)),
            (use, TO_USE),
        ):
            for path in paths:
                allow(ruleset, path, wanted & rights)
        linux.gain_nothing_by_exec()
        linux.checked(library.syscall(RESTRICT_SELF, ruleset, ctypes.c_uint32(0)), "landlock")
    finally:
        os.close(ruleset)


def allow(ruleset, path, rights):
    """Add a path to a ruleset, where there is one."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= OF_A_FILE
        beneath = ctypes.create_string_buffer(struct.pack("=Qi", rights, place), 12)
        added = linux.library().syscall(ADD_RULE, ruleset, BENEATH, beneath, ctypes.c_uint32(0))
        linux.checked(added, f"landlock on {path}")
    finally:
        os.close(place)
