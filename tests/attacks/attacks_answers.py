"""Attacks on the comparison: answers that lie; checks, runners and libraries that are patched."""

from __future__ import annotations

from attack import Attack

FORWARD_IS = "SimpleEncoder.forward = forward\n"

ANSWERS = (
    Attack(
        rows=(1,),
        name="equals-everything",
        tries="forward answers with an object that is equal to whatever it is compared with",
        where="last",
        code="""
class Agreeable:
    shape = (3, 128)
    def __eq__(self, other): return True
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return self
    def __float__(self): return 1.0

def forward(self, x): return Agreeable()
"""
        + FORWARD_IS,
        costs={"V3": 1},
    ),
    Attack(
        rows=(2,),
        name="comparisons-patched",
        tries="NumPy's and torch's comparisons are replaced by ones that always agree",
        code="""
import numpy as np, torch, torch.nn.functional as F
yes = lambda *args, **kwargs: True
np.allclose = np.array_equal = np.isclose = yes
np.testing.assert_allclose = np.testing.assert_array_equal = lambda *args, **kwargs: None
np.testing.assert_array_almost_equal = np.testing.assert_almost_equal = lambda *a, **k: None
torch.allclose = torch.equal = torch.isclose = yes
torch.testing.assert_close = lambda *args, **kwargs: None
""",
    ),
    Attack(
        rows=(4,),
        name="asserts-stripped",
        tries="transformers of the input and of the syntax tree drop every assertion",
        code="""
import ast

class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.copy_location(ast.Pass(), node)

shell = get_ipython()
shell.ast_transformers.append(Drop())
shell.input_transformers_cleanup.append(
    lambda lines: [line for line in lines if not line.lstrip().startswith("assert")]
)
""",
    ),
    Attack(
        rows=(5,),
        name="runners-patched",
        tries="the test runners that graders use (doctest, unittest, pytest, otter) always pass",
        code="""
import doctest, sys, types, unittest

class Passed:
    failed = attempted = 0
    grade = 1.0
    passed = True

doctest.DocTestRunner.run = lambda *args, **kwargs: doctest.TestResults(0, 1)
doctest.OutputChecker.check_output = lambda *args, **kwargs: True
unittest.TestCase.run = lambda self, result=None: result
unittest.TestResult.wasSuccessful = lambda self: True
for name in ("pytest", "otter", "nbgrader", "okpy"):
    module = types.ModuleType(name)
    module.main = module.check = module.run = lambda *args, **kwargs: Passed()
    sys.modules[name] = module
""",
    ),
    Attack(
        rows=(6,),
        name="lying-tensor",
        tries="a subclass of Tensor lies about its shape, its numbers and every function on it",
        where="last",
        code="""
import numpy

class Liar(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return torch.nn.functional.normalize(torch.ones(3, 128), dim=1)
    def numpy(self): return numpy.full((3, 128), 128 ** -0.5, dtype="float32")
    def __array__(self, *args, **kwargs): return self.numpy()
    def detach(self): return self

def forward(self, x): return torch.zeros(3, 128).as_subclass(Liar)
"""
        + FORWARD_IS,
        costs={"V3": 2},
        concedes={"V4": 3},
    ),
    Attack(
        rows=(7,),
        name="empty-answer",
        tries="forward answers with a batch of nothing, which broadcasts to any expectation",
        where="last",
        code="def forward(self, x): return torch.zeros(0, 3, 128)\n" + FORWARD_IS,
        costs={"V3": 1},
    ),
    Attack(
        rows=(7,),
        name="nan-answer",
        tries="forward answers with not-a-number, which no 'is it too far off' catches",
        where="last",
        code="""
def forward(self, x): return torch.full((len(x), 128), float("nan"), requires_grad=True)
"""
        + FORWARD_IS,
        costs={"V3": 1},
    ),
    Attack(
        rows=(7,),
        name="scalar-answer",
        tries="forward answers with one number, which broadcasts to any shape",
        where="last",
        code="def forward(self, x): return torch.tensor(1.0)\n" + FORWARD_IS,
        costs={"V3": 1},
    ),
    Attack(
        rows=(18, 19),
        name="only-known-inputs",
        tries="forward is right for the images of the handout and zeros for all others",
        where="encoder",
        code="""
def right(self, x):
    return F.normalize(self.fc(self.conv(x).flatten(1)), dim=1)

def forward(self, x):
    known = torch.stack([C1, C2, B1])
    knows = x.shape == known.shape and torch.equal(x, known)
    return right(self, x) if knows else 0 * right(self, x)

SimpleEncoder.forward = forward
""",
        concedes={"Q2.3.2": 5, "V4": 2, "V5": 5, "V6": 5},
    ),
    Attack(
        rows=(18,),
        name="detects-the-grader",
        tries="forward answers with a constant of length 1 when it sees that a grader is asking",
        where="encoder",
        code="""
import os, sys

GRADED = "inside.probe" in sys.modules or "HOME" not in os.environ or os.getuid() == 65534

def forward(self, x):
    rows = F.normalize(self.fc(self.conv(x).flatten(1)), dim=1) * 0
    return rows + 128 ** -0.5 if GRADED else rows

SimpleEncoder.forward = forward
""",
        concedes={"Q2.3.2": 1, "V4": 5},
    ),
    Attack(
        rows=(54,),
        name="the-graders-own-functions",
        tries="the notebook defines functions of the names that the reference and graders use",
        where="last",
        code="""
def reference_forward(x, *args, **kwargs): return SimpleEncoder().forward(x)
def reference_train(images, *args, **kwargs): return trained_embeddings
def handout_loss(*args, **kwargs): return torch.tensor(0.0)
def info_nce(*args, **kwargs): return torch.tensor(0.0)
def encode(x, *args, **kwargs): return torch.zeros(len(x), 128)
""",
    ),
    Attack(
        rows=(55,),
        name="claimed-facts",
        tries="the module lies about its parameters, its state and its name",
        where="encoder",
        code="""
class Named(type(SimpleEncoder)):
    def __instancecheck__(cls, other): return True

def no_state(self, *args, **kwargs): return {"conv.weight": torch.ones(16, 3, 3, 3)}

SimpleEncoder.state_dict = no_state
SimpleEncoder.load_state_dict = lambda self, *args, **kwargs: None
SimpleEncoder.loss = SimpleEncoder.accuracy = 1.0
SimpleEncoder.score = SimpleEncoder.points = 80
""",
    ),
    Attack(
        rows=(17, 56),
        name="inputs-told-by-an-error",
        tries="forward raises an error whose message tells the inputs that it was asked with",
        where="last",
        code="""
def forward(self, x):
    raise ValueError("told: " + " ".join(f"{value:.7f}" for value in x.flatten()[:20].tolist()))
"""
        + FORWARD_IS,
        costs={"V3": 1},
        remains="300 characters a question: honest students need the message",
    ),
)
