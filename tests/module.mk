# Programs that only the tests use.
bins += bench-load bench-measure bench-register bench-write
bench-measure.src  := tests/bench/measure.c
bench-measure.uses := common
bench-load.src   := tests/bench/load.c
bench-load.uses  := common
bench-register.src  := tests/bench/register.c
bench-register.uses := common
bench-write.src  := tests/bench/write.c
bench-write.uses := agent

# Libraries that a test needs besides those of its subject: an independent reader of what was written.
test_logs.pkgs := libarchive
test_tar_gz.pkgs := libarchive

# Programs that run inside the test guests.
bins += guest-stamp guest-read guest-teardown
guest-stamp.src     := tests/guest/stamp.c
guest-read.src      := tests/guest/read.c
guest-teardown.src  := tests/guest/teardown.c
guest-teardown.uses := agent
