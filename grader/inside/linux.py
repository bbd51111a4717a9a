"""Call Linux about this process itself; on other systems most of this does nothing."""

import contextlib
import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
"""All from <sys/prctl.h>."""
CLONE_NEWNS = 0x00020000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
"""From <linux/sched.h>."""
MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
"""From <sys/mount.h>."""
CAPABILITY_VERSION = 0x20080522
LAST_CAPABILITY = 63
"""From <linux/capability.h>: the version with two words, and the last number they can name."""


def c_library():
    """Return the C library, whose functions leave errno to be read."""
    return ctypes.CDLL(None, use_errno=True)


def check_result(result, call):
    """Return the result of a call, or raise the error that errno stands for."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")
    return result


def prctl(option, *values):
    """Call prctl; return False where it is refused or there is none."""
    if sys.platform != "linux":
        return False
    with contextlib.suppress(OSError, AttributeError):
        words = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
        return c_library().prctl(option, *words) == 0
    return False


def die_with_parent():
    """Have this process killed when the one that started it ends, however it ends."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def adopt_orphans():
    """Become the parent of processes that descendants leave behind, so as to end them."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def forbid_new_privileges():
    """Let no program that is started have more rights than this process."""
    if not prctl(PR_SET_NO_NEW_PRIVS, 1):
        raise OSError("no_new_privs is refused")


def set_dumpable(dumpable):
    """Set whether processes of the same user may look into this one's memory."""
    prctl(PR_SET_DUMPABLE, int(dumpable))


def unshare(flags):
    """Leave shared namespaces for new ones."""
    check_result(c_library().unshare(ctypes.c_int(flags)), "unshare")


def enter_namespace(namespace, kind):
    """Enter the namespace behind a descriptor."""
    check_result(c_library().setns(ctypes.c_int(namespace), ctypes.c_int(kind)), "setns")


def mount(source, target, kind=None, flags=0, options=None):
    """Mount a file system; `source`, `target` and `kind` are paths, texts or None."""
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
    data = None if options is None else options.encode()
    result = c_library().mount(*words, ctypes.c_ulong(flags), data)
    check_result(result, f"mount on {target}")


def drop_bounding_set():
    """Let no program ever give a capability again; needs CAP_SETPCAP."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(LAST_CAPABILITY + 1):
        if not prctl(PR_CAPBSET_DROP, capability):
            break


def drop_capabilities():
    """Give up every capability, for good."""
    drop_bounding_set()
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    empty = (ctypes.c_uint32 * 6)()
    check_result(c_library().capset(header, empty), "capset")
