/* Every term becomes a condition that is never NULL, so that NOT can stand before it. Most are
 * `t.id IN (SELECT ...)` with nothing of t inside: SQLite evaluates such a list once for the whole
 * search, and starts from it when it is the only condition. `?` in a text is the number of the
 * value that was bound last. */
#include "tracker/search_sql.h"

#include <math.h>
#include <string.h>

#include "tracker/blocking.h"
#include "tracker/json_writer.h"
#include "tracker/schema_text.h"
#include "tracker/search_dates.h"
#include "tracker/search_text.h"

typedef struct Builder {
    Where *where;
    const SearchScope *scope;
    GString *sql;
    gboolean of_epics;
    gboolean only_stories; /* asked for what an epic does not have */
    guint project;         /* number of the bound project id */
    GError **error;
} Builder;

/* Appends `sql` with each "?" made ?N. */
static void
add(Builder *builder, const char *sql, guint n)
{
    for (const char *at = sql; *at; at++) {
        if (*at == '?') {
            g_string_append_printf(builder->sql, "?%u", n);
        } else if (*at == '@') {
            g_string_append_printf(builder->sql, "?%u", builder->project);
        } else {
            g_string_append_c(builder->sql, *at);
        }
    }
}

static void
add_text(Builder *builder, const char *sql, const char *text)
{
    add(builder, sql, where_bind_text(builder->where, text));
}

static void
add_number(Builder *builder, const char *sql, gint64 ms)
{
    add(builder, sql, where_bind_int(builder->where, ms));
}

static gboolean
refuse(Builder *builder, const char *message)
{
    g_set_error_literal(builder->error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT, message);
    return FALSE;
}

static gboolean
is_empty(const SearchValue *value)
{
    return *value->text == '\0';
}

static gboolean
has_wildcards(const SearchValue *value)
{
    return value->form == SEARCH_BARE && strpbrk(value->text, "*?");
}

/* For GLOB: wildcards of a bare word stay, everything else is literal. */
static char *
glob_of(const SearchValue *value, gboolean anywhere)
{
    g_autofree char *folded = g_utf8_casefold(value->text, -1);
    GString *out = g_string_new(anywhere ? "*" : NULL);

    for (const char *at = folded; *at; at++) {
        if (*at == '[' || (value->form != SEARCH_BARE && (*at == '*' || *at == '?'))) {
            g_string_append_printf(out, "[%c]", *at);
        } else {
            g_string_append_c(out, *at);
        }
    }
    if (anywhere) {
        g_string_append_c(out, '*');
    }
    return g_string_free(out, FALSE);
}

/* Is `column` this name, letter case ignored? */
static void
add_name(Builder *builder, const char *column, const SearchValue *value)
{
    g_autofree char *text = NULL;

    if (value->form == SEARCH_REGEX) {
        g_string_append(builder->sql, column);
        add_text(builder, " REGEXP ?", value->text);
        return;
    }
    g_string_append_printf(builder->sql, "fold(%s)", column);
    if (has_wildcards(value)) {
        text = glob_of(value, FALSE);
        add_text(builder, " GLOB ?", text);
    } else {
        text = g_utf8_casefold(value->text, -1);
        add_text(builder, " = ?", text);
    }
}

/* People by a fragment of the name or user name, by initials, or by id. */
static void
add_people(Builder *builder, const SearchValue *value)
{
    g_autofree char *anywhere = glob_of(value, TRUE), *exact = glob_of(value, FALSE);
    gint64 id = 0;

    g_string_append(builder->sql, "(SELECT p.id FROM person p WHERE ");
    if (value->form == SEARCH_REGEX) {
        add_text(builder, "p.name REGEXP ?)", value->text);
        return;
    }
    add_text(builder, "fold(p.name) GLOB ? OR fold(p.username) GLOB ?", anywhere);
    add_text(builder, " OR fold(p.initials) GLOB ?", exact);
    if (g_ascii_string_to_signed(value->text, 10, 1, G_MAXINT64, &id, NULL)) {
        add_number(builder, " OR p.id = ?", id);
    }
    g_string_append(builder->sql, ")");
}

