/* v5_build: parents before children, then what nobody described is made, then order, versions and
 * the local person.
 *
 * Two names that must be unique in the tables are not unique out there: a label's name in its
 * project (the second id becomes an alias of the first), and a user name (the second person keeps
 * it in `extra`). */
#include "tracker/import/v5_build.h"

#include <string.h>

#include "tracker/import/v5_row.h"
#include "tracker/rows.h"

#define POSITION_STEP 65536
#define PROGRESS_EVERY 256

typedef struct Builder {
    Stage *stage;
    DbConn *conn;
    gint64 now_ms;
    V5ImportProgressFn progress;
    gpointer user;
    V5ImportReport *report;
    V5ImportProgress state;
    GHashTable *aliases; /* label id -> label id (gint64 *) */
} Builder;

static gint64
member_id(const json_t *object, const char *key)
{
    gint64 id = json_integer_value(json_object_get(object, key));
    return id > 0 ? id : 0;
}

static const char *
member_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void
step(Builder *builder)
{
    builder->state.done++;
    if (builder->progress != NULL && builder->state.done % PROGRESS_EVERY == 0) {
        builder->progress(&builder->state, builder->user);
    }
}

/* ---- accounts, people, projects, memberships ---- */

static void
put_account(gint64 id, json_t *account, gpointer user)
{
    Builder *builder = user;
    v5_row_put(builder->conn, &kind_account, id, account, NULL, 0);
    step(builder);
}

static void
put_account_membership(gint64 id, json_t *membership, gpointer user)
{
    Builder *builder = user;
    gint64 account_id = member_id(membership, "account_id");
    gint64 person_id = member_id(membership, "person_id");
    gint64 known = row_int(
        builder->conn, "SELECT id FROM account_membership WHERE account_id = ?1 AND person_id = ?2",
        "ii", account_id, person_id);
    /* In a second account the id is taken: there the table chooses one. */
    if (id > 0 && known == 0 &&
        row_int(builder->conn, "SELECT 1 FROM account_membership WHERE id = ?1", "i", id) != 0) {
        id = 0;
    }
    if (account_id > 0 && person_id > 0 && (known == 0 || known == id)) {
        v5_row_put(builder->conn, &kind_account_membership, id, membership, NULL, 0);
    }
    step(builder);
}

static void
put_person(gint64 id, json_t *person, gpointer user)
{
    Builder *builder = user;
    g_autofree char *name = g_strdup_printf("Person %" G_GINT64_FORMAT, id);
    const V5Default defaults[] = {{.column = "name", .text = name}};
    const char *username = member_text(person, "username");
    if (username != NULL &&
        row_int(builder->conn,
                "SELECT EXISTS(SELECT 1 FROM person WHERE username = ?1 AND id <> ?2)", "ti",
                username, id) != 0) {
        (void)json_object_set_new(person, "other_username", json_string(username));
        (void)json_object_del(person, "username");
    }
    v5_row_put(builder->conn, &kind_me, id, person, defaults, G_N_ELEMENTS(defaults));
    step(builder);
}

static void
put_project(gint64 id, json_t *project, gpointer user)
{
    Builder *builder = user;
    g_autofree char *name = g_strdup_printf("Project %" G_GINT64_FORMAT, id);
    const V5Default defaults[] = {{.column = "name", .text = name}};
    v5_row_put(builder->conn, &kind_project, id, project, defaults, G_N_ELEMENTS(defaults));
    step(builder);
}

static void
put_membership(gint64 id, json_t *membership, gpointer user)
{
    Builder *builder = user;
    const V5Default defaults[] = {{.column = "role", .text = "member"}};
    gint64 project_id = member_id(membership, "project_id");
    gint64 person_id = member_id(membership, "person_id");
    gint64 known =
        row_int(builder->conn, "SELECT id FROM membership WHERE project_id = ?1 AND person_id = ?2",
                "ii", project_id, person_id);
    if (project_id > 0 && person_id > 0 && (known == 0 || known == id)) {
        v5_row_put(builder->conn, &kind_membership, id, membership, defaults,
                   G_N_ELEMENTS(defaults));
    }
    step(builder);
}

