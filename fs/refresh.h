/* refresh: asking the service now, on request, and saying so when everything is known and the
 * kernel is told.
 *
 * Three ways lead here: the attribute user.tracker.refresh (reading it asks; `trackerfs refresh`
 * does), a new time for .trackerfs/refresh (`touch`; not on a read-only mount, where the kernel
 * refuses it before us), and SIGHUP (which nobody waits for: cache_refresh()). On a node of a
 * project only that project is asked about. */
#pragma once

#include "fs/op.h"

#define REFRESH_ATTRIBUTE "user.tracker.refresh"

/* Answers the reading of the attribute, or with attributes of the node. */
void refresh_for_attribute(fuse_req_t req, fuse_ino_t number, size_t size);
void refresh_for_setattr(fuse_req_t req, fuse_ino_t number);
