# The host daemon.
libs += agent
agent.src  := $(filter-out %/main.c,$(wildcard agent/*.c))
agent.pkgs := libseccomp libzstd zlib blkid efivar efiboot jansson libevent
agent.uses := hwprobe common
bins += slipway-agent
slipway-agent.src  := agent/main.c
slipway-agent.uses := agent