static void
put_workspace(gint64 id, json_t *workspace, gpointer user)
{
    Builder *builder = user;
    gint64 person_id = member_id(workspace, "person_id");
    gsize i;
    json_t *project_id;
    step(builder);
    if (person_id == 0) {
        person_id = stage_me(builder->stage);
    }
    if (person_id == 0) {
        stage_count_unknown(builder->stage, "workspace without a person");
        return;
    }
    const V5Default defaults[] = {{.column = "person_id", .number = person_id}};
    v5_row_put(builder->conn, &kind_workspace, id, workspace, defaults, G_N_ELEMENTS(defaults));
    (void)row_run(builder->conn, "DELETE FROM workspace_project WHERE workspace_id = ?1", "i", id);
    json_array_foreach(json_object_get(workspace, "project_ids"), i, project_id)
    {
        (void)row_run(
            builder->conn,
            "INSERT INTO workspace_project(workspace_id, position, project_id) VALUES(?1, ?2, ?3)",
            "iii", id, (gint64)i, (gint64)json_integer_value(project_id));
    }
}

/* ---- labels, epics ---- */

static void
put_label(gint64 id, json_t *label, gpointer user)
{
    Builder *builder = user;
    gint64 project_id = member_id(label, "project_id");
    g_autofree char *name = g_strdup_printf("label %" G_GINT64_FORMAT, id);
    const V5Default defaults[] = {{.column = "name", .text = name}};
    const char *given = member_text(label, "name");
    step(builder);
    if (project_id == 0) {
        stage_count_unknown(builder->stage, "label without a project");
        return;
    }
    gint64 same = row_int(builder->conn, "SELECT id FROM label WHERE project_id = ?1 AND name = ?2",
                          "it", project_id, given != NULL ? given : name);
    if (same != 0 && same != id) {
        (void)g_hash_table_insert(builder->aliases, g_memdup2(&id, sizeof id),
                                  g_memdup2(&same, sizeof same));
        return;
    }
    v5_row_put(builder->conn, &kind_label, id, label, defaults, G_N_ELEMENTS(defaults));
}

static gint64
label_by_name(Builder *builder, gint64 project_id, const char *name)
{
    gint64 id = row_int(builder->conn, "SELECT id FROM label WHERE project_id = ?1 AND name = ?2",
                        "it", project_id, name);
    if (id == 0) {
        (void)row_run(builder->conn, "INSERT INTO label(project_id, name) VALUES(?1, ?2)", "it",
                      project_id, name);
        id = db_last_id(builder->conn);
    }
    return id;
}

static gint64
label_of(const Builder *builder, gint64 id)
{
    const gint64 *alias = g_hash_table_lookup(builder->aliases, &id);
    return alias != NULL ? *alias : id;
}

/* Positions come in the end; until then they only have to differ. */
static void
put_epic(gint64 id, json_t *epic, gpointer user)
{
    Builder *builder = user;
    g_autofree char *name = g_strdup_printf("Epic %" G_GINT64_FORMAT, id);
    const V5Default defaults[] = {{.column = "name", .text = name},
                                  {.column = "position", .number = -id}};
    gsize i;
    json_t *person_id;
    step(builder);
    if (member_id(epic, "project_id") == 0) {
        stage_count_unknown(builder->stage, "epic without a project");
        return;
    }
    if (member_id(epic, "label_id") > 0) {
        (void)json_object_set_new(epic, "label_id",
                                  json_integer(label_of(builder, member_id(epic, "label_id"))));
    }
    v5_row_put(builder->conn, &kind_epic, id, epic, defaults, G_N_ELEMENTS(defaults));
    json_array_foreach(json_object_get(epic, "follower_ids"), i, person_id)
    {
        (void)row_run(builder->conn,
                      "INSERT OR IGNORE INTO epic_follower(epic_id, person_id) VALUES(?1, ?2)",
                      "ii", id, (gint64)json_integer_value(person_id));
    }
}

/* ---- stories ---- */

