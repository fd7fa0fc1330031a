#pragma once
/*
 * The control socket of slipwayd (DIR/ctl.sock, 0600): what slipwayctl talks to. Whoever may open it is the administrator.
 */
#include "common/fault.h"
#include "service/service.h"

struct ctl_server;

/* Begins to listen; needs svc->images. */
int ctl_server_new(struct service *svc, struct ctl_server **ret, struct fault *err);
/* Ends running work (it is taken back), closes connections, removes the socket. */
void ctl_server_free(struct ctl_server *s);
