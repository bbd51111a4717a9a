"""JUnit XML: wrong is a failure, our fault an error, what a person decides is skipped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from grader.model import Verdict
from grader.report.text_format import one_line
from grader.selfcheck.outcome import FileOutcome
from grader.selfcheck.public_findings import LOSING_VERDICTS, SelfcheckResult
from grader.selfcheck.student_feedback import FindingFeedback, closing_line, list_feedback

_NOT_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


def render_junit(outcomes: Sequence[FileOutcome]) -> str:
    """A suite for each notebook, a case for each public check."""
    root = ET.Element("testsuites", name="grade check")
    for outcome in outcomes:
        root.append(_suite(outcome))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(outcome: FileOutcome) -> ET.Element:
    result = outcome.result
    suite = ET.Element("testsuite", name=_xml_text(outcome.path.name))
    if result is None:
        case = ET.SubElement(suite, "testcase", classname="notebook", name="could be checked")
        _add_child(case, "error", outcome.reason)
    else:
        for item_feedback in list_feedback(result, include_passed=True):
            for feedback in item_feedback.findings:
                suite.append(_case(feedback, result))
        _add_properties(suite, result)
    for kind in ("error", "failure", "skipped"):
        plural = kind if kind == "skipped" else f"{kind}s"
        suite.set(plural, str(len(suite.findall(f"testcase/{kind}"))))
    suite.set("tests", str(len(suite.findall("testcase"))))
    return suite


def _add_properties(suite: ET.Element, result: SelfcheckResult) -> None:
    properties = ET.Element("properties")
    ET.SubElement(properties, "property", name="checks_sha256", value=result.public.sha256)
    suite.insert(0, properties)
    lines = [*result.warnings, *result.notices, closing_line(result)]
    ET.SubElement(suite, "system-out").text = _xml_text("\n".join(lines))


def _case(feedback: FindingFeedback, result: SelfcheckResult) -> ET.Element:
    finding = feedback.finding
    name = f"{finding.code} {finding.title}"
    group = f"{result.public.rubric.id}.{finding.item}"
    case = ET.Element("testcase", classname=_xml_text(group), name=_xml_text(name))
    if finding.verdict in LOSING_VERDICTS:
        location = f" ({feedback.location})" if feedback.location else ""
        _add_child(case, "failure", f"{feedback.text}{location}", kind=finding.verdict.value)
    elif finding.verdict is Verdict.ERROR:
        _add_child(case, "error", feedback.text)
    elif finding.verdict is Verdict.PENDING:
        _add_child(case, "skipped", feedback.text)
    return case


def _add_child(case: ET.Element, name: str, text: str, *, kind: str = "") -> None:
    child = ET.SubElement(case, name, message=_xml_text(one_line(text)))
    if kind:
        child.set("type", kind)


def _xml_text(text: str) -> str:
    """Text with nothing that XML 1.0 can't hold."""
    return _NOT_XML.sub("\ufffd", text)