static void
put_story_links(Builder *builder, gint64 id, const json_t *story)
{
    gsize i;
    json_t *element;
    json_t *owners = json_object_get(story, "owner_ids");
    if (json_is_array(owners)) {
        (void)row_run(builder->conn, "DELETE FROM story_owner WHERE story_id = ?1", "i", id);
    }
    json_array_foreach(owners, i, element)
    {
        (void)row_run(
            builder->conn,
            "INSERT OR IGNORE INTO story_owner(story_id, position, person_id) VALUES(?1, ?2, ?3)",
            "iii", id, (gint64)i, (gint64)json_integer_value(element));
    }
    json_array_foreach(json_object_get(story, "follower_ids"), i, element)
    {
        (void)row_run(builder->conn,
                      "INSERT OR IGNORE INTO story_follower(story_id, person_id) VALUES(?1, ?2)",
                      "ii", id, (gint64)json_integer_value(element));
    }
    if (json_is_array(json_object_get(story, "label_ids"))) {
        (void)row_run(builder->conn, "DELETE FROM story_label WHERE story_id = ?1", "i", id);
    }
    json_array_foreach(json_object_get(story, "label_ids"), i, element)
    {
        (void)row_run(builder->conn,
                      "INSERT OR IGNORE INTO story_label(story_id, label_id) VALUES(?1, ?2)", "ii",
                      id, label_of(builder, json_integer_value(element)));
    }
    json_array_foreach(json_object_get(story, "_label_names"), i, element)
    {
        (void)row_run(
            builder->conn, "INSERT OR IGNORE INTO story_label(story_id, label_id) VALUES(?1, ?2)",
            "ii", id,
            label_by_name(builder, member_id(story, "project_id"), json_string_value(element)));
    }
}

static void
put_story(gint64 id, json_t *story, gpointer user)
{
    Builder *builder = user;
    g_autofree char *name = g_strdup_printf("Story %" G_GINT64_FORMAT, id);
    const V5Default defaults[] = {{.column = "name", .text = name},
                                  {.column = "story_type", .text = "feature"},
                                  {.column = "current_state", .text = "unscheduled"},
                                  {.column = "position", .number = -id}};
    step(builder);
    if (member_id(story, "project_id") == 0) {
        stage_count_unknown(builder->stage, "story without a project");
        return;
    }
    v5_row_put(builder->conn, &kind_story, id, story, defaults, G_N_ELEMENTS(defaults));
    put_story_links(builder, id, story);
}

static void
make_parent_story(gint64 id, gint64 project_id, gpointer user)
{
    Builder *builder = user;
    if (project_id > 0 &&
        row_int(builder->conn, "SELECT 1 FROM story WHERE id = ?1", "i", id) == 0) {
        g_autofree char *name = g_strdup_printf("Story %" G_GINT64_FORMAT, id);
        (void)row_run(builder->conn,
                      "INSERT INTO story(id, project_id, position, name, story_type, current_state)"
                      " VALUES(?1, ?2, -?1, ?3, 'feature', 'unscheduled')",
                      "iit", id, project_id, name);
        builder->report->made_stories++;
    }
}

static void
make_parent_epic(gint64 id, gint64 project_id, gpointer user)
{
    Builder *builder = user;
    if (project_id > 0 &&
        row_int(builder->conn, "SELECT 1 FROM epic WHERE id = ?1", "i", id) == 0) {
        g_autofree char *name = g_strdup_printf("Epic %" G_GINT64_FORMAT, id);
        (void)row_run(builder->conn,
                      "INSERT INTO epic(id, project_id, position, name) VALUES(?1, ?2, -?1, ?3)",
                      "iit", id, project_id, name);
    }
}

/* ---- children of stories ---- */

static gboolean
has_parent(Builder *builder, const json_t *child, const char *key, const char *sql)
{
    gint64 id = member_id(child, key);
    return id > 0 && row_int(builder->conn, sql, "i", id) != 0;
}

