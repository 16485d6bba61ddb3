"""A lake with buckets and databases of its own, and the stack that it is on: for tests and benchmarks."""
