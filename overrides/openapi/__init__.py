"""OpenAPI documents as such: pointers, iteration, fetching, validating, comparing."""
