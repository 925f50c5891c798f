"""Values that are not in clear: hashes of what a field name says, and values of which a part is masked.

Neither is anonymous. A hash of an address or a number is a pseudonym: who has a list of addresses finds each of them
in it (GDPR Art. 4(5), Recital 26; WP216). What a mask leaves may tell a person apart beside other columns.
"""

from __future__ import annotations

from collections.abc import Mapping

from plainview import tags
from plainview.classify.weighing import NAME, PRIOR, SHOWN, Candidate, Seen
from plainview.detectors import Detector
from plainview.detectors.conditions import meant
from plainview.detectors.fieldnames import NameIndex, tokens
from plainview.detectors.identifying import identifying
from plainview.profiles import Count

HASHED, MASKED = "pseudonymised", "masked"
MOSTLY = 0.8  # share of the distinct values
AGREES = 3.0  # logit: values that have the form under a name that says so
# Words that say how a value is disguised; without them the name says what it is. `sha256` and `md5` lose their digits.
_HOW = frozenset(
    "md md5 sha sha1 sha2 sha256 sha384 sha512 hash hashed hashes hashwert digest hmac crc hex pseudonym pseudo "
    "pseudonymised pseudonymized pseudonymisiert anonymised anonymized anon encrypted enc tokenized tokenised salted "
    "gehasht hachage masked mask redacted obfuscated hidden maskiert masque enmascarado mascarado".split()
)


def by_disguise(
    path: str, column: Seen, detectors: Mapping[str, Detector], names: NameIndex, table: str
) -> Candidate | None:
    """Take a column of hashes, or of masked values, for what its name says is disguised in it."""
    form = form_of(column)
    if not form or column.distinct < 2:
        return None
    *above, own = meant(path).split(".")
    rest = [word for word in tokens(own) if word not in _HOW]
    said = [
        (detectors[match.detector], match.strength)
        for match in names.match(".".join([*above, " ".join(rest)]), table)
        if match.strength >= SHOWN and detectors[match.detector].category in identifying()
    ]
    if not rest or not said:
        return None
    detector, named = max(said, key=lambda pair: (pair[1], pair[0].name))
    tag = tags.HASH if form == HASHED else tags.MASKED
    cells = round(column.filled * column.share(tag))
    what = "are hashes by their form" if form == HASHED else "are masked in part"
    words = [
        f"the field name says {detector.label}",
        f"{column.tags[tag]:,} of {column.distinct:,} distinct values looked at {what}: {form}, which is not anonymous",
    ]
    weights = [("before anything is looked at", PRIOR), (words[0], NAME * named), (words[1], AGREES)]
    logit = PRIOR + NAME * named + AGREES
    return Candidate(detector, logit, Count(column.filled, cells, cells), words, named=named, weights=weights)


def form_of(column: Seen) -> str:
    """Return how the values of a column are disguised, "" where they are in clear."""
    if column.share(tags.HASH) >= MOSTLY:
        return HASHED
    return MASKED if column.share(tags.MASKED) >= MOSTLY else ""


__all__ = ["HASHED", "MASKED", "by_disguise", "form_of"]