static void
put_child(Builder *builder, const Kind *kind, gint64 id, json_t *child, const V5Default *defaults,
          gsize n_defaults)
{
    step(builder);
    if (has_parent(builder, child, "story_id", "SELECT 1 FROM story WHERE id = ?1") ||
        (kind == &kind_comment &&
         has_parent(builder, child, "epic_id", "SELECT 1 FROM epic WHERE id = ?1"))) {
        v5_row_put(builder->conn, kind, id, child, defaults, n_defaults);
    } else {
        g_autofree char *what = g_strdup_printf("%s without a story", kind->name);
        stage_count_unknown(builder->stage, what);
    }
}

static void
put_comment(gint64 id, json_t *comment, gpointer user)
{
    put_child(user, &kind_comment, id, comment, NULL, 0);
}

static void
put_task(gint64 id, json_t *task, gpointer user)
{
    const V5Default defaults[] = {{.column = "position", .number = id}};
    put_child(user, &kind_task, id, task, defaults, G_N_ELEMENTS(defaults));
}

static void
put_blocker(gint64 id, json_t *blocker, gpointer user)
{
    put_child(user, &kind_blocker, id, blocker, NULL, 0);
}

static void
put_review(gint64 id, json_t *review, gpointer user)
{
    put_child(user, &kind_review, id, review, NULL, 0);
}

static void
put_pull_request(gint64 id, json_t *pull_request, gpointer user)
{
    put_child(user, &kind_pull_request, id, pull_request, NULL, 0);
}

static void
put_branch(gint64 id, json_t *branch, gpointer user)
{
    put_child(user, &kind_branch, id, branch, NULL, 0);
}

static void
put_review_type(gint64 id, json_t *type, gpointer user)
{
    Builder *builder = user;
    const V5Default defaults[] = {{.column = "name", .text = "Review"}};
    step(builder);
    if (member_id(type, "project_id") > 0) {
        v5_row_put(builder->conn, &kind_review_type, id, type, defaults, G_N_ELEMENTS(defaults));
    } else {
        stage_count_unknown(builder->stage, "review_type without a project");
    }
}

static void
put_transition(gint64 story_id, json_t *transition, gpointer user)
{
    Builder *builder = user;
    gint64 at_ms = v5_time_ms(json_object_get(transition, "occurred_at"));
    gint64 project_id =
        row_int(builder->conn, "SELECT project_id FROM story WHERE id = ?1", "i", story_id);
    const V5Default defaults[] = {{.column = "project_id", .number = project_id}};
    step(builder);
    if (project_id == 0) {
        stage_count_unknown(builder->stage, "story_transition without a story");
    } else if (row_int(builder->conn,
                       "SELECT 1 FROM story_transition WHERE story_id = ?1 AND occurred_at = ?2 "
                       "AND state = ?3",
                       "iit", story_id, at_ms, member_text(transition, "state")) == 0) {
        v5_row_put(builder->conn, &kind_transition, 0, transition, defaults,
                   G_N_ELEMENTS(defaults));
    }
}

/* The name is only text in our tables; an upload that nobody attached is kept, too. */
static void
put_file_attachment(gint64 id, json_t *file, gpointer user)
{
    Builder *builder = user;
    const V5Default defaults[] = {{.column = "filename", .text = "file"}};
    gint64 comment_id = member_id(file, "comment_id");
    gint64 project_id = member_id(file, "project_id");
    (void)json_object_del(file, "comment_id"); /* not an attribute of V5 */
    (void)json_object_del(file, "project_id");
    v5_row_put(builder->conn, &kind_file_attachment, id, file, defaults, G_N_ELEMENTS(defaults));
    (void)row_run(builder->conn,
                  "UPDATE file_attachment SET comment_id = COALESCE(?2, comment_id),"
                  " project_id = COALESCE(?3, project_id) WHERE id = ?1",
                  "iII", id, comment_id, project_id);
    step(builder);
}

static void
put_google_attachment(gint64 id, json_t *attachment, gpointer user)
{
    Builder *builder = user;
    v5_row_put(builder->conn, &kind_google_attachment, id, attachment, NULL, 0);
    step(builder);
}

/* ---- iterations and activities ---- */

