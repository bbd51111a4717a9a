"""What a test may take as an argument beside the notebook's names."""

import pathlib
import random
import string
import zlib
from collections.abc import Mapping, Sequence

import numpy as np

MAX_NAMED = 20
"""Files that are named where all of them are shown."""
MAX_SHOWN = 120
"""Characters of a part of a chart that is shown with its values."""


class Draw:
    """Draws inputs from the secret seed, the same for every student of one run.

    A test that is run again draws the same; another test draws others.
    """

    def __init__(self, seed, test):
        digest = zlib.crc32(test.encode())
        self.rng = np.random.default_rng([*seed, digest])
        self.random = random.Random(int(self.rng.integers(2**62)))  # noqa: S311 (no secret)

    def normal(self, shape=(), *, scale=1.0):
        """Return normally distributed numbers of that shape, or one float."""
        return self._plain(self.rng.normal(scale=scale, size=shape), shape)

    def uniform(self, low=0.0, high=1.0, shape=()):
        """Return numbers from `low` to `high`, of that shape, or one float."""
        return self._plain(self.rng.uniform(low, high, size=shape), shape)

    def integers(self, low, high, shape=()):
        """Return whole numbers from `low` to `high`, both included, of that shape, or one int."""
        return self._plain(self.rng.integers(low, high, size=shape, endpoint=True), shape)

    def integer_list(self, low, high, length):
        """Return a list of whole numbers from `low` to `high`, both included."""
        return self.integers(low, high, (length,)).tolist()

    def text(self, length, alphabet=string.ascii_lowercase):
        """Return a text of that many letters."""
        return "".join(self.random.choices(alphabet, k=length))

    def choice(self, options):
        """Return one of the options."""
        return self.random.choice(list(options))

    def sample(self, options, count):
        """Return a list of `count` different ones of the options."""
        return self.random.sample(list(options), count)

    def shuffled(self, values):
        """Return a list of the values in another order."""
        values = list(values)
        self.random.shuffle(values)
        return values

    @staticmethod
    def _plain(array, shape):
        return array.item() if np.ndim(array) == 0 and shape == () else array


class MissingFile(KeyError, AssertionError):
    """The notebook left no such file: a verdict, not a mistake of the test's."""

    __str__ = Exception.__str__


class FileNames(Mapping):
    """Files by name; `names()` says which there are, `copy(name)` gives the path of one."""

    def __iter__(self):
        return iter(self.names())

    def __len__(self):
        return len(self.names())

    def __contains__(self, name):
        return name in self.names()

    def __repr__(self):
        names = sorted(self.names())
        more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
        return f"the files: {', '.join(names[:MAX_NAMED])}{more}" if names else "no files"

    def __getitem__(self, name):
        if name not in self.names():
            raise MissingFile(f"the notebook left no file {name}")
        return self.copy(name)


class Files(FileNames):
    """The files that the notebook left in its folder; `files["out.csv"]` is the path of a copy."""

    def __init__(self, talk, folder):
        self.talk = talk
        self.folder = pathlib.Path(folder)

    def names(self):
        """Return the names of the files, by the path below the folder."""
        names = self.talk.ask("files")
        if not isinstance(names, dict):
            raise TypeError("the files could not be listed")
        return names

    def copy(self, name):
        """Return the path of a copy of a file."""
        data = self.talk.ask("read_file", name)
        path = self.folder / name
        if not isinstance(data, bytes):
            raise TypeError(f"{name} could not be read")
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise KeyError(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path


class Printed:
    """What the notebook printed since the test began."""

    def __init__(self, read):
        self.read = read

    def text(self):
        """Return it as one text."""
        text = self.read()
        if not isinstance(text, str):
            raise TypeError("what was printed could not be read")
        return text

    def lines(self):
        """Return its lines, without white space at their ends."""
        return [line.rstrip() for line in self.text().splitlines()]

    __str__ = text

    def __repr__(self):
        return repr(self.text())

    def __eq__(self, other):
        return self.text() == other

    def __contains__(self, part):
        return part in self.text()

    __hash__ = None


NO_CHART = "the notebook made no chart"


class MissingFigure(IndexError, AssertionError):
    """The notebook made no such chart: a verdict, not a mistake of the test's."""


class Figures(Sequence):
    """The notebook's figures in order; those that a call of the test draws come at the end."""

    def __init__(self, read):
        self.read = read

    def now(self):
        """Return the figures of this moment."""
        return as_figures(self.read())

    def __getitem__(self, index):
        now = self.now()
        try:
            return now[index]
        except IndexError:
            count = "1 chart" if len(now) == 1 else f"{len(now)} charts"
            raise MissingFigure(f"the notebook made only {count}" if now else NO_CHART) from None

    def __iter__(self):
        return iter(self.now())

    def __len__(self):
        return len(self.now())

    def __repr__(self):
        return repr(self.now())


class Figure(Mapping):
    """Plain data of a chart; its parts are read as attributes, too."""

    def __init__(self, parts):
        self._parts = parts

    def __getitem__(self, key):
        return self._parts[key]

    def __getattr__(self, name):
        try:
            return self._parts[name]
        except KeyError:
            raise AttributeError(name) from None

    def __iter__(self):
        return iter(self._parts)

    def __len__(self):
        return len(self._parts)

    def __repr__(self):
        text = repr(self._parts)
        return text if len(text) <= MAX_SHOWN else f"<part of a chart: {', '.join(self._parts)}>"


def as_figures(value):
    """Return plain data with dictionaries that can be read by attributes."""
    if isinstance(value, dict):
        return Figure({name: as_figures(part) for name, part in value.items()})
    if isinstance(value, list):
        return [as_figures(part) for part in value]
    return value
