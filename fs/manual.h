/* manual: the README.md of the mounted tree: how to use it, and what this account holds. Pure, any
 * thread. */
#pragma once

#include "fs/render.h"

Content manual_render(const Account *account, gboolean id_names);

/* The latest change of anything it tells. */
gint64 manual_changed_ms(const Account *account);