/* A length or strength that is the usual one needs no override. */
static void
put_iteration(gint64 project_id, json_t *iteration, gpointer user)
{
    Builder *builder = user;
    const json_t *strength = json_object_get(iteration, "team_strength");
    gint64 length = member_id(iteration, "length");
    gint64 usual = row_int(builder->conn, "SELECT iteration_length FROM project WHERE id = ?1", "i",
                           project_id);
    gboolean is_long = length > 0 && usual > 0 && length != usual;
    gboolean is_strange = json_is_number(strength) && json_number_value(strength) != 1.0;
    gint64 number = member_id(iteration, "number");
    step(builder);
    if (!is_long && !is_strange) {
        return;
    }
    (void)row_run(
        builder->conn,
        "INSERT OR REPLACE INTO iteration_override(project_id, number, length) VALUES(?1, ?2, ?3)",
        "iiI", project_id, number, is_long ? length : (gint64)0);
    if (is_strange) {
        (void)row_run(builder->conn,
                      "UPDATE iteration_override SET team_strength = ?3 WHERE project_id = ?1 AND "
                      "number = ?2",
                      "iid", project_id, number, json_number_value(strength));
    }
}

/* Lists it with its stories and epics; what was deleted is named in the changes only. */
static void
link_activity(Builder *builder, gint64 activity_id, const json_t *resources)
{
    gsize i;
    json_t *resource;
    json_array_foreach(resources, i, resource)
    {
        const char *kind = member_text(resource, "kind");
        gint64 id = member_id(resource, "id");
        if (kind == NULL || id == 0) {
            continue;
        }
        if (strcmp(kind, "story") == 0) {
            (void)row_run(
                builder->conn,
                "INSERT OR IGNORE INTO activity_story(story_id, activity_id) VALUES(?1, ?2)", "ii",
                id, activity_id);
        } else if (strcmp(kind, "epic") == 0) {
            (void)row_run(
                builder->conn,
                "INSERT OR IGNORE INTO activity_epic(epic_id, activity_id) VALUES(?1, ?2)", "ii",
                id, activity_id);
        }
    }
}

static void
put_activity(gint64 project_id, json_t *activity, gpointer user)
{
    Builder *builder = user;
    gint64 version = member_id(activity, "project_version");
    gint64 id =
        row_int(builder->conn, "SELECT id FROM activity WHERE project_id = ?1 AND version = ?2",
                "ii", project_id, version);
    const V5Default defaults[] = {{.column = "kind", .text = "unknown_activity"},
                                  {.column = "occurred_at", .number = 0},
                                  {.column = "version", .number = version, .always = TRUE}};
    step(builder);
    v5_row_put(builder->conn, &kind_activity, id, activity, defaults, G_N_ELEMENTS(defaults));
    if (id == 0) {
        id = db_last_id(builder->conn);
    }
    const json_t *primary = json_object_get(activity, "primary_resources");
    link_activity(builder, id,
                  json_array_size(primary) > 0 ? primary : json_object_get(activity, "changes"));
}

/* ---- what nobody described ---- */

