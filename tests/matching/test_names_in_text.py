"""Names of persons in running text, by cue words, capitals and word lists; and what looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview import find
from plainview.matching.names_in_text import names_in


def said(text: str) -> list[str]:
    return [text[m.start : m.end] for m in find(text) if m.category == "person_name"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Please ask Margaret Thornton about it.", "Margaret Thornton"),
        ("Dear Mrs. Thornton, thank you", "Thornton"),
        ("gestern hat Herr Öztürk angerufen", "Öztürk"),
        ("le rapport de Mme Lefebvre est prêt", "Lefebvre"),
        ("habló con la Dra. Nuria Vidal Soto ayer", "Nuria Vidal Soto"),
        ("il paziente Lorenzo Rinaldi è stato visitato", "Lorenzo Rinaldi"),
        ("o relatório de Beatriz Figueiredo chegou", "Beatriz Figueiredo"),
        ("gesprek met Joost van Dijk over de rekening", "Joost van Dijk"),
        ("umowa z panem Tomasz Zieliński podpisana", "Tomasz Zieliński"),
        ("volala Markéta Procházka kvůli smlouvě", "Markéta Procházka"),
        ("contractul cu Mihaela Dumitrescu este gata", "Mihaela Dumitrescu"),
        ("az ügyfél, Katalin Horváth, felhívott", "Katalin Horváth"),
        ("dün Zeynep Yıldız ile görüştük", "Zeynep Yıldız"),
        ("mötet med Gustav Lindqvist blev av", "Gustav Lindqvist"),
        ("puhuin eilen Mikko Virtanen kanssa", "Mikko Virtanen"),
        ("вчера звонила Наталья Соколова по договору", "Наталья Соколова"),
        ("дзвонив Тарас Коваленко щодо рахунку", "Тарас Коваленко"),
        ("担当は佐藤さんです", "佐藤"),
        ("王伟先生来电咨询", "王伟"),
        ("김민준 씨에게 연락했습니다", "김민준"),
        ("Apellidos: Urcuyo Rot\nNHC: 12", "Urcuyo Rot"),
        ("Patient: Agnieszka Mazur\n", "Agnieszka Mazur"),
        ("| Name | Joost Visser |", "Joost Visser"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert any(name == one.rstrip(".") for one in said(text)), said(text)


@pytest.mark.parametrize(
    "text",
    [
        "The Johns Hopkins University Hospital opened.",
        "Wir fuhren durch die Martin Luther Straße nach Hause.",
        "New York and San Francisco are far from Los Angeles",
        "Blue Mountain Coffee is served in the Grand Hotel",
        "ERROR Connection Refused: Retry Limit Exceeded",
        "Monday Morning Meeting, Order Number 12",
        "Deutsche Bank AG und Acme GmbH",
        "name: backend\nimage: Debian Slim",
        "product name: Desk Lamp",
        "北京市朝阳区有限公司",
    ],
)
def test_no_names(text: str) -> None:
    assert said(text) == []


@given(st.text(alphabet="AaéÑ王さん. ,:='-|\n", max_size=200))
def test_spans_lie_in_the_text(text: str) -> None:
    assert all(0 <= start < end <= len(text) for start, end in names_in(text))