/* The index's pieces that a match finds, as a table of one column. */
static void
add_pieces(Builder *builder, const TextMatch *match, gboolean name_only)
{
    g_autofree char *prefix = NULL, *last = NULL;

    if (match->words) {
        g_autofree char *in_name = g_strconcat("{name} : ", match->words, NULL);

        add_text(builder, "(SELECT rowid AS piece FROM text_index WHERE text_index MATCH ?)",
                 name_only ? in_name : match->words);
        return;
    }
    prefix = g_strndup(match->pattern, strcspn(match->pattern, "*?"));
    last = g_strconcat(prefix, "\364\217\277\277", NULL); /* U+10FFFF */
    add_text(builder,
             "(SELECT doc AS piece FROM text_places"
             " WHERE term IN (SELECT term FROM text_terms WHERE term GLOB ?",
             match->pattern);
    add_text(builder, " AND term >= ?", prefix); /* the list of words is read from here ... */
    add_text(builder, " AND term <= ?)", last);  /* ... to here */
    g_string_append(builder->sql, name_only ? " AND col = 'name')" : ")");
}

#define STORY_OF_PIECE                                                                             \
    "CASE p.piece & 7 WHEN " TEXT_STORY " THEN p.piece >> 3"                                       \
    " WHEN " TEXT_COMMENT " THEN (SELECT c.story_id FROM comment c WHERE c.id = p.piece >> 3)"     \
    " WHEN " TEXT_TASK " THEN (SELECT k.story_id FROM task k WHERE k.id = p.piece >> 3)"           \
    " WHEN " TEXT_FILE " THEN (SELECT c.story_id FROM file_attachment f JOIN comment c"            \
    " ON c.id = f.comment_id WHERE f.id = p.piece >> 3) END"
#define EPIC_OF_PIECE                                                                              \
    "CASE p.piece & 7 WHEN " TEXT_EPIC " THEN p.piece >> 3"                                        \
    " WHEN " TEXT_COMMENT " THEN (SELECT c.epic_id FROM comment c WHERE c.id = p.piece >> 3)"      \
    " WHEN " TEXT_FILE " THEN (SELECT c.epic_id FROM file_attachment f JOIN comment c"             \
    " ON c.id = f.comment_id WHERE f.id = p.piece >> 3) END"

static void
add_indexed(Builder *builder, const TextMatch *match, gboolean name_only)
{
    const char *object = builder->of_epics ? EPIC_OF_PIECE : STORY_OF_PIECE;
    const char *kind = builder->of_epics ? TEXT_EPIC : TEXT_STORY;

    g_string_append_printf(builder->sql, "SELECT COALESCE(%s, 0) FROM ",
                           name_only ? "p.piece >> 3" : object);
    add_pieces(builder, match, name_only);
    g_string_append(builder->sql, " p");
    if (name_only) {
        g_string_append_printf(builder->sql, " WHERE p.piece & 7 = %s", kind);
    }
}

/* The same without the index: every text of the project. */
static void
add_scanned(Builder *builder, const TextMatch *match, gboolean name_only)
{
    const char *table = builder->of_epics ? "epic" : "story";
    guint n = where_bind_text(builder->where, match->regexp);

    g_string_append_printf(builder->sql, "SELECT s.id FROM %s s", table);
    add(builder, " WHERE s.project_id = @ AND (s.name REGEXP ?", n);
    if (!name_only) {
        add(builder, " OR s.description REGEXP ?", n);
    }
    g_string_append(builder->sql, ")");
    if (name_only) {
        return;
    }
    g_string_append_printf(builder->sql,
                           " UNION ALL SELECT s.id FROM %s s JOIN comment c ON c.%s_id = s.id"
                           " LEFT JOIN file_attachment f ON f.comment_id = c.id",
                           table, table);
    add(builder, " WHERE s.project_id = @ AND (c.text REGEXP ? OR f.filename REGEXP ?)", n);
    if (!builder->of_epics) {
        add(builder,
            " UNION ALL SELECT s.id FROM story s JOIN task k ON k.story_id = s.id"
            " WHERE s.project_id = @ AND k.description REGEXP ?",
            n);
    }
}

