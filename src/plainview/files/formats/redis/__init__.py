"""What Redis keeps on disk: snapshots (RDB) and logs of commands (AOF)."""
