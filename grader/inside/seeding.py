"""Has everything that draws numbers draw the same, from the first cell on."""

import random

from inside import questions, recorder


def seed_everything(seed):
    """Seed `random` now, NumPy and torch now or as soon as they are imported."""

    def numpy():
        import numpy as np

        np.random.seed(seed % 2**32)  # noqa: NPY002 (notebooks draw from the legacy state)

    def torch():
        import torch

        questions.seed(torch, seed)
        torch.set_num_threads(1)

    random.seed(seed)
    recorder.after_import({"numpy": numpy, "torch": torch})


def before_the_first_cell(shell, call):
    """Call something once, when the first cell is about to run: the kernel draws numbers too."""

    def once(info):
        shell.events.unregister("pre_run_cell", once)
        call()

    shell.events.register("pre_run_cell", once)
