"""Files at the storage hosts: downloads, access links, progress."""
