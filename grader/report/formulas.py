r"""Finds the formulas of a text, as Jupyter and pandoc do, and sets them as MathML.

`$…$`, `$$…$$`, `\(…\)`, `\[…\]` (with one backslash or two) and `\begin{align}…\end{align}`.
What is no formula, or can't be set, stays text. `latex2mathml` hands on addresses, styles and
raw tags, so of what it makes only the tags and attributes below are written.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from grader.report.text_format import clean

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # only the type: nothing is parsed

MAX_FORMULA = 2_000
"""Characters of a formula; it takes 15 ms."""
_MAX_DEPTH = 60
_FORMULA = re.compile(
    rf"""
      \$\$ (?P<double> (?:\\. | [^\\$]){{1,{MAX_FORMULA}}} ) \$\$
    | \$ (?P<single> (?:\\. | [^\\$]){{1,{MAX_FORMULA}}} ) \$ (?! [\d$] )
    | (?P<round> (?<!\\) \\\\? ) \( (?P<in_round> .{{1,{MAX_FORMULA}}}? ) (?<!\\) (?P=round) \)
    | (?P<square> (?<!\\) \\\\? ) \[ (?P<in_square> .{{1,{MAX_FORMULA}}}? ) (?<!\\) (?P=square) \]
    | (?P<whole> \\begin\{{ (?P<name> (?:equation|align|gather|multline|eqnarray|flalign|alignat
        |split|aligned|gathered|cases|array|[pbBvV]?matrix) \*? ) \}}
        .{{1,{MAX_FORMULA}}}? \\end\{{ (?P=name) \}} )
    """,
    re.VERBOSE | re.DOTALL,
)
_DISPLAYED = frozenset({"double", "in_square", "whole"})
_CONTENT = ("double", "single", "in_round", "in_square", "whole")
_CODE = re.compile(r"`([^`\n]+)`")
_SIGNS = re.compile(r"[\\^_{}=<>+*|]")
_STRONG_SIGNS = re.compile(r"\\[A-Za-z]|[\^_{]")
_WORD = re.compile(r"(?:\A|\s)[A-Za-z]{2,}(?:\s|\Z)")
_DEFINITION = re.compile(
    r"\\(?:[egx]?def|let|futurelet|(?:re)?newcommand|providecommand"
    r"|newenvironment|DeclareMathOperator)(?![A-Za-z])"
)
"""Definitions may double with each use, so a formula that has one stays text."""
_LEFT_OUT = re.compile(r"\\(?:begin|end)\{(?:equation|multline)\*?\}|\\label\{[^{}]*\}")
_NUMBERED = re.compile(r"(\\(?:begin|end)\{(?:align|alignat|eqnarray|flalign|gather))\}")
"""Lines would be numbered from 1 in each formula anew, which helps nobody."""
_PARTS = dict.fromkeys(("mfrac", "mroot", "msub", "msup", "munder", "mover"), 2) | dict.fromkeys(
    ("msubsup", "munderover"), 3
)
"""How many parts an element must have; with fewer, TeX was broken."""
_TAGS = frozenset(
    [
        "math",
        "mrow",
        "mi",
        "mn",
        "mo",
        "ms",
        "mtext",
        "mspace",
        "mfrac",
        "msqrt",
        "mroot",
        "mstyle",
        "mpadded",
        "mphantom",
        "merror",
        "menclose",
        "msub",
        "msup",
        "msubsup",
        "munder",
        "mover",
        "munderover",
        "mmultiscripts",
        "mprescripts",
        "none",
        "mtable",
        "mtr",
        "mtd",
    ]
)
_LENGTH = re.compile(r"-?(?:\d|\d?\.\d{1,5})(?:em|ex)?|-?\d{1,2}(?:px|pt)")
_ATTRIBUTES = {
    "display": re.compile(r"block|inline"),
    "mathvariant": re.compile(r"[a-z-]{1,30}"),
    "columnalign": re.compile(r"(?:left|right|center| ){1,200}"),
    "form": re.compile(r"prefix|infix|postfix"),
    "notation": re.compile(r"[a-z ]{1,60}"),
    "linethickness": re.compile(r"[01]|\d(?:px|pt)"),
    "width": _LENGTH,
    "lspace": _LENGTH,
    "rspace": _LENGTH,
    "scriptlevel": re.compile(r"[+-]?\d"),
    "minsize": _LENGTH,
    "maxsize": _LENGTH,
} | dict.fromkeys(
    (
        "stretchy",
        "fence",
        "separator",
        "symmetric",
        "largeop",
        "movablelimits",
        "accent",
        "accentunder",
        "displaystyle",
    ),
    re.compile(r"true|false"),
)
"""Attributes that are written, and the values that they may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A formula in a text."""

    end: int
    """Where the text goes on after it."""
    source: str
    """As it was typed, with what marks it."""
    tex: str
    is_displayed: bool
    """Whether it has a line of its own."""

    def set_formula(self) -> Markup:
        """Return it as MathML, or its source where that can't be made."""
        mathml = _mathml(self.tex.strip(), is_displayed=self.is_displayed)
        if mathml is None:
            return escape(self.source)
        return (
            Markup('<span class="formula">{}</span>').format(mathml)
            if self.is_displayed
            else mathml
        )


