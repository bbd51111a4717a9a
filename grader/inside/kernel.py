"""Becomes the kernel of one notebook: ipykernel, with stand-ins, recorder and probe in place."""

import os
import random
import resource
import sys

from inside import probe, recorder, stand_ins


def seed_everything(seed):
    """Seed `random` now, NumPy and torch now or as soon as they are imported."""

    def numpy():
        import numpy as np

        np.random.seed(seed % 2**32)  # noqa: NPY002 (notebooks draw from the legacy state)

    def torch():
        import torch

        torch.manual_seed(seed)
        torch.set_num_threads(1)

    random.seed(seed)
    recorder.after_import({"numpy": numpy, "torch": torch})


def before_the_first_cell(shell, call):
    """Call something once, when the first cell is about to run: the kernel draws numbers too."""

    def once(info):
        shell.events.unregister("pre_run_cell", once)
        call()

    shell.events.register("pre_run_cell", once)


def limit_memory(megabytes):
    """Bound the address space, where the platform can."""
    if megabytes and sys.platform == "linux":
        size = megabytes * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def become(job, *, connection_file, questions, answers):
    """Run the kernel until it is killed; never returns."""
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance()
    app.initialize(
        [
            "-f",
            connection_file,
            "--HistoryManager.enabled=False",
            "--InteractiveShell.colors=nocolor",
            "--IPKernelApp.capture_fd_output=False",
        ]
    )
    notes = stand_ins.Notes()
    watch = recorder.Recorder(job["record"], notes)
    stand_ins.install(app.shell, app.kernel, optional_imports=job["optional_imports"], notes=notes)
    watch.install(app.shell)
    before_the_first_cell(app.shell, lambda: seed_everything(job["seed"]))
    limit_memory(job["memory_mb"])
    probe.start(app.shell.user_ns, watch, notes, reading=questions, writing=answers)
    app.start()
    os._exit(0)
