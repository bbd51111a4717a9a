"""Lists the modules that a notebook's code imports, without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from grader.model import Notebook
from grader.notebook.student_code import parse_source

NAMESPACES = frozenset({"google"})
"""Modules that several packages share, so that the next part of the name tells them apart."""
PARTS_OF_OTHERS = {"torch.utils.tensorboard": "tensorboard"}
"""Parts of a package that are nothing without another."""
_CACHE_SIZE = 4_000
_EXTENSION = re.compile(r"^\s*%(?:re)?load_ext\s+([\w.]+)", re.MULTILINE)
_CALLS = frozenset({"__import__", "import_module"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedModule:
    """One module that an import names."""

    name: str
    """The module to be installed for it: the part before the first dot."""
    bound: str = ""
    """The name that it or a part of it has in the notebook; '' where there is none."""
    star: bool = False
    """Whether the import brings names that it does not say."""


def imported_modules(notebook: Notebook) -> tuple[ImportedModule, ...]:
    """Return what its code cells import, at any depth, each once."""
    cells = (_cell_imports(cell.source) for cell in notebook.code_cells())
    return tuple(dict.fromkeys(module for modules in cells for module in modules))


# Most cells of a class are the handout's, word for word.
@lru_cache(maxsize=_CACHE_SIZE)
def _cell_imports(source: str) -> tuple[ImportedModule, ...]:
    tree = parse_source(source) if "import" in source else None
    modules = [
        module for node in (ast.walk(tree) if tree else ()) for module in _node_imports(node)
    ]
    extensions = _EXTENSION.findall(source) if "load_ext" in source else ()
    return (*modules, *(ImportedModule(name=top_level(name)) for name in extensions))


def _node_imports(node: ast.AST) -> Iterator[ImportedModule]:
    match node:
        case ast.Import():
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                yield ImportedModule(name=top_level(alias.name), bound=bound)
                if alias.name in PARTS_OF_OTHERS:
                    yield ImportedModule(name=PARTS_OF_OTHERS[alias.name])
        case ast.ImportFrom(module=str(module), level=0):
            for alias in node.names:
                is_star = alias.name == "*"
                name = f"{module}.{alias.name}" if module in NAMESPACES else module
                bound = "" if is_star else alias.asname or alias.name
                other = PARTS_OF_OTHERS.get(module) or PARTS_OF_OTHERS.get(f"{module}.{alias.name}")
                yield ImportedModule(name=other or top_level(name), bound=bound, star=is_star)
        case ast.Call(
            func=ast.Name(id=called) | ast.Attribute(attr=called),
            args=[ast.Constant(value=str(module)), *_],
        ) if called in _CALLS and not module.startswith("."):
            yield ImportedModule(name=top_level(module))


def top_level(name: str) -> str:
    """Return the module that must be installed for one of its parts to be there."""
    top, _, rest = name.partition(".")
    return f"{top}.{rest.partition('.')[0]}" if top in NAMESPACES and rest else top
