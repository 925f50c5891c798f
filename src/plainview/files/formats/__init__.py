"""The format readers, found by kind and imported when the first file of that kind is met.

`FORMATS` is the whole registry: kind (as `files.kinds` names it) -> module of this package. A module
has `read(source: Input, log: ReadLog) -> Iterator[Batch | Input]` (the protocol `plainview.tables.Format`).
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

from plainview.errors import MissingExtraError, UnsupportedError

if TYPE_CHECKING:
    from plainview.tables import Format

FORMATS: dict[str, str] = {
    "csv": "csv.read",
    "tsv": "csv.read",
    "text": "text",
    "json": "json.read",
    "ndjson": "json.read",
    "bson": "bson",
    "xml": "markup.read",
    "html": "markup.read",
    "sql_dump": "sqldump.read",
    "sqlite": "sqlite.read",
    "duckdb": "duckdb",
    "parquet": "columnar.parquet",
    "arrow": "columnar.arrow",
    "mongo_archive": "mongo_archive",
    "dbf": "dbf",
    "rdb": "redis.rdb",
    "aof": "redis.aof",
    "avro": "avro.read",
    "xlsx": "sheets.read",
    "xlsb": "sheets.read",
    "xls": "sheets.read",
    "ods": "sheets.read",
    "mail": "mail.read",
    "vcard": "cards",
    "icalendar": "cards",
    "ldif": "cards",
    "docx": "office.read",
    "pptx": "office.read",
    "odt": "office.read",
    "odp": "office.read",
    "odg": "office.read",
    "rtf": "rtf",
    "pdf": "pdf",
    "msg": "mail.msg",
    "media": "media.read",
}

EXTRAS = {"duckdb": "duckdb", "pypdfium2": "documents", "olefile": "documents"}  # library -> the extra that installs it


@cache
def reader(kind: str) -> Format:
    """Return the module that reads `kind`. Raise UnsupportedError or MissingExtraError."""
    module = FORMATS.get(kind)
    if module is None:
        raise UnsupportedError(f"no reader for {kind}")
    try:
        return cast("Format", import_module(f"{__name__}.{module}"))
    except ModuleNotFoundError as error:
        extra = EXTRAS.get(error.name or "", "")
        hint = f"pip install 'plainview[{extra}]'" if extra else f"the module {error.name} is missing"
        raise MissingExtraError(f"{kind} needs a library that is not installed", hint=hint) from None


__all__ = ["FORMATS", "reader"]
