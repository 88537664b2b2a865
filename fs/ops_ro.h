/* ops_ro: reading files and folders of a read-only mount without a handle, as the kernel does when
 * it was told once that opens need no answer (ENOSYS). Private to the operation table; see
 * version.h for why nobody sees a mix of two versions. */
#pragma once

#include "fs/op.h"

/* Attributes of a file that has versions: of exactly the version that the node is. */
gboolean ops_ro_getattr(Op *op, CacheAsk *ask);

void ops_ro_read(fuse_req_t req, fuse_ino_t number, size_t size, off_t offset);
void ops_ro_readdir(fuse_req_t req, fuse_ino_t number, size_t size, off_t offset,
                    gboolean with_attributes);
