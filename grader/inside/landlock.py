"""Use Landlock: a process gives up files, TCP, signals and abstract sockets that are not its own.

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
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
READ_RIGHTS = EXECUTE | READ_FILE | READ_DIR
DEVICE_RIGHTS = READ_FILE | WRITE_FILE | IOCTL_DEV
TCP_RIGHTS = 0b11
"""To bind and to connect."""
SCOPES = 0b11
"""Abstract unix sockets, and signals."""
PATH_BENEATH = 1
VERSION_FLAG = 1


def abi_version():
    """Return the version of Landlock that this kernel offers; 0 for none."""
    result = linux.c_library().syscall(
        CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(VERSION_FLAG)
    )
    return max(0, result)


def file_rights(version):
    """Return every right on files that a version knows."""
    rights = FIRST_RIGHTS
    for since, right in ((2, REFER), (3, TRUNCATE), (5, IOCTL_DEV)):
        if version >= since:
            rights |= right
    return rights


def restrict(*, read=(), listed=(), write=(), use=()):
    """Restrict this process, and all it starts, to these paths; no TCP, no signals outwards.

    read: files and folders to read and execute. listed: folders whose names may be seen.
    write: folders in which everything is allowed but making devices. use: devices.
    Paths that don't exist are ignored.
    """
    version = abi_version()
    if not version:
        raise OSError("this kernel has no Landlock")
    rights = file_rights(version)
    masks = (rights, TCP_RIGHTS if version >= 4 else 0, SCOPES if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    attributes = ctypes.create_string_buffer(struct.pack("QQQ", *masks), 24)
    library = linux.c_library()
    ruleset = linux.check_result(
        library.syscall(CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0)),
        "landlock",
    )
    try:
        for paths, granted in (
            (read, READ_RIGHTS),
            (listed, READ_DIR),
            (write, rights & ~(MAKE_CHAR | MAKE_BLOCK)),
            (use, DEVICE_RIGHTS),
        ):
            for path in paths:
                allow_path(ruleset, path, granted & rights)
        linux.forbid_new_privileges()
        linux.check_result(library.syscall(RESTRICT_SELF, ruleset, ctypes.c_uint32(0)), "landlock")
    finally:
        os.close(ruleset)


def allow_path(ruleset, path, rights):
    """Add a path to a ruleset, if it exists."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= FILE_RIGHTS
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, descriptor), 12)
        result = linux.c_library().syscall(
            ADD_RULE, ruleset, PATH_BENEATH, rule, ctypes.c_uint32(0)
        )
        linux.check_result(result, f"landlock on {path}")
    finally:
        os.close(descriptor)