def find_formula(text: str, position: int) -> Formula | None:
    """Return the formula that begins at a position of a text; prices are none."""
    match = _FORMULA.match(text, position)
    if match is None:
        return None
    kind = next(name for name in _CONTENT if match[name] is not None)
    tex = match[kind]
    if not tex.strip() or re.search(r"\n[ \t]*\n", tex):
        return None
    if not _is_mathematics(tex, is_dollar=kind == "single"):
        return None
    return Formula(end=match.end(), source=match.group(), tex=tex, is_displayed=kind in _DISPLAYED)


def _is_mathematics(tex: str, *, is_dollar: bool) -> bool:
    """Tell formulas from prices and from brackets that somebody escaped.

    As in pandoc, no space stands inside the dollars; as in Jupyter, one may where it is plain that
    mathematics stands between them.
    """
    if not _SIGNS.search(tex) and _WORD.search(tex):
        return False
    spaces = tex[0].isspace() + tex[-1].isspace()
    if is_dollar and spaces == 1:
        return bool(_STRONG_SIGNS.search(tex)) and not tex[0].isdigit()
    return True


def set_code(text: str) -> Markup:
    """Return a text as HTML in which what stands between backticks is set as code, and formulas."""
    pieces = _CODE.split(clean(text))  # what stands between backticks is every second one
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if number % 2 else set_formulas(piece)
        for number, piece in enumerate(pieces)
    )


def set_formulas(text: str) -> Markup:
    r"""Return a plain text as HTML with its formulas set; `\$` is a dollar."""
    parts: list[Markup] = []
    done = position = 0
    while (position := _next_sign(text, position)) >= 0:
        formula = find_formula(text, position)
        if formula is not None:
            parts += [escape(text[done:position]), formula.set_formula()]
            done = position = formula.end
        elif text.startswith("\\$", position):
            parts += [escape(text[done:position]), Markup("$")]
            done = position = position + 2
        else:
            position += 1
    return Markup("").join([*parts, escape(text[done:])])


def _next_sign(text: str, position: int) -> int:
    positions = [text.find(sign, position) for sign in "$\\"]
    return min((position for position in positions if position >= 0), default=-1)


@lru_cache(maxsize=512)  # prompts and criteria are the same in every report
def _mathml(tex: str, *, is_displayed: bool) -> Markup | None:
    """Return MathML, or None where TeX is broken, too large, or defines something."""
    if len(tex) > MAX_FORMULA or _DEFINITION.search(tex) or not _is_balanced(tex):
        return None
    from latex2mathml.converter import convert_to_element  # noqa: PLC0415 - for the first formula

    try:
        root = convert_to_element(
            _NUMBERED.sub(r"\1*}", _LEFT_OUT.sub("", tex)),
            display="block" if is_displayed else "inline",
        )
        is_complete = all(len(part) >= _PARTS.get(part.tag, 0) for part in root.iter())
        written = "".join(_write(root))
    except Exception:  # noqa: BLE001 - the library raises whatever broken TeX leads to
        return None
    # It is made of tags and attributes of our lists, and of escaped text.
    return Markup(written) if is_complete else None  # noqa: S704


def _is_balanced(tex: str) -> bool:
    """Tell whether each brace is closed, and not too many are open at once."""
    depth = 0
    for brace in re.findall(r"(?:\\.)*([{}])", tex, re.DOTALL):
        depth += 1 if brace == "{" else -1
        if not 0 <= depth <= _MAX_DEPTH:
            return False
    return depth == 0


def _write(element: Element) -> Iterator[str]:
    """Write an element with what the lists allow; an unknown tag leaves what it holds."""
    tag = element.tag if element.tag in _TAGS else "mrow"
    yield f"<{tag}{''.join(_attributes(element))}>"
    yield _text(element.text)
    for child in element:
        yield from _write(child)
        yield _text(child.tail)
    yield f"</{tag}>"


def _attributes(element: Element) -> Iterator[str]:
    for name, value in element.items():
        allowed = _ATTRIBUTES.get(name)
        if allowed is not None and allowed.fullmatch(value):
            yield f' {name}="{html.escape(value)}"'


def _text(text: str | None) -> str:
    """Return a text of the library's, which holds its signs as entities, escaped."""
    return html.escape(html.unescape(text)) if text else ""
