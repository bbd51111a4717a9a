"""Build the walls from inside: what a runner and its kernel give up before student code runs.

A plan comes from outside and says which walls there are:

namespaces  whether sandboxes have process, mount and IPC namespaces of their own
owner       whether the fork server is root of a user namespace, which sandboxes must leave
uid         the user that sandboxes become, or null
landlock    whether files are refused by Landlock
filter      whether system calls are refused by seccomp
read        what may be read where files are not private
list        folders of which only names may be seen there
keep        folders below /tmp and the like that must stay: an interpreter may live there

The order matters: mounts need rights that the next steps give up, and each layer of Landlock keeps
the processes below it from tracing those above it.
"""

import contextlib
import os
import resource
import sys
from pathlib import Path

from inside import command_folder, landlock, linux, seccomp

BOX = Path("/box")
"""Where a sandbox's files are, if it has a mount namespace of its own."""
COMMANDS = "commands"
"""The folder of programs that come first in PATH: below BOX, or beside the sandboxes' folders."""
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
TERMINALS = ("/dev/ptmx", "/dev/pts")
"""Terminals, of which each sandbox has its own, so that `!command` can run."""
MOUNT_FLAGS = linux.MS_NOSUID | linux.MS_NODEV
SANDBOX_UID = 1000
"""The user that a sandbox sees itself as, in a user namespace of its own."""
MAX_OPEN_FILES = 1024
SPARE_FILES = 64
"""Descriptors on top, for the process itself and for questions: a cell may use up all its own."""
MEGABYTE = 1024 * 1024


class NamespaceForker:
    """Forks children into process namespaces of their own, and stays in its own."""

    def __init__(self):
        self.own_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)

    def fork(self):
        """Fork; the child is the first process of a namespace, which ends with it."""
        linux.unshare(linux.CLONE_NEWPID)
        pid = os.fork()
        if pid:
            linux.enter_namespace(self.own_namespace, linux.CLONE_NEWPID)
        return pid


def close_other_descriptors(*kept_descriptors):
    """Close every descriptor but the standard ones and these."""
    try:
        open_descriptors = [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208 (names only)
    except OSError:
        open_descriptors = range(MAX_OPEN_FILES)
    for descriptor in open_descriptors:
        if descriptor > 2 and descriptor not in kept_descriptors:
            with contextlib.suppress(OSError):  # that of the listing is closed already
                os.close(descriptor)


def make_private_mounts(plan, limits):
    """Give this sandbox its own files, processes and shared memory; its folders are below BOX."""
    linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWIPC)
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("proc", "/proc", "proc", MOUNT_FLAGS | linux.MS_NOEXEC)
    size = f"mode=0777,size={limits['disk_mb']}m,nr_inodes={limits['files']}"
    linux.mount("box", BOX, "tmpfs", MOUNT_FLAGS, size)
    for name in ("home", "work", "tmp", "shm"):
        (BOX / name).mkdir()
        (BOX / name).chmod(0o1777)
    for name, target in (("tmp", "/tmp"), ("shm", "/dev/shm")):  # noqa: S108 (private mounts)
        cover_folder(Path(target), BOX / name, keep=[Path(path) for path in plan["keep"]])
    command_folder.write_commands(BOX / COMMANDS)
    terminals = "newinstance,ptmxmode=0666,mode=0620"
    linux.mount("devpts", "/dev/pts", "devpts", linux.MS_NOSUID | linux.MS_NOEXEC, terminals)


def cover_folder(target, fresh, *, keep):
    """Mount a fresh folder over `target`, and what must stay visible of it over that."""
    for path in keep:
        if target in path.parents:
            fresh_path = fresh / path.relative_to(target)
            fresh_path.mkdir(parents=True, exist_ok=True)
            linux.mount(path, fresh_path, flags=linux.MS_BIND | linux.MS_REC)
    linux.mount(fresh, target, flags=linux.MS_BIND | linux.MS_REC)


def drop_privileges(plan):
    """Give up the user, and every capability, that the fork server has."""
    if plan["owner"]:
        linux.unshare(linux.CLONE_NEWUSER)
        for name, content in (
            ("setgroups", "deny"),
            ("uid_map", f"{SANDBOX_UID} 0 1"),
            ("gid_map", f"{SANDBOX_UID} 0 1"),
        ):
            Path("/proc/self", name).write_text(content, encoding="ascii")
        linux.drop_capabilities()
    elif plan["uid"] is not None:
        uid = plan["uid"]
        linux.drop_bounding_set()
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        linux.drop_capabilities()
    elif os.geteuid() == 0 and sys.platform == "linux":
        linux.drop_capabilities()


def set_resource_limits(plan, limits):
    """Set the limits that Linux itself enforces."""
    megabytes = limits["disk_mb"] * MEGABYTE
    bounds = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES + SPARE_FILES),
        (resource.RLIMIT_FSIZE, megabytes),
    ]
    if plan["owner"] or plan["uid"] is not None:  # else it would count the person's own processes
        bounds.append((resource.RLIMIT_NPROC, limits["processes"]))
    for kind, value in bounds:
        _, hard_limit = resource.getrlimit(kind)
        bounded = value if hard_limit == resource.RLIM_INFINITY else min(value, hard_limit)
        resource.setrlimit(kind, (bounded, bounded))
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft_limit = max(hard_limit - SPARE_FILES, hard_limit // 2)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft_limit, hard_limit))


def prefer_oom_kill():
    """Have Linux kill this sandbox, not the grader, when the computer runs out of memory."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def restrict_paths(plan, sandbox_folder, also_read=()):
    """Give up every path but the plan's and the sandbox's; each call adds a layer of Landlock."""
    if not plan["landlock"]:
        return
    if plan["namespaces"]:
        landlock.restrict(
            read=["/"],
            write=[BOX, "/tmp", "/dev/shm"],  # noqa: S108 (private mounts)
            use=[*DEVICES, *TERMINALS],
        )
    else:
        landlock.restrict(
            read=[*plan["read"], sandbox_folder.parent / COMMANDS, *also_read],
            listed=plan["list"],
            write=[sandbox_folder],
            use=DEVICES,
        )


def confine_runner(plan, limits, sandbox_folder):
    """Give up what a runner gives up once it is forked, and return its sandbox's folder."""
    prefer_oom_kill()
    if plan["namespaces"]:
        make_private_mounts(plan, limits)
        sandbox_folder = BOX
    drop_privileges(plan)
    linux.set_dumpable(dumpable=False)
    set_resource_limits(plan, limits)
    # A kernel may read of /proc what is its own, which its runner can't name before it is there.
    restrict_paths(plan, sandbox_folder, also_read=["/proc"])
    return sandbox_folder


def build_filters(plan):
    """Build the filters of a runner and of its kernel, once for many; None without a filter."""
    if not plan["filter"]:
        return None
    return seccomp.build_program(connects=True), seccomp.build_program(connects=plan["namespaces"])


def confine_forked_runner(programs):
    """Give up what a runner gives up once its kernel is forked; it can still connect to it."""
    if programs:
        seccomp.install_filter(programs[0])


def confine_kernel(plan, sandbox_folder, programs):
    """Give up what a kernel gives up on top: the runner's memory, and what notebooks never need."""
    linux.set_dumpable(dumpable=True)
    restrict_paths(plan, sandbox_folder)
    if programs:
        seccomp.install_filter(programs[1])
