/* Bytes as a V5 service might send them: stories, activities, iterations, an account, and canonical
 * text, which must be stable. */
#include <stdint.h>
#include <string.h>

#include "cache/model_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_stories(const char *text, gsize size)
{
    guint left_out;
    g_autoptr(GPtrArray) stories = model_parse_stories(text, size, &left_out, NULL);
    for (guint i = 0; stories && i < stories->len; i++) {
        const ParsedStory *parsed = stories->pdata[i];
        const Story *story = parsed->story;
        g_assert_cmpint(story->id, >, 0);
        g_assert_true(g_utf8_validate(story->record.data, (gssize)story->record.length, NULL));
        g_assert_true(story->record.length > 0 &&
                      story->record.data[story->record.length - 1] == '\n');
        for (guint k = 1; k < story->n_comments; k++) {
            g_assert_cmpint(story->comments[k - 1].id, <, story->comments[k].id);
        }
    }
}

static void
check_canonical(const char *text, gsize size)
{
    gsize once_bytes = 0;
    gsize twice_bytes = 0;
    g_autofree char *once = model_canonical_json(text, size, &once_bytes, NULL);
    if (once) {
        g_autofree char *twice = model_canonical_json(once, once_bytes, &twice_bytes, NULL);
        g_assert_nonnull(twice);
        g_assert_cmpmem(once, once_bytes, twice, twice_bytes);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    g_autoptr(Project) project = project_new(9);
    check_canonical(text, size);
    check_stories(text, size);
    g_autoptr(GPtrArray) activities = model_parse_activities(text, size, NULL);
    (void)model_parse_project(project, text, size, NULL);
    (void)model_parse_members(project, text, size, NULL);
    (void)model_parse_labels(project, text, size, NULL);
    (void)model_parse_epics(project, text, size, NULL);
    (void)model_parse_iterations(project, text, size, NULL);
    project_finish(project);
    g_autoptr(Account) account = model_parse_account(text, size, "[]", 2, NULL);
    return 0;
}
