/* Labels and epics made, changed, moved and deleted. */
#include "support_service.h"

#include <jansson.h>

#define LABELS "projects/99/labels"
#define EPICS "projects/99/epics"
#define VERSION "SELECT version FROM project WHERE id = 99"

static void
look_at_activity(Fixture *f, const char *kind, const char *message)
{
    fixture_expect(f, "GET", "projects/99/activity?limit=1", NULL, 200);
    g_assert_cmpstr(fixture_text(f, "0.kind"), ==, kind);
    g_assert_cmpstr(fixture_text(f, "0.message"), ==, message);
}

/* ---- labels ---- */

static void
test_label_create(Fixture *f)
{
    g_assert_cmpstr(fixture_send(f, "POST", LABELS, "{\"name\":\" Needs DESIGN \"}"), ==,
                    "{\"kind\":\"label\",\"id\":5003,\"project_id\":99,\"name\":\"needs design\","
                    "\"created_at\":\"2017-05-03T23:29:41Z\","
                    "\"updated_at\":\"2017-05-03T23:29:41Z\"}");
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Project-Version"), ==, "231");
    look_at_activity(f, "label_create_activity", "Ada Example created labels: \"needs design\"");
    g_assert_cmpstr(fixture_text(f, "0.highlight"), ==, "created");
    g_assert_cmpstr(fixture_text(f, "0.changes.0.new_values.counts.kind"), ==, "story_counts");
    fixture_refused(f, "POST", LABELS, "{}", "this endpoint requires the parameter: name");
    fixture_refused(f, "POST", LABELS, "{\"name\":null}", "Name can't be blank");
    fixture_refused(f, "POST", LABELS, "{\"name\":\" \"}", "Name can't be blank");
    fixture_refused(f, "POST", LABELS, "{\"name\":\"a,b\"}", "Label names can't contain commas.");
    fixture_refused(f, "POST", LABELS, "{\"name\":\"PLANS\"}", "Name has already been taken");
    fixture_refused(f, "POST", LABELS, "{\"name\":1}", "'name' must be a string");
    {
        g_autofree char *name = g_strnfill(256, 'x');
        g_autofree char *body = g_strdup_printf("{\"name\":\"%s\"}", name);
        g_autofree char *text = g_strdup_printf("This string is too long:  '%s'", name);

        fixture_refused(f, "POST", LABELS, body, text);
    }
    g_assert_cmpint(fixture_number(f, VERSION), ==, 231);
}

static void
test_label_rename(Fixture *f)
{
    fixture_expect(f, "PUT", LABELS "/5002", "{\"name\":\"Ops\"}", 200);
    g_assert_cmpstr(fixture_text(f, "name"), ==, "ops");
    look_at_activity(f, "label_update_activity", "Ada Example renamed label: \"admin\" to \"ops\"");
    g_assert_cmpstr(fixture_text(f, "0.changes.0.original_values.name"), ==, "admin");
    g_assert_cmpint(fixture_int(f, "0.changes.1.id"), ==, 555);
    g_assert_cmpstr(fixture_text(f, "0.changes.1.original_values.labels.0"), ==, "admin");
    g_assert_cmpstr(fixture_text(f, "0.changes.1.new_values.labels.0"), ==, "ops");
    fixture_expect(f, "PUT", LABELS "/5002", "{\"name\":\"ops\"}", 200);
    g_assert_cmpint(fixture_number(f, VERSION), ==, 231);
    fixture_expect(f, "PUT", LABELS "/5001", "{\"name\":\"schemes\"}", 200);
    fixture_expect(f, "GET", "epics/4001/activity?limit=1", NULL, 200);
    g_assert_cmpstr(fixture_text(f, "0.kind"), ==, "label_update_activity");
    fixture_refused(f, "PUT", LABELS "/7", "{\"name\":\"x\"}", "No label found to update.");
    g_assert_cmpstr(
        fixture_text(f, "possible_fix"), ==,
        "The label could have already been moved or deleted, or is in another project.");
    fixture_refused(f, "DELETE", LABELS "/7", NULL, "No label found to delete.");
}

