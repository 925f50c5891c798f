"""Processes that parse what somebody else wrote: started, watched, confined by the kernel, ended at limits."""
