# Hardware inventory: libhwprobe and slipway-hwprobe.
libs += hwprobe
hwprobe.src  := $(filter-out %/main.c,$(wildcard hwprobe/*.c))
hwprobe.pkgs := libudev blkid libnl-3.0 libnl-route-3.0 libnl-genl-3.0 jansson
hwprobe.uses := common
bins += slipway-hwprobe
slipway-hwprobe.src  := hwprobe/main.c
slipway-hwprobe.uses := hwprobe