static void
add_text_term(Builder *builder, const SearchValue *value, gboolean name_only)
{
    g_auto(TextMatch) match = {0};
    guint n;

    text_match_init(&match, value);
    g_string_append(builder->sql, "t.id IN (");
    if (match.words || match.pattern) {
        add_indexed(builder, &match, name_only);
    } else {
        add_scanned(builder, &match, name_only);
    }
    if (name_only) {
        g_string_append(builder->sql, ")");
        return;
    }
    n = where_bind_text(builder->where, match.regexp);
    if (builder->of_epics) {
        add(builder,
            " UNION ALL SELECT e.id FROM label l JOIN epic e ON e.label_id = l.id"
            " WHERE l.project_id = @ AND l.name REGEXP ?)",
            n);
        return;
    }
    add(builder,
        " UNION ALL SELECT x.story_id FROM label l JOIN story_label x ON x.label_id = l.id"
        " WHERE l.project_id = @ AND l.name REGEXP ?"
        " UNION ALL SELECT o.story_id FROM person p JOIN story_owner o ON o.person_id = p.id"
        " WHERE p.name REGEXP ?"
        " UNION ALL SELECT s.id FROM person p JOIN story s ON s.requested_by_id = p.id"
        " AND s.project_id = @ WHERE p.name REGEXP ?)",
        n);
}

static void
add_label(Builder *builder, const SearchValue *value)
{
    if (builder->of_epics) {
        if (is_empty(value)) {
            g_string_append(builder->sql, "t.label_id IS NULL");
            return;
        }
        g_string_append(builder->sql, "t.id IN (SELECT e.id FROM label l JOIN epic e"
                                      " ON e.label_id = l.id WHERE ");
    } else {
        if (is_empty(value)) {
            g_string_append(builder->sql,
                            "NOT EXISTS(SELECT 1 FROM story_label x WHERE x.story_id = t.id)");
            return;
        }
        g_string_append(builder->sql, "t.id IN (SELECT x.story_id FROM label l JOIN story_label x"
                                      " ON x.label_id = l.id WHERE ");
    }
    add(builder, "l.project_id = @ AND ", 0);
    add_name(builder, "l.name", value);
    g_string_append(builder->sql, ")");
}

#define IN_SOME_EPIC                                                                               \
    "t.id IN (SELECT x.story_id FROM epic e JOIN story_label x ON x.label_id = e.label_id"         \
    " WHERE e.project_id = @"

static void
add_epic(Builder *builder, const SearchValue *value)
{
    if (builder->of_epics) {
        add_name(builder, "t.name", value);
        return;
    }
    g_string_append(builder->sql, is_empty(value) ? "NOT " : "");
    add(builder, IN_SOME_EPIC, 0);
    if (!is_empty(value)) {
        g_string_append(builder->sql, " AND ");
        add_name(builder, "e.name", value);
    }
    g_string_append(builder->sql, ")");
}

static void
add_owner(Builder *builder, const SearchValue *value)
{
    if (is_empty(value)) {
        g_string_append(builder->sql,
                        "NOT EXISTS(SELECT 1 FROM story_owner o WHERE o.story_id = t.id)");
        return;
    }
    g_string_append(builder->sql,
                    "t.id IN (SELECT o.story_id FROM story_owner o WHERE o.person_id IN ");
    add_people(builder, value);
    g_string_append(builder->sql, ")");
}