static void
make_missing(Builder *builder)
{
    static const char *const people =
        "SELECT s.project_id AS project, s.requested_by_id AS person FROM story s"
        " UNION SELECT s.project_id, o.person_id FROM story_owner o JOIN story s ON s.id = "
        "o.story_id"
        " UNION SELECT s.project_id, f.person_id FROM story_follower f JOIN story s ON s.id = "
        "f.story_id"
        " UNION SELECT s.project_id, c.person_id FROM comment c JOIN story s ON s.id = c.story_id"
        " UNION SELECT e.project_id, c.person_id FROM comment c JOIN epic e ON e.id = c.epic_id"
        " UNION SELECT s.project_id, b.person_id FROM blocker b JOIN story s ON s.id = b.story_id"
        " UNION SELECT s.project_id, r.reviewer_id FROM review r JOIN story s ON s.id = r.story_id"
        " UNION SELECT t.project_id, t.performed_by_id FROM story_transition t"
        " UNION SELECT f.project_id, f.uploader_id FROM file_attachment f WHERE f.project_id "
        "NOTNULL"
        " UNION SELECT a.project_id, a.performed_by_id FROM activity a"
        " UNION SELECT m.project_id, m.person_id FROM membership m";
    DbConn *conn = builder->conn;
    (void)db_exec(
        conn,
        "INSERT INTO project(id, name) SELECT DISTINCT project_id, 'Project ' || project_id FROM"
        " (SELECT project_id FROM story UNION SELECT project_id FROM epic UNION SELECT project_id "
        "FROM label"
        " UNION SELECT project_id FROM membership UNION SELECT project_id FROM activity"
        " UNION SELECT project_id FROM review_type)"
        " WHERE project_id NOT IN (SELECT id FROM project)",
        NULL);
    builder->report->made_projects = (guint64)MAX(db_changes(conn), 0);
    (void)db_exec(conn,
                  "INSERT INTO label(id, project_id, name) SELECT x.label_id, min(s.project_id), "
                  "'label ' || x.label_id"
                  " FROM story_label x JOIN story s ON s.id = x.story_id"
                  " WHERE x.label_id NOT IN (SELECT id FROM label) GROUP BY x.label_id",
                  NULL);
    g_autofree char *persons =
        g_strdup_printf("INSERT INTO person(id, name) SELECT DISTINCT person, 'Person ' || person "
                        "FROM (%s UNION SELECT 0, person_id"
                        " FROM account_membership UNION SELECT 0, person_id FROM workspace)"
                        " WHERE person > 0 AND person NOT IN (SELECT id FROM person)",
                        people);
    (void)db_exec(conn, persons, NULL);
    builder->report->made_people = (guint64)MAX(db_changes(conn), 0);
    /* Whoever did something there was a member. */
    g_autofree char *members = g_strdup_printf(
        "INSERT INTO membership(project_id, person_id, role) SELECT DISTINCT project, person, "
        "'member' FROM (%s)"
        " WHERE person > 0 AND NOT EXISTS(SELECT 1 FROM membership m WHERE m.project_id = project"
        " AND m.person_id = person)",
        people);
    (void)db_exec(conn, members, NULL);
    (void)db_exec(
        conn,
        "UPDATE project SET version = max(version, COALESCE((SELECT max(a.version) FROM activity a"
        " WHERE a.project_id = project.id), 0))",
        NULL);
}

/* ---- order ---- */

typedef struct Placed {
    gint64 id, place; /* place 0: never seen in a list */
    int rank;         /* 0 accepted, 1 scheduled, 2 unscheduled */
    gint64 second;    /* among those never seen */
} Placed;

static gint
compare_placed(gconstpointer a, gconstpointer b)
{
    const Placed *left = a;
    const Placed *right = b;
    /* Unscheduled stories come last, whatever a list said. */
    if ((left->rank == 2) != (right->rank == 2)) {
        return left->rank == 2 ? 1 : -1;
    }
    if (left->place != right->place && left->place != 0 && right->place != 0) {
        return left->place < right->place ? -1 : 1;
    }
    if (left->rank != right->rank) {
        return left->rank < right->rank ? -1 : 1;
    }
    if (left->second != right->second) {
        return left->second < right->second ? -1 : 1;
    }
    return left->id < right->id ? -1 : left->id > right->id;
}

/* Stories that were never in a list go to the end of those of their rank: before the first listed
 * one of a higher rank. Two sorted arrays are merged, because "before" is not the same question for
 * listed and for unlisted ones. */
static void
write_order(DbConn *conn, GArray *listed, GArray *unlisted)
{
    gint64 position = 0;
    guint u = 0;
    for (guint l = 0; l <= listed->len; l++) {
        int rank = l < listed->len ? g_array_index(listed, Placed, l).rank : 3;
        for (; u < unlisted->len && g_array_index(unlisted, Placed, u).rank < rank; u++) {
            (void)row_run(conn, "UPDATE story SET position = ?2 WHERE id = ?1", "ii",
                          g_array_index(unlisted, Placed, u).id, position += POSITION_STEP);
        }
        if (l < listed->len) {
            (void)row_run(conn, "UPDATE story SET position = ?2 WHERE id = ?1", "ii",
                          g_array_index(listed, Placed, l).id, position += POSITION_STEP);
        }
    }
}

