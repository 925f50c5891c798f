"""Tables that checks need: facts of registries, as data.

IBAN: SWIFT IBAN registry (release 101), and the partial list of countries outside it.
Cards: ISO/IEC 7812 issuer ranges that the schemes publish. MCC: ITU-T E.212.
"""

from __future__ import annotations

import re
from typing import Final

_IBAN_REGISTRY = """
AD:8n12c AE:19n AL:8n16c AT:16n AZ:4a20c BA:16n BE:12n BG:4a6n8c BH:4a14c BI:23n BR:23n1a1c
BY:4c4n16c CH:5n12c CR:18n CY:8n16c CZ:20n DE:18n DJ:23n DK:14n DO:4c20n EE:16n EG:25n ES:20n FI:14n
FK:2a12n FO:14n FR:10n11c2n GB:4a14n GE:2a16n GI:4a15c GL:14n GR:7n16c GT:24c HN:4a20n HR:17n HU:24n
IE:4a14n IL:19n IQ:4a15n IS:22n IT:1a10n12c JO:4a4n18c KW:4a22c KZ:3n13c LB:4n20c LC:4a24c LI:5n12c
LT:16n LU:3n13c LV:4a13c LY:21n MC:10n11c2n MD:20c ME:18n MK:3n10c2n MN:16n MR:23n MT:4a5n18c
MU:4a19n3a NI:4a20n NL:4a10n NO:11n OM:3n16c PK:4a16c PL:24n PS:4a21c PT:21n QA:4a21c RO:4a16c
RS:18n RU:14n15c SA:2n18c SC:4a20n3a SD:14n SE:20n SI:15n SK:20n SM:1a10n12c SO:19n ST:21n SV:4a20n
TL:19n TN:20n TR:6n16c UA:6n19c VA:18n VG:4a16n XK:16n YE:4a4n18c
"""
# used by banks though not in the registry
_IBAN_PARTIAL = """
AO:21n BF:2c22n BJ:2c22n CF:23n CG:23n CI:2a22n CM:23n CV:21n DZ:22n GA:23n GQ:23n GW:2c19n IR:22n
KM:23n MA:24n MG:23n ML:2c22n MZ:21n NE:2a22n SN:2a22n TD:23n TG:2a22n
"""

IBAN_FORMS: Final[dict[str, list[tuple[str, str]]]] = {
    entry[:2]: re.findall(r"([0-9]+)([nac])", entry[3:]) for entry in (_IBAN_REGISTRY + _IBAN_PARTIAL).split()
}

CARD_FORMS: Final = (
    # thirteen digits are out of use, and every tenth German bar code would pass
    r"4[0-9]{15}(?:[0-9]{3})?",  # Visa
    r"(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}",  # Mastercard
    r"3[47][0-9]{13}",  # American Express
    r"(?:6011|64[4-9][0-9]|65[0-9]{2})[0-9]{12,15}",  # Discover; also Elo, RuPay, Verve
    r"(?:30[0-5]|309|36[0-9]|3[89][0-9])[0-9]{11}(?:[0-9]{2,5})?",  # Diners Club
    r"35(?:2[89]|[3-8][0-9])[0-9]{12,15}|(?:2131|1800)[0-9]{11}",  # JCB
    r"62[0-9]{14,17}|81(?:[0-6][0-9]|7[01])[0-9]{12,15}",  # UnionPay
    r"(?:5018|5020|5038|5[6-8][0-9]{2}|6304|67[0-9]{2})[0-9]{12,15}",  # Maestro
    r"220[0-5][0-9]{12,15}",  # Mir (0 to 4) and Borica (5)
    r"(?:508[5-9]|6069|607[0-9]|608[0-5]|82[0-9]{2})[0-9]{12}",  # RuPay
    r"(?:5019|9792)[0-9]{12}",  # Dankort, Troy
    r"(?:504175|506699|5067[0-7][0-9]|509[0-9]{3}|627780|636297|636368)[0-9]{10}",  # Elo
    r"606282[0-9]{10}",  # Hipercard
    r"(?:506099|5061[0-9]{2}|507[89][0-9]{2})[0-9]{10}(?:[0-9]{2,3})?",  # Verve
    r"9704[0-9]{12}(?:[0-9]{3})?",  # Napas
    r"(?:8600|9860)[0-9]{12}",  # Uzcard, Humo
)

_MCC = """
001 202 204 206 208 212-214 216 218-222 225 226 228 230-232 234 235 238 240 242 244 246-248 250 255
257 259 260 262 266 268 270 272 274 276 278 280 282-284 286 288-290 292-295 297 302 308 310-316 330
332 334 338 340 342 344 346 348 350 352 354 356 358 360 362-366 368 370 372 374 376 400-402 404-406
410 412-422 424-432 434 436-438 440 441 450 452 454-457 460 461 466 467 470 472 502 505 510 514 515 520
525 528 530 536 537 539-555 602-643 645-655 657-659 702 704 706 708 710 712 714 716 722 724 730 732 734 736
738 740 742 744 746 748 750 901
"""


def _expand(ranges: str) -> set[int]:
    found: set[int] = set()
    for entry in ranges.split():
        low, _, high = entry.partition("-")
        found.update(range(int(low), int(high or low) + 1))
    return found


MOBILE_COUNTRY_CODES: Final = frozenset(_expand(_MCC))
