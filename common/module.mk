# What two programs share. Uses nothing of ours; linked statically, never installed.
libs += common
common.src  := $(wildcard common/*.c common/wire/*.c)
common.pkgs := jansson libcurl libevent libzstd
