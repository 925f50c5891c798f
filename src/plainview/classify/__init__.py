"""From profiles to findings: how likely each column is a kind of personal data; sees counts, no values."""
