"""Networks, each initialised from a seed."""
