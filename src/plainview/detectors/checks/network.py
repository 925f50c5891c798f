"""Rules for addresses of networks that a pattern cannot say. All take values as they stand in the text."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from plainview.detectors.checks.kernel import Bools, Function

# The login of version control over SSH, the same for everybody: git@github.com is no mailbox.
_REPOSITORY = r"^\s*(?:git|hg|svn|gitlab|vcs)@"
# Endings of files that are no top-level domains: icon@2x.png, report@final.docx
_ENDINGS = (
    "png jpe?g gif webp svgz? bmp tiff? ico icns avif heic heif psd css scss less s?ass m?jsx? cjs mjs tsx? jsonl? "
    "xml ya?ml toml html? xhtml php[3-7]? aspx? jspx? cgi txt csv tsv pdf docx? xlsx? pptx? odt ods rtf gz tgz bz2 xz "
    "7z rar tar war jar exe dll deb rpm apk ipa iso dmg mp3 mp4 m4a m4v avi mkv wav ogg ogv flac webm ttf otf woff2? "
    "eot map lock log bak tmp class cpp hpp cs rb lua sql db sqlite3? parquet avro ipynb"
)
_FILE = rf"(?i)\.(?:{_ENDINGS.replace(' ', '|')})\s*$"
_SCALED = r"@[0-9]+(?:\.[0-9]+)?[xX]\."  # a picture for a screen of twice the density
_VERSION = r"@[0-9]+\.[0-9]+[.-]"  # lodash@4.17.21-rc.next
_CREDENTIALS = r"//[^\s/]*:"  # https://deploy:pa.ss@host: what stands before the sign is a password
_NO_MAILBOX = "|".join(f"(?:{pattern})" for pattern in (_REPOSITORY, _FILE, _SCALED, _VERSION, _CREDENTIALS))

_PAIRS = r"^\s*(?:[0-9A-Fa-f]{2}:){5,}[0-9A-Fa-f]{2}\s*$"  # bytes of a digest, a name of fibre channel
_LONG = r"^\s*(?:[0-9A-Fa-f]+:){8,}[0-9A-Fa-f]*[0-9A-Fa-f]\s*$"  # more groups than an address has
# A name of a program begins with a letter: Face::Add, a1::b. One group must begin with a digit, or hold one and be long
_DIGITS = "[0-9][0-9A-Fa-f]{0,3}|[0-9A-Fa-f][0-9][0-9A-Fa-f]{1,2}|[0-9A-Fa-f]{2}[0-9][0-9A-Fa-f]?|[0-9A-Fa-f]{3}[0-9]"
_GROUP = rf"(?:^|[:\[\s])(?:{_DIGITS})(?:[:/%\]\s]|$)|^\s*(?:[0-9A-Fa-f]{{1,4}}:){{7}}[0-9A-Fa-f]{{1,4}}\s*$"
_SHORT = r"^\s*(?:::[0-9]|(?:::)?[Ff]{4}:[0-9]+\.)"  # ::1, ::ffff:192.0.2.1
_WORD = r"^[^%]*[^0-9A-Fa-f:./%\[\]\s]"  # a word in front that says what else it is: firmware 1.4.60.2
_BYTES = r"^\s*(?:[0-9A-Fa-f]{2}[:-]){5}(?:[0-9A-Fa-f]{2}[:-][0-9A-Fa-f]{2}[:-])?[0-9A-Fa-f]{2}\s*$|\."

_FOLDERS = (
    "hk[a-z]{2,3} hkey_.* software system(?:32)? hardware sam security windows users program appdata src bin lib obj "
    "test images? img data docs? build dist include app packages node_modules"
)
_NO_USER = (
    rf"(?i)\\.*\.(?:{_ENDINGS.replace(' ', '|')}|obj|o|h|ini|cfg|conf|lnk|url|mdb|bat|cmd|ps1|sh|msi|tex|py|go|ts)\s*$"
    rf"|(?i)^\s*(?:{_FOLDERS.replace(' ', '|')})\\"
)


def email(values: pl.Series) -> Bools:
    """Tell for each value of the form whether it is the address of a mailbox."""
    return (~values.str.contains(_NO_MAILBOX)).to_numpy().astype(bool)


def ip(values: pl.Series) -> Bools:
    """Tell for each value of the form whether it is an IP address: no digest, no name of a program, no version."""
    joined: bytes = values.str.join("").cast(pl.Binary).item()
    if not joined.translate(None, b"0123456789."):  # as most columns are: quicker to see than by an expression
        return np.ones(len(values), dtype=bool)
    good = ~values.str.contains(_WORD)
    longer = values.str.contains(":", literal=True)
    if longer.any():
        port = values.str.contains(r"^\s*[0-9.]+(?::[0-9]+)?\s*$")
        real = values.str.contains(_GROUP) | values.str.contains(_SHORT)
        good &= ~longer | port | (real & ~values.str.contains(_PAIRS) & ~values.str.contains(_LONG))
    return good.to_numpy().astype(bool)


def mac(values: pl.Series) -> Bools:
    """Tell for each value of the form whether it has the six or eight bytes of a hardware address."""
    return values.str.contains(_BYTES).to_numpy().astype(bool)


def domain_user(values: pl.Series) -> Bools:
    r"""Tell for each value of the form A\B whether B may be somebody's: no file, no key of the registry."""
    return (~values.str.contains(_NO_USER)).to_numpy().astype(bool)


NETWORK: Final[dict[str, Function]] = {"email": email, "ip": ip, "mac": mac, "domain_user": domain_user}
