"""The conformance suite: samples, comparison, timing, report."""
