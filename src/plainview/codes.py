"""What is kept of a person beside a keyed hash: a number of 16 bits, of flags and of a country. Codes add up.

A code says at most: the address is a reserved example or a mailbox of a role, the age is known, the person is surely
under some age, may be under 18, and of which country. It is counted and never printed.
"""

from __future__ import annotations

RESERVED = 1  # an address or number that standards reserve for examples
AGED = 2  # the age is known
MAYBE_MINOR = 4  # under 18, or just not: the date was not told to the day
UNDER = {18: 8, 16: 16, 14: 32, 13: 64}  # surely under this age
ROLE = 128  # the mailbox of a role, as info@ and noreply@
FLAGS = 0xFF
COUNTRY = 8  # bits to shift the number of a country by

# ISO 3166-1 alpha-2, with XK as it is used for Kosovo. The number of a country is its place here, from 1 on.
COUNTRIES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO "
    "FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE "
    "JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO "
    "MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW "
    "PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM "
    "TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"
).split()
NUMBERS = {country: number for number, country in enumerate(COUNTRIES, 1)}


def joined(one: int, other: int) -> int:
    """Return the code of what both codes speak of: all flags; of two countries the one that stands last here."""
    return (one | other) & FLAGS | max(one >> COUNTRY, other >> COUNTRY) << COUNTRY


def of_country(country: str) -> int:
    """Return the code of a country, 0 for one that is not known."""
    return NUMBERS.get(country, 0) << COUNTRY


def country_of(code: int) -> str:
    """Return the country that a code says, or an empty text."""
    number = code >> COUNTRY
    return COUNTRIES[number - 1] if 0 < number <= len(COUNTRIES) else ""
