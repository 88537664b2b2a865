/* The rules are tables where they can be: which state which type may have (`legal`), and which
 * states need an estimate. */
#include "tracker/story_draft.h"

#include <string.h>

#include "tracker/changes.h"
#include "tracker/ids.h"
#include "tracker/json_writer.h"
#include "tracker/rows.h"
#include "tracker/write_person.h"

#define OLDEST_CREATED_AT_MS G_GINT64_CONSTANT(1104537600000) /* 2005-01-01T00:00:00Z */

typedef enum {
    FEATURE = 1 << 0,
    BUG = 1 << 1,
    CHORE = 1 << 2,
    RELEASE = 1 << 3,
} TypeSet;

static const struct {
    const char *name;
    TypeSet bit;
} types[] = {{"feature", FEATURE}, {"bug", BUG}, {"chore", CHORE}, {"release", RELEASE}};

static const struct {
    const char *name;
    TypeSet legal;
    gboolean needs_estimate; /* of types that are estimated */
} states[] = {
    {"unscheduled", FEATURE | BUG | CHORE | RELEASE, FALSE},
    {"unstarted", FEATURE | BUG | CHORE | RELEASE, FALSE},
    /* Manual planning only. Of releases the reference is unsure. */
    {"planned", FEATURE | BUG | CHORE | RELEASE, FALSE},
    {"started", FEATURE | BUG | CHORE, TRUE},
    {"finished", FEATURE | BUG, TRUE},
    {"delivered", FEATURE | BUG, TRUE},
    {"rejected", FEATURE | BUG, TRUE},
    {"accepted", FEATURE | BUG | CHORE | RELEASE, TRUE},
};

/* What the project says about its stories. */
typedef struct Settings {
    char *point_scale;
    gboolean bugs_and_chores_are_estimatable, automatic_planning;
} Settings;

static void
settings_clear(Settings *settings)
{
    g_free(settings->point_scale);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Settings, settings_clear)

static void
settings_read(Call *call, gint64 project_id, Settings *ret_settings)
{
    g_autoptr(DbStmt) stmt = db_prepare(
        call->conn, "SELECT COALESCE(point_scale, '0,1,2,3'),"
                    " COALESCE(bugs_and_chores_are_estimatable, 0), COALESCE(automatic_planning, 1)"
                    " FROM project WHERE id = ?1");

    *ret_settings = (Settings){0};
    db_bind_int(stmt, 1, project_id);
    if (db_next(stmt)) {
        ret_settings->point_scale = g_strdup(db_text(stmt, 0));
        ret_settings->bugs_and_chores_are_estimatable = db_int(stmt, 1) != 0;
        ret_settings->automatic_planning = db_int(stmt, 2) != 0;
    }
}

const char *
story_state(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
        if (g_strcmp0(states[i].name, name) == 0) {
            return states[i].name;
        }
    }
    return NULL;
}

gboolean
story_is_scheduled(const char *state)
{
    return strcmp(state, "unscheduled") != 0;
}

static TypeSet
type_bit(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        if (strcmp(types[i].name, name) == 0) {
            return types[i].bit;
        }
    }
    return 0;
}

static const char *
type_constant(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        if (g_strcmp0(types[i].name, name) == 0) {
            return types[i].name;
        }
    }
    return types[0].name;
}

static const char *
priority_constant(const char *name)
{
    static const char *const names[] = {"p0", "p1", "p2", "p3", "none"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_strcmp0(names[i], name) == 0) {
            return names[i];
        }
    }
    return NULL;
}

StoryDraft *
story_draft_new(Call *call)
{
    StoryDraft *draft = g_new0(StoryDraft, 1);

    draft->project_id = call->project_id;
    draft->type = type_constant("feature");
    draft->state = story_state("unscheduled");
    draft->accepted_at = draft->deadline = STORY_NO_TIME;
    draft->requested_by_id = call->person_id;
    draft->owner_ids = ids_new();
    draft->follower_ids = ids_new();
    draft->label_ids = ids_new();
    draft->created_at = change_now(call);
    return draft;
}

void
story_draft_free(StoryDraft *draft)
{
    if (!draft) {
        return;
    }
    g_free(draft->name);
    g_free(draft->description);
    g_free(draft->external_id);
    g_array_unref(draft->owner_ids);
    g_array_unref(draft->follower_ids);
    g_array_unref(draft->label_ids);
    g_free(draft);
}

