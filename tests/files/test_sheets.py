from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from plainview.files.formats.sheets.read import find_header
from plainview.files.source import FileSource
from plainview.tables import MIB, Limits, ReadLog

CANARY = "canary.7f3a@example.org"
PEOPLE = [["name", "email", "age"], ["Anna", CANARY, 30], ["Bo", "b@example.org", 31], ["Cy", "c@example.org", 32]]


def read(
    path: Path, limits: Limits | None = None
) -> tuple[dict[str, pl.DataFrame], dict[str, str], dict[str, tuple[str, ...]]]:
    source, log = FileSource(path, limits), ReadLog()
    frames: dict[str, pl.DataFrame] = {}
    notes: dict[str, tuple[str, ...]] = {}
    for unit in source.units(log):
        for batch in source.read(unit, log):
            frames[batch.table.name] = batch.frame
            notes[batch.table.name] = batch.table.notes
    return frames, dict(log.skipped), notes


def book(path: Path, sheets: dict[str, list[list[object]]], at: tuple[int, int] = (0, 0)) -> Path:
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as workbook:
        for name, rows in sheets.items():
            sheet = workbook.add_worksheet(name)
            for index, row in enumerate(rows):
                sheet.write_row(at[0] + index, at[1], row)
    return path


def ods(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    document = OpenDocumentSpreadsheet()
    for name, rows in sheets.items():
        table = Table(name=name)
        for row in rows:
            line = TableRow()
            for value in row:
                cell = TableCell(valuetype="string")
                cell.addElement(P(text=str(value)))
                line.addElement(cell)
            table.addElement(line)
        document.spreadsheet.addElement(table)
    document.save(str(path))
    return path


def test_every_sheet_and_the_hidden_ones(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        for name in ("Sheet1", "secret", "very"):
            sheet = workbook.add_worksheet(name)
            for index, row in enumerate(PEOPLE):
                sheet.write_row(index, 0, row)
            if name == "secret":
                sheet.hide()
            if name == "very":
                sheet.very_hidden()
        workbook.add_worksheet("empty")
    frames, skipped, notes = read(path)
    assert list(frames) == ["book.xlsx/Sheet1", "book.xlsx/secret", "book.xlsx/very"]
    assert notes["book.xlsx/secret"] == notes["book.xlsx/very"] == ("hidden sheet",)
    assert skipped == {}
    assert frames["book.xlsx/Sheet1"].to_dict(as_series=False) == {
        "name": ["Anna", "Bo", "Cy"],
        "email": [CANARY, "b@example.org", "c@example.org"],
        "age": ["30", "31", "32"],
    }


def test_titles_blank_rows_and_an_offset(tmp_path: Path) -> None:
    rows = [[f"Staff of {CANARY}"], [], *PEOPLE[:2], [], *PEOPLE[2:]]
    frames, _, _ = read(book(tmp_path / "a.xlsx", {"S": rows}, at=(3, 2)))
    assert frames["a.xlsx/S"].columns == ["name", "email", "age"]
    assert frames["a.xlsx/S"].height == 3
    assert frames["a.xlsx/S/titles"]["text"].to_list() == [f"Staff of {CANARY}"]


def test_a_first_line_of_data_is_no_header(tmp_path: Path) -> None:
    frames, _, notes = read(book(tmp_path / "a.xlsx", {"S": PEOPLE[1:], "one": [[CANARY]], "n": [[1, 2], [3, 4]]}))
    assert frames["a.xlsx/S"].columns == ["column_1", "column_2", "column_3"]
    assert frames["a.xlsx/S"].height == 3
    assert frames["a.xlsx/one"].to_dict(as_series=False) == {"column_1": [CANARY]}
    assert frames["a.xlsx/n"].height == 2
    assert all(note == ("no header line",) for note in notes.values())


def test_cells_of_every_type(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["date", "card", "half", "flag", "sum", "link", "bad", "text"])
        day = workbook.add_format({"num_format": "dd.mm.yyyy"})
        sheet.write_datetime(1, 0, dt.date(1990, 5, 17), day)
        sheet.write_number(1, 1, 4111111111111111)
        sheet.write_number(1, 2, 0.5)
        sheet.write_boolean(1, 3, boolean=True)
        sheet.write_formula(1, 4, "=1+1", None, 2)
        sheet.write_url(1, 5, "mailto:a@example.org", string="write")
        sheet.write_formula(1, 6, "=1/0", None, "#DIV/0!")
        sheet.write_string(1, 7, "00123")
    frames, _, _ = read(path)
    row = next(iter(frames.values())).row(0, named=True)
    assert row["date"].startswith("1990-05-17")
    assert row["card"] == "4111111111111111"
    assert (row["half"], row["flag"], row["sum"], row["text"]) == ("0.5", "true", "2", "00123")


def test_ods(tmp_path: Path) -> None:
    frames, skipped, _ = read(ods(tmp_path / "a.ods", {"S": PEOPLE, "T": PEOPLE}))
    assert list(frames) == ["a.ods/S", "a.ods/T"]
    assert frames["a.ods/S"]["email"].to_list()[0] == CANARY
    assert skipped == {}


def test_in_an_archive_and_mislabelled(tmp_path: Path) -> None:
    inner = book(tmp_path / "a.xlsx", {"S": PEOPLE}).read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x/a.csv", inner)
    frames, _, notes = read(tmp_path / "a.zip")
    assert list(frames) == ["a.zip/x/a.csv/S"]
    assert notes["a.zip/x/a.csv/S"] == ("named .csv, is xlsx",)


def test_parts_that_are_not_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["a", "b"])
        sheet.write_comment(0, 0, CANARY)
        sheet.insert_image(5, 5, "x.png", {"image_data": io.BytesIO(PNG)})
    source, log = FileSource(path), ReadLog()
    for unit in source.units(log):
        list(source.read(unit, log))
    whys = [why for _, why in log.skipped]
    assert any("image" in why for why in whys)
    assert CANARY not in str(whys)


@pytest.mark.parametrize("result", ["", "<v/>", "<v></v>"])
@pytest.mark.parametrize(("cell", "told"), [('<c r="A2">', True), ('<c r="A2" t="str">', False)])
def test_formulas_without_a_result_are_told(tmp_path: Path, cell: str, result: str, told: bool) -> None:
    if not result and not told:
        return
    path = book(tmp_path / "a.xlsx", {"One": [["mail"], ["x"], [1]]})
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    start = sheet.index('<c r="A2"')
    end = sheet.index("</c>", start) + 4
    formula = f'{cell}<f>HYPERLINK("mailto:{CANARY}")</f>{result}</c>'
    parts["xl/worksheets/sheet1.xml"] = (sheet[:start] + formula + sheet[end:]).encode()
    with zipfile.ZipFile(path, "w") as new:
        for name, data in parts.items():
            new.writestr(name, data)
    source, log = FileSource(path), ReadLog()
    for unit in source.units(log):
        list(source.read(unit, log))
    assert [why for _, why in log.skipped] == (["1 cell with a formula and no stored result"] if told else [])


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


def test_two_cells_in_opposite_corners_do_not_abort_the_process(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write(0, 0, CANARY)
        sheet.write(1_048_575, 16_383, CANARY)
    frames, skipped, _ = read(path)
    assert frames == {}
    assert "--memory" in skipped["a.xlsx"]
    assert "16,384 columns" in skipped["a.xlsx"]


def test_a_wide_row_and_a_long_column_apart_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write(0, 701, "x")
        sheet.write(99_998, 0, "x")
    assert "702 columns" in read(path, Limits(memory=32 * MIB))[1]["a.xlsx"]


def test_a_bomb_inside_a_workbook(tmp_path: Path) -> None:
    book(tmp_path / "ok.xlsx", {"S": PEOPLE})
    with (
        zipfile.ZipFile(tmp_path / "ok.xlsx") as ok,
        zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for name in ok.namelist():
            data = ok.read(name)
            out.writestr(name, data + b" " * (90 * MIB) if "sheet1" in name else data)
    frames, skipped, _ = read(tmp_path / "a.xlsx")
    assert frames == {}
    assert "--ratio" in skipped["a.xlsx"]
    assert "--memory" in read(tmp_path / "ok.xlsx", Limits(memory=1000))[1]["ok.xlsx"]


def test_damaged_and_encrypted(tmp_path: Path) -> None:
    data = book(tmp_path / "a.xlsx", {"S": PEOPLE}).read_bytes()
    for part in (len(data) // 2, len(data) - 30):
        (tmp_path / "b.xlsx").write_bytes(data[:part])
        frames, skipped, _ = read(tmp_path / "b.xlsx")
        assert frames == {}
        assert skipped
    (tmp_path / "c.ods").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "c.ods", "w") as out:
        out.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        out.writestr("META-INF/manifest.xml", "<manifest><encryption-data/></manifest>")
    assert "encrypted" in read(tmp_path / "c.ods")[1]["c.ods"]


def test_a_sheet_name_that_holds_a_slash_or_a_value(tmp_path: Path) -> None:
    frames, skipped, _ = read(book(tmp_path / "a.xlsx", {CANARY: PEOPLE}))
    assert list(frames) == [f"a.xlsx/{CANARY}"]  # made safe to print by the pipeline, as all names are
    assert CANARY not in str(skipped.values())


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["name", "age"], ["Anna", "30"]], 0),
        ([["Title", None], [None, None], ["name", "age"], ["Anna", "30"]], 2),
        ([["Anna", "30"], ["Bo", "31"]], None),
        ([["email"], ["a@example.org"]], 0),
        ([["Ulm", "Anna"], ["Bonn", "Bo"], ["Ulm", "Cy"]], None),
        ([["only one line", "of words"]], None),
    ],
)
def test_find_header(rows: list[list[str | None]], expected: int | None) -> None:
    grid = pl.DataFrame(rows, orient="row", schema=[f"column_{i}" for i in range(len(rows[0]))])
    assert find_header(grid) == expected


