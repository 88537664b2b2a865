/* The table of what can be written, and the reading of values. The rules that tie attributes of a
 * story together are in edit_rules.c. */
#include "cache/edit_fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cache/base/err.h"
#include "cache/json_text.h"

static const char *const story_types[] = {"feature", "bug", "chore", "release", NULL};
static const char *const priorities[] = {"p0", "p1", "p2", "p3", "none", NULL};
static const char *const groups[] = {"scheduled", "unscheduled", "current", NULL};
static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday",  "Wednesday",
                                       "Thursday", "Friday", "Saturday", NULL};
static const char *const project_types[] = {"demo", "private", "public", "shared", NULL};

#define FIELD(name_, other_, type_, ...)                                                           \
    {                                                                                              \
        .name = (name_), .other = (other_), .type = (type_), ##__VA_ARGS__                         \
    }
#define CLEARS .may_clear = TRUE
#define MOVES .moves_only = TRUE

static const Field story_fields[] = {
    FIELD("name", "title", FIELD_NAME, .max_chars = 5000),
    FIELD("description", NULL, FIELD_TEXT, .max_chars = 20000, CLEARS),
    FIELD("story_type", NULL, FIELD_WORD, .words = story_types),
    FIELD("current_state", NULL, FIELD_STATE),
    FIELD("estimate", NULL, FIELD_ESTIMATE, CLEARS),
    FIELD("story_priority", NULL, FIELD_WORD, .words = priorities),
    FIELD("requested_by_id", "requested_by", FIELD_PERSON),
    FIELD("owner_ids", "owners", FIELD_PEOPLE, CLEARS),
    FIELD("labels", "label_ids", FIELD_LABELS, CLEARS),
    FIELD("follower_ids", "followers", FIELD_PEOPLE, CLEARS),
    FIELD("accepted_at", NULL, FIELD_TIME, CLEARS),
    FIELD("deadline", NULL, FIELD_TIME, CLEARS),
    FIELD("external_id", NULL, FIELD_TEXT, .max_chars = 255, CLEARS),
    FIELD("integration_id", NULL, FIELD_INTEGER, CLEARS),
    FIELD("project_id", NULL, FIELD_STORY, MOVES),
    FIELD("before_id", NULL, FIELD_STORY, MOVES),
    FIELD("after_id", NULL, FIELD_STORY, MOVES),
    FIELD("group", NULL, FIELD_WORD, .words = groups, MOVES),
    {.name = NULL},
};

static const Field epic_fields[] = {
    FIELD("name", "title", FIELD_NAME, .max_chars = 5000),
    FIELD("description", NULL, FIELD_TEXT, .max_chars = 20000, CLEARS),
    FIELD("follower_ids", "followers", FIELD_PEOPLE, CLEARS),
    FIELD("before_id", NULL, FIELD_STORY, MOVES),
    FIELD("after_id", NULL, FIELD_STORY, MOVES),
    {.name = NULL},
};

static const Field project_fields[] = {
    FIELD("name", NULL, FIELD_NAME, .max_chars = 50),
    FIELD("description", NULL, FIELD_TEXT, .max_chars = 140, CLEARS),
    FIELD("profile_content", NULL, FIELD_TEXT, .max_chars = 65535, CLEARS),
    FIELD("iteration_length", NULL, FIELD_INTEGER, .max_chars = 4),
    FIELD("week_start_day", NULL, FIELD_WORD, .words = weekdays),
    FIELD("point_scale", NULL, FIELD_NAME, .max_chars = 255),
    FIELD("bugs_and_chores_are_estimatable", NULL, FIELD_BOOLEAN),
    FIELD("automatic_planning", NULL, FIELD_BOOLEAN),
    FIELD("enable_tasks", NULL, FIELD_BOOLEAN),
    FIELD("show_story_priority", NULL, FIELD_BOOLEAN),
    FIELD("start_date", NULL, FIELD_DATE, CLEARS),
    FIELD("time_zone", NULL, FIELD_OTHER),
    FIELD("velocity_averaged_over", NULL, FIELD_INTEGER, .max_chars = 4),
    FIELD("number_of_done_iterations_to_show", NULL, FIELD_INTEGER),
    FIELD("enable_incoming_emails", NULL, FIELD_BOOLEAN),
    FIELD("initial_velocity", NULL, FIELD_INTEGER, .max_chars = 999),
    FIELD("project_type", NULL, FIELD_WORD, .words = project_types),
    FIELD("public", NULL, FIELD_BOOLEAN),
    FIELD("atom_enabled", NULL, FIELD_BOOLEAN),
    {.name = NULL},
};