static GArray *
ids_of(Call *call, const char *sql, gint64 story_id)
{
    DbStmt *stmt = db_prepare(call->conn, sql);

    db_bind_int(stmt, 1, story_id);
    return render_ids(stmt);
}

static gint64
time_or_none(DbStmt *stmt, int column)
{
    return db_is_null(stmt, column) ? STORY_NO_TIME : db_int(stmt, column);
}

StoryDraft *
story_draft_load(Call *call, gint64 story_id)
{
    g_autoptr(DbStmt) stmt = db_prepare(
        call->conn, "SELECT project_id, name, description, external_id, story_type, current_state,"
                    " story_priority, estimate, accepted_at, deadline, requested_by_id,"
                    " integration_id, created_at, position FROM story WHERE id = ?1");
    StoryDraft *draft;

    db_bind_int(stmt, 1, story_id);
    if (!db_next(stmt)) {
        return NULL;
    }
    draft = g_new0(StoryDraft, 1);
    draft->id = story_id;
    draft->project_id = db_int(stmt, 0);
    draft->name = g_strdup(db_text(stmt, 1));
    draft->description = g_strdup(db_text(stmt, 2));
    draft->external_id = g_strdup(db_text(stmt, 3));
    draft->type = type_constant(db_text(stmt, 4));
    draft->state = story_state(db_text(stmt, 5));
    draft->state = draft->state ? draft->state : story_state("unscheduled");
    draft->priority = priority_constant(db_text(stmt, 6));
    draft->has_estimate = !db_is_null(stmt, 7);
    draft->estimate = db_double(stmt, 7);
    draft->accepted_at = time_or_none(stmt, 8);
    draft->deadline = time_or_none(stmt, 9);
    draft->requested_by_id = db_int(stmt, 10);
    draft->integration_id = db_int(stmt, 11);
    draft->created_at = db_int(stmt, 12);
    draft->position = db_int(stmt, 13);
    draft->owner_ids = ids_of(
        call, "SELECT person_id FROM story_owner WHERE story_id = ?1 ORDER BY position", story_id);
    draft->follower_ids =
        ids_of(call, "SELECT person_id FROM story_follower WHERE story_id = ?1 ORDER BY person_id",
               story_id);
    draft->label_ids = ids_of(
        call, "SELECT label_id FROM story_label WHERE story_id = ?1 ORDER BY label_id", story_id);
    return draft;
}

/* ---- what is given ---- */

static void
apply_text(const json_t *given, const char *name, char **text)
{
    if (body_has(given, name)) {
        g_free(*text);
        *text = g_strdup(body_text(given, name));
    }
}

static void
apply_time(const json_t *given, const char *name, gint64 *at_ms)
{
    if (body_has(given, name)) {
        *at_ms = body_int(given, name, STORY_NO_TIME);
    }
}

static void
apply_owners(StoryDraft *draft, const json_t *given)
{
    if (body_has(given, "owner_ids")) {
        g_array_unref(draft->owner_ids);
        draft->owner_ids = body_ids(given, "owner_ids");
    } else if (body_has(given, "owned_by_id")) {
        gint64 id = body_int(given, "owned_by_id", 0);

        g_array_set_size(draft->owner_ids, 0);
        if (!body_is_null(given, "owned_by_id")) {
            g_array_append_val(draft->owner_ids, id);
        }
    }
    if (body_has(given, "follower_ids")) {
        g_array_unref(draft->follower_ids);
        draft->follower_ids = body_ids(given, "follower_ids");
    }
}

void
story_draft_set_state(Call *call, StoryDraft *draft, const char *state)
{
    if (draft->state == state) {
        return;
    }
    draft->state = state;
    if (strcmp(state, "accepted") != 0) {
        draft->accepted_at = STORY_NO_TIME;
    } else if (draft->accepted_at == STORY_NO_TIME) {
        draft->accepted_at = change_now(call);
    }
}

static TypeSet
estimated_types(const Settings *settings)
{
    return settings->bugs_and_chores_are_estimatable ? FEATURE | BUG | CHORE : FEATURE;
}

