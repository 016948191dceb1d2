"""Taking in a new document: staging, verifying, API snapshot and diff, the report."""
