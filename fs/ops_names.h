/* ops_names: the operations that make, remove and rename names: unlink, rmdir, rename, link,
 * symlink, mkdir. For the table in ops.c. */
#pragma once

#include "fs/op.h"

void ops_unlink(fuse_req_t req, fuse_ino_t folder, const char *name);
void ops_rmdir(fuse_req_t req, fuse_ino_t folder, const char *name);
void ops_rename(fuse_req_t req, fuse_ino_t folder, const char *name, fuse_ino_t new_folder,
                const char *new_name, unsigned flags);
void ops_link(fuse_req_t req, fuse_ino_t number, fuse_ino_t folder, const char *name);
void ops_symlink(fuse_req_t req, const char *target, fuse_ino_t folder, const char *name);
void ops_mkdir(fuse_req_t req, fuse_ino_t folder, const char *name, mode_t mode);