/* A type that has no estimate or deadline loses the one it had, in the same change. */
static void
apply_type(StoryDraft *draft, const json_t *given, const Settings *settings)
{
    const char *type = body_text(given, "story_type");

    if (!type || strcmp(type, draft->type) == 0) {
        return;
    }
    draft->type = type_constant(type);
    if (!(type_bit(draft->type) & estimated_types(settings))) {
        draft->has_estimate = FALSE;
    }
    draft->deadline = STORY_NO_TIME;
}

void
story_draft_apply(Call *call, StoryDraft *draft, const json_t *given)
{
    const char *state = story_state(body_text(given, "current_state"));
    g_auto(Settings) settings;

    settings_read(call, draft->project_id, &settings);
    apply_text(given, "name", &draft->name);
    apply_text(given, "description", &draft->description);
    apply_text(given, "external_id", &draft->external_id);
    apply_type(draft, given, &settings);
    if (state) {
        draft->state_given = TRUE;
        story_draft_set_state(call, draft, state);
    }
    if (body_has(given, "story_priority")) {
        draft->priority = priority_constant(body_text(given, "story_priority"));
    }
    if (body_has(given, "estimate")) {
        draft->has_estimate = !body_is_null(given, "estimate");
        draft->estimate = body_number(given, "estimate", 0);
    }
    apply_time(given, "accepted_at", &draft->accepted_at);
    if (draft->accepted_at == STORY_NO_TIME && strcmp(draft->state, "accepted") == 0 &&
        body_has(given, "accepted_at")) {
        draft->accepted_at = change_now(call); /* an accepted story has a time */
    }
    apply_time(given, "deadline", &draft->deadline);
    draft->created_at = body_int(given, "created_at", draft->created_at);
    draft->requested_by_id = body_int(given, "requested_by_id", draft->requested_by_id);
    if (body_has(given, "integration_id")) {
        draft->integration_id = body_int(given, "integration_id", 0);
    }
    apply_owners(draft, given);
}

/* ---- rules ---- */

static gboolean
fail_needs_estimate(Call *call, const char *state)
{
    g_autofree char *text = g_strdup_printf("Stories in the %s state must be estimated.", state);

    return call_fail_field(call, "estimate", text);
}

static gboolean
check_state(Call *call, const StoryDraft *draft, const Settings *settings)
{
    TypeSet type = type_bit(draft->type);

    for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
        if (strcmp(states[i].name, draft->state) != 0) {
            continue;
        }
        if (!(states[i].legal & type) ||
            (strcmp(draft->state, "planned") == 0 && settings->automatic_planning)) {
            /* The real text is unknown (unsure): this is the reference's suggestion. */
            g_autofree char *text =
                g_strdup_printf("'current_state' is not valid for story_type %s", draft->type);

            return call_fail_field(call, "current_state", text);
        }
        if (states[i].needs_estimate && (type & estimated_types(settings)) &&
            !draft->has_estimate) {
            return fail_needs_estimate(call, draft->state);
        }
    }
    return TRUE;
}