/* A name that is there joins the two: story 555 has both, then one. */
static void
test_label_merge(Fixture *f)
{
    fixture_sql(f, "INSERT INTO story_label VALUES(557, 5002)");
    fixture_expect(f, "PUT", LABELS "/5002", "{\"name\":\"Plans\"}", 200);
    g_assert_cmpint(fixture_int(f, "id"), ==, 5001);
    look_at_activity(f, "label_merge_activity",
                     "Ada Example merged label: \"admin\" into \"plans\"");
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM story_label WHERE label_id = 5001"), ==,
                    3);
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM label WHERE id = 5002"), ==, 0);
    /* Two epics cannot have one label. */
    fixture_expect(f, "POST", EPICS, "{\"name\":\"Other\"}", 200);
    {
        g_autofree char *path =
            g_strdup_printf(LABELS "/%" G_GINT64_FORMAT, fixture_int(f, "label.id"));

        fixture_refused(f, "PUT", path, "{\"name\":\"plans\"}",
                        "The label 'plans' is already used by another epic.");
    }
}

static void
test_label_delete(Fixture *f)
{
    fixture_expect(f, "DELETE", LABELS "/5002", NULL, 204);
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Project-Version"), ==, "231");
    look_at_activity(f, "label_delete_activity", "Ada Example deleted label: \"admin\"");
    /* The stories first, then the label. */
    g_assert_cmpstr(fixture_text(f, "0.changes.0.kind"), ==, "story");
    g_assert_cmpint(fixture_int(f, "0.changes.0.id"), ==, 555);
    g_assert_cmpstr(fixture_text(f, "0.changes.0.new_values.labels.0"), ==, "plans");
    g_assert_cmpstr(fixture_text(f, "0.changes.1.kind"), ==, "label");
    g_assert_cmpstr(fixture_text(f, "0.changes.1.change_type"), ==, "delete");
    g_assert_cmpstr(fixture_text(f, "0.primary_resources.0.kind"), ==, "label");
    g_assert_cmpstr(fixture_text(f, "0.primary_resources.0.name"), ==, "admin");
    fixture_expect(f, "GET", "stories/555", NULL, 200);
    g_assert_cmpint((gint64)json_array_size(fixture_at(f, "labels")), ==, 1);
    g_assert_cmpstr(fixture_text(f, "updated_at"), ==, "2017-05-03T23:29:41Z");
    fixture_refused(f, "DELETE", LABELS "/5001", NULL,
                    "The label 'plans' is used by an epic and cannot be deleted.");
    fixture_sql(f, "UPDATE membership SET role = 'viewer' WHERE id = 9002");
    f->token = TOKEN_BO;
    fixture_expect(f, "POST", LABELS, "{\"name\":\"x\"}", 403);
}

/* ---- epics ---- */

static char *
order(Fixture *f)
{
    GString *ids = g_string_new(NULL);
    size_t i;
    json_t *epic;

    fixture_expect(f, "GET", EPICS "?fields=name", NULL, 200);
    json_array_foreach(f->json, i, epic)
    {
        g_string_append_printf(ids, "%s%s", ids->len ? " " : "",
                               json_string_value(json_object_get(epic, "name")));
    }
    return g_string_free(ids, FALSE);
}

#define assert_order(f, wanted)                                                                    \
    do {                                                                                           \
        g_autofree char *got_order = order(f);                                                     \
        g_assert_cmpstr(got_order, ==, wanted);                                                    \
    } while (0)

