"""Keep the weights of modules at the moments that count, and tell equal ones by their sums."""

MODULES_WITH_WEIGHTS = 4, 8
"""How many modules' weights are kept: of the first, and of the last."""
MAX_WEIGHTS = 10_000_000
"""Weights with more elements are not kept."""
SMALL_ELEMENTS = 20_000
"""Weights of other shapes than the assignment's are kept up to this size."""


class WeightSnapshots:
    """By module and moment, the state of its weights and, if they were kept, themselves."""

    shapes = None
    """The shapes of the assignment's parameters; None where all weights are kept."""

    def __init__(self):
        self.states = {}
        self.taken = {}

    def copy(self):
        """Return a copy that later snapshots do not change."""
        copied = WeightSnapshots()
        copied.shapes, copied.states = self.shapes, dict(self.states)
        copied.taken = {number: dict(moments) for number, moments in self.taken.items()}
        return copied

    def of(self, number):
        """Return a module's snapshots by moment."""
        return self.taken.get(number, {})

    def find_state(self, torch, weights):
        """Return the index of weights among all seen, by their sums.

        Modules that hold the same weights, a copy say, are in the same state.
        """
        threads = torch.get_num_threads()
        if threads > 1:  # sums differ with their number
            torch.set_num_threads(1)
        with torch.no_grad():
            sums = [
                (tuple(value.shape), float(value.sum()), float(value.abs().sum()))
                for _, value in weights
            ]
        if threads > 1:
            torch.set_num_threads(threads)
        return self.states.setdefault(tuple(sums), len(self.states))

    def take(self, torch, number, moment, weights):
        """Copy a module's weights, once for each moment; a lazy layer has none before its call."""
        moments = self.taken.setdefault(number, {})
        is_lazy = torch.nn.parameter.is_lazy
        if moment in moments or any(is_lazy(value) for _, value in weights):
            return
        state = self.find_state(torch, weights)
        for earlier_state, earlier_weights in moments.values():
            if earlier_state == state:
                moments[moment] = (earlier_state, earlier_weights)
                return
        kept = [(name, value.detach().clone()) for name, value in weights if self.keeps(value)]
        moments[moment] = (state, kept)
        self.drop_old()

    def drop_old(self):
        """Forget the weights of modules between the first and the last ones; keep their states."""
        first, last = MODULES_WITH_WEIGHTS
        for number in self.holders()[first:-last]:
            moments = self.taken[number]
            self.taken[number] = {moment: (state, None) for moment, (state, _) in moments.items()}

    def holders(self):
        """Return the modules of which weights are kept."""
        return [
            number
            for number, moments in self.taken.items()
            if any(weights is not None for _, weights in moments.values())
        ]

    def keeps(self, value):
        """Return whether a parameter is small enough, or of a shape of the assignment's."""
        if self.shapes is None or tuple(value.shape) in self.shapes:
            return value.numel() <= MAX_WEIGHTS
        return value.numel() <= SMALL_ELEMENTS
