"""What several stores use: SCRAM, groups of keys, signs of earlier visitors, SQL text."""
