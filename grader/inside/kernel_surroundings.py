"""Let a notebook's process look like Jupyter's kernel: its command line, folder, user and limits.

Notebooks rely on them: `argparse` gets a `-f` for Jupyter's file, processes that are started anew
begin in the notebook's folder, and a limit of the system can be set.
"""

import functools
import os
import sys

from inside.after_import import call_after_import

LIMIT_NOTE = "A limit of the system was set as high as it may be where notebooks are graded."


def look_like_jupyter(kernel, notes):
    """Put everything in place, now or once a module is imported."""
    file = getattr(kernel.parent, "abs_connection_file", "kernel.json")
    sys.argv = ["ipykernel_launcher.py", "-f", file]
    call_after_import(
        {
            "multiprocessing.process": begin_in_own_folder,
            "pwd": name_own_user,
            "grp": name_own_group,
            "resource": functools.partial(keep_limits_low, notes),
        }
    )


def begin_in_own_folder():
    """Let processes that are started anew begin where the notebook is, not where Python began."""
    sys.modules["multiprocessing.process"].ORIGINAL_DIR = os.getcwd()  # noqa: PTH109 (a string)


def name_own_user():
    """Let the user have an account, where the system's list of them can't be read."""
    pwd, name = sys.modules["pwd"], os.environ.get("USER") or "student"

    def account():
        home = os.path.expanduser("~")  # noqa: PTH111 (a string)
        entry = (name, "x", os.getuid(), os.getgid(), "", home, "/bin/sh")
        return pwd.struct_passwd(entry)

    pwd.getpwuid = answer_for_own(pwd.getpwuid, os.getuid(), account)
    pwd.getpwnam = answer_for_own(pwd.getpwnam, name, account)


def name_own_group():
    """Let the user's group have a name, where the system's list of them can't be read."""
    grp, name = sys.modules["grp"], os.environ.get("USER") or "student"

    def group():
        return grp.struct_group((name, "x", os.getgid(), []))

    grp.getgrgid = answer_for_own(grp.getgrgid, os.getgid(), group)


def answer_for_own(real_get, own_key, make_entry):
    """Return a look-up that makes an entry for one key, if there is none."""

    @functools.wraps(real_get)
    def get(key):
        try:
            return real_get(key)
        except KeyError:
            if key != own_key:
                raise
            return make_entry()

    return get


def keep_limits_low(notes):
    """Let a limit beyond what is allowed be the highest that is, as it is on most computers."""
    resource = sys.modules["resource"]
    real_set = resource.setrlimit

    def lower(value, most):
        known = [bound for bound in (value, most) if bound != resource.RLIM_INFINITY]
        return min(known, default=resource.RLIM_INFINITY)

    @functools.wraps(real_set)
    def setrlimit(kind, limits):
        try:
            return real_set(kind, limits)
        except (ValueError, OSError):
            _, most = resource.getrlimit(kind)
            real_set(kind, tuple(lower(value, most) for value in limits))
            notes.add(LIMIT_NOTE)

    resource.setrlimit = setrlimit
