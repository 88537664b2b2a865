/* ops_ro: reading without a handle, as the kernel does when it was told once that opens need no
 * answer (ENOSYS): the folders of every mount that polls, and the files of a read-only one. Private
 * to the operation table; see version.h for why nobody sees a mix of two versions of a file. */
#pragma once

#include "fs/op.h"

/* Attributes of a file that has versions: of exactly the version that the node is. */
gboolean ops_ro_getattr(Op *op, CacheAsk *ask);

/* Files only with Fs.without_opens, folders with Fs.without_folder_opens. */
void ops_ro_read(fuse_req_t req, fuse_ino_t number, size_t size, off_t offset);
void ops_ro_readdir(fuse_req_t req, fuse_ino_t number, size_t size, off_t offset,
                    gboolean with_attributes);
