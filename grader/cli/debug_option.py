"""`--debug`: print the tracebacks of the grader's own errors."""

from __future__ import annotations

import click


def _start(_: click.Context, __: click.Parameter, value: bool) -> None:  # noqa: FBT001 (click's)
    from grader import fault_log

    fault_log.start_fault_log(debug=value)


def _enable(_: click.Context, __: click.Parameter, value: bool) -> None:  # noqa: FBT001 (click's)
    if value:
        from grader import fault_log

        fault_log.print_tracebacks()


_HELP = "Print the tracebacks of the grader's own errors."
global_debug_option = click.option(
    "--debug", is_flag=True, expose_value=False, callback=_start, help=_HELP
)
"""For the command group: a new command begins."""
debug_option = click.option(
    "--debug", is_flag=True, expose_value=False, callback=_enable, help=_HELP
)
"""For a command."""
