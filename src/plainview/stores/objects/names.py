"""The answers of object stores in XML, and what the names in them may not hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lxml import etree

from plainview.documents.xml import local_name, safe_settings
from plainview.errors import ProtocolError

if TYPE_CHECKING:
    from plainview.wire.http import Reply

# Control characters, which XML cannot hold: servers that do not encode names write them all the same.
NOT_XML = re.compile(rb"[\0-\x08\x0b\x0c\x0e-\x1f]|&#(?:x0*(?:[0-8bcef]|1[0-9a-f])|0*(?:[0-8]|1[124-9]|2[0-9]|3[01]));")
ODD_NAME = "its name holds control characters that the list cannot give"
DOTS = re.compile(r"(?:^|/)\.{1,2}(?:/|$)")
ODD_PATH = "its name holds . or .. as a part of a path: servers disagree on what that names, so it was not asked for"


def xml_of(data: bytes, *roots: str) -> Any:
    """Return the root of an answer in XML, one of the named. No entity is expanded. Raises ProtocolError."""
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ProtocolError("XML with a document type, as no store sends it")
    data = NOT_XML.sub("\ufffd".encode(), data.removeprefix(b"\xef\xbb\xbf"))
    try:
        root = etree.fromstring(data, etree.XMLParser(**safe_settings()))
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None or local_name(root) not in roots:
        raise ProtocolError("the answer is no list of objects")
    return root


def text_of(element: Any, *path: str) -> str:
    """Return the text of the first element below by local names, or an empty text."""
    for name in path:
        element = next((child for child in element if local_name(child) == name), None)
        if element is None:
            return ""
    return element.text or ""


def trouble(key: str) -> str:
    """Return why an object of that name cannot be asked for, or an empty text."""
    return ODD_PATH if DOTS.search(key) else ODD_NAME if "\ufffd" in key else ""


def size_of(text: object) -> int | None:
    """Return a size in bytes, or None where the text is none."""
    return int(str(text)) if re.fullmatch(r"[0-9]{1,19}", str(text)) else None


def error_code(reply: Reply) -> str:
    """Return the code of an error in XML ("AccessDenied"), or an empty text; never more of its text."""
    try:
        code = text_of(xml_of(reply.body[:65536], "Error"), "Code")
    except ProtocolError:
        return ""
    return code if re.fullmatch(r"[A-Z][A-Za-z]{2,40}", code) else ""


__all__ = ["error_code", "size_of", "text_of", "trouble", "xml_of"]
