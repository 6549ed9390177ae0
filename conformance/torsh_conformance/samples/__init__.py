"""Samples, one module per family of ops; see ``torsh_conformance.sample``."""
