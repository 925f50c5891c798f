"""Fake servers written from documented bytes, for products that cannot be installed here."""
