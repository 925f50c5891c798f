"""Hostile texts of any length, by name. Each repeats something that a careless parser looks at again and again.

`TEXTS[name](size)` returns about `size` bytes. They are given to every reader of text and to `plainview.find`,
whatever they are made for: what is harmless in one format is the trick of another.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

Text = Callable[[int], bytes]
TEXTS: dict[str, Text] = {}


def flood(name: str, unit: bytes, before: bytes = b"", after: bytes = b"") -> None:
    """Add a text that repeats one unit."""
    TEXTS[name] = lambda size: before + unit * max(1, (size - len(before) - len(after)) // len(unit)) + after


def numbered(name: str, form: str, before: bytes = b"", after: bytes = b"") -> None:
    """Add a text whose units differ by their number."""

    def made(size: int) -> bytes:
        parts, length = [before], len(before) + len(after)
        for number in itertools.count():
            if length >= size:
                break
            parts.append(form.format(n=number).encode())
            length += len(parts[-1])
        return b"".join([*parts, after])

    TEXTS[name] = made


def halves(name: str, opening: bytes, closing: bytes, before: bytes = b"", after: bytes = b"") -> None:
    """Add a text that opens something as often as it closes it."""

    def made(size: int) -> bytes:
        times = max(1, (size - len(before) - len(after)) // (len(opening) + len(closing)))
        return before + opening * times + closing * times + after

    TEXTS[name] = made


def wider(name: str, cell: bytes, between: bytes) -> None:
    """Add lines each of which has one cell more than the one before."""

    def made(size: int) -> bytes:
        def lines() -> Iterator[bytes]:
            length = 0
            for count in itertools.count(1):
                line = between.join([cell] * count) + b"\n"
                length += len(line)
                yield line
                if length >= size:
                    return

        return b"".join(lines())

    TEXTS[name] = made


# -- quotes, delimiters, line ends ------------------------------------------------------------------------------

flood("one letter", b"a")
flood("blanks", b" ")
flood("line ends", b"\n")
flood("carriage returns", b"\r")
flood("line ends of both kinds", b"\r\n\n\r")
flood("NUL", b"a\0")
flood("commas", b",")
flood("tabs and commas", b"\t,;|")
flood("commas and line ends", b",\n")
flood("double quotes", b'"')
flood("single quotes", b"'")
flood("quotes and commas", b'",')
flood("a quote in each line", b'a,"b\n')
flood("a quote that never closes", b"a,b\n", b'x,y\n"')
flood("quotes inside quotes", b'"a"b",')
flood("quoted line ends", b'"\n",\n')
flood("backslashes", b"\\")
flood("backslash and quote", b'\\"')
flood("backslash and line end", b"a,b\\\n")
flood("an odd quote at the end of lines", b'a,b,c"\n')
flood("a header of blanks", b" ,", b"", b"\n1,2\n")
flood("byte order marks", b"\xef\xbb\xbf")
flood("byte order marks of UTF-16", b"\xff\xfe")
flood("broken UTF-8", b"\xc3\n")
flood("escape sequences", b"\x1b[")
flood("escape sequences of ISO 2022", b"\x1b$B")
flood("letters beyond ASCII", "é\n".encode("latin-1"))
wider("lines that grow", b"1", b",")
wider("lines of quoted cells that grow", b'"x"', b";")
flood("short lines below a wide one", b"1\n", b"a," * 9_000 + b"\n")
flood("short quoted lines below a wide one", b'"1"\n', b"a," * 9_000 + b"\n")
flood("wide lines among short ones", b"1\n" * 500 + b"," * 9_000 + b"\n", b"a,b\n")
flood("quoted lines among wide ones", b'"1\n"\n' * 500 + b"," * 9_000 + b"\n", b"a,b\n")
numbered("one wide line among short ones", "{n}\n", b"a,b\n" + b"," * 9_000 + b"\n")

# -- JSON -------------------------------------------------------------------------------------------------------

flood("brackets", b"[")
flood("braces", b"{")
flood("empty arrays", b"[],", b"[")
flood("empty arrays in a row", b"[]")
flood("empty objects in a row", b"{}")
flood("empty objects in lines", b"{}\n")
flood("deep objects", b'{"a":')
flood("deep arrays in an object", b"[", b'{"a":')
flood("deep arrays among records", b"[", b'[{"a":1},')
halves("balanced brackets", b"[", b"]")
halves("balanced objects", b'{"a":', b"}", b"", b"")
halves("deep lines", b"[", b"]", b'{"a":1}\n', b'\n{"a":2}\n')
flood("an object cut by a line end", b'{"a":"\n')
flood("an object without its end in each line", b'{"a":1\n')
flood("a string without its end", b"x", b'[{"a":"')
flood("strings without their ends", b'{"a":"x\n', b"[")
flood("empty keys", b'"":"",', b"{")
flood("escaped quotes in a string", b'\\"', b'["')
flood("commas in an array", b",", b"[")
flood("two values in a line", b'{"a":1}{"b":2}\n')
flood("concatenated objects", b'{"a":1}')
flood("concatenated objects over lines", b'{"a":\n1}\n')
flood("extended JSON", b'{"_id":{"$oid":"507f1f77bcf86cd799439011"},"n":{"$numberLong":"1"}}\n')
flood("extended JSON that is none", b'{"a":{"$date":{"$date":{"$date":1}}}}\n')
flood("Elasticsearch actions", b'{"index":{}}\n')
flood("JSON in JSON", b'{"a":"{\\"b\\":\\"[1]\\"}"}\n')
flood("keys that occur twice", b'{"a":1,"a":2}\n')
flood("huge numbers", b"9", b"[", b"]")
flood("numbers in lines", b'{"a":123456789012345678901234567890}\n')
flood("escapes of surrogates", b"\\ud800", b'["', b'"]')
flood("JSON sequence", b'\x1e{"a":1}\n')
numbered("a key for each line", '{{"k{n}":1}}\n')
numbered("objects keyed by number", '"{n}":{{"a":1}},', b"{", b'"z":1}')
numbered("objects below one key", '"u{n}":{{"mail":"x"}},', b'{"users":{', b'"z":{}}}')
numbered("a list below one key", '{{"a":{n}}},', b'{"data":[', b"{}]}")
numbered("lists below lists", '{{"a":[{{"b":[{n}]}}]}},', b"[", b"1]")

# -- XML and HTML ------------------------------------------------------------------------------------------------

flood("open tags", b"<a>")
flood("closing tags", b"</a>", b"<a>")
halves("balanced tags", b"<a>", b"</a>")
flood("angle brackets", b"<")
flood("a tag without its end", b"a", b"<")
numbered("attributes", ' a{n}="1"', b"<r><e", b"/></r>")
flood("attributes without values", b" a", b"<r><e")
numbered("name spaces", ' xmlns:a{n}="u{n}"', b"<r><e", b"/></r>")
flood("comments", b"<!---->", b"<r>")
flood("a comment without its end", b"-", b"<r><!--")
flood("comments without their ends", b"<!--", b"<r>")
flood("CDATA", b"<![CDATA[]]>", b"<r>", b"</r>")
flood("CDATA without its end", b"]", b"<r><![CDATA[")
flood("CDATA openings", b"<![CDATA[", b"<r>")
flood("entities", b"&amp;", b"<r>", b"</r>")
flood("entities that nobody knows", b"&a;", b"<r>", b"</r>")
flood("an entity without its end", b"a", b"<r>&")
flood("ampersands", b"&", b"<html><p>")
numbered("definitions of entities", '<!ENTITY e{n} "x">', b"<!DOCTYPE r [", b"]><r>&e1;</r>")
flood("a document type without its end", b"<!ENTITY ", b"<!DOCTYPE r [")
flood("instructions", b"<?a?>", b"<r>")
flood("an instruction without its end", b"?", b"<r><?a ")
flood("entities of a document type", b"&a;", b'<!DOCTYPE r SYSTEM "x"><r>', b"</r>")
flood("references in attributes", b'<x a="&#1;=&lt;>"/>', b"<r>", b"</r>")
numbered("attributes with brackets", " a{n}='>'", b"<r><e", b"/></r>")
numbered("attributes of many tags", "<e a{n}='' b='' c='' d='' e='' f='' g='' h=''/>", b"<r>", b"</r>")
numbered("attributes in UTF-7", " a{n}+AD0AIgAi-", b"<?xml version='1.0' encoding='UTF-7'?><r><e", b"/></r>")
flood("siblings", b"<b/>", b"<a>", b"</a>")
numbered("siblings that differ", "<b{n}/>", b"<a>", b"</a>")
flood("text and siblings", b"x<b/>", b"<a><c/>", b"</a>")
flood("many documents", b"<a/>")
flood("tables in tables", b"<table><tr><td>", b"<html>")
flood("cells", b"<td>x", b"<html><table><tr>")
flood("wide cells", b"<tr><td colspan=1000>x</td></tr>", b"<html><table>")
flood("high cells", b"<tr><td rowspan=65534>x</td></tr>", b"<html><table>")
flood("rows without a table", b"<tr>", b"<html>")
flood("paragraphs", b"<p>", b"<html>")
flood("formatting that never closes", b"<b><p>", b"<html>")
flood("fonts in links", b"<a><font>", b"<html>")
flood("selects", b"<select><option>", b"<html>")

# -- SQL ---------------------------------------------------------------------------------------------------------

flood("dashes", b"-", b"INSERT INTO t VALUES (1);\n")
flood("dashes after a comment", b"-- ", b"CREATE TABLE t (a int);\n")
flood("comments of SQL", b"/**/", b"CREATE TABLE t (a int);\n")
flood("a comment of SQL without its end", b"*", b"CREATE TABLE t (a int);\n/*")
flood("comments of SQL without their ends", b"/*", b"CREATE TABLE t (a int);\n")
flood("tables", b"CREATE TABLE t (a int);\n")
numbered("tables that differ", "CREATE TABLE t{n} (a int);\n")
numbered("rows of tables that differ", "INSERT INTO t{n} VALUES (1);\n")
flood("rows", b"(1),", b"INSERT INTO t VALUES ")
flood("empty rows", b"(),", b"INSERT INTO t VALUES ")
flood("parentheses", b"(", b"INSERT INTO t VALUES ")
flood("parentheses of a table", b"(", b"CREATE TABLE t ")
flood("columns", b"a,", b"CREATE TABLE t (")
flood("names of columns", b"a,", b"INSERT INTO t (")
flood("values", b"1,", b"INSERT INTO t VALUES (")
flood("a string of SQL without its end", b"x", b"INSERT INTO t VALUES ('")
flood("strings of SQL without their ends", b"INSERT INTO t VALUES ('\n")
flood("quotes of SQL", b"''", b"INSERT INTO t VALUES ('")
flood("calls", b"f(", b"INSERT INTO t VALUES (")
flood("sums", b"1+", b"INSERT INTO t VALUES (")
flood("casts", b"::x", b"INSERT INTO t VALUES (1")
flood("joined strings", b"'a'||", b"INSERT INTO t VALUES (")
flood("replace in replace", b"replace(", b"INSERT INTO t VALUES (")
flood("dollars", b"$", b"INSERT INTO t VALUES (1);\n")
flood("dollar quotes", b"$a$", b"CREATE FUNCTION f() AS ")
numbered("dollar quotes that differ", "$a{n}$", b"INSERT INTO t VALUES (1);\n")
flood("backticks", b"`", b"INSERT INTO t VALUES (1);\n")
flood("square brackets", b"[", b"INSERT INTO [t] VALUES (1)\nGO\n")
flood("delimiters", b"DELIMITER ;;\n", b"-- MySQL dump\n")
flood("a delimiter that never returns", b"x;\n", b"-- MySQL dump\nDELIMITER ;;\n")
flood("routines", b"CREATE TRIGGER t BEGIN\n", b"INSERT INTO t VALUES (1);\n")
flood("COPY without rows", b"COPY t FROM stdin;\n")
flood("COPY without its end", b"1\t2\n", b"COPY t (a, b) FROM stdin;\n")
flood("COPY with fields too many", b"\t", b"COPY t (a, b) FROM stdin;\n")
flood("INSERT ALL", b"INTO t VALUES (1) ", b"INSERT ALL ")
flood("insert and insert", b"INSERT ", b"INSERT INTO t VALUES (1);\n")
flood("statements without their ends", b"INSERT INTO t SELECT 1\n", b"INSERT INTO t VALUES (1);\n")
flood(
    "rows with another end",
    b"INSERT INTO t VALUES (1),(2) ON CONFLICT (a) DO UPDATE SET a=1;\n",
    b"INSERT INTO t VALUES (1),(2);\n",
)
flood(
    "rows with another end and a comment",
    b"INSERT INTO t VALUES (1),(2) ON CONFLICT (a) DO UPDATE SET a=1; -- as before\n",
    b"INSERT INTO t VALUES (1),(2);\n",
)
flood("rows with blanks before their ends", b"INSERT INTO t VALUES (1) ;\n", b"INSERT INTO t VALUES (1);\n")
flood("rows of two forms", b"INSERT INTO t VALUES (1,'a');\nINSERT INTO t VALUES (1, 'a') ;\n")
flood("rows with odd quotes", b"INSERT INTO t VALUES ('a'');\n", b"INSERT INTO t VALUES ('a');\n")
flood("rows of two heads", b"INSERT INTO t VALUES (1);\nINSERT INTO u (a) VALUES (1);\n")
flood("rows among other statements", b"INSERT INTO t VALUES (1);\nSET x = 1;\n")
flood("rows with comments", b"INSERT INTO t VALUES (1 /* ' */);\n", b"INSERT INTO t VALUES (1);\n")
flood("rows in double quotes", b'INSERT INTO t VALUES ("a);\n");\n')
flood("routines and rows", b"CREATE TRIGGER t BEGIN\nINSERT INTO t VALUES (1);\n")
flood("delimiters and settings", b"DELIMITER ;;\nSET x\n", b"-- MySQL dump\n")
flood("rows of two widths", b"(1),(1,2),", b"INSERT INTO t VALUES ")
flood("COPY among other statements", b"COPY t (a) FROM stdin;\n1\n\\.\n\nSET x = 1;\n")
flood("semicolons", b";", b"INSERT INTO t VALUES (1);\n")
flood("hexadecimal", b"0x", b"INSERT INTO t VALUES (")
flood("quotes of Oracle", b"q'[", b"INSERT INTO t VALUES (")
flood("lines of GO", b"GO\n", b"INSERT INTO [t] VALUES (1)\n")

# -- mail, contacts, calendars, directories -----------------------------------------------------------------------

MIME = b"From: a@b.cc\nMIME-Version: 1.0\nContent-Type: "
numbered(
    "parts in parts",
    "--b{n}\nContent-Type: multipart/mixed; boundary=b{n}\n\n",
    MIME + b"multipart/mixed; boundary=b0\n\n",
)
flood(
    "parts with one boundary in parts",
    b"--b\nContent-Type: multipart/mixed; boundary=b\n\n",
    MIME + b"multipart/mixed; boundary=b\n\n",
)
flood("parts", b"--b\n\n", MIME + b"multipart/mixed; boundary=b\n\n")
flood("messages in messages", b"Content-Type: message/rfc822\n\n", b"From: a@b.cc\nMIME-Version: 1.0\n")
flood("messages of a mailbox", b"From a Tue Jan  1 00:00:00 2024\nA: b\n\nx\n\n")
flood("lines of a mailbox", b"From a 00:00\n")
flood("header fields", b"A: b\n")
flood("a header field that is folded", b" x\n", b"From: a@b.cc\nMIME-Version: 1.0\nTo:")
flood("encoded words", b"=?utf-8?q?a?= ", b"From: a@b.cc\nMIME-Version: 1.0\nTo: ")
flood("encoded words that do not end", b"=?a?q?", b"From: a@b.cc\nMIME-Version: 1.0\nTo: ")
flood("names of people that do not end", b'\\"', b"From: a@b.cc\nMIME-Version: 1.0\nTo: ")
flood("comments in comments", b"(", b"From: a@b.cc\nMIME-Version: 1.0\nTo: ")
flood("parameters", b';a="', MIME + b"text/plain")
flood("contacts", b"BEGIN:VCARD\nFN:a\nEND:VCARD\n")
flood("contacts in contacts", b"BEGIN:VCARD\n")
flood("a property that is folded", b" a\n", b"BEGIN:VCARD\nNOTE:\n")
flood("parameters of a property", b';a="b', b"BEGIN:VCARD\nNOTE")
flood("parts of a property", b"\\;;", b"BEGIN:VCARD\nN:")
flood("entries of a directory", b"dn: a\nmail: b\n\n")

flood("groups", b"{", b"{\\rtf1 ")
flood("groups that end", b"{}", b"{\\rtf1 ")
flood("control words", b"\\b", b"{\\rtf1 ")
flood("signs by number", b"\\u1?", b"{\\rtf1 ")
flood("comments of RTF", b"{\\*\\annotation a", b"{\\rtf1 ")
numbered("fonts", "{{\\f{n}\\fcharset204 a;}}", b"{\\rtf1{\\fonttbl")
flood("notes in notes", b"{\\footnote a", b"{\\rtf1 ")

# -- what detectors look for -----------------------------------------------------------------------------------

flood("IBAN labels", b"iban: ")
flood("IBAN labels with values", b"iban: DE89370400440532013000 ")
flood("groups of four digits", b"4111 ")
flood("groups of ten digits", b"9384756102 ")
flood("digits with dashes", b"12-34-")
flood("digits with dots", b"1.2.3.")
flood("digits", b"4")
flood("at signs", b"a@")
flood("addresses", b"a@b.de ")
flood("dots", b"a.b-")
flood("plus signs", b"+49 ")
flood("hexadecimal digits", b"deadbeef")
flood("colons of hexadecimal", b"de:ad:")
flood("base64", b"eyJhbGciOi")
flood("labels with equal signs", b"x=1;")
flood("labels that differ from values", b"name: Anna: ")
flood("colons", b":")
flood("cards behind a word", b"card 4111 ")
flood("birth dates", b"born 1990-01-01, ")
flood("streets", b"Main Street 1, ")
flood("URLs", b"http://a?b=c&")
flood("keys", b"-----BEGIN PRIVATE KEY-----\n")
flood("combining accents", "a\u0301\u0301\u0301".encode())
flood("bidirectional marks", "\u202e\u202d".encode())
flood("Han", "姓名：".encode())
flood("full-width digits", "４１１１ ".encode())

__all__ = ["TEXTS"]
