# Programs that only the tests use.
bins += bench-load bench-write
bench-load.src   := tests/bench/load.c
bench-load.uses  := common
bench-write.src  := tests/bench/write.c
bench-write.uses := agent

# Libraries that a test needs besides those of its subject: an independent reader of what was written.
test_logs.pkgs := libarchive
