"""Knows what names no author beside students' names: a course, an account, who helped."""

from __future__ import annotations

import re

from grader.notebook.label_words import any_of, label_words

_HELPERS = (
    r"(?:(?-i:TA\b|T\.A\.)|prof(?:essor|\.)|instructor|lecturer|tutor|grader|advis[oe]r"
    r"|supervisor|(?:teaching|course|lab) assistant)"
)
_HELPED = (
    r"(?:(?:(?:i|we)(?:['\u2019]ve| have| also| would like to| was| were)? )?"
    r"(?:discuss\w*|consult\w*|acknowledg\w*|(?:talk|spoke|speak)(?:ed|ing)? (?:to|with)"
    r"|(?:assisted|supervised|advised|mentored|tutored|guided|taught) by"
    r"|(?:(?:with|many|special|big|huge|sincere) )*thank(?:s|ing|ful)?"
    r"|(?:got |received |had |with )?(?:(?:the|some|much|a lot of) )?help(?:ed)? (?:from|by|of))\b"
    r"|(?:grateful|credits?|kudos|props|shout\W?outs?) (?:goes |go )?to\b)"
)
"""Matches what a sentence says before who helped."""
_LEFT = r"(?:former |ex\W?)?partner\b"
_OTHER_LABEL = re.compile(
    r"^(?:team|group)\s+(?:name|number|no|id)\b(?!\s?\(s\))|^(?:date|due|course|class|section|instructor|"
    r"professor|prof|ta|term|semester|assignment|homework|hw|title|e-?mail|unique|crn|"
    r"late days|slip days|version|(?:generative )?ai (?:tools?|us\w+|assist\w+)|tools|resources|"
    r"sources|references|links?|help|study group|(?:word|page) count|people (?:consulted|asked))\b"
    r"[^:]{0,20}[:#]"
    rf"|^{_HELPED}|^{_HELPERS}\s+[^\d:]+$"
    r"|^(?:(?:i|we)(?:['\u2019]ve| have| also)? )?us(?:ed|ing)\b|[^,;&]*\bhelped (?:me|us)\b"
    rf"|(?:note\W+)?(?:my|our) {_LEFT}.*\bdropped\b"
    r"|.*=\s*(?:[\"'\[(]|[\w.]+\()",
    re.IGNORECASE,
)
"""Lines of the course, of whom or what helped, and of who left."""


_ACCOUNTS = (
    r"(?:git\s?hub|git\s?lab|bitbucket|kaggle|linked\s?in|discord|slack|telegram|whats\s?app"
    r"|we\s?chat|skype|instagram|twitter|mastodon|orcid|hugging\s?face|stack\s?overflow|piazza|wandb|repl\.?it"
    r"|line id|microsoft teams|zoom)"
)
_DAYS = r"(?:(?:slip|late|grace|free|extension) days?|days? late)"
_ASIDES = (
    r"(?:(?:(?:my|our|the|ta|total|lab|lecture|discussion|recitation|tutorial|course|class"
    r"|number of|no\. of) )*(?:section|unique|crn|course|class|semester|term|date|instructor"
    r"|professor|prof\.?|ta|lab|lecture|discussion|recitation|tutorial|office hours?|tutor|grader"
    r"|advis[oe]r|supervisor|(?:teaching|course) assistant|extension|study group"
    rf"|(?:hours|time|minutes) (?:spent|needed|taken)|(?:word|page) count|{_DAYS})"
    r"(?: (?:used|taken|left|remaining|requested|granted))?"
    r"|major|minor|year|level|program(?:me)?|degree|department|dept\.?|role|tasks?|contributions?"
    r"|parts?|phone|mobile|cell|tel\.?|website|homepage|web|blog|portfolio|repo(?:sitory)?|pronouns"
    rf"|office|time\s?zone|{any_of(label_words('others'))})"
)
_BEFORE = (
    r"(^|[,;|(\[{<&/]|\s[-\u2013\u2014\u00b7\u2022](?=\s)|\band(?=\s)|(?<=[)\]\d.!])(?=\s))\s*"
)
_ASIDE = re.compile(
    rf"{_BEFORE}(?:{_ACCOUNTS}(?:(?:\s+[\w'-]+){{0,2}}\s*[:=]|(?=\s+\S*[@#\d_-]))|{_ASIDES}\s*(?:no\.?|number|name)?\s*[:=])"
    r"[^,;|()\[\]{}<>]*?"
    r"(?=$|[,;|()\[\]{}<>]|\s(?:and|&|/|[-\u2013\u2014\u00b7\u2022])\s|\s+\w+(?:\s\w+)?\s*[:=])",
    re.IGNORECASE,
)
"""Matches an account or what else somebody says of a student, within a line: 'GitHub: @ada99'."""
_REST = r"[^,;|()\[\]:]*"
_HELP_CLAUSE = (
    rf"{_HELPED}(?:\b(?:prof|dr|mrs?|ms)\.|\([^()\d]*\)|[^;|()\[\].!])*?"
    r"(?=$|[;|)\[\].!]|\([^()]*(?:\d|$)|(?:,|\band\b|&)[^,;&]*\d)"
)
_TEACHER = (
    rf"(?:(?:in|under|with|from) )?(?:(?:{_HELPERS}"
    r"|(?:class|section|lab|lecture|recitation|tutorial) (?:with|of|by))\s"
    r"|[^,;|()\[\]:]{1,40}['\u2019]s (?:section|class|lab)\b)"
    r"[^,;|()\[\]:\d]*+(?!:|\d|\s*[(\[]\w*\d)"
)
_SPENT_DAYS = rf"(?:(?:i|we) )?(?:us(?:ed|ing) )?(?:\d\d?|one|two|three|no) {_DAYS}{_REST}"
_DROPPED = rf"(?:(?:my|our) )?{_LEFT} {_REST}\bdropped\b{_REST}"
_ALONE = rf"(?:i )?work(?:ed|ing) (?:alone|solo|individually|by myself){_REST}"
_WEEKDAY = (
    r"(?:on )?(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b(?=\W*(?:$|[)\],;|]))"
    r"|(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|satur|sun)(?:days?)?\.?"
    r"\s+(?:\d|at\b|section|class|lab|morning|afternoon|evening)[^,;|()\[\]]*)"
)
_CLAUSE = re.compile(
    rf"{_BEFORE}(?<!^)(?:{_HELP_CLAUSE}|{_TEACHER}|{_DROPPED}|{_SPENT_DAYS}|{_ALONE}|{_WEEKDAY})",
    re.IGNORECASE,
)
"""Matches who helped, teaches or left, days and times behind a name: 'thanks to …'."""


def without_asides(text: str) -> str:
    """Return a line of names without accounts, sections, roles, phones and who helped."""
    return _ASIDE.sub(r"\1 ", _CLAUSE.sub(r"\1 ", text))


def is_other_label(text: str) -> bool:
    """Return whether a line names no author: 'Team name: …', 'Thanks to …', or `name="conv"`."""
    return _OTHER_LABEL.match(text) is not None
