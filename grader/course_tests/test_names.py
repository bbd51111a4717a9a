"""Name a test as a rubric does."""


def test_name(item):
    """Return the name of a test's item: 'test_small', or 'TestAccount.test_new' in a class."""
    parts = item.nodeid.split("::")[1:]
    return ".".join([*parts[:-1], getattr(item, "originalname", None) or item.name])


def case_name(item):
    """Return what tells a case from all others of its file: 'test_small[3]'."""
    return item.nodeid.partition("::")[2]


test_name.__test__ = False
