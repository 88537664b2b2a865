/* ops_open: the operations on open files and folders. For the table in ops.c. */
#pragma once

#include "fs/handle.h"
#include "fs/op.h"

void ops_open(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *info);
void ops_read(fuse_req_t req, fuse_ino_t number, size_t size, off_t offset,
              struct fuse_file_info *info);
void ops_release(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *info);
void ops_opendir(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *info);
void ops_readdir(fuse_req_t req, fuse_ino_t number, size_t size, off_t offset,
                 struct fuse_file_info *info);
void ops_readdirplus(fuse_req_t req, fuse_ino_t number, size_t size, off_t offset,
                     struct fuse_file_info *info);

/* Answers with the entries of `handle` after `offset`, as many as fit; FALSE: there were none, or
 * it failed. */
gboolean ops_answer_directory(Fs *fs, fuse_req_t req, const Handle *handle, size_t size,
                              off_t offset, gboolean with_attributes);

/* Answers an open with a handle; `late`: when the kernel has forgotten the size it was told. */
void ops_answer_open(Op *op, Handle *handle, gboolean late);
/* The kernel is about to get the handle; at the end of the mount those that it never gave back are
 * ended by ops_drop_handles(). */
void ops_hold_handle(Fs *fs, Handle *handle);
void ops_drop_handles(Fs *fs);
/* Ends a handle, and its share in what it opened. */
void ops_drop_handle(Fs *fs, Handle *handle);
