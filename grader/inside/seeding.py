"""Seed everything that draws random numbers, and compute in one thread, from the first cell on."""

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
