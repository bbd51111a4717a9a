"""Find the code of the notebook that a function may run: what it calls, passes on or contains."""

import ast
import builtins

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)
NOT_RUN = {"annotation", "returns", "type_params"}
"""Parts of the syntax tree that name types and call nothing."""
TYPE_QUESTIONS = {"isinstance", "issubclass", "print", "type", "id"}
"""Functions that call nothing of what they are given."""
CALLERS = {
    *("map", "filter", "reduce", "partial", "partialmethod", "starmap", "accumulate", "lru_cache"),
    *("takewhile", "dropwhile", "filterfalse", "cmp_to_key", "defaultdict", "apply", "applymap"),
    *("agg", "aggregate", "transform", "pipe", "vectorize", "submit", "cache", "wraps", "iter"),
}
"""Functions and methods that call the first thing they are given."""
CALLED_OPTIONS = {"key", "func", "function", "target", "default_factory", "initializer", "callback"}
"""Options of any function that take what it calls."""
CONTAINERS = {
    *("list", "dict", "set", "tuple", "str", "frozenset", "deque", "defaultdict", "Counter"),
    *("OrderedDict", "sorted", "open", "List", "Dict", "Set", "Tuple", "Deque", "array", "zeros"),
}
"""Functions and types whose values have methods of their own."""
DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.Tuple, ast.ListComp, ast.DictComp, ast.SetComp)
CONSTRUCTORS = ("__new__", "__init__", "__post_init__")


class Code:
    """A function, a class or another statement.

    own: the parts of its tree, without those of the functions and classes that are bound in it.
    inner: these, by name.
    bound: its other names.
    """

    def __init__(self, node, name="", outer=None):
        self.node = node
        self.name = name
        self.outer = outer
        self.own = []
        self.inner = {}
        self.bound = set()
        self.collect()

    @property
    def is_class(self):
        """Whether it is a class."""
        return isinstance(self.node, ast.ClassDef)

    def collect(self):
        """Take the tree apart."""
        stack = [self.node]
        while stack:
            parts = [part for part in run_parts(stack.pop()) if not self.take_definition(part)]
            self.own += parts
            stack += reversed(parts)
        self.bound |= {part.arg for part in self.own if isinstance(part, ast.arg)}
        self.bound |= {part.id for part in self.own if is_stored(part)}

    def take_definition(self, part):
        """Keep a function or class that is bound here; return whether it is one."""
        if isinstance(part, DEFINITIONS):
            self.inner[part.name] = Code(part, part.name, self)
            return True
        if isinstance(part, ast.Assign) and isinstance(part.value, ast.Lambda):
            names = [target.id for target in part.targets if isinstance(target, ast.Name)]
            self.inner.update({name: Code(part.value, name, self) for name in names})
            return bool(names)
        return False

    def scopes(self):
        """Return this code and what is around it whose names it can read, the module last."""
        scopes = [self]
        while scopes[-1].outer is not None:
            scopes.append(scopes[-1].outer)
        return [scope for scope in scopes if scope is self or not scope.is_class]

    def resolve(self, name):
        """Return the notebook's function or class that a name means here, or None."""
        for scope in self.scopes():
            if name in scope.inner:
                return scope.inner[name]
            if name in scope.bound and isinstance(scope.node, (*DEFINITIONS, ast.Lambda)):
                return None
        return None

    def enclosing_class(self):
        """Return the class that this is a method of, or part of one, or None."""
        code = self
        while code is not None and not code.is_class:
            code = code.outer
        return code

    def classes(self):
        """Return this class and those of the notebook that it is derived from."""
        collected, rest = [], [self]
        while rest:
            code = rest.pop(0)
            if code is not None and code.is_class and code not in collected:
                collected.append(code)
                names = [base.id for base in code.node.bases if isinstance(base, ast.Name)]
                rest += [code.outer.resolve(name) for name in names]
        return collected

    def method(self, name):
        """Return a method of this class, or of one that it is derived from, or None."""
        return next((c.inner[name] for c in self.classes() if name in c.inner), None)


def run_parts(node):
    """Return the parts of a tree that are run: annotations are none."""
    parts = []
    for field, value in ast.iter_fields(node):
        values = value if isinstance(value, list) else [value]
        parts += [v for v in values if isinstance(v, ast.AST) and field not in NOT_RUN]
    return parts


def is_stored(node):
    """Return whether a name is bound here."""
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def short_name(node):
    """Return what a function, a type or a method is called: `f`, `module.f`, `f[int]`; or ''."""
    if isinstance(node, ast.Subscript):
        node = node.value
    return getattr(node, "id", "") or getattr(node, "attr", "")


