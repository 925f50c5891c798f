"""The type `Detector`: what one file of `data/` says. How it is read and checked stands in the package itself."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """One kind of personal data. Patterns are RE2 syntax with ASCII classes and describe the whole value."""

    name: str
    label: str
    category: str
    country: str = ""
    names: tuple[str, ...] = ()
    names_not: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    check: str = ""
    vocabulary: str = ""
    in_text: bool = False
    context: tuple[str, ...] = ()
    needs_name: bool = False
    needs_person: bool = False
    reference: str = ""
    matches: tuple[str, ...] = field(default=(), repr=False)
    non_matches: tuple[str, ...] = field(default=(), repr=False)
    name_matches: tuple[str, ...] = field(default=(), repr=False)
    name_non_matches: tuple[str, ...] = field(default=(), repr=False)

    @property
    def has_values(self) -> bool:
        """True when cells can be looked at, not only the field name."""
        return bool(self.patterns or self.vocabulary)
