# Boot media and OS images: libimagebuilder (static) and slipway-image.
libs += imagebuilder
imagebuilder.src  := $(filter-out %/main.c,$(wildcard imagebuilder/*.c))
imagebuilder.pkgs := libarchive libisofs-1 libkmod libzstd jansson
imagebuilder.uses := common
bins += slipway-image
slipway-image.src  := imagebuilder/main.c
slipway-image.uses := imagebuilder
