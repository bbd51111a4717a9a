"""Tests of a first homework: strings, dictionaries, recursion, a class, printed output."""

import pytest

# ---------------------------------------------------------------- Q1


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Ada Lovelace", "A.L."), ("grace brewster hopper", "G.B.H.")],
)
def test_initials(initials, name, expected):
    """`initials` gives the first letter of each part of a name, as a capital with a period."""
    assert initials(name) == expected


@pytest.mark.parametrize("count", [1, 2, 5])
def test_initials_of_any_name(initials, draw, count):
    """`initials` works for names of any number of parts, with any number of spaces between them."""
    parts = [draw.text(4) for _ in range(count)]
    assert initials("  ".join(parts)) == "".join(f"{part[0].upper()}." for part in parts)


# ---------------------------------------------------------------- Q2


def test_count_words(count_words):
    """`count_words` says how often each word occurs."""
    assert count_words("one fish two fish") == {"one": 1, "fish": 2, "two": 1}
    assert count_words("The cat saw the dog.") == {"the": 2, "cat": 1, "saw": 1, "dog": 1}


@pytest.mark.parametrize("separator", [" ", "  ", "\n", ", ", "! ", "? "])
def test_count_words_of_any_text(count_words, draw, separator):
    """`count_words` works for any text, whatever stands between its words; none is empty."""
    words = [draw.text(1, alphabet="abcABC") for _ in range(12)]
    lower = [word.lower() for word in words]
    assert count_words(separator.join([*words, ""])) == {word: lower.count(word) for word in lower}


# ---------------------------------------------------------------- Q3


def test_flatten(flatten):
    """`flatten` returns the values of nested lists in their order."""
    assert flatten([1, [2, [3]]]) == [1, 2, 3]
    assert flatten([[], [[]]]) == []


def test_flatten_any_depth(flatten, draw):
    """`flatten` works for values of any kind at any depth, and leaves its argument as it is."""
    word, number = draw.text(3), draw.integers(10, 99)
    nested = [[[[[[word]]]], (1, [2])], number, [None, [word]]]
    assert flatten(nested) == [word, (1, [2]), number, None, word]
    assert nested == [[[[[[word]]]], (1, [2])], number, [None, [word]]]


def test_flatten_calls_itself(flatten, source):
    """`flatten` gets its values by calling itself."""
    assert flatten([[1]]) == [1]
    assert source.recurses("flatten"), "`flatten` never calls itself"


# ---------------------------------------------------------------- Q4


def test_shop(Shop):
    """A `Shop` counts what was added and what was sold."""
    shop = Shop()
    shop.add("tea", 3)
    shop.add("tea", 4)
    shop.sell("tea", 2)
    assert shop.count("tea") == 5
    assert shop.count("cake") == 0


def test_out_of_stock(Shop, OutOfStock):
    """Where there is not enough, `sell` raises `OutOfStock` and takes none."""
    shop = Shop()
    shop.add("tea", 3)
    with pytest.raises(OutOfStock):
        shop.sell("tea", 4)
    assert shop.count("tea") == 3
    shop.sell("tea", 3)
    assert shop.count("tea") == 0
    with pytest.raises(OutOfStock):
        shop.sell("cake", 1)


def test_shops_are_apart(Shop):
    """What is added to one `Shop` is not in another."""
    Shop().add("tea", 3)
    assert Shop().count("tea") == 0


# ---------------------------------------------------------------- Q5


@pytest.mark.parametrize(
    ("prices", "total"), [(["2.50", "2.25"], "4.75"), (["3"], "3.00"), ([], "0.00")]
)
def test_receipt(receipt, stdin, printed, prices, total):
    """`receipt` prints the sum of the prices that are typed, with two decimals, at the end."""
    stdin(*prices, "")
    receipt()
    assert printed.lines()[-1:] == [f"Total: {total}"]
