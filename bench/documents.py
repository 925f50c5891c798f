"""Measure what is found in documents and mail that are made here, by several tools and in several languages.

    python bench/documents.py [--show]

Each document holds three e-mail addresses, telephone numbers and IBANs of its country, made up and with right check
digits, in a text, a table, a comment or an attached file. Two figures for each tool: which of the values stand in what
the readers give and are found there by `plainview.find`; and which of the kinds the report of a scan of the document
alone names. With --show: what is missed, by the tool, language and kind, never the value.
"""

from __future__ import annotations

import argparse
import io
import random
import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

import plainview
from plainview.files.source import FileSource
from plainview.tables import ReadLog

KINDS = ("email_address", "telephone_number", "bank_account")


@dataclass(frozen=True)
class Language:
    """A language, its country, the length and form of its account numbers, an encoding of its mail, and its words."""

    country: str
    bban: str  # 0: a digit, A: a letter
    charset: str
    lines: list[str]  # with {mail}, {phone}, {iban}; the last with none
    words: list[str]  # heads of columns


LANGUAGES = {
    code: Language(**entry) for code, entry in tomllib.loads(Path(__file__).with_suffix(".toml").read_text()).items()
}


@dataclass
class Letter:
    """What a document has to hold: lines of text, a table, and the values in both."""

    lines: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})


def iban(language: Language, rng: random.Random) -> str:
    """Return an account number with right check digits, of Germany where the country has none."""
    country, form = (language.country, language.bban) if language.bban else ("DE", "0" * 18)
    bban = "".join(str(rng.randrange(10)) if sign == "0" else rng.choice("ABCDEFGHKLM") for sign in form)
    digits = "".join(str(int(sign, 36)) for sign in bban + country + "00")
    made = f"{country}{98 - int(digits) % 97:02}{bban}"
    return " ".join(made[at : at + 4] for at in range(0, len(made), 4)) if rng.random() < 0.5 else made


def phone(language: Language, rng: random.Random) -> str:
    """Return a number that is valid in the country, as it is written abroad."""
    example = phonenumbers.example_number_for_type(language.country, PhoneNumberType.MOBILE)
    while True:
        national = int(str(example.national_number)[:-5] + f"{rng.randrange(100_000):05}")
        number = phonenumbers.PhoneNumber(country_code=example.country_code, national_number=national)
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)


def letter(language: Language, rng: random.Random) -> Letter:
    """Return a letter: two of each kind in the text, one in a table of three rows whose others hold other values."""
    made = Letter()

    def take() -> tuple[str, str, str]:
        name = rng.choice(("anna", "bernd", "carla", "dario", "elif", "franek"))
        name += f".{rng.choice(('huber', 'novak', 'rossi'))}{rng.randrange(1000)}"
        found = (
            f"{name}@firma-{rng.randrange(100)}.{language.country.lower()}",
            phone(language, rng),
            iban(language, rng),
        )
        for kind, value in zip(KINDS, found, strict=True):
            made.values[kind].append(value)
        return found

    for _ in range(2):
        mail, number, account = take()
        made.lines += [line.format(mail=mail, phone=number, iban=account) for line in language.lines]
    made.rows = [list(language.words), *(list(take()) for _ in range(3))]
    return made


# -- tools ------------------------------------------------------------------------------------------------------


