"""Text in an encoding that a header or a page declares, which may be wrong, unknown, or no encoding of text at all."""

from __future__ import annotations

import codecs

from plainview.files.encodings.blocks import HEAD, detect, valid_utf8

# Codecs that no text is in; some of them take quadratic time, or unpack.
_NONE = frozenset({"punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem", "palmos"})


def codec_of(name: str) -> str:
    """Return Python's name of a declared encoding of text, "" where there is none."""
    try:
        info = codecs.lookup(name.strip())
    except (LookupError, ValueError):
        return ""
    is_text = getattr(info, "_is_text_encoding", True)
    return info.name if is_text and info.name.replace("-", "_") not in _NONE else ""


def decoded(data: bytes, declared: str = "") -> tuple[str, str]:
    """Return a text and the name of the encoding it was read in: UTF-8, what is declared, or what its letters say.

    What UTF-8 does not explain is never ASCII; what the declared encoding does not explain becomes U+FFFD.
    """
    codec = codec_of(declared)
    if codec.startswith(("iso2022", "hz", "utf-7")):  # written in bytes of ASCII
        return data.decode(codec, "replace"), codec
    if valid_utf8(data) and not codec.startswith(("utf-16", "utf-32")):
        return data.decode("utf-8-sig"), "utf-8"
    if codec in {"", "ascii", "utf-8"}:
        codec = detect(data[:HEAD], whole=len(data) <= HEAD).name
    try:
        return data.decode(codec, "replace"), codec
    except (LookupError, ValueError):
        return data.decode("latin-1"), "latin-1"


__all__ = ["codec_of", "decoded"]