static void
test_epic_create(Fixture *f)
{
    fixture_expect(f, "POST", EPICS "?fields=:default,follower_ids,before_id",
                   "{\"name\":\"New, Epic\",\"description\":\"Why\",\"follower_ids\":[102]}", 200);
    g_assert_cmpstr(fixture_text(f, "kind"), ==, "epic");
    g_assert_cmpstr(fixture_text(f, "label.name"), ==, "new  epic");
    g_assert_cmpint(fixture_int(f, "before_id"), ==, 4001);
    g_assert_cmpint(fixture_int(f, "follower_ids.0"), ==, 102);
    g_assert_cmpstr(fixture_text(f, "url"), ==, "https://www.pivotaltracker.com/epic/show/4002");
    /* The label has a version of its own. */
    g_assert_cmpstr(fixture_header(f, "X-Tracker-Project-Version"), ==, "232");
    look_at_activity(f, "epic_create_activity", "Ada Example added this epic");
    g_assert_cmpstr(fixture_text(f, "0.changes.0.new_values.label"), ==, "new  epic");
    g_assert_cmpstr(fixture_text(f, "0.primary_resources.0.kind"), ==, "epic");
    g_assert_nonnull(fixture_text(f, "0.primary_resources.0.url"));
    /* With a label that is there: one version. */
    fixture_expect(f, "POST", EPICS,
                   "{\"name\":\"Admins\",\"label\":{\"name\":\"Admin\"},"
                   "\"after_id\":4001}",
                   200);
    g_assert_cmpint(fixture_int(f, "label.id"), ==, 5002);
    g_assert_cmpint(fixture_number(f, VERSION), ==, 233);
    assert_order(f, "New, Epic Plans Admins");
    fixture_expect(f, "POST", EPICS "?fields=comments",
                   "{\"name\":\"Talked of\",\"label_id\":5002,\"comments\":[{\"text\":\"First\"}]}",
                   400);
    fixture_expect(f, "POST", EPICS "?fields=comments,follower_ids",
                   "{\"name\":\"Talked of\",\"comments\":[{\"text\":\"One\"},{\"text\":\"Two\"}]}",
                   200);
    g_assert_cmpstr(fixture_text(f, "comments.1.text"), ==, "Two");
    g_assert_cmpint(fixture_int(f, "follower_ids.0"), ==, 101);
    g_assert_cmpint(fixture_number(f, VERSION), ==, 235);
    fixture_expect(f, "GET", "epics/4002", NULL, 200);
    fixture_expect(f, "GET", "epics/4002/activity", NULL, 200);
    g_assert_cmpint((gint64)json_array_size(f->json), ==, 1);
}

