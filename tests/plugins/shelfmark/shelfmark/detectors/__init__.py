"""Its detectors: the TOML files beside this one."""
