"""JUnit XML: wrong is a failure, our fault an error, what a person decides is skipped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from grader.model import Verdict
from grader.report.text_format import one_line
from grader.selfcheck.outcome import Outcome
from grader.selfcheck.public_findings import LOST, Checked
from grader.selfcheck.student_feedback import Told, closing, told_items

_NOT_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


def report(outcomes: Sequence[Outcome]) -> str:
    """A suite for each notebook, a case for each public check."""
    root = ET.Element("testsuites", name="grade check")
    for outcome in outcomes:
        root.append(_suite(outcome))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(outcome: Outcome) -> ET.Element:
    checked = outcome.checked
    suite = ET.Element("testsuite", name=_text(outcome.path.name))
    if checked is None:
        case = ET.SubElement(suite, "testcase", classname="notebook", name="could be checked")
        _child(case, "error", outcome.reason)
    else:
        for told in told_items(checked, every=True):
            for one in told.told:
                suite.append(_case(one, checked))
        _properties(suite, checked)
    for kind in ("error", "failure", "skipped"):
        plural = kind if kind == "skipped" else f"{kind}s"
        suite.set(plural, str(len(suite.findall(f"testcase/{kind}"))))
    suite.set("tests", str(len(suite.findall("testcase"))))
    return suite


def _properties(suite: ET.Element, checked: Checked) -> None:
    told = ET.Element("properties")
    ET.SubElement(told, "property", name="checks_sha256", value=checked.public.sha256)
    suite.insert(0, told)
    lines = [*checked.warnings, *checked.notices, closing(checked)]
    ET.SubElement(suite, "system-out").text = _text("\n".join(lines))


def _case(told: Told, checked: Checked) -> ET.Element:
    finding = told.finding
    name = f"{finding.code} {finding.title}"
    group = f"{checked.public.rubric.id}.{finding.item}"
    case = ET.Element("testcase", classname=_text(group), name=_text(name))
    if finding.verdict in LOST:
        where = f" ({told.where})" if told.where else ""
        _child(case, "failure", f"{told.text}{where}", kind=finding.verdict.value)
    elif finding.verdict is Verdict.ERROR:
        _child(case, "error", told.text)
    elif finding.verdict is Verdict.PENDING:
        _child(case, "skipped", told.text)
    return case


def _child(case: ET.Element, name: str, text: str, *, kind: str = "") -> None:
    child = ET.SubElement(case, name, message=_text(one_line(text)))
    if kind:
        child.set("type", kind)


def _text(text: str) -> str:
    """Text with nothing that XML 1.0 can't hold."""
    return _NOT_XML.sub("\ufffd", text)