/* The texts for estimates are unknown (unsure): these are in the catalogue's manner. */
static gboolean
in_scale(char *const *points, double estimate)
{
    for (; *points; points++) {
        if (g_ascii_strtod(*points, NULL) == estimate) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
check_estimate(Call *call, const StoryDraft *draft, const Settings *settings)
{
    g_auto(GStrv) points = NULL;
    g_autofree char *list = NULL, *text = NULL;

    if (!draft->has_estimate) {
        return TRUE;
    }
    if (!(type_bit(draft->type) & estimated_types(settings))) {
        return call_fail_field(call, "estimate",
                               settings->bugs_and_chores_are_estimatable
                                   ? "Estimates cannot be set on releases."
                                   : "Estimates can only be set on features.");
    }
    points = g_strsplit(settings->point_scale, ",", -1);
    if (in_scale(points, draft->estimate)) {
        return TRUE;
    }
    list = g_strjoinv(", ", points);
    text = g_strdup_printf("'estimate' must be one of: %s", list);
    return call_fail_field(call, "estimate", text);
}

static gboolean
check_times(Call *call, const StoryDraft *draft, const StoryDraft *before)
{
    gboolean is_accepted = strcmp(draft->state, "accepted") == 0;

    if (draft->accepted_at != STORY_NO_TIME && !is_accepted &&
        (!before || before->accepted_at != draft->accepted_at || before->state != draft->state)) {
        return call_fail_field(call, "accepted_at",
                               "Only stories in accepted state may have accepted_at dates");
    }
    if (draft->deadline != STORY_NO_TIME && strcmp(draft->type, "release") != 0 &&
        (!before || before->deadline != draft->deadline)) {
        return call_fail_field(call, "deadline", "Deadline can only be set on releases.");
    }
    if (before) {
        return TRUE;
    }
    if (draft->created_at > change_now(call)) {
        return call_fail_rule(call, NULL, "Story created_at cannot be in the future.");
    }
    if (draft->created_at <= OLDEST_CREATED_AT_MS) {
        g_autoptr(GString) time = g_string_new(NULL);
        g_autofree char *text = NULL;

        json_time(time, draft->created_at, FALSE);
        text = g_strdup_printf("The date you entered %.*s, is too far in the past. Please enter a "
                               "date after 2005-01-01T00:00:00Z.",
                               (int)time->len - 2, time->str + 1);
        return call_fail_text(call, text);
    }
    return TRUE;
}

/* Who was there before may stay, member or not. The text is made after the one for labels
 * (unsure). */
static gboolean
check_person(Call *call, const StoryDraft *draft, const char *field, gint64 id, Role least)
{
    g_autofree char *text = NULL;

    if (call_role_of(call, draft->project_id, id) >= least) {
        return TRUE;
    }
    text = g_strdup_printf("Person with id=%" G_GINT64_FORMAT " does not exist within this project",
                           id);
    return call_fail_field(call, field, text);
}

static gboolean
check_people(Call *call, const StoryDraft *draft, const StoryDraft *before)
{
    if (draft->owner_ids->len > STORY_MAX_OWNERS &&
        (!before || draft->owner_ids->len > before->owner_ids->len)) {
        /* Text unknown (unsure). */
        return call_fail_field(call, "owner_ids", "Stories can have at most 5 owners.");
    }
    for (guint i = 0; i < draft->owner_ids->len; i++) {
        gint64 id = g_array_index(draft->owner_ids, gint64, i);

        if (!(before && ids_has(before->owner_ids, id)) &&
            !check_person(call, draft, "owner_ids", id, ROLE_MEMBER)) {
            return FALSE;
        }
    }
    for (guint i = 0; i < draft->follower_ids->len; i++) {
        gint64 id = g_array_index(draft->follower_ids, gint64, i);

        if (!(before && ids_has(before->follower_ids, id)) &&
            !check_person(call, draft, "follower_ids", id, ROLE_VIEWER)) {
            return FALSE;
        }
    }
    return (before && before->requested_by_id == draft->requested_by_id) ||
           check_person(call, draft, "requested_by_id", draft->requested_by_id, ROLE_VIEWER);
}

/* As with people, text and rule are made after the ones for labels (unsure). */
static gboolean
check_integration(Call *call, const StoryDraft *draft, const StoryDraft *before)
{
    g_autofree char *text = NULL;

    if (draft->integration_id == 0 || (before && before->integration_id == draft->integration_id) ||
        row_int(call->conn, "SELECT 1 FROM integration WHERE id = ?1 AND project_id = ?2", "ii",
                draft->integration_id, draft->project_id) == 1) {
        return TRUE;
    }
    text = g_strdup_printf("Integration with id=%" G_GINT64_FORMAT
                           " does not exist within this project",
                           draft->integration_id);
    return call_fail_field(call, "integration_id", text);
}

gboolean
story_draft_check(Call *call, const StoryDraft *draft, const StoryDraft *before)
{
    gboolean moved = before && before->project_id != draft->project_id;
    gboolean estimate_changed =
        !before || before->type != draft->type || (moved && body_has(call->given, "estimate")) ||
        before->has_estimate != draft->has_estimate || before->estimate != draft->estimate;
    gboolean state_changed = estimate_changed || before->state != draft->state;
    g_auto(Settings) settings;

    settings_read(call, draft->project_id, &settings);
    if (!draft->name || write_is_blank(draft->name)) {
        return call_fail_field(call, "name", "Name can't be blank");
    }
    return (!state_changed || check_state(call, draft, &settings)) &&
           (!estimate_changed || check_estimate(call, draft, &settings)) &&
           check_times(call, draft, before) && check_people(call, draft, before) &&
           check_integration(call, draft, before);
}

/* ---- rows ---- */

static void
bind_nullable_time(DbStmt *stmt, int parameter, gint64 at_ms)
{
    if (at_ms == STORY_NO_TIME) {
        db_bind_null(stmt, parameter);
    } else {
        db_bind_int(stmt, parameter, at_ms);
    }
}

static void
bind_id(DbStmt *stmt, int parameter, gint64 id)
{
    if (id) {
        db_bind_int(stmt, parameter, id);
    } else {
        db_bind_null(stmt, parameter);
    }
}

static void
bind_values(DbStmt *stmt, const StoryDraft *draft)
{
    db_bind_int(stmt, 1, draft->project_id);
    db_bind_int(stmt, 2, draft->position);
    db_bind_text(stmt, 3, draft->name);
    db_bind_text(stmt, 4, draft->description);
    db_bind_text(stmt, 5, draft->type);
    db_bind_text(stmt, 6, draft->state);
    if (draft->has_estimate) {
        db_bind_double(stmt, 7, draft->estimate);
    } else {
        db_bind_null(stmt, 7);
    }
    bind_nullable_time(stmt, 8, draft->accepted_at);
    bind_nullable_time(stmt, 9, draft->deadline);
    bind_id(stmt, 10, draft->requested_by_id);
    bind_id(stmt, 11, draft->integration_id);
    db_bind_text(stmt, 12, draft->external_id);
    db_bind_text(stmt, 13, draft->priority);
}

/* Rows of a story's list: (story, position or nothing, id). */
static void
write_ids(Call *call, const StoryDraft *draft, const char *empty, const char *insert,
          const GArray *ids)
{
    (void)row_run(call->conn, empty, "i", draft->id);
    for (guint i = 0; i < ids->len; i++) {
        g_autoptr(DbStmt) stmt = db_prepare(call->conn, insert);

        db_bind_int(stmt, 1, draft->id);
        db_bind_int(stmt, 2, g_array_index(ids, gint64, i));
        if (strstr(insert, "?3")) {
            db_bind_int(stmt, 3, i);
        }
        (void)db_run(stmt);
    }
}

static void
write_lists(Call *call, const StoryDraft *draft)
{
    write_ids(call, draft, "DELETE FROM story_owner WHERE story_id = ?1",
              "INSERT INTO story_owner(story_id, person_id, position) VALUES(?1, ?2, ?3)",
              draft->owner_ids);
    write_ids(call, draft, "DELETE FROM story_follower WHERE story_id = ?1",
              "INSERT INTO story_follower(story_id, person_id) VALUES(?1, ?2)",
              draft->follower_ids);
    write_ids(call, draft, "DELETE FROM story_label WHERE story_id = ?1",
              "INSERT OR IGNORE INTO story_label(story_id, label_id) VALUES(?1, ?2)",
              draft->label_ids);
}

void
story_draft_insert(Call *call, StoryDraft *draft)
{
    g_autoptr(DbStmt) stmt = db_prepare(
        call->conn, "INSERT INTO story(project_id, position, name, description, story_type,"
                    " current_state, estimate, accepted_at, deadline, requested_by_id,"
                    " integration_id, external_id, story_priority, created_at, updated_at)"
                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)");

    bind_values(stmt, draft);
    db_bind_int(stmt, 14, draft->created_at);
    db_bind_int(stmt, 15, change_now(call));
    (void)db_run(stmt);
    draft->id = db_last_id(call->conn);
    write_lists(call, draft);
}

void
story_draft_save(Call *call, const StoryDraft *draft)
{
    g_autoptr(DbStmt) stmt =
        db_prepare(call->conn,
                   "UPDATE story SET project_id = ?1, position = ?2, name = ?3, description = ?4,"
                   " story_type = ?5, current_state = ?6, estimate = ?7, accepted_at = ?8,"
                   " deadline = ?9, requested_by_id = ?10, integration_id = ?11, external_id = ?12,"
                   " story_priority = ?13 WHERE id = ?14");

    bind_values(stmt, draft);
    db_bind_int(stmt, 14, draft->id);
    (void)db_run(stmt);
    write_lists(call, draft);
}
