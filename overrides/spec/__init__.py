"""One module per kind of defect in the published document; found by the engine, not listed."""
