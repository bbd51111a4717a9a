"""Turns the SVG that matplotlib writes into one that may stand inside our page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from markupsafe import Markup

_SVG = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_NOT_OURS = frozenset({"metadata", "style"})
_FONT = "font"
"""Fonts are the page's choice, so properties that begin so are left out."""


def as_inline(
    drawing: str,
    *,
    colours: Mapping[str, str],
    words: Mapping[str, str],
    name: str,
    title: str,
    description: str,
) -> Markup:
    """The drawing without style attributes, in the page's colours, with its text alternative.

    Args:
        drawing: SVG of matplotlib's own making.
        colours: stand-in colours, and what to write for each.
        words: stand-in texts, and what to write for each; escaped here.
        name: unique on the page.
        title: the drawing's name.
        description: what it shows, in words.
    """
    root = ET.fromstring(drawing)  # noqa: S314 - made by matplotlib from numbers and stand-ins
    _remove_foreign_parts(root)
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{_SVG}}}")
        _style_as_attributes(element, colours=colours)
        if _HREF in element.attrib:
            element.set("href", element.attrib.pop(_HREF))
        if element.tag == "text" and element.text:
            element.text = words.get(element.text, element.text)
    _keep_only_used_ids(root)
    _describe(root, name=name, title=title, description=description)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - ElementTree escapes texts


def _remove_foreign_parts(root: ET.Element) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.removeprefix(f"{{{_SVG}}}") in _NOT_OURS:
                parent.remove(child)


def _style_as_attributes(element: ET.Element, *, colours: Mapping[str, str]) -> None:
    """The page's policy forbids style attributes; the same words are allowed as attributes."""
    for declaration in element.attrib.pop("style", "").split(";"):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if key and not key.startswith(_FONT):
            element.set(key, colours.get(value, value))


def _keep_only_used_ids(root: ET.Element) -> None:
    used: set[str] = set()
    for element in root.iter():
        for key, value in element.attrib.items():
            used.update(_REFERENCE.findall(value))
            if key == "href":
                used.add(value.removeprefix("#"))
    for element in root.iter():
        if element.get("id") not in used:
            element.attrib.pop("id", None)


def _describe(root: ET.Element, *, name: str, title: str, description: str) -> None:
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.set("class", "chart")
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-words")
    root.set("stroke-linejoin", "round")
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ET.Element(tag, {"id": f"{name}-{'words' if place else 'title'}"})
        element.text = text
        root.insert(place, element)
