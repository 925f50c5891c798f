"""Encodings: a few names are enough, cut anywhere is the same, and what is not valid is told."""

from __future__ import annotations

import io
import tempfile
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.errors import LimitError
from plainview.files.encodings import blocks as encodings
from plainview.files.encodings.blocks import Encoding, boundary, detect, utf8_blocks, valid_utf8
from plainview.files.encodings.letters import CODECS
from plainview.tables import Deadline, Input, ReadLog

QUICK = settings(max_examples=150, deadline=None)

# Names of people and places as tables hold them, none of them chosen by what the detection gets right.
TEXTS = {
    "windows-1252": [
        "Müller,Köln\nGärtner,Düsseldorf\nWeiß,Nürnberg\n",
        "François,Besançon\nHélène,Orléans\nÉmile,Saint-Étienne\n",
        "José,Málaga\nMuñoz,Cádiz\nÁlvarez,León\n",
        "João,São Paulo\nConceição,Brasília\nAntónio,Évora\n",
        "Åsa,Malmö\nBjörn,Västerås\nGöran,Örebro\n",
        "Søren,Århus\nKåre,Tromsø\nBjørg,Ålesund\n",
    ],
    "windows-1250": [
        "Łukasz,Łódź\nStanisław,Wrocław\nMałgorzata,Gdańsk\n",
        "Jiří,Plzeň\nTomáš,Ústí\nLukáš,Děčín\n",
        "Győző,Győr\nJenő,Szűcs\nErzsébet,Pécs\n",
        "Željko,Šibenik\nMarković,Čakovec\nĐorđe,Požega\n",
    ],
    "windows-1251": ["Иванов,Москва\nПетрова,Казань\nСидоров,Омск\n", "Шевченко,Київ\nПоліщук,Львів\nЇжак,Рівне\n"],
    "koi8-r": ["Иванов,Москва\nПетрова,Казань\nСидоров,Омск\n"],
    "ibm866": ["Иванов,Москва\nПетрова,Казань\nСидоров,Омск\n"],
    "windows-1253": ["Παπαδόπουλος,Αθήνα\nΓεωργίου,Πάτρα\nΝικολάου,Βόλος\n"],
    "windows-1254": ["Yıldız,İzmir\nŞahin,Eskişehir\nGüneş,Muğla\n"],
    "windows-1255": ["כהן,ירושלים\nלוי,חיפה\nמזרחי,אשדוד\n"],
    "windows-1256": ["محمد,القاهرة\nفاطمة,الرياض\nأحمد,بغداد\n"],
    "windows-1257": ["Žukauskas,Šiauliai\nJonaitytė,Panevėžys\nKęstutis,Alytų\n"],
    "gb18030": ["王伟,北京市朝阳区\n李娜,上海市\n张敏,广州\n"],
    "big5": ["陳志明,臺北市信義區\n林淑芬,高雄市\n黃建國,新竹縣\n"],
    "shift_jis": ["佐藤,東京都\n鈴木,大阪市\nたかはし,よこはま\n", "ｻﾄｳ ﾀﾛｳ,ﾄｳｷﾖｳ\nｽｽﾞｷ ﾊﾅｺ,ｵｵｻｶ\n"],
    "euc-jp": ["佐藤,東京都\n鈴木,大阪市\nたかはし,よこはま\n"],
    "euc-kr": ["김민수,서울\n이영희,부산\n박지훈,대구\n"],
}
SAMPLES = [(name, text) for name, texts in TEXTS.items() for text in texts]


def source(data: bytes, head: int = 64 << 10, seconds: float = 60.0) -> Input:
    return Input("t", data[:head], lambda: io.BytesIO(data), len(data), deadline=Deadline(seconds))


def transcode(data: bytes, block: int = 1 << 20, head: int = 64 << 10):
    log = ReadLog()
    _, blocks = utf8_blocks(source(data, head), log, block)
    out = list(blocks)
    assert all(valid_utf8(part) for part in out)
    assert log.bytes_read == len(data)
    return b"".join(out).decode(), blocks, log


@pytest.mark.parametrize(("name", "text"), SAMPLES)
def test_three_lines_of_names_are_enough(name, text):
    head = ("id,name,city\n" + text).encode(CODECS[name])
    found = detect(head, whole=True)
    assert found.assumed
    assert head.decode(CODECS[found.name]) == "id,name,city\n" + text


@pytest.mark.parametrize("text", ["a,b,c\n1,2,3\n4,5,©", "id,name\n1,José"])
def test_the_last_byte_of_a_file_is_no_half_character(text):
    head = text.encode("cp1252")
    assert head.decode(CODECS[detect(head, whole=True).name]) == text


