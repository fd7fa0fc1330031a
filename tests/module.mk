# Programs that only the tests use.
bins += bench-write
bench-write.src  := tests/bench/write.c
bench-write.uses := agent

# Libraries that a test needs besides those of its subject: an independent reader of what was written.
test_logs.pkgs := libarchive
