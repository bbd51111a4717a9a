"""Renders JUnit XML: lost points are failures, grader faults errors, pending checks skipped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from grader.model import Verdict
from grader.report.text_format import one_line
from grader.selfcheck.public_findings import FileOutcome
from grader.selfcheck.student_feedback import FindingFeedback, closing_line, list_feedback

_NOT_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_ELEMENTS = {
    Verdict.FAILED: "failure",
    Verdict.PARTIAL: "failure",
    Verdict.BLOCKED: "failure",
    Verdict.ERROR: "error",
    Verdict.PENDING: "skipped",
}
"""The element for a verdict within a case; none for one that passed."""


def render_junit(outcomes: Sequence[FileOutcome]) -> str:
    """Return a document with a suite for each notebook and a case for each public check."""
    root = ET.Element("testsuites", name="grade check")
    for outcome in outcomes:
        suite = ET.SubElement(root, "testsuite", name=_xml_text(outcome.path.name))
        _fill_suite(suite, outcome)
        for kind, count in (("error", "errors"), ("failure", "failures"), ("skipped", "skipped")):
            suite.set(count, str(len(suite.findall(f"testcase/{kind}"))))
        suite.set("tests", str(len(suite.findall("testcase"))))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _fill_suite(suite: ET.Element, outcome: FileOutcome) -> None:
    result = outcome.result
    if result is None:
        case = ET.SubElement(suite, "testcase", classname="notebook", name="could be checked")
        ET.SubElement(case, "error", message=_xml_text(one_line(outcome.reason)))
        return
    properties = ET.SubElement(suite, "properties")
    ET.SubElement(properties, "property", name="checks_sha256", value=result.public.sha256)
    for item in list_feedback(result, include_passed=True):
        group = _xml_text(f"{result.public.rubric.id}.{item.item.id}")
        for feedback in item.findings:
            _add_case(suite, feedback, group=group)
    lines = [*result.warnings, *result.notices, closing_line(result)]
    ET.SubElement(suite, "system-out").text = _xml_text("\n".join(lines))


def _add_case(suite: ET.Element, feedback: FindingFeedback, *, group: str) -> None:
    finding = feedback.finding
    name = _xml_text(f"{finding.code} {finding.title}")
    case = ET.SubElement(suite, "testcase", classname=group, name=name)
    element = _ELEMENTS.get(finding.verdict)
    if element is None:
        return
    failure = element == "failure"
    location = f" ({feedback.location})" if failure and feedback.location else ""
    attributes = {"message": _xml_text(one_line(f"{feedback.text}{location}"))}
    ET.SubElement(case, element, attributes | ({"type": finding.verdict.value} if failure else {}))


def _xml_text(text: str) -> str:
    """Return the text with nothing that XML 1.0 can't hold."""
    return _NOT_XML.sub("\ufffd", text)
