/* v5_stage: take() finds out what a value is, split() takes its nested parts out, put() merges it
 * with what is there.
 *
 * merge(): the one with the newer updated_at wins attribute by attribute; attributes that only the
 * other one has are kept, except those that a full answer leaves out when they are empty (an
 * estimate that was cleared): a strictly newer full answer removes them. */
#include "tracker/import/v5_stage.h"

#include <string.h>

#include <sqlite3.h>

#include "tracker/import/v5_json.h"

#define MAX_UNKNOWN_KINDS 1000
#define MAX_KIND_NAME_BYTES 64

struct Stage {
    sqlite3 *db;
    sqlite3_stmt *find, *store, *order, *place, *parent;
    GHashTable *unknown; /* name -> count */
    gint64 next_place, me_id;
    GError *error;
};

/* ---- the temporary database ---- */

static void
note_error(Stage *stage, int rc)
{
    if (stage->error == NULL) {
        g_set_error(&stage->error, TRACKER_ERROR,
                    rc == SQLITE_FULL ? (int)TRACKER_ERROR_NO_SPACE : (int)TRACKER_ERROR_FAILED,
                    "temporary database: %s", sqlite3_errmsg(stage->db));
    }
}

static sqlite3_stmt *
prepare(Stage *stage, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(stage->db, sql, -1, &stmt, NULL);
    if (rc != SQLITE_OK) {
        note_error(stage, rc);
    }
    return stmt;
}

Stage *
stage_new(GError **error)
{
    g_autoptr(Stage) stage = g_new0(Stage, 1);
    stage->unknown = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    int rc = sqlite3_open_v2("", &stage->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(stage->db,
                          "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
                          "CREATE TABLE resource(kind INTEGER, id INTEGER, key TEXT, json TEXT,"
                          " PRIMARY KEY(kind, id, key));"
                          "CREATE TABLE place(story_id INTEGER PRIMARY KEY, place INTEGER);"
                          "CREATE TABLE parent(kind INTEGER, id INTEGER, project_id INTEGER,"
                          " PRIMARY KEY(kind, id)) WITHOUT ROWID;",
                          NULL, NULL, NULL);
    }
    if (rc != SQLITE_OK) {
        note_error(stage, rc);
    } else {
        stage->find =
            prepare(stage, "SELECT json FROM resource WHERE kind = ?1 AND id = ?2 AND key = ?3");
        stage->store =
            prepare(stage, "INSERT INTO resource(kind, id, key, json) VALUES(?1, ?2, ?3, ?4)"
                           " ON CONFLICT DO UPDATE SET json = excluded.json");
        stage->order =
            prepare(stage, "INSERT OR IGNORE INTO place(story_id, place) VALUES(?1, ?2)");
        stage->place = prepare(stage, "SELECT place FROM place WHERE story_id = ?1");
        stage->parent =
            prepare(stage, "INSERT INTO parent(kind, id, project_id) VALUES(?1, ?2, ?3) ON CONFLICT"
                           " DO UPDATE SET project_id = max(project_id, excluded.project_id)");
    }
    return stage_check(stage, error) ? g_steal_pointer(&stage) : NULL;
}

void
stage_free(Stage *stage)
{
    if (stage == NULL) {
        return;
    }
    (void)sqlite3_finalize(stage->find);
    (void)sqlite3_finalize(stage->store);
    (void)sqlite3_finalize(stage->order);
    (void)sqlite3_finalize(stage->place);
    (void)sqlite3_finalize(stage->parent);
    (void)sqlite3_close(stage->db);
    g_hash_table_unref(stage->unknown);
    g_clear_error(&stage->error);
    g_free(stage);
}

gboolean
stage_check(Stage *stage, GError **error)
{
    if (stage->error == NULL) {
        return TRUE;
    }
    g_propagate_error(error, g_error_copy(stage->error));
    return FALSE;
}

/* Runs a statement that gives no rows. */
static void
run(Stage *stage, sqlite3_stmt *stmt)
{
    int rc = sqlite3_step(stmt);
    if (rc != SQLITE_DONE && rc != SQLITE_ROW) {
        note_error(stage, rc);
    }
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
}

