/* The `fields` parameter: what it chooses, to any depth, and what it refuses. */
#include "tracker/fields.h"

#include <string.h>

#include "tracker/service.h"

static void
append_names(const Selection *selection, GString *out)
{
    for (guint i = 0; i < selection->picked->len; i++) {
        const Picked *picked = &g_array_index(selection->picked, Picked, i);

        if (i > 0) {
            g_string_append_c(out, ' ');
        }
        g_string_append(out, picked->field->name);
        if (picked->child) {
            g_string_append_c(out, '(');
            append_names(picked->child, out);
            g_string_append_c(out, ')');
        }
    }
}

static void
assert_selects(const Kind *kind, const char *fields, const char *names)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Selection) selection = fields_select(kind, fields, &error);
    GString *text = g_string_new(NULL);

    g_assert_no_error(error);
    append_names(selection, text);
    g_assert_cmpstr(text->str, ==, names);
    (void)g_string_free(text, TRUE);
}

static void
test_choice(void)
{
    assert_selects(&kind_task, NULL,
                   "kind id story_id description complete position created_at updated_at");
    assert_selects(&kind_task, ":default",
                   "kind id story_id description complete position created_at updated_at");
    assert_selects(&kind_task, "", "id");
    assert_selects(&kind_task, "position,description", "id description position");
    assert_selects(&kind_task, "description,description,", "id description");
    assert_selects(&kind_activity, "message", "guid project_version message");
    assert_selects(&kind_iteration, "start", "number start");
    assert_selects(&kind_iteration, "analytics(cycle_time)", "number analytics");
    /* Names of the last years' documentation that we have no values of our own for. */
    assert_selects(&kind_comment, "text,reactions", "id text");
    assert_selects(&kind_story, "name,cicd_event_ids", "id name");
    assert_selects(&kind_account_summary, "owner_id,name", "id name");
}

static void
test_nesting(void)
{
    assert_selects(&kind_story, "labels(name)", "id labels(id name)");
    assert_selects(&kind_story,
                   "comments(text,person(name),file_attachments(filename,uploader(name)))",
                   "id comments(person(id name) file_attachments(id filename uploader(id name)) id "
                   "text)");
    assert_selects(&kind_story, "labels(name),labels(created_at)", "id labels(id name created_at)");
    assert_selects(&kind_story, "labels(name),labels",
                   "id labels(id project_id kind name created_at updated_at)");
    assert_selects(&kind_story, "labels,labels(counts)",
                   "id labels(id project_id kind name created_at updated_at counts)");
    assert_selects(&kind_story, "owners,owner_ids",
                   "id owner_ids owners(kind id name email initials username)");
}

static void
test_replaces(void)
{
    g_autoptr(Selection) selection = fields_select(&kind_story, ":default,owned_by", NULL);

    g_assert_true(selection_has(selection, "owned_by"));
    g_assert_false(selection_has(selection, "owned_by_id"));
    g_assert_true(selection_has(selection, "owner_ids"));
}

static void
test_refusals(void)
{
    static const char *const wrong[] = {
        "nonsense",
        ":default,nonsense",
        "comments(nonsense)",
        "comments(text",
        "text)",
        "comments)(",
        "name(x)",
        "(name)",
        "comments(text)name",
        "comments(()",
        "kin",
        "kinds",
        ":defaul",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        Selection *selection = fields_select(&kind_story, wrong[i], &error);

        g_test_message("%s", wrong[i]);
        g_assert_null(selection);
        g_assert_error(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT);
        g_assert_nonnull(strstr(error->message, "'fields'"));
    }
}

static void
test_bounds(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *long_text = g_strnfill(FIELDS_MAX_BYTES + 1, 'a');
    GString *deep = g_string_new(NULL);

    g_assert_null(fields_select(&kind_story, long_text, &error));
    g_assert_error(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT);
    g_clear_error(&error);
    for (int i = 0; i < 800; i++) {
        g_string_append(deep, "comments(");
    }
    g_assert_null(fields_select(&kind_story, deep->str, &error));
    g_assert_error(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT);
    (void)g_string_free(deep, TRUE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tracker/fields/choice", test_choice);
    g_test_add_func("/tracker/fields/nesting", test_nesting);
    g_test_add_func("/tracker/fields/replaces", test_replaces);
    g_test_add_func("/tracker/fields/refusals", test_refusals);
    g_test_add_func("/tracker/fields/bounds", test_bounds);
    return g_test_run();
}
