"""Samples to train and test on, each set a module; nothing is downloaded unasked."""
