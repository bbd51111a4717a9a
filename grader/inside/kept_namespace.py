"""Keep what a notebook forgets by `%reset`: it is asked for it when it has ended."""


def keep_forgotten(shell):
    """Return a dict that will hold the variables that `%reset` deletes."""
    forgotten = {}
    reset = shell.reset

    def keep_and_reset(*args, **kwargs):
        forgotten.update(shell.user_ns)
        return reset(*args, **kwargs)

    shell.reset = keep_and_reset
    return forgotten
