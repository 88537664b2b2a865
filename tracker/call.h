/* call: one request on its way through the service: who asks, for what, and what is answered.
 *
 * Made by service.c, completed by routes.c (ids of the path, project, access), read and written by
 * the handlers. Threads: belongs to one. Errors: call_fail*() note the V5 error and give FALSE, so
 * that a handler ends with `return call_fail(...)`; database errors stick to the connection and
 * become 500. */
#pragma once

#include "tracker/errors.h"
#include "tracker/render.h"
#include "tracker/service.h"

#define CALL_MAX_PARAMS 64
#define CALL_MAX_IDS 500 /* of stories/bulk, and of a page */

/* What a person is in a project; each may do what those before it may. */
typedef enum { ROLE_NONE, ROLE_VIEWER, ROLE_MEMBER, ROLE_OWNER } Role;

typedef struct Call {
    Tracker *tracker;
    const TrackerRequest *request;
    struct Match *match; /* what the path asks for (tracker/routes.c); owned */
    DbConn *conn;
    gint64 now_ms;
    gint64 person_id; /* 0: nobody in particular */
    gboolean envelope;
    GHashTable *params; /* name → value, decoded */

    /* From the path; 0: not part of it. */
    gint64 project_id, story_id, epic_id, comment_id, id, path_person_id;
    char *name; /* of a download */

    /* Of requests that write. */
    struct json_t *given;      /* the checked parameters (tracker/body.h); owned */
    Role role;                 /* of the caller in the project */
    struct ChangeSet *changes; /* what the request changed (tracker/changes.h); owned */
    struct Upload *upload;     /* what is stored already (tracker/write_upload.c); owned */
    gboolean no_content;       /* answer 204 */

    Render render;
    GString *body;
    StoryPage *page;               /* the answer instead of `body`; owned */
    gint64 project_version;        /* negative: no such header */
    gint64 last_notification_ms;   /* negative: no such header */
    gboolean paged, total_unknown; /* the latter: no header of the total */
    gint64 total, limit, offset, returned;
    char *derived_token; /* made for a password, not yet known to the database; owned */
    char *known_token;   /* the same, once it is known; owned */
    char *location;      /* of a redirect; owned */
    int file_fd;         /* -1, or the answer instead of a body */
    gint64 file_bytes;
    char *file_type, *file_name; /* without a file: of a body that is not JSON */
    Problem problem;
} Call;

void call_clear(Call *call);

gboolean call_fail(Call *call, ProblemCode code);
/* 400 with a general_problem. */
gboolean call_fail_text(Call *call, const char *general_problem);
/* `format` has one %s, for the name. */
gboolean call_fail_parameter(Call *call, const char *format, const char *parameter);

/* 400 with a requirement beside it; general_problem may be NULL. */
gboolean call_fail_rule(Call *call, const char *general_problem, const char *requirement);
/* 400 whose general_problem is also the one of an attribute, in validation_errors. */
gboolean call_fail_field(Call *call, const char *field, const char *problem);

/* Is it an element of the comma list? */
gboolean call_is_listed(const char *list, const char *name);
/* "a=b&c=d" decoded, the last of equal names; NULL and a 400 when there are too many. Owned. */
GHashTable *call_decode_form(Call *call, const char *text, gsize bytes);

/* Query and parameters; every name must be allowed (comma list), a common one, or of the path. */
gboolean call_parse_query(Call *call);
gboolean call_check_params(Call *call, const char *allowed);
/* One that every endpoint takes. */
gboolean call_is_common_param(const char *name);
/* NULL when absent. */
const char *call_param(const Call *call, const char *name);
/* FALSE and a 400 when it is there but no integer or time; otherwise *ret_there tells. */
gboolean call_param_int(Call *call, const char *name, gboolean *ret_there, gint64 *ret_value);
gboolean call_param_time(Call *call, const char *name, gboolean *ret_there, gint64 *ret_ms);
/* One of a comma list, or a 400. *ret_value stays NULL when absent. */
gboolean call_param_enum(Call *call, const char *name, const char *values, const char **ret_value);

/* limit and offset into the call, which becomes a paged one. */
gboolean call_page(Call *call, gint64 default_limit, gint64 max_limit, gboolean negative_offset);

/* The selection of the request's `fields`; NULL and a 400 when it cannot be read. Owned. */
Selection *call_fields(Call *call, const Kind *kind);

/* The usual ends of handlers: an array of the objects of these ids; one object, or 404. */
gboolean call_answer_list(Call *call, const Kind *kind, const GArray *ids);
gboolean call_answer_stmt(Call *call, const Kind *kind, DbStmt *ids_stmt);
gboolean call_answer_one(Call *call, const Kind *kind, gint64 id);
/* One object found by a statement whose parameter 1 is the id and 2 the parent. */
gboolean call_answer_child(Call *call, const Kind *kind, const char *sql, gint64 parent);

/* SQL conditions with their values, for lists with filters. */
typedef struct Where {
    GString *sql;      /* " AND ..." */
    GArray *values;    /* WhereValue */
    gboolean made;     /* has a where_condition(): a text of its own for every request */
    const char *count; /* NULL, or a statement that counts the same without looking at each */
} Where;
void where_init(Where *where);
void where_clear(Where *where);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Where, where_clear)
/* `condition` has one "?". */
void where_int(Where *where, const char *condition, gint64 value);
void where_text(Where *where, const char *condition, const char *value);
/* Values first, for conditions that are built: each gives its parameter's number. */
guint where_bind_int(Where *where, gint64 value);
guint where_bind_text(Where *where, const char *value);
/* A condition whose parameters are numbered already. */
void where_condition(Where *where, const char *condition);
/* Time bound from a parameter, if given. */
gboolean where_time(Where *where, Call *call, const char *parameter, const char *condition);
/* Numbers the parameters and binds them, from 1. */
DbStmt *where_prepare(const Where *where, DbConn *conn, const char *before, const char *after);
/* Counts into call->total, then answers the page in order. `from` is "FROM ... WHERE ...", t the
 * objects. */
gboolean call_answer_page(Call *call, const Kind *kind, const char *from, const char *order,
                          const Where *where);

/* Appends what GET of a path (with its query) would answer to the same caller, inside the call's
 * transaction; its error object when it is refused. Without headers. In service.c. */
void call_run_inside(Call *call, const char *url, GString *out);

/* Makes a project the call's: it must exist (404) and be open to the caller (403). */
gboolean call_enter_project(Call *call, gint64 project_id);
/* The role of a person in a project; NONE also for inactive members. */
Role call_role_of(Call *call, gint64 project_id, gint64 person_id);
