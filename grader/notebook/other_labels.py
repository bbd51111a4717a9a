"""Knows what names no author beside students' names: a course, an account, who helped."""

from __future__ import annotations

import re

from grader.notebook.label_words import any_of, label_words

_OTHER_LABEL = re.compile(
    r"^(?:team|group)\s+(?:name|number|no|id)\b|^(?:date|due|course|class|section|instructor|"
    r"professor|prof|ta|term|semester|assignment|homework|hw|title|e-?mail|unique|crn|"
    r"late days|slip days|version|(?:generative )?ai (?:tools?|us\w+|assist\w+)|tools|resources|"
    r"sources|references|links?|help|people (?:consulted|asked))\b"
    r"[^:]{0,20}[:#]"
    r"|^(?:(?:i|we)(?:['\u2019]ve| have| also| would like to)? )?(?:discuss\w*|consult\w*|used"
    r"|using|acknowledg\w*|thank(?:s to|ing)?|(?:got |received |had |with )?help(?:ed)? (?:from|by)"
    r")\b|[^,;&]*\bhelped (?:me|us)\b"
    r"|(?:note\W+)?(?:my|our) (?:former |ex\W?)?partner\b.*\bdropped\b"
    r"|.*=\s*(?:[\"'\[(]|[\w.]+\()",
    re.IGNORECASE,
)
"""Lines of the course, of whom or what helped, and of who left."""


_ACCOUNTS = (
    r"(?:git\s?hub|git\s?lab|bitbucket|kaggle|linked\s?in|discord|slack|telegram|whats\s?app"
    r"|we\s?chat|skype|instagram|twitter|mastodon|orcid|hugging\s?face|stack\s?overflow|piazza|wandb|repl\.?it"
    r"|line id|microsoft teams|zoom)"
)
_ASIDES = (
    r"(?:section|unique|crn|course|class|semester|term|date|instructor|professor|prof\.?|ta|major"
    r"|minor|year|level|program(?:me)?|degree|department|dept\.?|role|tasks?|contributions?|parts?"
    r"|phone|mobile|cell|tel\.?|website|homepage|web|blog|portfolio|repo(?:sitory)?|pronouns|office"
    rf"|time\s?zone|{any_of(label_words('others'))})"
)
_ASIDE = re.compile(
    r"(^|[,;|(\[{<&/]|\s[-\u2013\u2014\u00b7\u2022](?=\s)|\band(?=\s)|(?<=[)\]\d])(?=\s))\s*"
    rf"(?:{_ACCOUNTS}(?:(?:\s+[\w'-]+){{0,2}}\s*[:=]|(?=\s+\S*[@#\d_-]))|{_ASIDES}\s*(?:no\.?|number|name)?\s*[:=])"
    r"[^,;|()\[\]{}<>]*?"
    r"(?=$|[,;|()\[\]{}<>]|\s(?:and|&|/|[-\u2013\u2014\u00b7\u2022])\s|\s+\w+(?:\s\w+)?\s*[:=])",
    re.IGNORECASE,
)
"""Matches an account or what else somebody says of a student, within a line: 'GitHub: @ada99'."""


def without_asides(text: str) -> str:
    """Return a line of names without accounts, sections, roles and phones, and their labels."""
    return _ASIDE.sub(r"\1 ", text)


def is_other_label(text: str) -> bool:
    """Return whether a line names no author: 'Team name: …', 'Thanks to …', or `name="conv"`."""
    return _OTHER_LABEL.match(text) is not None