static void
order_stories(Builder *builder, gint64 project_id)
{
    g_autoptr(GArray) listed = g_array_new(FALSE, FALSE, sizeof(Placed));
    g_autoptr(GArray) unlisted = g_array_new(FALSE, FALSE, sizeof(Placed));
    DbStmt *stmt = db_prepare(
        builder->conn,
        "SELECT id, CASE current_state WHEN 'accepted' THEN 0 WHEN 'unscheduled' THEN 2 ELSE 1 END,"
        /* placed by an earlier import; else accepted by time, in progress, unstarted, each by age
         */
        " CASE WHEN position > 0 THEN position WHEN current_state = 'accepted' THEN "
        "COALESCE(accepted_at, 0)"
        " WHEN current_state = 'unstarted' THEN 2 WHEN current_state = 'planned' THEN 1 ELSE 0 END"
        " FROM story WHERE project_id = ?1 ORDER BY id");
    db_bind_int(stmt, 1, project_id);
    while (db_next(stmt)) {
        Placed placed = {
            .id = db_int(stmt, 0), .rank = (int)db_int(stmt, 1), .second = db_int(stmt, 2)};
        placed.place = stage_order(builder->stage, placed.id);
        if (placed.place > 0) {
            g_array_append_val(listed, placed);
        } else {
            g_array_append_val(unlisted, placed);
        }
    }
    db_done(stmt);
    g_array_sort(listed, compare_placed);
    g_array_sort(unlisted, compare_placed);
    (void)row_run(builder->conn, "UPDATE story SET position = -id WHERE project_id = ?1", "i",
                  project_id);
    write_order(builder->conn, listed, unlisted);
}

static void
order_all(Builder *builder)
{
    g_autoptr(GArray) projects = g_array_new(FALSE, FALSE, sizeof(gint64));
    DbStmt *stmt =
        db_prepare(builder->conn, "SELECT DISTINCT project_id FROM story WHERE position <= 0"
                                  " UNION SELECT project_id FROM epic WHERE position <= 0");
    while (db_next(stmt)) {
        gint64 id = db_int(stmt, 0);
        g_array_append_val(projects, id);
    }
    db_done(stmt);
    for (guint i = 0; i < projects->len; i++) {
        gint64 id = g_array_index(projects, gint64, i);
        order_stories(builder, id);
        /* Epics: those that were there before, then the new ones by age. */
        gint64 last = row_int(
            builder->conn, "SELECT max(max(position), 0) FROM epic WHERE project_id = ?1", "i", id);
        (void)row_run(builder->conn,
                      "WITH n AS (SELECT id, row_number() OVER (ORDER BY id) AS nth FROM epic "
                      "WHERE project_id = ?1"
                      " AND position <= 0) UPDATE epic SET position = ?2 + 65536 * (SELECT nth "
                      "FROM n WHERE n.id ="
                      " epic.id) WHERE id IN (SELECT id FROM n)",
                      "ii", id, last);
    }
}

/* ---- the local person ---- */

static gboolean
sees_everything(DbConn *conn, gint64 person_id)
{
    return person_id > 0 &&
           row_int(conn,
                   "SELECT NOT EXISTS(SELECT 1 FROM project p WHERE NOT EXISTS(SELECT 1 FROM"
                   " membership m WHERE m.project_id = p.id AND m.person_id = ?1"
                   " AND m.role <> 'inactive'))",
                   "i", person_id) != 0;
}

/* The person of our own, made once; an id above all that V5 gave, so that no later import brings
 * the same. */
static gint64
made_person(Builder *builder)
{
    DbConn *conn = builder->conn;
    g_autofree char *noted = db_meta_get(conn, "made_person_id");
    gint64 id = noted != NULL ? g_ascii_strtoll(noted, NULL, 10) : 0;
    if (id == 0) {
        (void)row_run(conn,
                      "INSERT INTO person(id, name, initials, username, created_at, updated_at)"
                      " SELECT max(COALESCE(max(id), 0) + 1, 2147483000), 'Local', 'LO',"
                      " CASE WHEN EXISTS(SELECT 1 FROM person WHERE username = 'local') THEN NULL"
                      " ELSE 'local' END, ?1, ?1 FROM person",
                      "i", builder->now_ms);
        id = db_last_id(conn);
        g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, id);
        (void)db_meta_set(conn, "made_person_id", text);
    }
    return id;
}