def test_a_workbook_whose_list_of_sheets_is_damaged(tmp_path: Path) -> None:
    book(tmp_path / "ok.xlsx", {"S": PEOPLE})
    with zipfile.ZipFile(tmp_path / "ok.xlsx") as ok, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as out:
        for name in ok.namelist():
            data = ok.read(name)
            out.writestr(name, data.replace(b"<sheet ", b"<shee7 ") if name == "xl/workbook.xml" else data)
    frames, skipped, _ = read(tmp_path / "a.xlsx")
    assert frames == {}
    assert "no sheet" in skipped["a.xlsx"]


def xlsb_sheet(cells: list[tuple[int, int]]) -> bytes:
    """Records of a binary sheet: a row header, then a cell; [MS-XLSB] 2.4.698 and 2.4.312."""
    out = b"\x81\x01\x00"  # BrtBeginSheet: two bytes of type, no body
    for row, column in cells:
        out += b"\x00\x19" + row.to_bytes(4, "little") + bytes(21)
        out += b"\x02\x0c" + column.to_bytes(4, "little") + bytes(8)
    return out + b"\x82\x01\x00"


def test_the_corner_of_a_binary_sheet() -> None:
    from plainview.files.formats.sheets.guard import _xlsb_corner
    from plainview.tables import Input

    data = xlsb_sheet([(0, 0), (1_048_575, 3), (7, 16_383)])
    assert _xlsb_corner(Input("a", data, lambda: io.BytesIO(data))) == (1_048_576, 16_384)
    cut = data[:-5]
    assert _xlsb_corner(Input("a", cut, lambda: io.BytesIO(cut)))[0] == 1_048_576