static const Field comment_fields[] = {
    FIELD("text", NULL, FIELD_TEXT, .max_chars = 20000),
    {.name = NULL},
};

static const Field task_fields[] = {
    FIELD("description", NULL, FIELD_TEXT, .max_chars = 1000),
    FIELD("complete", NULL, FIELD_BOOLEAN),
    FIELD("position", NULL, FIELD_INTEGER, MOVES),
    {.name = NULL},
};

static const Field *
fields_of(EditObject object)
{
    switch (object) {
    case OBJECT_STORY:
        return story_fields;
    case OBJECT_EPIC:
        return epic_fields;
    case OBJECT_PROJECT:
        return project_fields;
    case OBJECT_COMMENT:
    case OBJECT_ATTACHMENT:
        return comment_fields;
    case OBJECT_TASK:
        return task_fields;
    }
    return NULL;
}

const Field *
field_find(EditObject object, const char *name)
{
    for (const Field *field = fields_of(object); field->name; field++) {
        if (g_str_equal(field->name, name) || g_strcmp0(field->other, name) == 0) {
            return field;
        }
    }
    return NULL;
}

static EditObject
object_of(EditOwner owner)
{
    return owner == EDIT_OF_STORY  ? OBJECT_STORY
           : owner == EDIT_OF_EPIC ? OBJECT_EPIC
                                   : OBJECT_PROJECT;
}

gboolean
edit_field_is_writable(EditOwner owner, const char *name)
{
    const Field *field = field_find(object_of(owner), name);
    return field && !field->moves_only;
}

/* These texts have files of their own. */
static gboolean
has_a_file(EditOwner owner, const Field *field)
{
    return g_str_equal(field->name, owner == EDIT_OF_PROJECT ? "profile_content" : "description");
}

const char *
edit_nth_field(EditOwner owner, guint i, const char **ret_other)
{
    for (const Field *field = fields_of(object_of(owner)); field->name; field++) {
        if (!field->moves_only && !has_a_file(owner, field) && i-- == 0) {
            *ret_other = field->other;
            return field->name;
        }
    }
    return NULL;
}

/* --- Mistyped names --- */

