"""Run doctest examples of a test with the notebook's names: the comparison is doctest's, and ours.

https://docs.python.org/3/library/doctest.html: options as otter-grader sets them.
"""

import doctest
import re
import sys

EXAMPLES = "examples"
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


class Examples:
    """Runs examples with the names of the test that calls it, which takes `as_cell`, too.

    printed: returns what the notebook has printed since the test began.
    """

    def __init__(self, printed):
        self.printed = printed

    def __call__(self, text):
        """Run the examples; the first that shows something else fails the test."""
        names = sys._getframe(1).f_globals
        test = doctest.DocTestParser().get_doctest(text, {}, "examples", None, None)
        test.globs = names
        runner = _Runner(_Checker(self.printed), verbose=False, optionflags=OPTIONS)
        runner.run(test, clear_globs=False)


def as_numpy_1(text):
    """Return a text with NumPy's scalars as NumPy 1 shows them: 'True', not 'np.True_'."""
    text = re.sub(r"\bnp\.(True|False)_(?!\w)", r"\1", text)
    return re.sub(r"\bnp\.(?:u?int\d+|float\d+|str_)\(([^()]*)\)", r"\1", text)


class _Checker(doctest.OutputChecker):
    """Compares what an example showed, with what the notebook printed meanwhile before it."""

    def __init__(self, printed):
        self.printed = printed
        self.seen = len(printed())

    def check_output(self, want, got, optionflags):
        everything = self.printed()
        shown, self.seen = everything[self.seen :] + got, len(everything)
        return super().check_output(want, shown, optionflags) or super().check_output(
            as_numpy_1(want), as_numpy_1(shown), optionflags
        )


class _Runner(doctest.DocTestRunner):
    """Raises what fails, as the statement of a test would."""

    def report_failure(self, out, test, example, got):
        source, shown = example.source.strip(), got.strip() or "nothing"
        raise AssertionError(f"`{source}` gave {shown}; {example.want.strip()} was expected")

    def report_unexpected_exception(self, out, test, example, exc_info):
        raise exc_info[1]