static void
add_requester(Builder *builder, const SearchValue *value)
{
    if (is_empty(value)) {
        g_string_append(builder->sql, "t.requested_by_id IS NULL");
        return;
    }
    g_string_append(builder->sql, "COALESCE(t.requested_by_id, 0) IN ");
    add_people(builder, value);
}

static void
add_reviewer(Builder *builder, const SearchValue *value)
{
    g_string_append(builder->sql, "t.id IN (SELECT r.story_id FROM review r WHERE ");
    if (is_empty(value)) {
        g_string_append(builder->sql, "r.reviewer_id IS NULL)");
        return;
    }
    g_string_append(builder->sql, "r.reviewer_id IN ");
    add_people(builder, value);
    g_string_append(builder->sql, ")");
}

/* The name of a review type, or name&status. */
static void
add_review(Builder *builder, const SearchValue *value)
{
    const char *separator = value->form == SEARCH_REGEX ? NULL : strrchr(value->text, '&');
    g_autofree char *type = separator ? g_strndup(value->text, (gsize)(separator - value->text))
                                      : g_strdup(value->text);
    SearchValue name = {type, value->form};

    g_string_append(builder->sql, "t.id IN (SELECT r.story_id FROM review_type y JOIN review r"
                                  " ON r.review_type_id = y.id WHERE ");
    add(builder, "y.project_id = @ AND ", 0);
    add_name(builder, "y.name", &name);
    if (separator) {
        add_text(builder, " AND r.status = ?", separator + 1);
    }
    g_string_append(builder->sql, ")");
}

static void
add_estimate(Builder *builder, const SearchValue *value)
{
    char *end;
    double number = g_ascii_strtod(value->text, &end);

    if (end == value->text || strspn(value->text, "-.0123456789") != strlen(value->text) ||
        !isfinite(number)) {
        g_string_append(builder->sql, "0");
    } else if (number < 0) {
        g_string_append(builder->sql, "t.estimate IS NULL");
    } else {
        add_text(builder, "COALESCE(t.estimate, -1) = CAST(? AS REAL)", value->text);
    }
}

#define BLOCKED                                                                                    \
    "EXISTS(SELECT 1 FROM blocker b WHERE b.story_id = t.id AND COALESCE(b.resolved, 0) = 0)"
#define BLOCKING                                                                                   \
    "EXISTS(SELECT 1 FROM " BLOCKING_FROM " WHERE " BLOCKING_WHERE("t.id", "t.project_id") ")"

typedef struct Property {
    const char *name, *sql;
    const char *epic_sql; /* NULL: epics have nothing of the kind */
} Property;

static const Property things[] = {
    {"blocker", BLOCKED, NULL},
    {"blockers", BLOCKED, NULL},
    {"blocked", BLOCKED, NULL},
    {"blocking", BLOCKING, NULL},
    {"label", "EXISTS(SELECT 1 FROM story_label x WHERE x.story_id = t.id)",
     "t.label_id IS NOT NULL"},
    {"labels", "EXISTS(SELECT 1 FROM story_label x WHERE x.story_id = t.id)",
     "t.label_id IS NOT NULL"},
    {"owner", "EXISTS(SELECT 1 FROM story_owner o WHERE o.story_id = t.id)", NULL},
    {"attachment",
     "t.id IN (SELECT COALESCE(c.story_id, 0) FROM file_attachment f JOIN comment c"
     " ON c.id = f.comment_id UNION ALL SELECT COALESCE(c.story_id, 0) FROM google_attachment g"
     " JOIN comment c ON c.id = g.comment_id)",
     "t.id IN (SELECT COALESCE(c.epic_id, 0) FROM file_attachment f JOIN comment c"
     " ON c.id = f.comment_id UNION ALL SELECT COALESCE(c.epic_id, 0) FROM google_attachment g"
     " JOIN comment c ON c.id = g.comment_id)"},
    {"external_id", "COALESCE(t.external_id, '') <> ''", NULL},
    {"epic", IN_SOME_EPIC ")", NULL},
    {"epics", IN_SOME_EPIC ")", NULL},
};

