"""Refuse system calls that a notebook never needs, by seccomp and a classic BPF program.

See https://docs.kernel.org/userspace-api/seccomp_filter.html; numbers from the kernel's tables
(arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h).
"""

import ctypes
import errno
import platform
import socket
import struct

from inside import linux

PR_SET_SECCOMP = 22
MODE_FILTER = 2
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH_* from <linux/audit.h>: a call by another table is not the call it seems."""
X32 = 0x40000000
"""On x86_64, calls from this number on belong to another table."""
LOAD, EQUAL, AT_LEAST, ANY_BIT, MASK, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
"""Instructions of classic BPF, from <linux/bpf_common.h>."""
NUMBER, ARCHITECTURE, FIRST, SECOND = 0, 4, 16, 24
"""Where the call's number, its architecture and the low words of its arguments lie."""
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
"""SECCOMP_RET_*; a refusal has its errno in the low bits."""
NEW_NAMESPACES = 0x7E020000
"""Every CLONE_NEW* flag that clone takes."""
TERMINAL_INJECTIONS = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: typing into a terminal."""
STREAM = 1
"""SOCK_STREAM; its flags lie above the low four bits."""
SET_LEASE = 1024
"""F_SETLEASE: a process that opens the file waits for the lease holder, by default 45 seconds."""

CALLS = {
    "socket": (41, 198),
    "connect": (42, 203),
    "socketpair": (53, 199),
    "clone": (56, 220),
    "clone3": (435, 435),
    "ioctl": (16, 29),
    "fcntl": (72, 25),
    "prlimit64": (302, 261),
    "setpriority": (141, 140),
    "sched_setscheduler": (144, 119),
}
"""Calls whose arguments decide, on x86_64 and on aarch64."""
REFUSED_ROWS = """
# Other namespaces, mounts and roots.
unshare 272 97, setns 308 268, mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51,
open_tree 428 428, move_mount 429 429, fsopen 430 430, fsconfig 431 431, fsmount 432 432,
fspick 433 433, mount_setattr 442 442,
# Other processes' memory and descriptors.
ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, process_madvise 440 440,
kcmp 312 272, pidfd_getfd 438 438,
# Large interfaces of Linux with a history of faults.
bpf 321 280, perf_event_open 298 241, userfaultfd 323 282, io_uring_setup 425 425,
io_uring_enter 426 426, io_uring_register 427 427, add_key 248 217, request_key 249 218,
keyctl 250 219,
# What is for the owner of the computer.
init_module 175 105, finit_module 313 273, delete_module 176 106, kexec_load 246 104,
kexec_file_load 320 294, reboot 169 142, swapon 167 224, swapoff 168 225, acct 163 89,
quotactl 179 60, quotactl_fd 443 443, syslog 103 116, settimeofday 164 170,
clock_settime 227 112, adjtimex 159 171, clock_adjtime 305 266, sethostname 170 161,
setdomainname 171 162, name_to_handle_at 303 264, open_by_handle_at 304 265,
fanotify_init 300 262, lookup_dcookie 212 18, personality 135 92, vhangup 153 58,
nfsservctl 180 42, iopl 172 -, ioperm 173 -, modify_ldt 154 -, uselib 134 -, ioprio_set 251 30,
# Memory that no process is seen to hold, and objects that outlive a sandbox without namespaces.
memfd_create 319 279, memfd_secret 447 447, shmget 29 194, shmat 30 196, shmctl 31 195,
semget 64 190, semop 65 193, semtimedop 220 192, semctl 66 191, msgget 68 186, msgsnd 69 189,
msgrcv 70 188, msgctl 71 187, mq_open 240 180, mq_unlink 241 181,
"""
"""Calls that are refused whatever their arguments are: name, x86_64, aarch64."""


def parse_rows(rows):
    """Return the numbers of calls by name; None where a machine has no such call."""
    lines = [line for line in rows.splitlines() if not line.startswith("#")]
    cells = [cell.split() for line in lines for cell in line.split(",") if cell.strip()]
    return {
        name: tuple(None if number == "-" else int(number) for number in numbers)
        for name, *numbers in cells
    }


REFUSED = parse_rows(REFUSED_ROWS)
ON_OTHER_PROCESSES = {
    "sched_setparam": (142, 118),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
}
"""Calls that name a process first: allowed for the caller alone where others can be named."""


def refusal(number):
    """Return the verdict that lets a call fail with an errno."""
    return REFUSE | number


class FilterProgram:
    """A BPF program under construction, for one machine."""

    def __init__(self, machine):
        self.column = list(ARCHITECTURES).index(machine)
        self.code = []

    def add_instruction(self, instruction, value, if_true=0, if_false=0):
        """Add an instruction; jumps give the number of instructions to skip."""
        self.code.append(struct.pack("HBBI", instruction, if_true, if_false, value))

    def add_for_number(self, number, body):
        """Add instructions that apply to the call of that number only."""
        if number is not None:
            self.add_instruction(EQUAL, number, 0, len(body))
            for instruction in body:
                self.add_instruction(*instruction)

    def add_for_call(self, name, body):
        """Add instructions that apply to the call of that name only."""
        self.add_for_number({**CALLS, **REFUSED, **ON_OTHER_PROCESSES}[name][self.column], body)


def build_program(*, connects, machine=None):
    """Build the filter as bytes: refuse what is listed, and all sockets but unix streams.

    connects: whether unix sockets may be connected to. Where files are not private, a socket that
    can be reached by its path is a way out; other processes of the user can be named there, too.
    """
    machine = machine or platform.machine()
    builder = FilterProgram(machine)
    builder.add_instruction(LOAD, ARCHITECTURE)
    builder.add_instruction(EQUAL, ARCHITECTURES[machine], 1, 0)
    builder.add_instruction(RETURN, KILL)
    builder.add_instruction(LOAD, NUMBER)
    if machine == "x86_64":
        builder.add_instruction(AT_LEAST, X32, 0, 1)
        builder.add_instruction(RETURN, refusal(errno.ENOSYS))
    for name in REFUSED:
        builder.add_for_call(name, [(RETURN, refusal(errno.EPERM))])
    # C libraries fall back to clone, whose flags can be read here; those of clone3 cannot.
    builder.add_for_call("clone3", [(RETURN, refusal(errno.ENOSYS))])
    builder.add_for_call(
        "clone", refuse_if([(LOAD, FIRST), (ANY_BIT, NEW_NAMESPACES, 0, 1)], errno.EPERM)
    )
    builder.add_for_call("ioctl", refuse_terminal_injections())
    builder.add_for_call(
        "fcntl", refuse_if([(LOAD, SECOND), (EQUAL, SET_LEASE, 0, 1)], errno.EPERM)
    )
    builder.add_for_call("prlimit64", allow_only_itself(FIRST))
    builder.add_for_call("socket", allow_unix_streams())
    builder.add_for_call("socketpair", allow_unix_sockets() if connects else allow_unix_streams())
    if not connects:  # a pair of datagram sockets sends to any path, unconnected
        builder.add_for_call("connect", [(RETURN, refusal(errno.ECONNREFUSED))])
        builder.add_for_call("setpriority", allow_only_itself(FIRST, SECOND))
        builder.add_for_call("sched_setscheduler", allow_usual_scheduling())
        for name in ON_OTHER_PROCESSES:
            builder.add_for_call(name, allow_only_itself(FIRST))
    builder.add_instruction(RETURN, ALLOW)
    return b"".join(builder.code)


def refuse_if(test, number):
    """Return a test whose last instruction goes on when it holds, then a refusal, then a pass."""
    return [*test, (RETURN, refusal(number)), (RETURN, ALLOW)]


def allow_only_itself(*arguments):
    """Refuse a call unless these arguments are 0, the caller itself."""
    tests = [
        ((LOAD, argument), (EQUAL, 0, 1, 0), (RETURN, refusal(errno.EPERM)))
        for argument in arguments
    ]
    return [*(instruction for test in tests for instruction in test), (RETURN, ALLOW)]


def allow_usual_scheduling():
    """Allow the usual scheduling of any thread: libzmq asks for it and aborts without it."""
    usual = (EQUAL, 0, 1, 0)
    return [(LOAD, SECOND), usual, (RETURN, refusal(errno.EPERM)), (RETURN, ALLOW)]


def refuse_terminal_injections():
    """Refuse to type into a terminal."""
    first, second = TERMINAL_INJECTIONS
    test = [(LOAD, SECOND), (EQUAL, first, 1, 0), (EQUAL, second, 0, 1)]
    return refuse_if(test, errno.EPERM)


def allow_unix_sockets():
    """Allow sockets of the unix family; libzmq accepts no other errno from a refusal."""
    unix = (EQUAL, int(socket.AF_UNIX), 1, 0)
    return [(LOAD, FIRST), unix, (RETURN, refusal(errno.EOPNOTSUPP)), (RETURN, ALLOW)]


def allow_unix_streams():
    """Allow stream sockets of the unix family."""
    return [
        (LOAD, FIRST),
        (EQUAL, int(socket.AF_UNIX), 1, 0),
        (RETURN, refusal(errno.EOPNOTSUPP)),
        (LOAD, SECOND),
        (MASK, 0xF),
        (EQUAL, STREAM, 1, 0),
        (RETURN, refusal(errno.EOPNOTSUPP)),
        (RETURN, ALLOW),
    ]


class SockFprog(ctypes.Structure):
    """`struct sock_fprog` of <linux/filter.h>."""

    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]


def install_filter(instructions):
    """Apply a program to this thread, and to all it starts, for good."""
    linux.forbid_new_privileges()
    code = ctypes.create_string_buffer(instructions, len(instructions))
    filter_ = SockFprog(len(instructions) // 8, ctypes.cast(code, ctypes.c_void_p))
    result = linux.c_library().prctl(
        PR_SET_SECCOMP, ctypes.c_ulong(MODE_FILTER), ctypes.byref(filter_), 0, 0
    )
    linux.check_result(result, "seccomp")
