"""The report: its model, names made safe to print, its renderings."""