def message(made: Letter, language: Language) -> EmailMessage:
    """Return a message in the encoding of the language, its table as an attached file."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = "a@b.cc", "c@d.ee", language.lines[3], "<1@x>"
    mail.set_content(
        "\n".join(made.lines),
        charset=language.charset,
        cte="base64" if language.country in "JP CN" else "quoted-printable",
    )
    table = "\n".join(";".join(row) for row in made.rows) + "\n"
    mail.add_attachment(table.encode(), maintype="text", subtype="csv", filename=f"{language.words[0]}.csv")
    return mail


def eml(made: Letter, language: Language) -> bytes:
    return bytes(message(made, language))


def html_mail(made: Letter, _: Language) -> bytes:
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in made.rows)
    mail = EmailMessage()
    mail["From"], mail["Message-ID"] = "a@b.cc", "<1@x>"
    mail.set_content(
        "".join(f"<p>{line}</p>" for line in made.lines) + f"<table>{rows}</table>", subtype="html", charset="utf-8"
    )
    return bytes(mail)


def mbox(made: Letter, language: Language) -> bytes:
    return b"".join(
        b"From a@b.cc Tue Jan  1 00:00:00 2024\n" + bytes(message(made, language)) + b"\n\n" for _ in range(2)
    )


def docx(made: Letter, _: Language) -> bytes:
    import docx as library

    document = library.Document()
    for line in made.lines[:4]:
        document.add_paragraph(line)
    document.sections[0].header.paragraphs[0].text = made.lines[4]
    document.add_comment(document.paragraphs[0].runs, text="\n".join(made.lines[5:]), author="A")
    table = document.add_table(0, 3)
    for row in made.rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def pptx(made: Letter, _: Language) -> bytes:
    import pptx as library

    deck = library.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "\n".join(made.lines[:4])
    slide.notes_slide.notes_text_frame.text = "\n".join(made.lines[4:])
    table = slide.shapes.add_table(len(made.rows), 3, 0, 0, 9_000_000, 900_000).table
    for at, row in enumerate(made.rows):
        for column, text in enumerate(row):
            table.cell(at, column).text = text
    out = io.BytesIO()
    deck.save(out)
    return out.getvalue()


def odt(made: Letter, _: Language) -> bytes:
    from odf.opendocument import OpenDocumentText
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    document, table = OpenDocumentText(), Table(name="t")
    for line in made.lines:
        document.text.addElement(P(text=line))
    for row in made.rows:
        line = TableRow()
        for value in row:
            cell = TableCell()
            cell.addElement(P(text=value))
            line.addElement(cell)
        table.addElement(line)
    document.text.addElement(table)
    out = io.BytesIO()
    document.write(out)
    return out.getvalue()


def pdf(made: Letter, _: Language) -> bytes:
    import fpdf

    document = fpdf.FPDF()
    document.add_page()
    font = next((path for path in FONTS if path.exists()), None)
    if font:
        for style in ("", "B"):
            document.add_font("own", style, font)
    document.set_font("own" if font else "Helvetica", size=11)
    for line in made.lines:
        document.multi_cell(0, text=line, new_x="LMARGIN", new_y="NEXT")
    with document.table() as table:
        for row in made.rows:
            line = table.row()
            for value in row:
                line.cell(value)
    return bytes(document.output())


def rtf(made: Letter, _: Language) -> bytes:
    def escaped(text: str) -> str:
        return "".join(sign if ord(sign) < 128 else f"\\u{(ord(sign) + 32768) % 65536 - 32768}?" for sign in text)

    rows = "".join("\\trowd " + "".join(f"{escaped(cell)}\\cell " for cell in row) + "\\row\n" for row in made.rows)
    return ("{\\rtf1\\ansi " + "\\par\n".join(map(escaped, made.lines)) + "\\par\n" + rows + "}").encode()


def xlsx(made: Letter, _: Language) -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(made.rows):
            sheet.write_row(at, 0, row)
        for at, line in enumerate(made.lines):
            sheet.write_comment(at, 5, line)
    return out.getvalue()


def vcard(made: Letter, _: Language) -> bytes:
    cards = zip(*made.values.values(), strict=True)
    return "".join(
        f"BEGIN:VCARD\nVERSION:3.0\nEMAIL:{mail}\nTEL;TYPE=CELL:{number}\nNOTE:IBAN {account}\nEND:VCARD\n"
        for mail, number, account in cards
    ).encode()


FONTS = [Path(f"/usr/share/fonts/truetype/{name}") for name in ("dejavu/DejaVuSans.ttf", "freefont/FreeSans.ttf")]
LATIN = frozenset("de fr es it nl".split())
TOOLS: dict[str, tuple[str, Callable[[Letter, Language], bytes]]] = {
    "email, plain": ("eml", eml),
    "email, HTML": ("eml", html_mail),
    "email, mailbox": ("mbox", mbox),
    "python-docx": ("docx", docx),
    "python-pptx": ("pptx", pptx),
    "odfpy": ("odt", odt),
    "fpdf2": ("pdf", pdf),
    "RTF by hand": ("rtf", rtf),
    "XlsxWriter": ("xlsx", xlsx),
    "vCard by hand": ("vcf", vcard),
}


# -- what is found ----------------------------------------------------------------------------------------------


def cells(path: Path) -> list[str]:
    """Return all text that the readers give."""
    source, found = FileSource(path), []
    log = ReadLog()
    for unit in source.units(log):
        for batch in source.read(unit, log):
            for column in batch.frame.iter_columns():
                for value in column.to_list():
                    found += [str(each) for each in (value if isinstance(value, list) else [value]) if each is not None]
    return found


def plain(value: str) -> str:
    return "".join(sign for sign in value if sign.isalnum() or sign in "@.+").upper().replace(" ", "")


def found_in(texts: list[str]) -> set[tuple[str, str]]:
    """Return (kind, value) of what is found in texts."""
    return {(match.category, plain(text[match.start : match.end])) for text in texts for match in plainview.find(text)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--show", action="store_true", help="print what is missed, without its value")
    show = parser.parse_args().show
    rng = random.Random(7)
    totals: Counter[str] = Counter()
    print(f"{'tool':16} {'documents':>9} {'values':>7} {'read':>6} {'found':>6} {'kinds in the report':>20}")
    for tool, (ending, make) in TOOLS.items():
        counts: Counter[str] = Counter()
        for code, language in LANGUAGES.items():
            if ending == "pdf" and code not in LATIN and not any(path.exists() for path in FONTS):
                continue
            with tempfile.TemporaryDirectory() as folder:
                made = letter(language, rng)
                path = Path(folder, f"a.{ending}")
                path.write_bytes(make(made, language))
                texts = cells(path)
                found, everything = found_in(texts), plain("\n".join(texts))
                report = plainview.scan(str(path))
            counts["documents"] += 1
            named = {
                column.category for target in report.targets for table in target.tables for column in table.columns
            }
            for kind in KINDS:
                counts["named"] += kind in named
                if show and kind not in named:
                    print(f"  not in the report: {tool}, {code}, {kind}")
                for value in made.values[kind]:
                    counts["values"] += 1
                    counts["read"] += plain(value) in everything
                    counts["found"] += (kind, plain(value)) in found
                    if show and (kind, plain(value)) not in found:
                        print(f"  not found: {tool}, {code}, {kind}")
        totals += counts
        _line(tool, counts)
    _line("all", totals)


def _line(tool: str, counts: Counter[str]) -> None:
    values, kinds = max(1, counts["values"]), max(1, 3 * counts["documents"])
    print(
        f"{tool:16} {counts['documents']:>9} {counts['values']:>7} {counts['read'] / values:>6.3f} "
        f"{counts['found'] / values:>6.3f} {counts['named'] / kinds:>20.3f}"
    )


if __name__ == "__main__":
    main()