static const Property states_of_being[] = {
    {"blocked", BLOCKED, NULL},
    {"blocking", BLOCKING, NULL},
    {"following",
     "EXISTS(SELECT 1 FROM story_follower f WHERE f.story_id = t.id AND f.person_id = ?)",
     "EXISTS(SELECT 1 FROM epic_follower f WHERE f.epic_id = t.id AND f.person_id = ?)"},
};

static gboolean
add_property(Builder *builder, const SearchValue *value, const char *keyword,
             const Property *properties, gsize n_properties)
{
    g_autoptr(GString) known = g_string_new(NULL);
    g_autofree char *message = NULL;

    for (gsize i = 0; i < n_properties; i++) {
        const Property *property = &properties[i];
        const char *sql = builder->of_epics ? property->epic_sql : property->sql;

        g_string_append_printf(known, "%s%s", i ? ", " : "", property->name);
        if (g_ascii_strcasecmp(property->name, value->text) != 0) {
            continue;
        }
        if (!sql) {
            builder->only_stories = TRUE;
            sql = "0";
        }
        if (strchr(sql, '?')) {
            add_number(builder, sql, builder->scope->person_id);
        } else {
            add(builder, sql, 0);
        }
        return TRUE;
    }
    message = g_strdup_printf("'%s' must be one of: %s", keyword, known->str);
    return refuse(builder, message);
}

typedef enum { DATE_WITHIN, DATE_SINCE, DATE_BEFORE } DateRelation;

static gboolean
add_date(Builder *builder, const char *column, DateRelation relation, const SearchValue *value)
{
    gint64 start, end;

    if (!search_date_parse(value->text, builder->scope->zone, builder->scope->now_ms, &start,
                           &end)) {
        return refuse(builder, SEARCH_DATE_PROBLEM);
    }
    g_string_append_printf(builder->sql, "(%s IS NOT NULL AND %s ", column, column);
    if (relation == DATE_BEFORE) {
        add_number(builder, "< ?)", start);
        return TRUE;
    }
    add_number(builder, ">= ?", start);
    if (relation == DATE_WITHIN) {
        g_string_append_printf(builder->sql, " AND %s ", column);
        add_number(builder, "< ?", end);
    }
    g_string_append(builder->sql, ")");
    return TRUE;
}

static gboolean
add_plain(Builder *builder, const char *column, const SearchValue *value)
{
    g_autofree char *lower = g_utf8_strdown(value->text, -1);

    g_string_append(builder->sql, column);
    add_text(builder, " = ?", lower);
    return TRUE;
}

static gboolean
add_mywork(Builder *builder, const SearchValue *value)
{
    g_string_append(builder->sql,
                    "(t.current_state IN"
                    " ('started', 'finished', 'delivered', 'rejected', 'unstarted') AND ");
    add_owner(builder, value);
    g_string_append(builder->sql, ")");
    return TRUE;
}