def test_a_binary_workbook_with_far_corners_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsb", "w") as out:
        out.writestr("[Content_Types].xml", "<Types/>")
        out.writestr("xl/workbook.bin", b"")
        out.writestr("xl/worksheets/sheet1.bin", xlsb_sheet([(0, 0), (1_048_575, 16_383)]))
    assert "--memory" in read(tmp_path / "a.xlsb")[1]["a.xlsb"]


ODS = '<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x"><office:body><office:spreadsheet><table:table table:name="S">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'


def ods_of(path: Path, rows: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        urn = "urn:oasis:names:tc:opendocument:xmlns:"
        names = ODS.replace('"o"', f'"{urn}office:1.0"').replace('"t"', f'"{urn}table:1.0"')
        out.writestr("content.xml", names.replace('"x"', f'"{urn}text:1.0"').replace("{rows}", rows))
        out.writestr("META-INF/manifest.xml", "<manifest/>")
    return path


@pytest.mark.parametrize(
    ("rows", "columns", "text"), [(1_000, 1_000, "x" * 100_000), (1_000_000, 100, "x"), (10, 30_000, "x" * 1_000)]
)
def test_repeats_are_added_up_before_the_library_makes_cells(
    tmp_path: Path, rows: int, columns: int, text: str
) -> None:
    cell = f'<table:table-cell office:value-type="string" table:number-columns-repeated="{columns}"><text:p>{text}</text:p></table:table-cell>'
    row = f'<table:table-row table:number-rows-repeated="{rows}">{cell}</table:table-row>'
    frames, skipped, _ = read(ods_of(tmp_path / "a.ods", row))
    assert frames == {}
    assert "--memory" in skipped["a.ods"]


def test_repeats_of_an_honest_sheet_are_read(tmp_path: Path) -> None:
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    rows = "".join(
        f"<table:table-row>{cell.format(a)}{cell.format(b)}</table:table-row>"
        for a, b in (("name", "mail"), ("Anna", CANARY))
    )
    rows += f'<table:table-row table:number-rows-repeated="3">{cell.format("Bo")}{cell.format("b@example.org")}</table:table-row>'
    rows += '<table:table-row table:number-rows-repeated="1048570"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    frames, skipped, _ = read(ods_of(tmp_path / "a.ods", rows))
    assert skipped == {}
    assert frames["a.ods/S"].height == 4


def test_references_to_a_long_shared_string_are_added_up(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path, {"constant_memory": False}) as workbook:
        sheet = workbook.add_worksheet()
        for row in range(20_000):
            sheet.write_string(row, 0, "x" * 30_000)
    frames, skipped, _ = read(path)
    assert frames == {}
    assert "--memory" in skipped["a.xlsx"]
