"""One run, from top to bottom: open each target, read it, count, judge, report."""
