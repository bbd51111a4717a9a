"""Find the module of a notebook that a question is about, and the way in which it is called."""

import inspect

from inside import direct_calls
from inside.followed_modules import Encoder, is_layer, list_parameters


class NothingToAsk(Exception):
    """The notebook has nothing of the kind that a question is about."""


class InitialWeights:
    """A copy of a module's weights and buffers as they were at its construction."""

    def __init__(self, torch, module):
        self.torch = torch
        named = list_parameters(module)
        self.parameters = [parameter for _, parameter in named]
        self.parameter_indices = {name: i for i, (name, _) in enumerate(named)}
        buffers = module.buffers() if isinstance(module, torch.nn.Module) else ()
        tensors = [*self.parameters, *buffers]
        self.saved = [(tensor, tensor.detach().clone(), tensor._version) for tensor in tensors]

    def set_parameter(self, index, value):
        """Copy an array into a parameter."""
        with self.torch.no_grad():
            self.parameters[index].copy_(self.torch.from_numpy(value))

    def restore(self):
        """Restore everything that was written to since."""
        with self.torch.no_grad():
            for index, (tensor, value, version) in enumerate(self.saved):
                if tensor._version != version:
                    tensor.copy_(value)
                    self.saved[index] = (tensor, value, tensor._version)


def seed_torch(torch, number=0):
    """Seed torch's generator.

    `torch.manual_seed` also prepares, for 12 ms, to seed a GPU that may be used later.
    """
    if torch.backends.cuda.is_built():
        torch.manual_seed(number)
    else:
        torch.default_generator.manual_seed(number)


def set_training(module):
    """Set a module to training, as a new one is, and return it."""
    if is_layer(module):
        module.train()
    return module


def list_shapes(module):
    """Return the shapes of a module's parameters, in order."""
    return [tuple(parameter.shape) for _, parameter in list_parameters(module)]


def instantiate(torch, cls):
    """Construct the class; return None where it needs arguments, or a call for its weights."""
    seed_torch(torch)
    try:
        module = set_training(cls())
    except Exception:
        return None
    # A lazy layer has no weights before its first call.
    is_lazy = any(torch.nn.parameter.is_lazy(p) for _, p in list_parameters(module))
    return None if is_lazy else module


class ModuleFinder:
    """Finds modules by what the recorder saw of them, then by the handout's name of the class."""

    def __init__(self, namespace, recorder):
        self.namespace = namespace
        self.recorder = recorder

    def find_module(self, torch, name, rows):
        """Return the module, how it is called, and how it was found: a new one, else a used one.

        `rows`: the shape of one input.
        """
        named = self.namespace.get(name)
        encoder = self.choose_encoder(named, rows)
        if encoder is None:
            module, how = self.find_by_class(torch, named, name)
            return module, Encoder(module, "forward"), how
        cls = type(encoder.module)
        module = instantiate(torch, cls) if direct_calls.is_own_class(cls) else None
        # With other arguments than the notebook's own the class may make another module.
        if module is not None and list_shapes(module) == list_shapes(encoder.module):
            return module, encoder, "new"
        return set_training(encoder.module), encoder, "used"

    def choose_encoder(self, named, rows):
        """Return how the notebook made vectors of inputs of a shape, or None.

        What was trained is preferred, then the class of the handout's name, then its own classes.
        Where that class was called, and nothing trained gave vectors, it is the one, as it is.
        """
        for trained in (True, False):
            encoders = self.find_encoders(rows, trained=trained)
            of_name = [encoder for encoder in encoders if type(encoder.module) is named]
            if not of_name and self.has_called(named, trained=trained):
                return None
            own = [e for e in encoders if direct_calls.is_own_class(type(e.module))]
            if encoders:
                return (of_name or own or encoders)[-1]
        return None

    def find_by_class(self, torch, named, name):
        """Find a module by its class where nothing is known to have made vectors of such inputs."""
        base = torch.nn.Module
        used = self.find_answered()
        cls = self.choose_class(base, named, used)
        if cls is not None:
            module = instantiate(torch, cls)
            if module is not None:
                return module, "new"
        instances = [v for v in self.namespace.values() if isinstance(v, base)]
        instances += [m for m in used if cls is None or type(m) is cls]
        if not instances:
            raise NothingToAsk(f"no class {name} and no other torch module")
        return set_training(instances[-1]), "used"

    def choose_class(self, base, named, used):
        """Return the class of the handout's name if the notebook uses it, else the one it uses.

        `used` are modules that gave an output, those that were trained last.
        """
        classes = [type(module) for module in used]
        if inspect.isclass(named) and issubclass(named, base):
            if named in classes or not classes:
                return named
        else:
            named = None
        own = [cls for cls in classes if direct_calls.is_own_class(cls)]
        if own or named is not None:
            return own[-1] if own else named
        defined = [
            value
            for value in self.namespace.values()
            if inspect.isclass(value)
            and issubclass(value, base)
            and direct_calls.is_own_class(value)
        ]
        return defined[-1] if defined else None

    def find_encoders(self, rows, *, trained):
        """Return how vectors were made of inputs of a shape, what was called last as the last.

        `trained`: of those through which a gradient flowed back, the ones that a watched function
        was called after, if any was.
        """
        numbers = [
            n
            for n in self.recorder.modules.encoders
            if not trained or n in self.recorder.modules.outputs
        ]
        watched = [n for n in numbers if "call" in self.recorder.weights.of(n)]
        encoders = self.recorder.modules.find_encoders(
            rows, watched if trained and watched else numbers
        )
        pulled = [encoder for encoder in encoders if encoder.position is not None]
        return pulled if trained and pulled else encoders

    def has_called(self, cls, *, trained):
        """Return whether a module of a class gave an output; `trained`: that got a gradient."""
        numbers = self.recorder.modules.outputs if trained else self.recorder.answered
        return any(type(self.recorder.modules[number]) is cls for number in numbers)

    def find_answered(self):
        """Return the modules that gave an output, those that were trained last."""
        trained = {*self.recorder.steps, *self.recorder.modules.outputs}
        numbers = sorted(self.recorder.answered, key=lambda number: (number in trained, number))
        return [self.recorder.modules[number] for number in numbers]
