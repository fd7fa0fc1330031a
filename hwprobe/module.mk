# Hardware inventory: libhwprobe and slipway-hwprobe.
libs += hwprobe
hwprobe.prog := hwprobe/main.c hwprobe/watch.c hwprobe/parts.c
hwprobe.src  := $(filter-out $(hwprobe.prog),$(wildcard hwprobe/*.c))
hwprobe.pkgs := libudev libnl-3.0 jansson
hwprobe.uses := common
bins += slipway-hwprobe
slipway-hwprobe.src  := $(hwprobe.prog)
slipway-hwprobe.uses := hwprobe
