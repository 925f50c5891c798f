"""The text of an HTML page as somebody reads it, with what stands in its attributes and comments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from plainview.documents.xml import local_name
from plainview.documents.xml_tags import check_page

_TOLD = (
    "href",
    "value",
    "content",
    "title",
    "alt",
    "placeholder",
    "src",
    "action",
)  # attributes that hold data
INLINE = frozenset(
    ("a", "b", "i", "u", "em", "strong", "span", "font", "small", "big", "sup", "sub", "abbr", "code", "label")
)


def parsed_page(text: str) -> tuple[Any, bool]:
    """Return the root of a page, None where there is none, and whether it is nested too deeply to be read to its end.

    Raise LimitError for a tag with too many attributes.
    """
    data = text.encode("utf-8", "replace")
    check_page(data)
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False, recover=True, remove_comments=False)
    try:
        root = etree.fromstring(data, parser) if text.strip() else None
    except (etree.XMLSyntaxError, ValueError):
        root = None
    return root, any(entry.level == etree.ErrorLevels.FATAL for entry in parser.error_log)


def walked(root: Any) -> Iterator[tuple[str, Any]]:
    """Yield ("start" or "end", element), ("comment" or "pi", node): lxml's own walk is quadratic in comments."""
    yield "start", root
    open_ = [(root, iter(root))]
    while open_:
        element, children = open_[-1]
        child = next(children, None)
        if child is None:
            open_.pop()
            yield "end", element
        elif isinstance(child.tag, str):
            yield "start", child
            open_.append((child, iter(child)))
        else:
            yield "comment" if child.tag is etree.Comment else "pi", child


def page_texts(root: Any) -> Iterator[dict[str, str]]:
    """Yield running text block by block, and attributes and comments that hold data."""
    block: list[str] = []
    for event, element in walked(root):
        tag = local_name(element)
        if event == "comment":
            if text := (element.text or "").strip():
                yield {"#comment": text}
        elif event == "start":
            for name in _TOLD:
                if value := (element.get(name) or "").strip():
                    yield {f"@{name}": value}
            if tag not in INLINE:
                yield from _block(block)
            if tag == "script" and (element.text or "").strip():
                yield {"script": element.text.strip()}
            elif tag not in ("script", "style"):
                block.append(element.text or "")
        elif tag not in INLINE:
            yield from _block(block)
        if event != "start":
            block.append(element.tail or "")
    yield from _block(block)


def _block(parts: list[str]) -> Iterator[dict[str, str]]:
    text = " ".join("".join(parts).split())
    parts.clear()
    if text:
        yield {"text": text}


__all__ = ["INLINE", "page_texts", "parsed_page", "walked"]
