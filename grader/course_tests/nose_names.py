"""Offer `nose.tools` where nose is not installed: many old tests take their assertions from it.

They are unittest's, by other names: https://nose.readthedocs.io/en/latest/testing_tools.html
"""

import importlib.util
import re
import sys
import types
import unittest


def offer_nose():
    """Let tests import `nose.tools`, installed or not."""
    if "nose" in sys.modules or importlib.util.find_spec("nose") is not None:
        return
    nose, tools = types.ModuleType("nose"), types.ModuleType("nose.tools")
    nose.__path__, nose.tools = [], tools
    case = unittest.TestCase()
    case.maxDiff = None
    for name in dir(case):
        if re.match(r"assert[A-Z]", name):
            function = getattr(case, name)
            setattr(tools, re.sub(r"[A-Z]", lambda sign: f"_{sign[0].lower()}", name), function)
    tools.assert_raises_regexp = case.assertRaisesRegex
    tools.eq_, tools.ok_ = tools.assert_equal, tools.assert_true
    sys.modules |= {"nose": nose, "nose.tools": tools}