/* Levenshtein's, of short ASCII words. */
static guint
distance(const char *a, const char *b)
{
    gsize a_length = strlen(a);
    gsize b_length = strlen(b);
    g_autofree guint *row = g_new(guint, b_length + 1);
    for (gsize j = 0; j <= b_length; j++) {
        row[j] = (guint)j;
    }
    for (gsize i = 1; i <= a_length; i++) {
        guint diagonal = row[0];
        row[0] = (guint)i;
        for (gsize j = 1; j <= b_length; j++) {
            guint above = row[j];
            guint step = MIN(above, row[j - 1]) + 1;
            row[j] = MIN(step, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_length];
}

/* What people say who do not mistype. */
static const char *const habits[][2] = {
    {"requester", "requested_by"}, {"owner", "owners"},    {"state", "current_state"},
    {"status", "current_state"},   {"type", "story_type"}, {"priority", "story_priority"},
    {"points", "estimate"},        {"tags", "labels"},     {"due", "deadline"},
};

const char *
field_nearest(EditObject object, const char *name)
{
    const char *best = NULL;
    guint best_distance = G_MAXUINT;
    for (gsize i = 0; i < G_N_ELEMENTS(habits); i++) {
        if (g_str_equal(habits[i][0], name) && field_find(object, habits[i][1])) {
            return habits[i][1];
        }
    }
    if (strlen(name) > 100) {
        return NULL;
    }
    for (const Field *field = fields_of(object); field->name; field++) {
        const char *const names[] = {field->name, field->other};
        for (gsize i = 0; i < G_N_ELEMENTS(names) && !field->moves_only; i++) {
            guint steps = names[i] ? distance(name, names[i]) : G_MAXUINT;
            if (steps < best_distance) {
                best = names[i];
                best_distance = steps;
            }
        }
    }
    return best && best_distance <= MAX(strlen(best) / 2, 2) ? best : NULL;
}

char *
field_names(EditObject object)
{
    GString *names = g_string_new(NULL);
    for (const Field *field = fields_of(object); field->name; field++) {
        if (!field->moves_only) {
            g_string_append_printf(names, "%s%s", names->len ? ", " : "", field->name);
        }
    }
    return g_string_free(names, FALSE);
}

void
field_refuse_key(EditObject object, const char *key, gboolean is_known, GError **error)
{
    static const char *const own_files[] = {"comments",         "tasks", "description", "text",
                                            "file_attachments", NULL};
    const char *near = field_nearest(object, key);
    g_autofree char *allowed = field_names(object);
    g_autofree char *rule = NULL;
    if (g_strv_contains(own_files, key)) {
        rule = g_strdup("it has files of its own beside this one");
    } else if (is_known) {
        rule = g_strdup("only the service sets it");
    } else {
        rule = near ? g_strdup_printf("there is no such attribute; did you mean %s?", near)
                    : g_strdup("there is no such attribute");
    }
    edit_refuse(error, key, NULL, rule, allowed);
}

char *
edit_dup_field_refusal(EditOwner owner, const char *name, gboolean is_known)
{
    g_autoptr(GError) error = NULL;
    field_refuse_key(object_of(owner), name, is_known, &error);
    return g_strdup(error->message);
}

const json_t *
field_get(const Field *field, const json_t *object)
{
    const json_t *value = json_object_get(object, field->name);
    /* An empty list of ids may stand beside a list of objects that is not. */
    if ((!value || (json_is_array(value) && json_array_size(value) == 0)) && field->other) {
        const json_t *other = json_object_get(object, field->other);
        return other ? other : value;
    }
    return value;
}

gboolean
field_is_list(const Field *field)
{
    return field->type == FIELD_PEOPLE || field->type == FIELD_LABELS;
}

gboolean
field_is_long_text(const Field *field)
{
    return field->type == FIELD_TEXT && field->max_chars >= 1000;
}

/* --- Values --- */

static char *
value_text(const json_t *value)
{
    return json_is_string(value) ? g_strdup(json_string_value(value)) : edit_json_to_text(value);
}

static json_t *
refuse_value(const Field *field, const json_t *value, const char *rule, const char *allowed,
             GError **error)
{
    g_autofree char *text = value_text(value);
    edit_refuse(error, field->name, text, rule, allowed);
    return NULL;
}

static json_t *
text_value(const Field *field, const json_t *value, gboolean strict, GError **error)
{
    const char *text = json_string_value(value);
    if (!text) {
        return strict ? refuse_value(field, value, "it must be a string", NULL, error)
                      : json_null();
    }
    gsize bytes = json_string_length(value);
    if (strict && memchr(text, '\0', bytes)) {
        return refuse_value(field, value, "it holds a NUL byte", NULL, error);
    }
    glong n_chars = g_utf8_strlen(text, (gssize)bytes);
    if (strict && field->max_chars > 0 && n_chars > (glong)field->max_chars) {
        g_autofree char *rule = g_strdup_printf("it is too long: %ld characters, %u are allowed",
                                                n_chars, field->max_chars);
        return refuse_value(field, value, rule, NULL, error);
    }
    if (field->type == FIELD_NAME && strict) {
        g_autofree char *stripped = g_strstrip(g_strdup(text));
        if (!*stripped) {
            return refuse_value(field, value, "it must not be blank", NULL, error);
        }
    }
    return bytes == 0 ? json_null() : json_stringn(text, bytes);
}

static json_t *
word_value(const Field *field, const json_t *value, gboolean strict, GError **error)
{
    const char *text = json_string_value(value);
    for (guint i = 0; strict && field->words && field->words[i]; i++) {
        if (text && g_ascii_strcasecmp(text, field->words[i]) == 0) {
            return json_string(field->words[i]);
        }
    }
    if (strict && (!text || field->words)) {
        g_autofree char *allowed =
            field->words ? g_strjoinv(", ", (char **)(guintptr)field->words) : NULL;
        return refuse_value(field, value, "it is none of the allowed words", allowed, error);
    }
    return text ? json_string(text) : json_null();
}

static json_t *
number_value(const Field *field, const json_t *value, const EditContext *context, gboolean strict,
             GError **error)
{
    double number = json_number_value(value);
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        char *end = NULL;
        number = g_ascii_strtod(text, &end);
        if (end == text || *end != '\0') {
            number = (double)NAN;
        }
    } else if (!json_is_number(value)) {
        number = (double)NAN;
    }
    gboolean whole = isfinite(number) && number == floor(number) && fabs(number) < 1e15;
    if (!isfinite(number) || (field->type == FIELD_INTEGER && !whole)) {
        g_autofree char *scale =
            strict && field->type == FIELD_ESTIMATE ? field_point_scale(context->project) : NULL;
        return strict ? refuse_value(field, value, "it must be a number", scale, error)
                      : json_null();
    }
    if (strict && field->type == FIELD_INTEGER && field->max_chars > 0 &&
        (number < 1 || number > field->max_chars)) {
        g_autofree char *allowed = g_strdup_printf("1 to %u", field->max_chars);
        return refuse_value(field, value, "it is out of range", allowed, error);
    }
    return whole ? json_integer((json_int_t)number) : json_real(number);
}

static json_t *
boolean_value(const Field *field, const json_t *value, gboolean strict, GError **error)
{
    const char *text = json_string_value(value);
    if (json_is_boolean(value)) {
        return json_boolean(json_is_true(value));
    }
    if (text && (g_str_equal(text, "true") || g_str_equal(text, "false"))) {
        return json_boolean(g_str_equal(text, "true"));
    }
    return strict ? refuse_value(field, value, "it must be true or false", "true, false", error)
                  : json_null();
}

static json_t *
time_value(const Field *field, const json_t *value, gboolean strict, GError **error)
{
    const char *text = json_string_value(value);
    gint64 ms = json_is_integer(value) ? json_integer_value(value) : 0;
    g_autofree char *midnight = NULL;
    if (text && strlen(text) == 10) {
        midnight = g_strconcat(text, "T00:00:00Z", NULL);
        text = midnight;
    }
    if (!json_is_integer(value) && (!text || !model_parse_time(text, &ms))) {
        return strict ? refuse_value(field, value, "it is not a date",
                                     "a date like 2024-05-01 or a time like 2024-05-01T12:00:00Z",
                                     error)
                      : json_null();
    }
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(ms / 1000);
    if (!time) {
        return strict ? refuse_value(field, value, "it is not a date", NULL, error) : json_null();
    }
    g_autofree char *formatted =
        g_date_time_format(time, field->type == FIELD_DATE ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%SZ");
    return json_string(formatted);
}

static json_t *
id_value(const Field *field, const json_t *value, gboolean strict, GError **error)
{
    gint64 id = json_is_integer(value) ? json_integer_value(value)
                                       : g_ascii_strtoll(json_string_value(value) ?: "", NULL, 10);
    if (id > 0) {
        return json_integer(id);
    }
    return strict ? refuse_value(field, value, "it must be an id", NULL, error) : json_null();
}

/* --- People --- */

static gboolean
is_named(const Person *person, const char *name)
{
    const char *const names[] = {person->username, person->name, person->initials};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *have = names[i] ? g_utf8_casefold(names[i], -1) : NULL;
        g_autofree char *want = g_utf8_casefold(name, -1);
        if (g_strcmp0(have, want) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

/* 0: nobody; -1: more than one. */
static gint64
person_by_name(const Project *project, const char *name)
{
    gint64 found = 0;
    for (guint i = 0; i < project->n_members; i++) {
        const Person *person = &project->members[i].person;
        if (g_strcmp0(person->username, name) == 0) {
            return person->id;
        }
        if (is_named(person, name)) {
            found = found == 0 ? person->id : -1;
        }
    }
    return found;
}

/* Viewers may ask for stories and follow them, and do not own them. */
static gboolean
may_be(const Field *field, const Member *member)
{
    const char *role = member->role;
    return g_strcmp0(role, "inactive") != 0 &&
           (g_strcmp0(role, "viewer") != 0 || !g_str_equal(field->name, "owner_ids"));
}

static char *
member_names(const Field *field, const Project *project)
{
    GString *names = g_string_new(NULL);
    for (guint i = 0; i < project->n_members && names->len < 1000; i++) {
        const Person *person = &project->members[i].person;
        if (!may_be(field, &project->members[i])) {
            continue;
        }
        const char *name = person->username ? person->username : person->name;
        g_string_append_printf(names, "%s%s", names->len ? ", " : "", name ? name : "?");
    }
    return g_string_free(names, FALSE);
}

/* The id that a value names, 0 with `error`. */
static gint64
person_id(const Field *field, const json_t *value, const EditContext *context, gboolean strict,
          GError **error)
{
    const char *name = json_string_value(value);
    gint64 id = json_is_integer(value) ? json_integer_value(value) : 0;
    if (json_is_object(value)) {
        id = json_get_id(value, "user_id");
        id = id ? id : json_get_id(value, "id");
        const char *username = json_string_value(json_object_get(value, "username"));
        name = id ? NULL : username ? username : json_string_value(json_object_get(value, "name"));
    }
    if (name) {
        guint64 number = 0;
        id = person_by_name(context->project, name);
        if (id == 0 && g_ascii_string_to_unsigned(name, 10, 1, G_MAXINT64, &number, NULL)) {
            id = (gint64)number;
        }
    }
    const Member *member = strict && id > 0 ? project_find_member(context->project, id) : NULL;
    if (!strict || (member && may_be(field, member))) {
        return MAX(id, 0);
    }
    g_autofree char *allowed = member_names(field, context->project);
    g_autofree char *role =
        member ? g_strdup_printf("a member with the role %s cannot be it", member->role) : NULL;
    (void)refuse_value(field, value,
                       role     ? role
                       : id < 0 ? "more than one member of the project has this name"
                                : "it is no member of the project",
                       allowed, error);
    return 0;
}

static json_t *
person_value(const Field *field, const json_t *value, const EditContext *context, gboolean strict,
             GError **error)
{
    gint64 id = person_id(field, value, context, strict, error);
    return id > 0 ? json_integer(id) : strict ? NULL : json_null();
}

static gboolean
holds_id(const json_t *ids, gint64 id)
{
    gsize i;
    const json_t *element;
    json_array_foreach(ids, i, element)
    {
        if (json_integer_value(element) == id) {
            return TRUE;
        }
    }
    return FALSE;
}

static json_t *
people_value(const Field *field, const json_t *value, const EditContext *context, gboolean strict,
             GError **error)
{
    g_autoptr(Json) ids = json_array();
    gsize i;
    const json_t *element;
    if (!json_is_array(value)) {
        return strict ? refuse_value(field, value, "it must be a list of people", NULL, error)
                      : g_steal_pointer(&ids);
    }
    json_array_foreach(value, i, element)
    {
        gint64 id = person_id(field, element, context, strict, error);
        if (id == 0 && strict) {
            return NULL;
        }
        if (id > 0 && !holds_id(ids, id)) {
            (void)json_array_append_new(ids, json_integer(id));
        }
    }
    return g_steal_pointer(&ids);
}

/* --- Labels --- */

/* The name that an element means; NULL for none. The caller's. */
static char *
label_name(const json_t *element, const EditContext *context)
{
    const char *name = json_string_value(element);
    gint64 id = json_is_integer(element) ? json_integer_value(element) : 0;
    if (json_is_object(element)) {
        name = json_string_value(json_object_get(element, "name"));
        id = json_get_id(element, "id");
    }
    if (!name && id > 0) {
        const Label *label = project_find_label(context->project, id);
        name = label ? label->name : NULL;
    }
    if (!name) {
        return NULL;
    }
    g_autofree char *lower = g_utf8_strdown(name, -1);
    return g_strdup(g_strstrip(lower));
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *
labels_value(const Field *field, const json_t *value, const EditContext *context, gboolean strict,
             GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    gsize i;
    const json_t *element;
    if (!json_is_array(value) && strict) {
        return refuse_value(field, value, "it must be a list of names", NULL, error);
    }
    json_array_foreach(value, i, element)
    {
        char *name = label_name(element, context);
        if (strict && (!name || !*name || strchr(name, ',') || g_utf8_strlen(name, -1) > 255)) {
            g_free(name);
            return refuse_value(field, element,
                                "a label is a name of 255 characters at most, without a comma",
                                NULL, error);
        }
        if (name) {
            g_ptr_array_add(names, name);
        }
    }
    g_ptr_array_sort(names, compare_names);
    json_t *list = json_array();
    for (guint k = 0; k < names->len; k++) {
        if (k == 0 || !g_str_equal(names->pdata[k], names->pdata[k - 1])) {
            (void)json_array_append_new(list, json_string(names->pdata[k]));
        }
    }
    return list;
}

/* --- Together --- */

json_t *
field_normalise(const Field *field, const json_t *value, const EditContext *context,
                gboolean strict, GError **error)
{
    if (!value || json_is_null(value)) {
        if (strict && !field->may_clear) {
            return refuse_value(field, value, "it cannot be empty", NULL, error);
        }
        return field_is_list(field) ? json_array() : json_null();
    }
    switch (field->type) {
    case FIELD_TEXT:
    case FIELD_NAME:
        return text_value(field, value, strict, error);
    case FIELD_WORD:
    case FIELD_STATE:
        return word_value(field, value, strict, error);
    case FIELD_ESTIMATE:
    case FIELD_INTEGER:
        return number_value(field, value, context, strict, error);
    case FIELD_BOOLEAN:
        return boolean_value(field, value, strict, error);
    case FIELD_TIME:
    case FIELD_DATE:
        return time_value(field, value, strict, error);
    case FIELD_PERSON:
        return person_value(field, value, context, strict, error);
    case FIELD_PEOPLE:
        return people_value(field, value, context, strict, error);
    case FIELD_LABELS:
        return labels_value(field, value, context, strict, error);
    case FIELD_STORY:
        return id_value(field, value, strict, error);
    case FIELD_OTHER:
        return json_deep_copy(value);
    }
    return json_null();
}

json_t *
field_from_line(const Field *field, const char *line)
{
    if (!*line) {
        return json_null();
    }
    if (field->type == FIELD_OTHER) {
        json_t *value = edit_json_from_text(line);
        return value ? value : json_string(line);
    }
    if (!field_is_list(field)) {
        return json_string(line);
    }
    json_t *list = json_array();
    g_auto(GStrv) parts = g_strsplit(line, ",", -1);
    for (guint i = 0; parts[i]; i++) {
        const char *part = g_strstrip(parts[i]);
        if (*part) {
            (void)json_array_append_new(list, json_string(part));
        }
    }
    return list;
}

json_t *
field_to_wire(const Field *field, const json_t *value)
{
    gsize i;
    const json_t *element;
    if (field->type != FIELD_LABELS) {
        /* No service takes null for a text that is to be empty as surely as it takes "". */
        return json_is_null(value) && field->type == FIELD_TEXT ? json_string("")
                                                                : json_deep_copy(value);
    }
    json_t *labels = json_array();
    json_array_foreach(value, i, element)
    {
        json_t *label = json_object();
        (void)json_object_set_new(label, "name", json_deep_copy(element));
        (void)json_array_append_new(labels, label);
    }
    return labels;
}
