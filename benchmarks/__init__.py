"""Measures the grader beside its peers: `python -m benchmarks.run`, explained in README.md."""