@pytest.mark.parametrize(("name", "text"), SAMPLES)
@pytest.mark.parametrize("block", [7, 64])
def test_blocks_cut_anywhere_are_the_same(name, text, block):
    text = "id,name,city\n" + text * 5
    data = text.encode(CODECS[name])
    got, blocks, log = transcode(data, block, head=len(data) - 1)
    assert got == text
    assert blocks.notes == (f"read as {blocks.encoding.name} (assumed)",)
    assert log.skipped == []


@pytest.mark.parametrize("name", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_byte_order_marks(name):
    data = "\ufeffid,name\n1,Zoë 王\n".encode(name)
    found = detect(data)
    assert (found.name, found.assumed, found.bom) == (name, False, len("\ufeff".encode(name)))
    assert transcode(data)[0] == "id,name\n1,Zoë 王\n"


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", ["id,name\n1,Ann\n2,Bob\n", "姓名,城市\n王伟,北京市朝阳区\n李娜,上海市\n" * 5])
def test_wide_without_a_mark(name, text):
    assert detect(text.encode(name)) == Encoding(name, assumed=True)


def test_ascii_and_a_cut_head_are_utf8():
    assert detect(b"id,name\n") == Encoding("utf-8")
    assert detect("Zoë".encode()[:-1]) == Encoding("utf-8")
    assert detect("Zoë".encode()[:-1], whole=True).name != "utf-8"


def test_iso_2022_jp():
    text = "name\n佐藤\n鈴木\n"
    assert transcode(text.encode("iso-2022-jp"))[0] == text


def test_damaged_utf8_stays_utf8_and_is_told():
    text = "Zoë,Köln\n" * 50
    data = text.encode() + b"A\xff,B\xfe\nC\xff\n" + text.encode()
    got, blocks, log = transcode(data)
    assert got == text + "A\ufffd,B\ufffd\nC\ufffd\n" + text
    assert blocks.notes == ()
    assert log.skipped == [("t", "2 rows hold bytes that are not utf-8, which were read as U+FFFD")]


@pytest.mark.parametrize("block", [50, 1 << 20])
def test_what_is_not_ascii_only_later(block):
    text = "Smith,Rome\n" * 40 + "Müller,Köln\nGärtner,Düsseldorf\nWeiß,Nürnberg\n" * 10
    got, blocks, log = transcode(text.encode("cp1252"), block, head=100)
    assert got == text
    assert blocks.notes[-1].startswith("read as windows-1252 (assumed)")
    assert log.skipped == []


def test_utf8_first_then_damage_is_not_another_encoding():
    data = "Zoë,Köln\n".encode() * 50 + b"Caf\xe9\n"
    got, blocks, log = transcode(data, 64, head=100)
    assert got.endswith("Caf\ufffd\n")
    assert blocks.encoding.name == "utf-8"
    assert len(log.skipped) == 1


def test_deadline_stops_it():
    with pytest.raises(LimitError):
        list(utf8_blocks(source(b"a\n" * 1000, head=10, seconds=-1), ReadLog(), 10)[1])


@QUICK
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300), st.integers(1, 50))
def test_utf8_is_never_changed(text, block):
    data = ("x\n" + text).encode()
    got, blocks, log = transcode(b"\xef\xbb\xbf" + data, block, head=9)
    assert got.encode() == data
    assert (blocks.notes, log.skipped) == ((), [])


@QUICK
@given(st.binary(max_size=300), st.integers(1, 50), st.integers(0, 300))
def test_any_bytes_become_utf8(data, block, head):
    transcode(data, block, head)
    assert detect(data).name


@QUICK
@given(st.text(max_size=20).map(lambda text: text.encode("utf-8", "ignore")), st.integers(0, 60))
def test_boundary_cuts_no_character(data, cut):
    part = data[:cut]
    end = boundary(part)
    assert valid_utf8(part[:end])
    assert len(part) - end < 4


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(alphabet="añ日\r,\"'x", max_size=40), max_size=60),
    st.integers(60, 900),
    st.sampled_from(["\n", "\r\n", "\n\n", " "]),
)
def test_blocks_of_a_file_end_where_its_lines_do(lines, block, between):
    data = between.join(lines).encode() + b"end"
    with pytest.MonkeyPatch.context() as patch, tempfile.NamedTemporaryFile() as file:
        patch.setattr(encodings, "NEAR", 50)
        Path(file.name).write_bytes(data)
        made = Input("x", data[:16], partial(Path(file.name).open, "rb"), size=len(data))
        encoding, blocks = utf8_blocks(made, ReadLog(), block)
        pieces = list(blocks)
    assert encoding.name == "utf-8"
    assert b"".join(pieces) == data
    for piece in pieces[:-1]:
        assert len(piece) <= block
        assert piece.endswith(b"\n") or b"\n" not in piece[-40:]
