"""What a test gives to the notebook that is walked through, and how its files are shown."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from course_bench import run_tests

NOTEBOOK = dedent(
    """
    import itertools

    def take(source, n=3):
        return list(itertools.islice(source, n))

    def twice(source):
        return [*source, *source]

    def fails(source):
        try:
            return list(source)
        except KeyError as error:
            return str(error)

    open("made.txt", "w").close()
    """
)
TESTS = dedent(
    """
    def test_generator(take):
        seen = []

        def count():
            for n in itertools.count():
                seen.append(n)
                yield n

        assert take(count()) == [0, 1, 2]
        assert seen == [0, 1, 2]
        assert take(n * n for n in range(2)) == [0, 1]

    def test_iterators(take):
        lines = ["b", "a"]
        assert take(iter(lambda: lines.pop() if lines else None, None)) == ["a", "b"]
        assert take(map(lambda n: n + 1, [1, 2])) == [2, 3]
        assert take([(n for n in range(9))], 1)

    def test_walked_twice(twice):
        class Two:
            def __iter__(self):
                return iter([1, 2])

        assert twice(Two()) == [1, 2, 1, 2]

    def test_raises(fails):
        def give():
            yield 1
            raise KeyError("mine")

        assert fails(give()) == "'mine'"

    def test_refused(take):
        class Own:
            pass

        take(Own())

    def test_files(files):
        assert "other.txt" in files
    """
)


def test_an_iterator_is_asked_for_one_value_after_another(tmp_path: Path) -> None:
    outcomes = run_tests(tmp_path, tests=f"import itertools\n{TESTS}", notebook=NOTEBOOK)
    refused, files = outcomes.pop("test_refused"), outcomes.pop("test_files")

    assert {n: o for n, o in outcomes.items() if o["outcome"] != "passed"} == {}
    assert len(outcomes) == 4
    assert "a Own of the test can't be given to the notebook" in refused["message"]
    assert "the files: made.txt" in files["sentence"]
