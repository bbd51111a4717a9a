"""The command `grade`: words in, exit code out; each subcommand has a file."""

from __future__ import annotations

import difflib
import errno
import io
import os
import sys
from contextlib import suppress
from typing import NoReturn

import click

from grader import __version__
from grader.cli.again_command import again_command
from grader.cli.anonymize_command import anonymize_command
from grader.cli.backup_command import backup_command
from grader.cli.check_command import check_command
from grader.cli.debug_option import global_debug_option
from grader.cli.demo_command import demo_command
from grader.cli.doctor_command import doctor_command
from grader.cli.exit_codes import CANNOT_RUN, INTERRUPTED, NEEDS_PERSON
from grader.cli.export_command import export_command
from grader.cli.fetch_command import fetch_group
from grader.cli.forget_command import forget_command
from grader.cli.import_command import import_command
from grader.cli.init_command import init_command
from grader.cli.mark_command import mark_command
from grader.cli.marks_command import marks_command
from grader.cli.parts_command import parts_command
from grader.cli.push_command import push_group
from grader.cli.release_command import release_command
from grader.cli.rubric_command import rubric_command
from grader.cli.run_command import run_command
from grader.cli.terminal_encoding import outlast_readers, write_plainly
from grader.cli.terminal_messages import print_message
from grader.cli.validate_command import validate_command
from grader.cli.worker_command import cluster_group, worker_command
from grader.errors import GraderError

HOST_ERRORS = frozenset(
    {errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EROFS}
)
"""What this computer's limits and disks are the reason of, and no fault of ours."""


class CommandOrPath(click.Group):
    """A group whose first word may also be a path, which is then graded."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `run` before a path, then parse."""
        first = next((arg for arg in args if not arg.startswith("-")), None)
        is_global_option = args and args[0] in {"--help", "-h", "--version"}
        if args and not is_global_option and first not in self.commands:
            self._refuse_mistyped(ctx, first or "")
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def _refuse_mistyped(self, ctx: click.Context, word: str) -> None:
        """Raise a usage error for a word that is no file and nearly a command.

        Raises:
            click.UsageError: It is.
        """
        likely = difflib.get_close_matches(word, self.commands, n=1)
        if likely and not os.path.lexists(word):
            message = f"no such command, file or folder: '{word}'. Did you mean '{likely[0]}'?"
            raise click.UsageError(message, ctx)


@click.group(cls=CommandOrPath, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="grade")
@global_debug_option
def cli() -> None:
    """Grade homework notebooks.

    `grade PATH` is short for `grade run PATH`.

    \b
    Exit codes:
      0    done (some answers may still be ungraded)
      1    a submission needs attention: ungradable, flagged, or a grader error
      2    usage, rubric or environment
      130  interrupted
    """  # noqa: D301 - click wants the mark itself


for command in (
    run_command,
    again_command,
    parts_command,
    check_command,
    doctor_command,
    demo_command,
    validate_command,
    release_command,
    init_command,
    import_command,
    mark_command,
    marks_command,
    rubric_command,
    backup_command,
    anonymize_command,
    forget_command,
    export_command,
    fetch_group,
    push_group,
    worker_command,
    cluster_group,
):
    cli.add_command(command)


def main() -> None:
    """Run the command and exit with its code."""
    write_plainly()
    outlast_readers()
    try:
        cli(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(INTERRUPTED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        buffer = io.StringIO()
        error.show(buffer)
        _exit_with_message(buffer.getvalue().removesuffix("\n"))
    except GraderError as error:
        from grader import fault_log

        fault_log.show_if_debug(error)
        _exit_with_message(f"grade: {error}")
    except Exception as error:  # noqa: BLE001 (the last place where it can be kept)
        _exit_with_failure(error)


def _exit_with_failure(error: Exception) -> NoReturn:
    """Name a limit of this computer, or keep the traceback of our fault; exit."""
    if isinstance(error, OSError) and error.errno in HOST_ERRORS:
        if not error.filename:
            _discard_output()
        what = error.filename or "what is printed, or kept, can't be written"
        _exit_with_message(f"grade: {what}: {error.strerror}")
    from grader import fault_log
    from grader.model import Fault

    fault_log.report_fault(Fault.caught("grade", error))
    message = f"grade: failed ({type(error).__name__}); please report this"
    _exit_with_message(f"{message}; {fault_log.log_hint()}", code=NEEDS_PERSON)


def _discard_output() -> None:
    """Let what is still to be printed go nowhere: Python tries again at its end, and complains."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _exit_with_message(message: str, *, code: int = CANNOT_RUN) -> NoReturn:
    """Print what went wrong, and exit; a file's name in it may hold any characters."""
    from grader.report.text_format import printable

    print_message(printable(message))
    sys.exit(code)