class CalledCode:
    """All functions and classes of a notebook."""

    def __init__(self, trees):
        body = [statement for tree in trees for statement in tree.body]
        self.module = Code(ast.Module(body=body, type_ignores=[]))
        self.originals = {}
        self.modules = set()
        for node in ast.walk(self.module.node):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for alias in node.names:
                    name = alias.asname or alias.name.partition(".")[0]
                    self.originals[name] = alias.name.rpartition(".")[2]
                    self.modules.add(name)

    def find(self, name):
        """Return the function or class of a name, or of `Class.method`, or None."""
        code = self.module
        for part in name.split("."):
            if code is not None:
                code = code.method(part) if code.is_class else code.inner.get(part)
        return code

    def reached(self, root):
        """Return the code that some code may run, itself first."""
        collected = [root]
        for code in collected:
            steps = [*self.references(code), *inner_parts(code, is_root=code is root)]
            collected += [step for step in dict.fromkeys(steps) if step not in collected]
        return collected

    def is_recursive(self, root):
        """Return whether some code calls itself again, or runs other code that does."""
        return any(self.runs_again(c) for c in self.reached(root) if not c.is_class)

    def runs_again(self, code):
        """Return whether a function calls itself, directly or through others."""
        collected, rest = set(), [code]
        while rest:
            for step in self.references(rest.pop()):
                targets = inner_parts(step, is_root=False) if step.is_class else [step]
                if code in targets:
                    return True
                rest += [target for target in targets if target not in collected]
                collected.update(targets)
        return False

    def references(self, code):
        """Return the functions and classes of the notebook that some code calls or passes on."""
        silent = set()
        for node in code.own:
            if isinstance(node, ast.Call) and short_name(node.func) in TYPE_QUESTIONS:
                silent.update(id(part) for arg in node.args for part in walk_tuple(arg))
            if isinstance(node, ast.Attribute):
                silent.add(id(node.value))  # `f.cache` calls nothing
        collected = []
        for node in code.own:
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                collected += self.methods(code, node)
            elif isinstance(node, ast.Name) and not is_stored(node) and id(node) not in silent:
                collected.append(code.resolve(node.id))
        return [step for step in collected if step is not None]

    def methods(self, code, node):
        """Return the methods of the notebook's classes that `owner.name` may mean."""
        owner, own_class = node.value, code.enclosing_class()
        if isinstance(owner, ast.Call) and short_name(owner.func) == "super" and own_class:
            return [c.inner[node.attr] for c in own_class.classes()[1:] if node.attr in c.inner][:1]
        if isinstance(owner, ast.Name) and own_class and owner.id in {"self", "cls"}:
            return [own_class.method(node.attr)]
        named = code.resolve(owner.id) if isinstance(owner, ast.Name) else None
        if named is not None:
            return [named.method(node.attr)] if named.is_class else []
        if self.is_of_library(owner, code) or is_container(owner, code):
            return []
        classes = [c for c in self.module.inner.values() if c.is_class]
        return [c.inner[node.attr] for c in classes if node.attr in c.inner]

    def is_of_library(self, owner, code):
        """Return whether a value is a module, or a builtin that no code gave another meaning."""
        if not isinstance(owner, ast.Name):
            return False
        is_bound = any(owner.id in scope.bound for scope in code.scopes())
        return owner.id in self.modules or (hasattr(builtins, owner.id) and not is_bound)

    def does_call(self, code, function):
        """Return whether some code calls or passes on a function or method of that name."""
        if any(step.name == function for step in self.references(code)):
            return True
        decorators = getattr(code.node, "decorator_list", ())
        return function in map(self.original, [*decorators, *called_parts(code.own)])

    def original(self, node):
        """Return what a function is called, whatever it was imported as."""
        name = short_name(node)
        return self.originals.get(name, name) if isinstance(node, ast.Name) else name


def walk_tuple(node):
    """Return a node and, of a tuple, its parts."""
    return [node, *node.elts] if isinstance(node, ast.Tuple) else [node]


def called_parts(nodes):
    """Return what is called, or given to something that calls it or to another name."""
    called = []
    for node in nodes:
        if isinstance(node, ast.Call):
            called.append(node.func)
            called += node.args[:1] if short_name(node.func) in CALLERS else ()
            called += [option.value for option in node.keywords if option.arg in CALLED_OPTIONS]
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            called.append(node.value)
    return called


def inner_parts(code, *, is_root):
    """Return what of the functions bound in some code runs with it; of a class how it is made."""
    if not code.is_class or is_root:
        return list(code.inner.values())
    return [method for method in map(code.method, CONSTRUCTORS) if method is not None]


def is_container(node, code):
    """Return whether a value is seen to be a list, a text and the like, no object of a class."""
    if isinstance(node, (*DISPLAYS, ast.JoinedStr)):
        return True
    if isinstance(node, ast.Constant):
        return node.value is not None
    if isinstance(node, ast.Call):
        return short_name(node.func) in {*CONTAINERS, "field"}
    places = places_of(node)
    own_class = code.enclosing_class()
    codes = [own_class, *own_class.inner.values()] if own_class else code.scopes()
    return bool(places) and any(
        places & set().union(*map(places_of, targets)) and names_container(value, annotation)
        for part in (part for each in [code, *codes] for part in each.own)
        for targets, value, annotation in bindings(part)
    )


def bindings(node):
    """Return what a part of the tree binds: targets, the value, and the annotation."""
    if isinstance(node, ast.Assign):
        return [(node.targets, node.value, None)]
    if isinstance(node, ast.AnnAssign):
        return [([node.target], node.value, node.annotation)]
    if isinstance(node, ast.arg):
        return [([ast.Name(node.arg)], None, node.annotation)]
    return []


def names_container(value, annotation):
    """Return whether a name is bound to a container, or said to be one."""
    if isinstance(value, ast.Call):
        return short_name(value.func) in {*CONTAINERS, "field"}
    is_text = isinstance(value, ast.Constant) and isinstance(value.value, str)
    return is_text or isinstance(value, DISPLAYS) or short_name(annotation) in CONTAINERS


def places_of(node):
    """Return where a value may be bound: a name, `self.name`; in the class itself as `name`."""
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        is_own = node.value.id in {"self", "cls"}
        return {f"{node.value.id}.{node.attr}", *([node.attr] if is_own else [])}
    return set()
