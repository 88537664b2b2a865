/* schema: the tables of a tracker database, as SQL text (tracker/schema.c, which explains them).
 *
 * Who fills tables by SQL (an importer, the sample) follows the rules at the top of schema.c.
 * Threads: any; constants only. */
#pragma once

#include <glib.h>

/* PRAGMA application_id of our files: "TRKF". */
#define SCHEMA_APPLICATION_ID 0x54524b46

/* The newest PRAGMA user_version this program writes. */
int schema_version(void);
/* The steps to it: [i] leads from version i to i + 1. */
const char *const *schema_steps(void);
/* Statements to run before every commit of a change, NULL-terminated; constants. */
const char *const *schema_before_commit(void);