/* A condition for one value of a term. */
static gboolean
add_value(Builder *builder, SearchKeyword keyword, const SearchValue *value)
{
    switch (keyword) {
    case SEARCH_TEXT:
        add_text_term(builder, value, FALSE);
        return TRUE;
    case SEARCH_NAME:
        add_text_term(builder, value, TRUE);
        return TRUE;
    case SEARCH_LABEL:
        add_label(builder, value);
        return TRUE;
    case SEARCH_EPIC:
        add_epic(builder, value);
        return TRUE;
    case SEARCH_TYPE:
        return add_plain(builder, "t.story_type", value);
    case SEARCH_STATE:
        return add_plain(builder, "t.current_state", value);
    case SEARCH_PRIORITY:
        return add_plain(builder, "COALESCE(t.story_priority, 'none')", value);
    case SEARCH_ESTIMATE:
        add_estimate(builder, value);
        return TRUE;
    case SEARCH_OWNER:
        add_owner(builder, value);
        return TRUE;
    case SEARCH_REQUESTER:
        add_requester(builder, value);
        return TRUE;
    case SEARCH_MYWORK:
        return add_mywork(builder, value);
    case SEARCH_REVIEWER:
        add_reviewer(builder, value);
        return TRUE;
    case SEARCH_REVIEW:
        add_review(builder, value);
        return TRUE;
    case SEARCH_REVIEW_STATUS:
        add_text(builder, "t.id IN (SELECT r.story_id FROM review r WHERE r.status = ?)",
                 value->text);
        return TRUE;
    case SEARCH_IS:
        return add_property(builder, value, "is", states_of_being, G_N_ELEMENTS(states_of_being));
    case SEARCH_HAS:
        return add_property(builder, value, "has", things, G_N_ELEMENTS(things));
    case SEARCH_INTEGRATION:
        g_string_append(builder->sql, "COALESCE(t.integration_id, 0) IN"
                                      " (SELECT i.id FROM integration i WHERE ");
        /* get_satisfaction_integration is written "Get Satisfaction". */
        add_name(builder, "replace(replace(i.kind, '_integration', ''), '_', ' ')", value);
        g_string_append(builder->sql, ")");
        return TRUE;
    case SEARCH_CREATED:
        return add_date(builder, "t.created_at", DATE_WITHIN, value);
    case SEARCH_CREATED_SINCE:
        return add_date(builder, "t.created_at", DATE_SINCE, value);
    case SEARCH_CREATED_BEFORE:
        return add_date(builder, "t.created_at", DATE_BEFORE, value);
    case SEARCH_UPDATED:
        return add_date(builder, "t.updated_at", DATE_WITHIN, value);
    case SEARCH_UPDATED_SINCE:
        return add_date(builder, "t.updated_at", DATE_SINCE, value);
    case SEARCH_UPDATED_BEFORE:
        return add_date(builder, "t.updated_at", DATE_BEFORE, value);
    case SEARCH_ACCEPTED:
        return add_date(builder, "t.accepted_at", DATE_WITHIN, value);
    case SEARCH_ACCEPTED_SINCE:
        return add_date(builder, "t.accepted_at", DATE_SINCE, value);
    case SEARCH_ACCEPTED_BEFORE:
        return add_date(builder, "t.accepted_at", DATE_BEFORE, value);
    case SEARCH_ID:
    case SEARCH_EXTERNAL_ID:
        break; /* add_ids(), all at once */
    }
    g_assert_not_reached();
}

static gboolean
epics_have(SearchKeyword keyword)
{
    switch (keyword) {
    case SEARCH_TEXT:
    case SEARCH_NAME:
    case SEARCH_LABEL:
    case SEARCH_EPIC:
    case SEARCH_IS:
    case SEARCH_HAS:
    case SEARCH_ID:
    case SEARCH_CREATED:
    case SEARCH_CREATED_SINCE:
    case SEARCH_CREATED_BEFORE:
    case SEARCH_UPDATED:
    case SEARCH_UPDATED_SINCE:
    case SEARCH_UPDATED_BEFORE:
        return TRUE;
    default:
        return FALSE;
    }
}

/* Any number of ids as one list: a client may ask for hundreds. */
static void
add_ids(Builder *builder, SearchKeyword keyword, const GArray *values)
{
    g_autoptr(GString) list = g_string_new("[");

    for (guint i = 0; i < values->len; i++) {
        const char *text = g_array_index(values, SearchValue, i).text;
        gint64 id;

        if (keyword == SEARCH_EXTERNAL_ID) {
            json_separate(list);
            json_text(list, text, strlen(text));
        } else if (g_ascii_string_to_signed(*text == '#' ? text + 1 : text, 10, G_MININT64,
                                            G_MAXINT64, &id, NULL)) {
            json_separate(list);
            json_int(list, id);
        }
    }
    g_string_append_c(list, ']');
    add_text(builder,
             keyword == SEARCH_ID
                 ? "t.id IN (SELECT value FROM json_each(?))"
                 : "COALESCE(t.external_id, '') IN (SELECT value FROM json_each(?))",
             list->str);
}

