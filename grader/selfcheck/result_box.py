"""The box that a notebook shows: HTML that takes on the editor's colours, and plain text without.

Styles stand in the elements, since editors strip style sheets from outputs they don't trust. Text
and background are the editor's own, so that light and dark need no telling apart.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grader.model import Verdict
from grader.report.text_format import VERDICTS, printable
from grader.selfcheck.public_findings import Checked
from grader.selfcheck.student_feedback import (
    Told,
    ToldItem,
    closing,
    elsewhere,
    plain,
    told_items,
)

_CARD = (
    "border:1px solid rgba(128,128,128,.4);border-radius:8px;padding:12px 16px;margin:4px 0;"
    "max-width:44rem;font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;"
    "font-size:14px;line-height:1.5;overflow-wrap:anywhere"
)
_HEAD = "font-weight:600;margin:0 0 6px"
_ROW = "display:flex;gap:10px;align-items:baseline;margin:5px 0"
_FAINT = "opacity:.75;font-size:13px;white-space:nowrap;margin-left:auto;padding-left:10px"
_DETAIL = "margin:3px 0 8px 4px;padding:1px 0 1px 15px;border-left:2px solid rgba(128,128,128,.35)"
_SMALL = "opacity:.8;font-size:13px;margin:4px 0 0"
_FOOT = "border-top:1px solid rgba(128,128,128,.3);margin-top:10px;padding-top:8px;font-size:13px"
_COLOURS = {
    Verdict.PASSED: "#2b9a5c",
    Verdict.PARTIAL: "#c27a09",
    Verdict.FAILED: "#dd4b4b",
    Verdict.BLOCKED: "#8a8f98",
    Verdict.PENDING: "#8a8f98",
    Verdict.ERROR: "#a05fd0",
}
"""Of signs alone, which say the same without colour; they show on white and on black."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Box:
    """What a check came to, as a notebook shows it."""

    checked: Checked | None = None
    only: str = ""
    """The item it is about; '' for all."""
    message: str = ""
    """Said instead, where nothing was checked."""
    hints: tuple[str, ...] = ()
    """What makes the result less sure."""

    @property
    def passed(self) -> bool:
        """Whether something was checked and no public check of it lost a point."""
        if self.checked is None:
            return False
        shown = told_items(self.checked, only=self.only)
        return bool(shown) and all(item.verdict is Verdict.PASSED for item in shown)

    def __bool__(self) -> bool:
        """The same as `passed`."""
        return self.passed

    def __repr__(self) -> str:
        """Plain text."""
        if self.checked is None:
            return printable(self.message)
        return "\n".join((*self.hints, plain(self.checked, only=self.only) or self._file_only()))

    def _repr_html_(self) -> str:
        """HTML."""
        return f'<div style="{_CARD}">{"".join(self._parts())}</div>'

    def _parts(self) -> Iterator[str]:
        if self.checked is None:
            yield f'<div role="status">{_text(self.message)}</div>'
            return
        if not self.only:
            yield f'<div style="{_HEAD}">{_text(self.checked.public.rubric.title)}</div>'
        yield from _lines(self.hints, sign="!")
        for item in told_items(self.checked, only=self.only):
            yield from _item(item)
        if self.only:
            yield from _lines(filter(None, [self._file_only()]), sign="·")
            return
        yield from _lines(self.checked.notices, sign="·")
        yield f'<div style="{_FOOT}">'
        if self.checked.elsewhere:
            yield f"<div>{_text(elsewhere(self.checked))}</div>"
        yield f"<div>{_text(closing(self.checked))}</div></div>"

    def _file_only(self) -> str:
        """What to say of an item whose checks all look at the saved file."""
        if self.checked is None or told_items(self.checked, only=self.only):
            return ""
        return f"{self.only} looks at the saved file: save it, then `grade check` tells."


def _item(item: ToldItem) -> Iterator[str]:
    name = f"<b>{_text(item.item.id)}</b> {_text(item.item.title)}"
    count = f'<span style="{_FAINT}">{item.passed} of {item.of} passed</span>'
    yield f'<div style="{_ROW}">{_sign(item.verdict)}<span>{name}</span>{count}</div>'
    for told in item.told:
        yield _detail(told)


def _detail(told: Told) -> str:
    where = f' <span style="opacity:.75">{_text(told.where)}</span>' if told.where else ""
    lines = [f"<div>{_text(told.what)}</div>"]
    if told.ask:
        lines.append(f"<div><em>{_text(told.ask)}</em></div>")
    if told.cost:
        lines.append(f'<div style="{_SMALL}">{_text(told.cost)}</div>')
    title = f"<div><b>{_text(told.title)}</b>{where}</div>" if told.title else ""
    return f'<div style="{_DETAIL}">{title}{"".join(lines)}</div>'


def _sign(verdict: Verdict) -> str:
    wording = VERDICTS[verdict]
    style = f"color:{_COLOURS[verdict]};font-weight:700;width:1em;flex:none;text-align:center"
    words = html.escape(wording.words)
    return f'<span style="{style}" role="img" aria-label="{words}">{wording.sign}</span>'


def _lines(texts: Iterable[str], *, sign: str) -> Iterator[str]:
    for text in texts:
        yield f'<div style="{_ROW}"><span aria-hidden="true" style="width:1em;flex:none;'
        yield f'text-align:center">{sign}</span><span>{_text(text)}</span></div>'


def _text(text: str) -> str:
    """Text as HTML; what stands between backticks is code."""
    safe = html.escape(printable(text))
    return re.sub(r"`([^`\n]{1,200})`", r"<code>\1</code>", safe)
