"""Names of operations and of schemas, made by rule."""