/* Whoever a local mount acts as must see all that was imported: the one who exported it, else an
 * owner of everything; where there is none, a person of our own. */
static void
choose_local_person(Builder *builder)
{
    DbConn *conn = builder->conn;
    g_autofree char *noted = db_meta_get(conn, "local_person_id");
    gint64 id = noted != NULL ? g_ascii_strtoll(noted, NULL, 10) : 0;
    if (!sees_everything(conn, id)) {
        id = stage_me(builder->stage);
    }
    if (!sees_everything(conn, id)) {
        id = row_int(conn,
                     "SELECT person_id FROM membership WHERE role = 'owner' GROUP BY person_id"
                     " ORDER BY count(*) DESC, person_id LIMIT 1",
                     "");
    }
    if (!sees_everything(conn, id)) {
        id = made_person(builder);
        (void)row_run(conn,
                      "INSERT INTO membership(project_id, person_id, role) SELECT id, ?1, 'owner' "
                      "FROM project p"
                      " WHERE true ON CONFLICT(project_id, person_id) DO UPDATE SET role = 'owner'",
                      "i", id);
    }
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, id);
    (void)db_meta_set(conn, "local_person_id", text);
}

void
v5_build(Stage *stage, DbConn *conn, gint64 now_ms, V5ImportProgressFn progress, gpointer user,
         V5ImportReport *report)
{
    Builder builder = {.stage = stage,
                       .conn = conn,
                       .now_ms = now_ms,
                       .progress = progress,
                       .user = user,
                       .report = report,
                       .aliases =
                           g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free)};
    static const struct {
        V5Kind kind;
        StageFn put;
    } before_parents[] = {{V5_ACCOUNT, put_account},
                          {V5_PERSON, put_person},
                          {V5_ACCOUNT_MEMBERSHIP, put_account_membership},
                          {V5_PROJECT, put_project},
                          {V5_MEMBERSHIP, put_membership},
                          {V5_WORKSPACE, put_workspace},
                          {V5_REVIEW_TYPE, put_review_type},
                          {V5_LABEL, put_label},
                          {V5_EPIC, put_epic},
                          {V5_STORY, put_story}},
      after_parents[] = {{V5_COMMENT, put_comment},
                         {V5_TASK, put_task},
                         {V5_BLOCKER, put_blocker},
                         {V5_REVIEW, put_review},
                         {V5_PULL_REQUEST, put_pull_request},
                         {V5_BRANCH, put_branch},
                         {V5_TRANSITION, put_transition},
                         {V5_FILE_ATTACHMENT, put_file_attachment},
                         {V5_GOOGLE_ATTACHMENT, put_google_attachment},
                         {V5_ITERATION, put_iteration},
                         {V5_ACTIVITY, put_activity}};
    for (int kind = V5_UNKNOWN + 1; kind < V5_KINDS; kind++) {
        builder.state.total += stage_count(stage, (V5Kind)kind);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(before_parents); i++) {
        stage_each(stage, before_parents[i].kind, before_parents[i].put, &builder);
    }
    stage_each_parent(stage, V5_STORY, make_parent_story, &builder);
    stage_each_parent(stage, V5_EPIC, make_parent_epic, &builder);
    for (gsize i = 0; i < G_N_ELEMENTS(after_parents); i++) {
        stage_each(stage, after_parents[i].kind, after_parents[i].put, &builder);
    }
    make_missing(&builder);
    builder.report->files_without_bytes = (guint64)row_int(
        conn, "SELECT count(*) FROM file_attachment WHERE content_hash IS NULL", "");
    order_all(&builder);
    choose_local_person(&builder);
    g_hash_table_unref(builder.aliases);
}
