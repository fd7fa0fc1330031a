# slipwayd and slipwayctl.
libs += service
service.src  := $(filter-out %/main.c,$(wildcard service/*.c))
service.pkgs := sqlite3 jansson libevent
service.uses := imagebuilder common
bins += slipwayd slipwayctl
slipwayd.src   := service/main.c
slipwayd.uses  := service
slipwayctl.src := service/ctl/main.c
slipwayctl.uses := ctl
# What slipwayctl does, apart from its main(): a library for its unit tests.
libs += ctl
ctl.src  := $(filter-out %/main.c,$(wildcard service/ctl/*.c))
ctl.uses := common
tests/unit/service/ctl/.lib := ctl
# schema.c embeds these files.
$(BUILD)/obj/service/schema.o: $(wildcard service/schema/*.sql)
