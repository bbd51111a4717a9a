"""Number the modules that a run calls; modules that hold the same parameters are one."""


class FollowedModules:
    """Modules in the order of their first call."""

    def __init__(self, most):
        self.most = most
        self.modules = []
        self.numbers = {}
        self.outputs = {}
        """By number, the output through which a gradient last flowed back."""
        self.lost = 0
        """Calls of modules beyond the most that are followed."""

    def __iter__(self):
        return iter(self.modules)

    def __len__(self):
        return len(self.modules)

    def __getitem__(self, number):
        return self.modules[number]

    def copy(self):
        """Return a copy that later calls do not change."""
        copied = FollowedModules(self.most)
        copied.modules, copied.numbers = list(self.modules), dict(self.numbers)
        copied.outputs, copied.lost = dict(self.outputs), self.lost
        return copied

    def find_number(self, module):
        """Return the number of a module, a new one at its first call; None where it has none.

        A wrapper that holds another module's parameters and no others is that module.
        """
        for number, known in enumerate(self.modules):
            if known is module:
                return number
        parameters = tuple(module.parameters())
        if not parameters:
            return None
        identities = tuple(map(id, parameters))
        if identities in self.numbers:
            return self.numbers[identities][0]
        if len(self.modules) >= self.most:
            self.lost += 1
            return None
        self.modules.append(module)
        # The parameters are held, so that no later one gets the identity of one that is gone.
        self.numbers[identities] = len(self.modules) - 1, parameters
        return len(self.modules) - 1
