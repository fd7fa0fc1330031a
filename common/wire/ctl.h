#pragma once
/*
 * slipwayctl and slipwayd on the control socket: common/ipc frames, one request at a time.
 *
 *   CTL_REQUEST   {"verb":"os-image-add","args":{…}}, perhaps with one descriptor
 *   CTL_PROGRESS  {"percent":42,"step":"converting"}, any number of them
 *   CTL_RESULT    {"ok":true,…} or {"ok":false,"error":"sentence"}
 */
enum ctl_frame { CTL_REQUEST = 1, CTL_PROGRESS = 2, CTL_RESULT = 3 };

#define CTL_SOCKET_NAME "ctl.sock" /* in the state folder */
#define CTL_MAX (1u << 20)         /* bytes of a frame */
