"""Words that columns are named with, in many languages: a line that holds them is a header, and no row."""

from __future__ import annotations

import re

# Folded; one of them in a short cell without digits speaks for a header.
WORDS = frozenset(
    "id ids key code name names first last middle full given family sur surname firstname lastname fullname "
    "username user login email mail phone mobile tel telephone fax address street city town zip zipcode postcode "
    "postal state province county country region nationality gender sex age dob birth birthday birthdate date time "
    "day month year created updated timestamp start end type kind class category status title description desc note "
    "notes comment comments text body message subject label tag tags value values amount total sum count number no "
    "num nr qty quantity price cost rate salary income currency tax vat iban bic account bank card cvv balance "
    "score rank level lat latitude lon lng long longitude location place area ip host url uri link website domain "
    "company organization organisation department position job occupation role employer product item sku order "
    "invoice customer client patient student employee member person people ssn passport license licence plate vin "
    "religion ethnicity race diagnosis blood height weight size length width color colour language lang locale "
    "version source file path nachname vorname strasse straße ort plz stadt land telefon handy geburtsdatum "
    "geschlecht datum betrag preis anzahl nummer kunde kunden firma beschreibung bemerkung anrede titel konto nom "
    "prenom prénom adresse rue ville pays téléphone courriel naissance sexe âge montant prix quantité numéro "
    "société nombre apellido apellidos correo teléfono telefono dirección direccion calle ciudad país pais "
    "provincia fecha nacimiento sexo edad importe precio cantidad número numero nome cognome indirizzo città citta "
    "cap nazione nascita sesso età importo prezzo sobrenome endereço endereco rua cidade estado nascimento idade "
    "valor preço imię imie nazwisko adres ulica miasto kraj kod data urodzenia płeć plec wiek kwota cena ilość naam "
    "voornaam achternaam straat plaats woonplaats geboortedatum geslacht leeftijd bedrag prijs aantal namn förnamn "
    "efternamn gata födelsedatum kön navn fornavn efternavn etternavn by fødselsdato køn kjønn nimi etunimi "
    "sukunimi osoite jméno příjmení ulice město vezetéknév keresztnév név cím utca ad soyad isim şehir doğum tarihi "
    "имя фамилия отчество телефон адрес почта город страна дата рождения пол возраст сумма цена номер логин пароль "
    "паспорт ім'я прізвище місто адреса όνομα επώνυμο διεύθυνση πόλη τηλέφωνο שם משפחה כתובת טלפון עיר اسم الاسم "
    "العنوان الهاتف المدينة نام آدرس password pass pwd hash token secret uuid guid ชื่อ นามสกุล ที่อยู่ họ tên nama "
    "alamat".split()
)
SIGNS = (
    "姓名 名前 氏名 地址 住所 电话 電話 手机 邮箱 メール 性别 性別 年龄 年齡 生日 日期 编号 編號 番号 身份证 "
    "이름 주소 전화 성별 나이 생년월일 이메일 번호 城市 国家 國家 民族 备注 備註 价格 金额"
).split()
_TOKEN = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"[a-z][A-Z]|\w_\w")


def words_of_heading(cell: str) -> list[str]:
    """Return the words of a cell, folded; `firstName` and `first_name` are two."""
    return _TOKEN.findall(_CAMEL.sub(lambda found: f"{found[0][0]} {found[0][-1]}", cell).casefold())


__all__ = ["SIGNS", "WORDS", "words_of_heading"]
