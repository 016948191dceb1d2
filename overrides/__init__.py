"""Build time only: what we know better than the published document, and the generator's front.

Never shipped. `overrides/spec` holds one module per kind of defect, `engine` runs them. README.md
says where the rest is, CONTRIBUTING.md how to write an override.
"""
