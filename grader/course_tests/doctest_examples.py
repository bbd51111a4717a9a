"""Run doctest examples of a test with the notebook's names: the comparison is doctest's, and ours.

https://docs.python.org/3/library/doctest.html: without options, as otter-grader runs them.
"""

import contextlib
import doctest
import io
import re
import sys

EXAMPLES = "examples"


class Examples:
    """Runs examples with the names of the test that calls it, which takes `as_cell`, too.

    What they bind is theirs alone, since doctest copies the names. printed: returns what the
    notebook has printed since the test began.
    """

    def __init__(self, printed):
        self.printed = printed

    def __call__(self, text, after=""):
        """Run the examples; the first that shows something else fails the test.

        after: examples that run before, whatever they show or raise.
        """
        names = sys._getframe(1).f_globals
        if after:
            runner = doctest.DocTestRunner(verbose=False)
            with contextlib.redirect_stdout(io.StringIO()):
                runner.run(parse_examples(after, names), out=lambda text: None)
        runner = _Runner(_Checker(), verbose=False)
        runner._fakeout = _Shown(self.printed)  # doctest has it write here, and reads it
        runner.run(parse_examples(text, names))


def parse_examples(text, names):
    """Return a test of examples that run with a copy of some names."""
    test = doctest.DocTestParser().get_doctest(text, {}, "examples", None, None)
    test.globs = names.copy()
    return test


class _Shown(io.StringIO):
    """Keeps what examples show, with what the notebook printed in between.

    printed: returns all that it has printed.
    """

    def __init__(self, printed):
        super().__init__()
        self.printed = printed
        self.seen = len(printed())

    def write(self, text):
        """Write what was printed over there before, and then a text of our side."""
        self.take_printed()
        return super().write(text)

    def take_printed(self):
        """Write what was printed over there since the last time."""
        everything = self.printed()
        super().write(everything[self.seen :])
        self.seen = len(everything)

    def getvalue(self):
        """Return what an example has shown; its last line ends, as doctest has it."""
        self.take_printed()
        shown = super().getvalue()
        return shown if not shown or shown.endswith("\n") else f"{shown}\n"

    def truncate(self, size=None):
        """Begin anew for the next example."""
        self.seek(size)
        return super().truncate()


def as_numpy_1(text):
    """Return a text with NumPy's scalars as NumPy 1 shows them: 'True', not 'np.True_'."""
    text = re.sub(r"\bnp\.(True|False)_(?!\w)", r"\1", text)
    text = re.sub(r"\bnp\.complex\d+(\([^()]*\))", r"\1", text)
    return re.sub(r"\bnp\.(?:u?int\d+|(?:long)?(?:float|double)\d*|str_)\(([^()]*)\)", r"\1", text)


class _Checker(doctest.OutputChecker):
    """Takes what NumPy 2 shows for what NumPy 1 showed when the examples were written."""

    def check_output(self, want, got, optionflags):
        return super().check_output(want, got, optionflags) or super().check_output(
            want, as_numpy_1(got), optionflags
        )


class _Runner(doctest.DocTestRunner):
    """Raises what fails, as the statement of a test would."""

    def report_failure(self, out, test, example, got):
        source, shown = example.source.strip(), got.strip() or "nothing"
        raise AssertionError(f"`{source}` gave {shown}; {example.want.strip()} was expected")

    def report_unexpected_exception(self, out, test, example, exc_info):
        raise exc_info[1]
