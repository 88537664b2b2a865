/* ops_write: the operations that write a file: open to write, create, write, flush, fsync, release,
 * setattr, fallocate. For the tables in ops.c and ops_open.c. */
#pragma once

#include "fs/handle.h"
#include "fs/op.h"

/* open(2) to write, of a file of the tree or of ours. */
void ops_open_write(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *info);
void ops_create(fuse_req_t req, fuse_ino_t folder, const char *name, mode_t mode,
                struct fuse_file_info *info);
void ops_mknod(fuse_req_t req, fuse_ino_t folder, const char *name, mode_t mode, dev_t device);
void ops_write(fuse_req_t req, fuse_ino_t number, const char *data, size_t size, off_t offset,
               struct fuse_file_info *info);
void ops_flush(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *info);
void ops_fsync(fuse_req_t req, fuse_ino_t number, int only_data, struct fuse_file_info *info);
void ops_setattr(fuse_req_t req, fuse_ino_t number, struct stat *attributes, int to_set,
                 struct fuse_file_info *info);
void ops_fallocate(fuse_req_t req, fuse_ino_t number, int mode, off_t offset, off_t length,
                   struct fuse_file_info *info);

/* Ends a handle that was opened to write: saves what is unsaved, then answers. */
void ops_release_writer(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *info);

/* A file or link of ours, new, with a number. NULL: ERR_NO_SPACE. On disk with `on_disk`: in the
 * cache's spool. */
Draft *ops_new_draft(Fs *fs, mode_t mode, gboolean on_disk, GError **error);
Draft *ops_new_link(Fs *fs, const char *target);

/* Answers with the entry of a draft of ours; the kernel keeps nothing of it. */
void ops_answer_draft(Op *op, Draft *draft);

/* For open(2) to read, where there is a draft. Takes the reference, which draft_table_open() gave.
 */
void ops_open_draft(Op *op, Draft *draft);