static void
test_epic_refuse(Fixture *f)
{
    static const struct {
        const char *body, *problem;
    } cases[] = {
        {"{}", "this endpoint requires the parameter: name"},
        {"{\"name\":null}", "Please enter a name for the label."},
        {"{\"name\":\" \"}", "Please enter a name for the label."},
        {"{\"name\":1}", "'name' must be an extended_string"},
        {"{\"name\":\"Plans\"}", "The label 'plans' is already used by another epic."},
        {"{\"name\":\"x\",\"label\":{\"name\":\"PLANS\"}}",
         "The label 'plans' is already used by another epic."},
        {"{\"name\":\"x\",\"label_id\":5001}",
         "The label 'plans' is already used by another epic."},
        {"{\"name\":\"x\",\"label_id\":7}", "Label with id=7 does not exist within this project"},
        {"{\"name\":\"x\",\"label\":7}", "Can't use content of 'label' parameter."},
        {"{\"name\":\"x\",\"label\":{}}", "Can't use content of 'label' parameter."},
        {"{\"name\":\"x\",\"label\":{\"name\":\"\"}}", "Please enter a name for the label."},
        {"{\"name\":\"x\",\"label\":{\"name\":\"y\"},\"label_id\":5002}",
         "Do not send label_id with label in the same request."},
        {"{\"name\":\"x\",\"before_id\":7}", "This epic can no longer be moved to that position"},
        {"{\"name\":\"x\",\"before_id\":4001,\"after_id\":4001}",
         "This epic can no longer be moved to that position"},
        {"{\"name\":\"x\",\"comments\":[7]}", "Can't use content of 'comments' parameter."},
        {"{\"name\":\"x\",\"follower_ids\":[103]}", "Couldn't find Person with 'id'=103"},
        {"{\"name\":\"x\",\"url\":\"y\"}", "this endpoint cannot accept the parameter: url"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        fixture_refused(f, "POST", EPICS, cases[i].body, cases[i].problem);
    }
    g_assert_cmpint(fixture_number(f, VERSION), ==, 230);
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM label"), ==, 2);
}

static void
test_epic_update(Fixture *f)
{
    fixture_expect(f, "PUT", "epics/4001", "{\"name\":\"Schemes\",\"description\":\"D\"}", 200);
    g_assert_cmpstr(fixture_text(f, "name"), ==, "Schemes");
    g_assert_cmpstr(fixture_text(f, "label.name"), ==, "plans");
    look_at_activity(f, "epic_update_activity", "Ada Example edited this epic");
    g_assert_cmpstr(fixture_text(f, "0.changes.0.original_values.name"), ==, "Plans");
    g_assert_true(json_is_null(fixture_at(f, "0.changes.0.original_values.description")));
    fixture_expect(f, "PUT", EPICS "/4001", "{\"description\":null,\"label\":\"fresh\"}", 200);
    g_assert_null(fixture_at(f, "description"));
    g_assert_cmpstr(fixture_text(f, "label.name"), ==, "fresh");
    g_assert_cmpint(fixture_number(f, VERSION), ==, 233);
    fixture_expect(f, "PUT", EPICS "/4001", "{}", 200);
    fixture_expect(f, "PUT", EPICS "/4001", "{\"name\":\"Schemes\"}", 200);
    g_assert_cmpint(fixture_number(f, VERSION), ==, 233);
    fixture_refused(f, "PUT", EPICS "/4001", "{\"name\":\"\"}",
                    "Please enter a name for the label.");
    /* A viewer may follow, for themselves. */
    fixture_sql(f, "UPDATE membership SET role = 'viewer' WHERE id = 9002");
    f->token = TOKEN_BO;
    fixture_expect(f, "PUT", EPICS "/4001", "{\"follower_ids\":[102]}", 200);
    fixture_expect(f, "PUT", EPICS "/4001", "{\"follower_ids\":[101,102]}", 403);
    fixture_expect(f, "PUT", EPICS "/4001", "{\"name\":\"No\"}", 403);
    fixture_expect(f, "PUT", EPICS "/4001", "{\"follower_ids\":[]}", 200);
}

static void
test_epic_move(Fixture *f)
{
    fixture_expect(f, "POST", EPICS, "{\"name\":\"B\",\"after_id\":4001}", 200);
    fixture_expect(f, "POST", EPICS, "{\"name\":\"C\",\"after_id\":4002}", 200);
    assert_order(f, "Plans B C");
    fixture_expect(f, "PUT", EPICS "/4003", "{\"before_id\":4001}", 200);
    assert_order(f, "C Plans B");
    look_at_activity(f, "epic_move_activity", "Ada Example moved this epic before 'Plans'");
    g_assert_cmpint(fixture_int(f, "0.changes.0.new_values.before_id"), ==, 4001);
    g_assert_cmpint((gint64)json_array_size(fixture_at(f, "0.changes")), ==, 1);
    fixture_expect(f, "PUT", EPICS "/4003", "{\"after_id\":4001,\"before_id\":4002}", 200);
    assert_order(f, "Plans C B");
    look_at_activity(f, "epic_move_activity", "Ada Example moved this epic after 'Plans'");
    fixture_expect(f, "PUT", EPICS "/4003", "{\"before_id\":null}", 200);
    assert_order(f, "Plans B C");
    fixture_expect(f, "PUT", EPICS "/4003", "{\"after_id\":null}", 200);
    assert_order(f, "C Plans B");
    {
        gint64 version = fixture_number(f, VERSION);

        fixture_expect(f, "PUT", EPICS "/4003", "{\"before_id\":4001}", 200); /* it is there */
        g_assert_cmpint(fixture_number(f, VERSION), ==, version);
        fixture_refused(f, "PUT", EPICS "/4003", "{\"before_id\":4003}",
                        "This epic can no longer be moved to that position");
        fixture_refused(f, "PUT", EPICS "/4003", "{\"before_id\":4001,\"after_id\":4002}",
                        "This epic can no longer be moved to that position");
        g_assert_cmpint(fixture_number(f, VERSION), ==, version);
    }
}

static void
test_epic_delete(Fixture *f)
{
    fixture_expect(f, "DELETE", EPICS "/4001", NULL, 204);
    look_at_activity(f, "epic_delete_activity", "Ada Example deleted this epic");
    g_assert_cmpstr(fixture_text(f, "0.changes.0.change_type"), ==, "delete");
    fixture_expect(f, "GET", "epics/4001", NULL, 404);
    g_assert_cmpint(fixture_number(f, "SELECT count(*) FROM comment WHERE id = 803"), ==, 0);
    /* The label stays, and can go now. */
    fixture_expect(f, "GET", LABELS "/5001", NULL, 200);
    fixture_expect(f, "DELETE", LABELS "/5001", NULL, 204);
}

#define ADD(name, test) fixture_test("/write-labels/" name, test)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("label-create", test_label_create);
    ADD("label-rename", test_label_rename);
    ADD("label-merge", test_label_merge);
    ADD("label-delete", test_label_delete);
    ADD("epic-create", test_epic_create);
    ADD("epic-refuse", test_epic_refuse);
    ADD("epic-update", test_epic_update);
    ADD("epic-move", test_epic_move);
    ADD("epic-delete", test_epic_delete);
    return g_test_run();
}
