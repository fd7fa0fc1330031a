# Programs that only the tests use.
