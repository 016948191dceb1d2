"""The front of openapi-python-client: template context, escaping, rendering."""
