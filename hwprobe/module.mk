# Hardware inventory: libhwprobe and slipway-hwprobe.
libs += hwprobe
hwprobe.prog := hwprobe/main.c hwprobe/arguments.c hwprobe/watch.c hwprobe/parts.c
hwprobe.src  := $(filter-out $(hwprobe.prog),$(wildcard hwprobe/*.c))
hwprobe.pkgs := libudev libnl-3.0 jansson
hwprobe.uses := common
# The same as a shared library: number of its interface, names it offers.
shared += hwprobe
hwprobe.abi := 0
hwprobe.sym := hwprobe/libhwprobe.sym
bins += slipway-hwprobe
slipway-hwprobe.src  := $(hwprobe.prog)
slipway-hwprobe.uses := hwprobe
