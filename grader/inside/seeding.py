"""Seed everything that draws random numbers, and compute in one thread, from the first cell on."""

import contextlib
import functools
import random

from inside import after_import, questions


def seed_everything(seed):
    """Seed `random` now, NumPy and torch now or as soon as they are imported."""

    def seed_numpy():
        import numpy as np

        np.random.seed(seed % 2**32)  # noqa: NPY002 (notebooks draw from the legacy state)

    def seed_torch():
        import torch

        questions.seed_torch(torch, seed)
        keep_one_thread(torch)

    random.seed(seed)
    after_import.call_after_import({"numpy": seed_numpy, "torch": seed_torch})


def make_cell_seeding(names, number, variable=""):
    """Return what seeds `random` and NumPy before a cell, or sets a variable to the number instead.

    So does otter-grader, but before cells with a magic of their own: what a cell draws then depends
    on no cell above it. names: the notebook's.
    """
    seeds = [random.seed]
    with contextlib.suppress(ImportError):
        import numpy as np

        seeds.append(np.random.seed)

    def seed_cell(source):
        if source.startswith("%%"):
            return
        if variable:
            names[variable] = number
            return
        for seed in seeds:
            seed(number)

    return seed_cell


def seed_notebook(shell, job):
    """Seed everything before the first cell, and every cell where a job says with what."""
    call_before_first_cell(shell, lambda: seed_everything(job["seed"]))
    if job.get("cell_seed") is not None:
        seed_cell = make_cell_seeding(shell.user_ns, job["cell_seed"], job["seed_variable"])

        def seed_whole_cell(info):
            if info.store_history:  # what a magic or a call runs is a part of a cell
                seed_cell(info.raw_cell or "")

        shell.events.register("pre_run_cell", seed_whole_cell)


def keep_one_thread(torch):
    """Let torch compute in one thread, whatever number a notebook sets and then reads.

    Sums differ with the number, and OpenMP waits in a fork forever for the threads it had.
    """
    real_set, real_get = torch.set_num_threads, torch.get_num_threads
    real_set(1)
    shown = real_get()

    @functools.wraps(real_set)
    def set_num_threads(*args, **kwargs):
        nonlocal shown
        real_set(*args, **kwargs)  # raises what torch raises at a wrong number
        shown = real_get()
        real_set(1)

    @functools.wraps(real_get)
    def get_num_threads():
        return shown

    torch.set_num_threads, torch.get_num_threads = set_num_threads, get_num_threads


def call_before_first_cell(shell, callback):
    """Call something once, just before the first cell: the kernel draws numbers until then."""

    def once(info):
        shell.events.unregister("pre_run_cell", once)
        callback()

    shell.events.register("pre_run_cell", once)
