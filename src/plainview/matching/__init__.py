"""Stage 3: the only stage that looks at values. What leaves it is counts, tags and offsets."""
