# slipwayd and slipwayctl.
libs += service
service.src  := $(filter-out %/main.c,$(wildcard service/*.c))
service.pkgs := sqlite3 jansson libevent
service.uses := imagebuilder common
bins += slipwayd slipwayctl
slipwayd.src   := service/main.c
slipwayd.uses  := service
slipwayctl.src := $(wildcard service/ctl/*.c)
slipwayctl.uses := common
# schema.c embeds these files.
$(BUILD)/obj/service/schema.o: $(wildcard service/schema/*.sql)
