"""Tell backward passes whose gradients a step used from those that were merely looked at.

A notebook may print the gradients of a loss and zero them, or take them by `torch.autograd.grad`.
"""

import contextlib
import functools

from inside import wrapped_tensors
from inside.watched_calls import flatten_arrays


class BackwardPass:
    """One backward pass: the events it went through, and what became of its gradients."""

    def __init__(self, task):
        self.task = task
        self.events = []
        self.modules = {}
        """The state of each module that it reached, by number, when that was called."""
        self.added = {}
        """By number, the gradients of the weights at its end, where it added to them."""
        self.cleared = set()
        """The modules whose gradients were gone when the next pass reached them."""
        self.used = False

    def close(self, number, parameters, before):
        """Note at the end of the pass whether it added to the gradients of a module."""
        after = list_gradients(parameters)
        if after != before:
            self.added[number] = after


class BackwardPasses:
    """The backward passes since the weights of the modules that they reached last moved."""

    def __init__(self):
        self.passes = []
        self.is_finite = True
        """Whether the loss of the pass that is running is finite."""

    def watch_losses(self, torch):
        """Look at each loss from which a pass begins."""
        for name in ("backward", "grad"):
            setattr(torch.autograd, name, self.watch_loss(torch, getattr(torch.autograd, name)))

    def watch_loss(self, torch, begin):
        """Wrap a function that begins a pass."""

        @functools.wraps(begin)
        def begin_watched(*args, **kwargs):
            __tracebackhide__ = True  # of no interest to students
            with contextlib.suppress(Exception):
                parts = flatten_arrays([*args[:1], kwargs.get("tensors"), kwargs.get("outputs")])
                losses = [wrapped_tensors.unwrap(torch, part) for part in parts]
                self.is_finite = all(bool(torch.isfinite(loss).all()) for loss in losses)
            try:
                return begin(*args, **kwargs)
            finally:
                self.is_finite = True

        return begin_watched

    def note(self, torch, event):
        """Note that a gradient flows back to a recorded event; return the pass."""
        # Without that number all is one pass, of which nothing is dropped.
        task = getattr(torch._C, "_current_graph_task_id", int)()
        if not self.passes or self.passes[-1].task != task:
            # Of those that reached no module, as late in a long run, nothing will be told.
            self.passes = [*(done for done in self.passes if done.modules), BackwardPass(task)]
        self.passes[-1].events.append(event)
        return self.passes[-1]

    def reach(self, torch, event, number, parameters):
        """Note that a gradient flows back to an output of a module."""
        current = self.note(torch, event)
        if number in current.modules or event["state"] < 0:
            return
        earlier = self.find_passes(number)
        if earlier and earlier[-1].modules[number] != event["state"]:  # it was moved by hand
            self.finish(number)
        elif not any(gradient is not None and gradient.any() for gradient in of(parameters)):
            for done in earlier:
                done.cleared.add(number)
        current.modules[number] = event["state"]
        before = list_gradients(parameters)
        torch.autograd.Variable._execution_engine.queue_callback(
            lambda: current.close(number, parameters, before)
        )

    def find_passes(self, number):
        """Return the passes that reached a module."""
        return [done for done in self.passes if number in done.modules]

    def step(self, number, parameters):
        """Finish the passes of a module that is about to be moved by an optimizer."""
        last = [done.added[number] for done in self.find_passes(number) if number in done.added]
        ids = [key for key, _ in list_gradients(parameters)]
        # Gradients that no pass left there may be made of those of any.
        is_by_hand = bool(last) and ids != [key for key, _ in last[-1]]
        self.finish(number, is_by_hand=is_by_hand)

    def finish(self, number, *, is_by_hand=False):
        """Take back what those passes told whose gradients did not move a module."""
        done = self.find_passes(number)
        is_added = any(number in each.added for each in done)
        for each in done:
            del each.modules[number]
            is_lost = number in each.cleared if number in each.added else is_added
            each.used |= is_by_hand or not is_lost
            if not each.modules:
                self.passes.remove(each)
                if not each.used:
                    self.take_back(each)

    def take_back(self, done):
        """Let the events of a pass be as if no gradient had flowed back to them."""
        kept = {id(event) for other in self.passes for event in other.events}
        for event in done.events:
            arrays = event["args"].items()
            event["args"] = {key: value for key, value in arrays if not key.startswith("pull")}
            if id(event) in kept:
                continue
            is_forward = event["kind"] == "forward"
            event.update({"pulled": -1} if is_forward else {"kind": "looked at"})


def of(parameters):
    """Return the gradients of parameters."""
    return [value.grad for _, value in parameters]


def list_gradients(parameters):
    """Return which gradients parameters have, and how often each was written to."""
    return [
        (None, 0) if gradient is None else (id(gradient), gradient._version)
        for gradient in of(parameters)
    ]