static gboolean
add_term(Builder *builder, const SearchNode *node)
{
    if (builder->of_epics && !epics_have(node->keyword)) {
        builder->only_stories = TRUE;
        g_string_append(builder->sql, "0");
        return TRUE;
    }
    if (node->keyword == SEARCH_ID || node->keyword == SEARCH_EXTERNAL_ID) {
        add_ids(builder, node->keyword, node->values);
        return TRUE;
    }
    for (guint i = 0; i < node->values->len; i++) {
        const SearchValue *value = &g_array_index(node->values, SearchValue, i);

        g_string_append(builder->sql, i ? " OR (" : "(");
        if (!text_check(value, builder->error) || !add_value(builder, node->keyword, value)) {
            return FALSE;
        }
        g_string_append(builder->sql, ")");
    }
    return TRUE;
}

static gboolean add_node(Builder *builder, const SearchNode *node);

/* A side of AND or OR; a chain of the same operator needs no parentheses. */
static gboolean
add_side(Builder *builder, const SearchNode *node, SearchNodeType above)
{
    gboolean chained = node->type == above, done;

    g_string_append(builder->sql, chained ? "" : "(");
    done = add_node(builder, node);
    g_string_append(builder->sql, chained ? "" : ")");
    return done;
}

static gboolean
add_node(Builder *builder, const SearchNode *node)
{
    switch (node->type) {
    case SEARCH_NODE_TERM:
        return add_term(builder, node);
    case SEARCH_NODE_NOT:
        g_string_append(builder->sql, "NOT ");
        return add_side(builder, node->left, SEARCH_NODE_NOT);
    default:
        if (!add_side(builder, node->left, node->type)) {
            return FALSE;
        }
        g_string_append(builder->sql, node->type == SEARCH_NODE_AND ? " AND " : " OR ");
        return add_side(builder, node->right, node->type);
    }
}

static gboolean
add_search(Where *where, const Search *search, const SearchScope *scope, gboolean of_epics,
           GError **error)
{
    g_autoptr(GString) sql = g_string_new(NULL);
    Builder builder = {
        .where = where, .scope = scope, .sql = sql, .of_epics = of_epics, .error = error};

    if (!search->root) {
        return TRUE;
    }
    builder.project = where_bind_int(where, scope->project_id);
    if (!add_node(&builder, search->root)) {
        return FALSE;
    }
    where_condition(where, builder.only_stories ? "0" : sql->str);
    return TRUE;
}

gboolean
search_add_stories(Where *where, const Search *search, const SearchScope *scope, GError **error)
{
    return add_search(where, search, scope, FALSE, error);
}

gboolean
search_add_epics(Where *where, const Search *search, const SearchScope *scope, GError **error)
{
    return add_search(where, search, scope, TRUE, error);
}

/* One whose every value becomes `t.id IN (...)`. */
static gboolean
term_is_list(const SearchNode *node)
{
    switch (node->keyword) {
    case SEARCH_ID:
        return TRUE;
    case SEARCH_TEXT:
    case SEARCH_NAME:
    case SEARCH_LABEL:
    case SEARCH_EPIC:
    case SEARCH_OWNER:
    case SEARCH_REVIEWER:
    case SEARCH_REVIEW:
        return node->values->len == 1 && !is_empty(&g_array_index(node->values, SearchValue, 0));
    default:
        return FALSE;
    }
}

static gboolean
node_is_selective(const SearchNode *node)
{
    if (node->type == SEARCH_NODE_AND) {
        return node_is_selective(node->left) || node_is_selective(node->right);
    }
    return node->type == SEARCH_NODE_TERM && term_is_list(node);
}

gboolean
search_is_selective(const Search *search)
{
    return search->root && node_is_selective(search->root);
}
