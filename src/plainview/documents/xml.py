"""XML to documents: no entity is resolved, nothing is fetched, depth and size are bounded."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from plainview.documents.xml_tags import Tags
from plainview.errors import LimitError

DEEPEST = 200  # libxml2 stops at 256 by itself
_PROSE = re.compile(
    r"\s*<!doctype html|\s*<(?:html|body|head|p|div|span|br|hr|a|b|i|u|em|strong|font|table|tr|td|ul|ol|li|"
    r"h[1-6]|img|pre|code|blockquote|center|section|article|script|style)\b",
    re.IGNORECASE,
)


def safe_settings() -> dict[str, Any]:
    """Return parser settings that neither fetch nor expand anything."""
    return {
        "resolve_entities": False,
        "no_network": True,
        "load_dtd": False,
        "dtd_validation": False,
        "huge_tree": False,
        "remove_comments": False,
        "remove_pis": True,  # they would be nodes that nobody reads
    }


def text_to_document(text: str) -> dict[str, Any] | None:
    """Return an XML text as a document, or None when it is damaged, is HTML, or has a document type."""
    if _PROSE.match(text) or "<!DOCTYPE" in text:
        return None
    parser = etree.XMLParser(**safe_settings())
    if "encoding" in text[:200]:
        text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    data = text.encode("utf-8", "replace")
    try:
        Tags().check(data)
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError, LimitError):
        return None
    value = to_document(root)
    return {local_name(root): value} if not isinstance(value, dict) else value


def local_name(element: Any) -> str:
    """Return the tag without its namespace."""
    tag = element.tag
    return str(tag).rpartition("}")[2] if isinstance(tag, str) else ""


def to_document(element: Any, depth: int = 0) -> Any:
    """Return an element as a document: attributes `@name`, children by tag, text as the value itself.

    An element of text alone is a string (or None), one with attributes or children is a dict whose text is
    under `#text`. Children of one tag become a list. Comments are under `#comment`: they hold data too.
    """
    found: dict[str, list[Any]] = {}
    texts = [element.text]
    for name, value in element.attrib.items():
        found.setdefault("@" + name.rpartition("}")[2], []).append(value)
    for child in element:
        texts.append(child.tail)
        if isinstance(child.tag, str):
            value = to_document(child, depth + 1) if depth < DEEPEST else "".join(child.itertext())
            found.setdefault(local_name(child), []).append(value)
        elif child.tag is etree.Comment:
            found.setdefault("#comment", []).append((child.text or "").strip())
        elif child.tag is etree.Entity:
            texts.append(child.text)
    text = " ".join(t.strip() for t in texts if t and t.strip())
    if not found:
        return text or None
    document: dict[str, Any] = {k: v[0] if len(v) == 1 else v for k, v in found.items()}
    if text:
        document["#text"] = text
    return document


__all__ = ["local_name", "safe_settings", "text_to_document", "to_document"]
