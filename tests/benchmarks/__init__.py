"""How fast the service is beside the bare floor: `make bench`, or `python -m tests.benchmarks --help`."""
