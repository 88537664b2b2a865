/* sample_internal: what the files of tracker/sample share. */
#pragma once

#include <glib.h>

#include "tracker/db.h"
#include "tracker/sample/data.h"
#include "tracker/zone.h"

#define SAMPLE_PROJECT_ID G_GINT64_CONSTANT(2500001)
#define SAMPLE_PROJECT_ID_TEXT "2500001"
#define SAMPLE_ACCOUNT_ID G_GINT64_CONSTANT(1100001)
#define SAMPLE_PERSON_ID G_GINT64_CONSTANT(3300001)
#define SAMPLE_MEMBERSHIP_ID G_GINT64_CONSTANT(11800001)
#define SAMPLE_STORY_ID G_GINT64_CONSTANT(185000001)
#define SAMPLE_LABEL_ID G_GINT64_CONSTANT(25000001)
#define SAMPLE_EPIC_ID G_GINT64_CONSTANT(4700001)
#define SAMPLE_REVIEW_TYPE_ID G_GINT64_CONSTANT(5100001)
#define SAMPLE_COMMENT_ID G_GINT64_CONSTANT(238000001)
#define SAMPLE_TASK_ID G_GINT64_CONSTANT(95000001)
#define SAMPLE_ATTACHMENT_ID G_GINT64_CONSTANT(109000001)
#define SAMPLE_REVIEW_ID G_GINT64_CONSTANT(12000001)
#define SAMPLE_BLOCKER_ID G_GINT64_CONSTANT(13000001)
#define SAMPLE_POSITION_STEP 65536

/* The sample's calendar: day 0 is the first of the current iteration. */
typedef struct SampleTime {
    gint64 first_day; /* zone.h day number of day 0 */
    Zone *zone;       /* the sample's to close */
} SampleTime;

/* Instant of a minute (local time) on a day that many days before day 0. */
gint64 sample_instant_ms(const SampleTime *time, int days_before, int minute_of_day);

gint64 sample_person_id(char letter);
/* The types of a new project: "Test (QA)", "Design", "Code", "Security". 0: no such type. */
gint64 sample_review_type_id(const char *name);

/* People, account, project, memberships, review types. The project's version is the caller's to
 * raise. */
void sample_write_project(DbConn *conn, const SampleTime *time, const char *name);

/* The hand-written stories with their whole history. */
gboolean sample_write_history(DbConn *conn, const SampleTime *time, GError **error);
void sample_write_generated(DbConn *conn, const SampleTime *time, guint stories);

/* The contents of a sample attachment; owned. */
GByteArray *sample_file(const char *name, const SampleTime *time);
#define SAMPLE_CHART_WIDTH 640
#define SAMPLE_CHART_HEIGHT 360
