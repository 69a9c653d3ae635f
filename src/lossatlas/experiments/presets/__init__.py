"""The comparisons: each a TOML file of settings, and a module that says what its numbers mean."""
