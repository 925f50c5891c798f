"""The only room that looks at values: which detectors match, counted into profiles."""