void
stage_count_unknown(Stage *stage, const char *what)
{
    g_autofree char *name = g_strndup(what, MAX_KIND_NAME_BYTES);
    g_autofree char *valid = g_utf8_make_valid(name, -1);
    if (g_hash_table_size(stage->unknown) >= MAX_UNKNOWN_KINDS &&
        !g_hash_table_contains(stage->unknown, valid)) {
        (void)g_strlcpy(valid, "-", 2);
    }
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(stage->unknown, valid));
    (void)g_hash_table_insert(stage->unknown, g_strdup(valid), GUINT_TO_POINTER(count + 1));
}

GHashTable *
stage_unknown(Stage *stage)
{
    return stage->unknown;
}

gint64
stage_me(Stage *stage)
{
    return stage->me_id;
}

/* ---- merging ---- */

static gboolean
is_full_answer(V5Kind kind, const json_t *resource)
{
    return json_object_get(resource, "created_at") != NULL &&
           json_object_get(resource, "updated_at") != NULL &&
           (kind != V5_STORY || json_object_get(resource, "requested_by_id") != NULL);
}

static gboolean
is_left_out_when_empty(V5Kind kind, const char *key)
{
    static const struct {
        V5Kind kind;
        const char *key;
    } keys[] = {
        {V5_STORY, "description"},  {V5_STORY, "estimate"},          {V5_STORY, "accepted_at"},
        {V5_STORY, "deadline"},     {V5_STORY, "external_id"},       {V5_STORY, "integration_id"},
        {V5_STORY, "owned_by_id"},  {V5_EPIC, "description"},        {V5_PROJECT, "description"},
        {V5_PROJECT, "start_date"}, {V5_PROJECT, "profile_content"}, {V5_COMMENT, "text"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (keys[i].kind == kind && strcmp(keys[i].key, key) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Returns the one of the two that holds the result. */
static json_t *
merge(V5Kind kind, json_t *old, json_t *fresh)
{
    gint64 old_ms = v5_time_ms(json_object_get(old, "updated_at"));
    gint64 fresh_ms = v5_time_ms(json_object_get(fresh, "updated_at"));
    json_t *winner = fresh_ms >= old_ms ? fresh : old;
    json_t *loser = winner == fresh ? old : fresh;
    gboolean replaces =
        old_ms != fresh_ms && old_ms > 0 && fresh_ms > 0 && is_full_answer(kind, winner);
    const char *key;
    json_t *value;
    json_object_foreach(loser, key, value)
    {
        if (json_object_get(winner, key) == NULL &&
            !(replaces && is_left_out_when_empty(kind, key))) {
            (void)json_object_set(winner, key, value);
        }
    }
    return winner;
}

static void
put(Stage *stage, V5Kind kind, gint64 id, const char *key, json_t *resource)
{
    json_t *old = NULL;
    json_t *result = resource;
    (void)sqlite3_bind_int(stage->find, 1, (int)kind);
    (void)sqlite3_bind_int64(stage->find, 2, id);
    (void)sqlite3_bind_text(stage->find, 3, key, -1, SQLITE_STATIC);
    if (sqlite3_step(stage->find) == SQLITE_ROW) {
        old = json_loadb((const char *)sqlite3_column_text(stage->find, 0),
                         (gsize)sqlite3_column_bytes(stage->find, 0), JSON_ALLOW_NUL, NULL);
    }
    (void)sqlite3_reset(stage->find);
    if (old != NULL) {
        result = merge(kind, old, resource);
    }
    char *text = json_dumps(result, JSON_COMPACT);
    if (text == NULL) {
        stage_count_unknown(stage, v5_kind_name(kind));
    } else {
        (void)sqlite3_bind_int(stage->store, 1, (int)kind);
        (void)sqlite3_bind_int64(stage->store, 2, id);
        (void)sqlite3_bind_text(stage->store, 3, key, -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(stage->store, 4, text, -1, SQLITE_STATIC);
        run(stage, stage->store);
    }
    free(text);
    json_decref(old);
}

static void
put_parent(Stage *stage, V5Kind kind, gint64 id, gint64 project_id)
{
    if (id > 0) {
        (void)sqlite3_bind_int(stage->parent, 1, (int)kind);
        (void)sqlite3_bind_int64(stage->parent, 2, id);
        (void)sqlite3_bind_int64(stage->parent, 3, project_id);
        run(stage, stage->parent);
    }
}

/* ---- taking apart ---- */

static gint64
member_id(const json_t *object, const char *key)
{
    gint64 id = json_integer_value(json_object_get(object, key));
    return id > 0 ? id : 0;
}

static void
fill_id(json_t *object, const char *key, gint64 id)
{
    if (id > 0 && member_id(object, key) == 0) {
        (void)json_object_set_new(object, key, json_integer(id));
    }
}

static void take(Stage *stage, json_t *value, V5Context context, guint depth);

/* The list of ids that replaces a list of objects; labels without an id are remembered by name. */
static void
replace_by_ids(json_t *object, const char *ids_key, const json_t *list)
{
    json_t *ids = json_array();
    json_t *names = json_array();
    gsize i;
    json_t *element;
    json_array_foreach(list, i, element)
    {
        if (member_id(element, "id") > 0) {
            (void)json_array_append(ids, json_object_get(element, "id"));
        } else if (json_is_string(element)) {
            (void)json_array_append(names, element);
        } else if (json_is_string(json_object_get(element, "name"))) {
            (void)json_array_append(names, json_object_get(element, "name"));
        }
    }
    (void)json_object_set_new(object, ids_key, ids);
    if (json_array_size(names) > 0 && strcmp(ids_key, "label_ids") == 0) {
        (void)json_object_set(object, "_label_names", names);
    }
    json_decref(names);
}

static gboolean
holds_objects(const json_t *list)
{
    gsize i;
    json_t *element;
    json_array_foreach(list, i, element)
    {
        if (json_is_object(element)) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Lists of resources: taken, and taken out. TRUE when `key` is one. */
static gboolean
split_list(Stage *stage, json_t *object, const char *key, json_t *list, V5Context inner,
           guint depth)
{
    static const struct {
        const char *key, *ids;
    } kept[] = {{"owners", "owner_ids"},
                {"followers", "follower_ids"},
                {"labels", "label_ids"},
                {"projects", "project_ids"}};
    inner.hint = v5_kind_of_collection(key, strlen(key));
    if (strcmp(key, "attachments") == 0) {
        inner.hint = V5_FILE_ATTACHMENT;
    }
    if (inner.hint == V5_UNKNOWN ||
        (!holds_objects(list) && strcmp(key, "labels") != 0 && json_array_size(list) > 0)) {
        return FALSE;
    }
    for (guint i = 0; i < G_N_ELEMENTS(kept); i++) {
        if (strcmp(kept[i].key, key) == 0 && inner.person_id == 0) {
            replace_by_ids(object, kept[i].ids, list);
        }
    }
    take(stage, list, inner, depth + 1);
    return TRUE;
}

/* A person, a label, ...: taken, and replaced by its id. TRUE when `key` is one. */
static gboolean
split_one(Stage *stage, json_t *object, const char *key, json_t *one, V5Context inner, guint depth)
{
    static const struct {
        const char *key;
        V5Kind kind;
    } ones[] = {
        {"person", V5_PERSON},   {"requested_by", V5_PERSON},     {"owned_by", V5_PERSON},
        {"reviewer", V5_PERSON}, {"performed_by", V5_PERSON},     {"uploader", V5_PERSON},
        {"label", V5_LABEL},     {"review_type", V5_REVIEW_TYPE}, {"project", V5_PROJECT},
        {"account", V5_ACCOUNT},
    };
    for (guint i = 0; i < G_N_ELEMENTS(ones); i++) {
        if (strcmp(ones[i].key, key) == 0) {
            g_autofree char *id_key = g_strconcat(key, "_id", NULL);
            fill_id(object, id_key, member_id(one, "id"));
            inner.hint = ones[i].kind;
            take(stage, one, inner, depth + 1);
            return TRUE;
        }
    }
    if (strcmp(key, "time_zone") == 0 && json_is_string(json_object_get(one, "olson_name"))) {
        (void)json_object_set(object, key, json_object_get(one, "olson_name"));
    }
    return FALSE;
}

static V5Context
inner_context(V5Kind kind, const json_t *object, V5Context context)
{
    gint64 id = member_id(object, "id");
    V5Context inner = {.project_id = member_id(object, "project_id"),
                       .story_id = context.story_id,
                       .epic_id = context.epic_id};
    if (inner.project_id == 0) {
        inner.project_id = kind == V5_PROJECT ? id : context.project_id;
    }
    if (kind == V5_STORY || kind == V5_RELEASE) {
        inner.story_id = id;
        inner.epic_id = 0;
    } else if (kind == V5_EPIC) {
        inner.epic_id = id;
        inner.story_id = 0;
    } else if (kind == V5_COMMENT) {
        inner.comment_id = id;
    } else if (kind == V5_ME) {
        inner.person_id = id;
        inner.project_id = 0;
    }
    inner.is_project_order = kind == V5_PROJECT || kind == V5_ITERATION;
    return inner;
}

static void
split(Stage *stage, V5Kind kind, json_t *object, V5Context context, guint depth)
{
    const V5Context inner = inner_context(kind, object, context);
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (json_is_array(value) || json_is_object(value)) {
            g_ptr_array_add(keys, g_strdup(key));
        }
    }
    for (guint i = 0; i < keys->len; i++) {
        key = keys->pdata[i];
        value = json_incref(json_object_get(object, key));
        if (json_is_array(value) ? split_list(stage, object, key, value, inner, depth)
                                 : split_one(stage, object, key, value, inner, depth)) {
            (void)json_object_del(object, key);
        }
        json_decref(value);
    }
}

/* ---- kinds with their own ways ---- */

static void
take_activity(Stage *stage, json_t *activity, V5Context context)
{
    gint64 version = member_id(activity, "project_version");
    const char *guid = json_string_value(json_object_get(activity, "guid"));
    gint64 project_id = member_id(activity, "project_id");
    if (project_id == 0 && guid != NULL) {
        project_id = g_ascii_strtoll(guid, NULL, 10);
    }
    if (version == 0 && guid != NULL && strchr(guid, '_') != NULL) {
        version = g_ascii_strtoll(strchr(guid, '_') + 1, NULL, 10);
    }
    fill_id(activity, "project_id", project_id > 0 ? project_id : context.project_id);
    project_id = member_id(activity, "project_id");
    if (project_id == 0 || version <= 0) {
        stage_count_unknown(stage, "activity without a project or version");
        return;
    }
    (void)json_object_set_new(activity, "project_version", json_integer(version));
    g_autofree char *key = g_strdup_printf("%020" G_GINT64_FORMAT, version);
    put(stage, V5_ACTIVITY, project_id, key, activity);
}

/* An iteration says what its override is; its own numbers are computed. */
static void
take_iteration(Stage *stage, json_t *iteration, V5Context context)
{
    gint64 project_id = member_id(iteration, "project_id");
    gint64 number = member_id(iteration, "number");
    if (project_id == 0) {
        project_id = context.project_id;
    }
    if (project_id == 0 || number == 0) {
        stage_count_unknown(stage, "iteration without a project or number");
        return;
    }
    json_t *override =
        json_pack("{s:I,s:I}", "project_id", (json_int_t)project_id, "number", (json_int_t)number);
    (void)json_object_set(override, "length", json_object_get(iteration, "length"));
    (void)json_object_set(override, "team_strength", json_object_get(iteration, "team_strength"));
    g_autofree char *key = g_strdup_printf("%020" G_GINT64_FORMAT, number);
    put(stage, V5_ITERATION, project_id, key, override);
    json_decref(override);
}

static void
take_membership_summary(Stage *stage, json_t *summary, V5Context context)
{
    gint64 project_id = member_id(summary, "project_id");
    json_t *name = json_object_get(summary, "project_name");
    if (project_id > 0) {
        json_t *project = json_pack("{s:I,s:O*}", "id", (json_int_t)project_id, "name", name);
        put(stage, V5_PROJECT, project_id, "", project);
        json_decref(project);
    }
    (void)json_object_del(summary, "project_name");
    (void)json_object_del(summary, "kind");
    fill_id(summary, "person_id", context.person_id);
    if (member_id(summary, "id") > 0 && member_id(summary, "person_id") > 0 && project_id > 0) {
        put(stage, V5_MEMBERSHIP, member_id(summary, "id"), "", summary);
    }
}

static void
take_me(Stage *stage, json_t *me)
{
    gint64 id = member_id(me, "id");
    (void)json_object_del(me, "api_token"); /* secrets are not kept */
    (void)json_object_set_new(me, "kind", json_string("person"));
    if (stage->me_id == 0) {
        stage->me_id = id;
    }
    put(stage, V5_PERSON, id, "", me);
}

/* Which accounts `me` belongs to is known, with which rights is not. */
static void
take_account(Stage *stage, json_t *account, V5Context context)
{
    gint64 id = member_id(account, "id");
    (void)json_object_set_new(account, "kind", json_string("account"));
    put(stage, V5_ACCOUNT, id, "", account);
    if (context.person_id > 0) {
        g_autofree char *key =
            g_strdup_printf("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, id, context.person_id);
        json_t *membership = json_pack("{s:I,s:I}", "account_id", (json_int_t)id, "person_id",
                                       (json_int_t)context.person_id);
        put(stage, V5_ACCOUNT_MEMBERSHIP, 0, key, membership);
        json_decref(membership);
    }
}

static void
take_transition(Stage *stage, json_t *transition)
{
    const char *state = json_string_value(json_object_get(transition, "state"));
    gint64 at_ms = v5_time_ms(json_object_get(transition, "occurred_at"));
    gint64 story_id = member_id(transition, "story_id");
    if (story_id == 0 || state == NULL) {
        stage_count_unknown(stage, "story_transition without a story or state");
        return;
    }
    g_autofree char *key = g_strdup_printf("%020" G_GINT64_FORMAT "/%s", at_ms, state);
    put(stage, V5_TRANSITION, story_id, key, transition);
}

static void
take_story(Stage *stage, V5Kind kind, json_t *story, V5Context context)
{
    gint64 id = member_id(story, "id");
    if (kind == V5_RELEASE) {
        (void)json_object_set_new(story, "story_type", json_string("release"));
        (void)json_object_set_new(story, "kind", json_string("story"));
    }
    fill_id(story, "project_id", context.project_id);
    if (json_object_get(story, "owner_ids") == NULL && member_id(story, "owned_by_id") > 0) {
        (void)json_object_set_new(story, "owner_ids",
                                  json_pack("[I]", (json_int_t)member_id(story, "owned_by_id")));
    }
    put(stage, V5_STORY, id, "", story);
    if (context.is_project_order) {
        (void)sqlite3_bind_int64(stage->order, 1, id);
        (void)sqlite3_bind_int64(stage->order, 2, ++stage->next_place);
        run(stage, stage->order);
    }
}

/* Its id is the person's: the same in each account. */
static void
take_account_membership(Stage *stage, json_t *membership)
{
    g_autofree char *key =
        g_strdup_printf("%" G_GINT64_FORMAT, member_id(membership, "account_id"));
    put(stage, V5_ACCOUNT_MEMBERSHIP, member_id(membership, "id"), key, membership);
}

/* What belongs to a story, an epic or a comment. */
static void
take_child(Stage *stage, V5Kind kind, json_t *child, V5Context context)
{
    if (kind == V5_FILE_ATTACHMENT || kind == V5_GOOGLE_ATTACHMENT) {
        fill_id(child, "comment_id", context.comment_id);
    }
    if (kind == V5_FILE_ATTACHMENT) {
        fill_id(child, "project_id", context.project_id);
    } else if (kind == V5_COMMENT && (member_id(child, "epic_id") > 0 || context.story_id == 0)) {
        fill_id(child, "epic_id", context.epic_id);
        put_parent(stage, V5_EPIC, member_id(child, "epic_id"), context.project_id);
    } else if (kind != V5_GOOGLE_ATTACHMENT) {
        fill_id(child, "story_id", context.story_id);
    }
    put_parent(stage, V5_STORY, member_id(child, "story_id"), context.project_id);
    if (kind == V5_TRANSITION) {
        fill_id(child, "project_id", context.project_id);
        take_transition(stage, child);
    } else {
        put(stage, kind, member_id(child, "id"), "", child);
    }
}

static void
take_resource(Stage *stage, V5Kind kind, json_t *object, V5Context context, guint depth)
{
    static const guint without_id =
        1u << V5_ACTIVITY | 1u << V5_ITERATION | 1u << V5_ITERATION_OVERRIDE | 1u << V5_TRANSITION;
    if (member_id(object, "id") == 0 && (without_id & 1u << kind) == 0) {
        stage_count_unknown(stage, "object without an id");
        return;
    }
    split(stage, kind, object, context, depth);
    switch (kind) {
    case V5_ACTIVITY:
        take_activity(stage, object, context);
        return;
    case V5_ITERATION:
    case V5_ITERATION_OVERRIDE:
        take_iteration(stage, object, context);
        return;
    case V5_MEMBERSHIP_SUMMARY:
        take_membership_summary(stage, object, context);
        return;
    case V5_ME:
        take_me(stage, object);
        return;
    case V5_ACCOUNT:
        take_account(stage, object, context);
        return;
    case V5_STORY:
    case V5_RELEASE:
        take_story(stage, kind, object, context);
        return;
    case V5_BLOCKER:
    case V5_BRANCH:
    case V5_COMMENT:
    case V5_FILE_ATTACHMENT:
    case V5_GOOGLE_ATTACHMENT:
    case V5_PULL_REQUEST:
    case V5_REVIEW:
    case V5_TASK:
    case V5_TRANSITION:
        take_child(stage, kind, object, context);
        return;
    case V5_EPIC:
    case V5_LABEL:
    case V5_MEMBERSHIP:
    case V5_REVIEW_TYPE:
        fill_id(object, "project_id", context.project_id);
        put(stage, kind, member_id(object, "id"), "", object);
        return;
    case V5_ACCOUNT_MEMBERSHIP:
        take_account_membership(stage, object);
        return;
    case V5_PERSON:
    case V5_PROJECT:
    case V5_WORKSPACE:
        put(stage, kind, member_id(object, "id"), "", object);
        return;
    case V5_UNKNOWN:
    case V5_KINDS:
        break;
    }
    g_assert_not_reached();
}

/* ---- what holds resources ---- */

/* A recorded exchange: the answer, if it is one that shows resources. TRUE when it was an exchange.
 */
static gboolean
take_exchange(Stage *stage, const json_t *object, guint depth)
{
    const json_t *request = json_object_get(object, "request");
    const json_t *response = json_object_get(object, "response");
    if (!json_is_object(request) || !json_is_object(response)) {
        return FALSE;
    }
    const char *method = json_string_value(json_object_get(request, "method"));
    const char *path = json_string_value(json_object_get(request, "path"));
    const char *query = json_string_value(json_object_get(request, "query"));
    json_t *body = json_object_get(response, "body");
    gboolean shows = method == NULL || g_ascii_strcasecmp(method, "GET") == 0 ||
                     g_ascii_strcasecmp(method, "POST") == 0 ||
                     g_ascii_strcasecmp(method, "PUT") == 0;
    if (!shows || json_integer_value(json_object_get(response, "status")) != 200) {
        return TRUE;
    }
    json_t *parsed = NULL;
    if (json_is_string(body)) {
        parsed =
            json_loadb(json_string_value(body), json_string_length(body), JSON_ALLOW_NUL, NULL);
        body = parsed;
    }
    take(stage, body, v5_context_of_path(path != NULL ? path : "", query), depth + 1);
    json_decref(parsed);
    return TRUE;
}

static void
take_members(Stage *stage, json_t *object, V5Context context, guint depth)
{
    gboolean found = FALSE;
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (!json_is_array(value) && !json_is_object(value)) {
            continue;
        }
        found = TRUE;
        V5Context inner = context;
        V5Kind kind = v5_kind_of_collection(key, strlen(key));
        if (strchr(key, '/') != NULL) {
            inner = v5_context_of_path(key, NULL);
        } else if (kind != V5_UNKNOWN) {
            inner.hint = kind;
        }
        take(stage, value, inner, depth + 1);
    }
    if (!found) {
        stage_count_unknown(stage, "object without a kind");
    }
}

static void
take_object(Stage *stage, json_t *object, V5Context context, guint depth)
{
    const char *kind_name = json_string_value(json_object_get(object, "kind"));
    V5Kind kind = v5_recognise(object, V5_UNKNOWN);
    if (kind == V5_UNKNOWN && kind_name != NULL) {
        stage_count_unknown(stage, kind_name);
        return;
    }
    if (kind == V5_UNKNOWN) {
        if (take_exchange(stage, object, depth)) {
            return;
        }
        json_t *data = json_object_get(object, "data");
        if (json_is_array(data) || json_is_object(data)) {
            take(stage, data, context, depth + 1);
            return;
        }
        if (context.hint == V5_UNKNOWN || member_id(object, "id") == 0) {
            take_members(stage, object, context, depth);
            return;
        }
        kind = context.hint;
    }
    take_resource(stage, kind, object, context, depth);
}

static void
take(Stage *stage, json_t *value, V5Context context, guint depth)
{
    if (depth > V5_MAX_DEPTH) {
        stage_count_unknown(stage, "nested too deep");
    } else if (json_is_array(value)) {
        gsize i;
        json_t *element;
        json_array_foreach(value, i, element)
        {
            take(stage, element, context, depth + 1);
        }
    } else if (json_is_object(value)) {
        take_object(stage, value, context, depth);
    }
}

void
stage_take(Stage *stage, json_t *value, V5Context context)
{
    take(stage, value, context, 0);
}

/* ---- giving back ---- */

void
stage_each(Stage *stage, V5Kind kind, StageFn fn, gpointer user)
{
    sqlite3_stmt *stmt =
        prepare(stage, "SELECT id, json FROM resource WHERE kind = ?1 ORDER BY id = 0, id, key");
    int rc = SQLITE_DONE;
    (void)sqlite3_bind_int(stmt, 1, (int)kind);
    while (stage->error == NULL && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        json_t *resource = json_loadb((const char *)sqlite3_column_text(stmt, 1),
                                      (gsize)sqlite3_column_bytes(stmt, 1), JSON_ALLOW_NUL, NULL);
        if (resource != NULL) {
            fn(sqlite3_column_int64(stmt, 0), resource, user);
        }
        json_decref(resource);
    }
    if (rc != SQLITE_DONE && rc != SQLITE_ROW) {
        note_error(stage, rc);
    }
    (void)sqlite3_finalize(stmt);
}

guint64
stage_count(Stage *stage, V5Kind kind)
{
    sqlite3_stmt *stmt = prepare(stage, "SELECT count(*) FROM resource WHERE kind = ?1");
    (void)sqlite3_bind_int(stmt, 1, (int)kind);
    guint64 count = sqlite3_step(stmt) == SQLITE_ROW ? (guint64)sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_finalize(stmt);
    return count;
}

void
stage_each_parent(Stage *stage, V5Kind kind, StageParentFn fn, gpointer user)
{
    sqlite3_stmt *stmt =
        prepare(stage, "SELECT id, project_id FROM parent WHERE kind = ?1 ORDER BY id");
    (void)sqlite3_bind_int(stmt, 1, (int)kind);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        fn(sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1), user);
    }
    (void)sqlite3_finalize(stmt);
}

gint64
stage_order(Stage *stage, gint64 story_id)
{
    (void)sqlite3_bind_int64(stage->place, 1, story_id);
    gint64 place =
        sqlite3_step(stage->place) == SQLITE_ROW ? sqlite3_column_int64(stage->place, 0) : 0;
    (void)sqlite3_reset(stage->place);
    return place;
}
