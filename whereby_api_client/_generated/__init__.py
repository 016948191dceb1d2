"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""
