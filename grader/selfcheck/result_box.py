"""The box that a notebook shows: HTML in the editor's colors, or plain text.

Styles are inline, since editors strip style sheets from outputs they don't trust. Text and
background have the editor's own colors, which suits light and dark themes.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grader.model import Verdict
from grader.report.formulas import set_code
from grader.report.text_format import VERDICTS, printable
from grader.selfcheck.public_findings import SelfcheckResult
from grader.selfcheck.student_feedback import (
    FindingFeedback,
    ItemFeedback,
    closing_line,
    file_only_line,
    list_feedback,
    render_text,
)

_CARD = (
    "border:1px solid rgba(128,128,128,.4);border-radius:8px;padding:12px 16px;margin:4px 0;"
    "max-width:44rem;font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;"
    "font-size:14px;line-height:1.5;overflow-wrap:anywhere"
)
_HEAD = "font-weight:600;margin:0 0 6px"
_ROW = "display:flex;gap:10px;align-items:baseline;margin:5px 0"
_SIGN = "width:1em;flex:none;text-align:center"
_FAINT = "opacity:.75;font-size:13px;white-space:nowrap;margin-left:auto;padding-left:10px"
_DETAIL = "margin:3px 0 8px 4px;padding:1px 0 1px 15px;border-left:2px solid rgba(128,128,128,.35)"
_SMALL = "opacity:.8;font-size:13px;margin:4px 0 0"
_FOOT = "border-top:1px solid rgba(128,128,128,.3);margin-top:10px;padding-top:8px;font-size:13px"
_COLORS = {
    Verdict.PASSED: "#2b9a5c",
    Verdict.PARTIAL: "#c27a09",
    Verdict.FAILED: "#dd4b4b",
    Verdict.BLOCKED: "#8a8f98",
    Verdict.PENDING: "#8a8f98",
    Verdict.ERROR: "#a05fd0",
}
"""Colors of signs, visible on white and on black; the signs are clear without color."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ResultBox:
    """What `grader.check` returns; a notebook shows it."""

    result: SelfcheckResult | None = None
    only_item: str = ""
    """The id of the item that was asked for; '' for all."""
    message: str = ""
    """Shown instead, where nothing was checked."""
    hints: tuple[str, ...] = ()
    """What makes the result less sure."""

    @property
    def passed(self) -> bool:
        """Whether something was checked and no public check of it lost a point."""
        if self.result is None:
            return False
        items = list_feedback(self.result, only_item=self.only_item)
        return bool(items) and all(item.verdict is Verdict.PASSED for item in items)

    def __bool__(self) -> bool:
        """Return `passed`."""
        return self.passed

    def __repr__(self) -> str:
        """Return the box as plain text."""
        if self.result is None:
            return printable(self.message)
        text = render_text(self.result, only_item=self.only_item)
        return "\n".join((*self.hints, text or self._file_only_message()))

    def _repr_html_(self) -> str:
        """Return the box as HTML, as IPython asks for it."""
        return f'<div style="{_CARD}">{"".join(self._html_parts())}</div>'

    def _html_parts(self) -> Iterator[str]:
        if self.result is None:
            yield f'<div role="status">{_to_html(self.message)}</div>'
            return
        if not self.only_item:
            yield f'<div style="{_HEAD}">{_to_html(self.result.public.rubric.title)}</div>'
        yield from _rows_html(self.hints, sign="!")
        items = list_feedback(self.result, only_item=self.only_item)
        for item in items:
            yield from _item_html(item)
        if self.only_item:
            yield from _rows_html([] if items else [self._file_only_message()], sign="·")
            return
        yield from _rows_html(self.result.notices, sign="·")
        yield f'<div style="{_FOOT}">'
        if self.result.file_only_items:
            yield f"<div>{_to_html(file_only_line(self.result))}</div>"
        yield f"<div>{_to_html(closing_line(self.result))}</div></div>"

    def _file_only_message(self) -> str:
        return (
            f"{self.only_item} looks at the saved file: save the notebook, then run `grade check`."
        )


def _item_html(feedback: ItemFeedback) -> Iterator[str]:
    wording = VERDICTS[feedback.verdict]
    style = f"color:{_COLORS[feedback.verdict]};font-weight:700;{_SIGN}"
    words = html.escape(wording.words)
    sign = f'<span style="{style}" role="img" aria-label="{words}">{wording.sign}</span>'
    name = f"<b>{_to_html(feedback.item.id)}</b> {_to_html(feedback.item.title)}"
    count = f'<span style="{_FAINT}">{feedback.passed} of {feedback.total} passed</span>'
    yield f'<div style="{_ROW}">{sign}<span>{name}</span>{count}</div>'
    for finding in feedback.findings:
        yield f'<div style="{_DETAIL}">{"".join(_detail_html(finding))}</div>'


def _detail_html(feedback: FindingFeedback) -> Iterator[str]:
    if feedback.title:
        location = f' <span style="opacity:.75">{_to_html(feedback.location)}</span>'
        yield f"<div><b>{_to_html(feedback.title)}</b>{location if feedback.location else ''}</div>"
    yield f"<div>{_to_html(feedback.statement)}</div>"
    if feedback.hint:
        yield f"<div><em>{_to_html(feedback.hint)}</em></div>"
    if feedback.cost:
        yield f'<div style="{_SMALL}">{_to_html(feedback.cost)}</div>'


def _rows_html(texts: Iterable[str], *, sign: str) -> Iterator[str]:
    for text in texts:
        hidden_sign = f'<span aria-hidden="true" style="{_SIGN}">{sign}</span>'
        yield f'<div style="{_ROW}">{hidden_sign}<span>{_to_html(text)}</span></div>'


def _to_html(text: str) -> str:
    """Return the text as HTML, with code where it has backticks, and its formulas."""
    return str(set_code(printable(text)))
