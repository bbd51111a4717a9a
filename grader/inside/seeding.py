"""Seed everything that draws random numbers, from the first cell on."""

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
        torch.set_num_threads(1)

    random.seed(seed)
    after_import.call_after_import({"numpy": seed_numpy, "torch": seed_torch})


def call_before_first_cell(shell, callback):
    """Call something once, just before the first cell: the kernel draws numbers until then."""

    def once(info):
        shell.events.unregister("pre_run_cell", once)
        callback()

    shell.events.register("pre_run_cell", once)
