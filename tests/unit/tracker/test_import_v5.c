/* Import of V5 JSON: shapes, merging, missing parents, order, hostile input; and all recordings
 * where they are. */
#include "tracker/import/v5_json.h"

#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <jansson.h>

#include "support_query.h"
#include "tests/unit/support_error.h"
#include "tests/unit/support_folder.h"
#include "tracker/db.h"
#include "tracker/import/v5_recognise.h"

typedef struct Import {
    char *dir, *in;
    guint files;
    Tracker *tracker;
    V5ImportReport report;
} Import;

static void
import_open(Import *import)
{
    g_autoptr(GError) error = NULL;
    *import = (Import){.dir = folder_new()};
    import->in = g_build_filename(import->dir, "in", NULL);
    g_assert_cmpint(g_mkdir(import->in, 0700), ==, 0);
    g_autofree char *path = g_build_filename(import->dir, "t.db", NULL);
    import->tracker = tracker_open(path, TRACKER_CREATE, &error);
    g_assert_no_error(error);
}

static void
import_close(Import *import)
{
    v5_import_report_clear(&import->report);
    tracker_close(import->tracker);
    folder_remove(import->dir);
    g_free(import->in);
}

/* The next file; '...' in it is written as "...". */
static void
add_file(Import *import, const char *json)
{
    g_autofree char *name = g_strdup_printf("%03u.json", ++import->files);
    g_autofree char *text = g_strdelimit(g_strdup(json), "'", '"');
    g_autofree char *path = folder_put(import->in, name, text);
}

static void
run_on(Import *import, const char *path)
{
    g_autoptr(GError) error = NULL;
    v5_import_report_clear(&import->report);
    g_assert_true(
        tracker_import_v5_json(import->tracker, &path, 1, NULL, NULL, &import->report, &error));
    g_assert_no_error(error);
}

static void
run(Import *import)
{
    run_on(import, import->in);
}

#define ASSERT_VALUE(import, sql, expected)                                                        \
    G_STMT_START                                                                                   \
    {                                                                                              \
        g_autofree char *got = query_text(tracker_db((import)->tracker), sql);                     \
        g_assert_cmpstr(got, ==, expected);                                                        \
    }                                                                                              \
    G_STMT_END

static guint64
counted(const Import *import, const char *kind, gboolean unknown)
{
    for (guint i = 0; i < import->report.counts->len; i++) {
        const V5ImportCount *count = &g_array_index(import->report.counts, V5ImportCount, i);
        if (count->unknown == unknown && strcmp(count->kind, kind) == 0) {
            return count->resources;
        }
    }
    return 0;
}

static void
test_shapes(void)
{
    Import import;
    import_open(&import);
    add_file(&import, "{'kind':'story','id':1,'project_id':9,'name':'one','story_type':'bug','"
                      "current_state':'started'}");
    add_file(&import, "[{'id':2,'project_id':9,'name':'no "
                      "kind','story_type':'chore','current_state':'unstarted'}]");
    add_file(&import,
             "{'data':[{'id':3,'project_id':9,'name':'envelope','current_state':'unstarted'}],"
             "'pagination':{'total':1},'http_status':'200'}");
    add_file(&import, "{'/services/v5/projects/9/stories':[{'id':4,'name':'keyed','kind':'story'}],"
                      "'/services/v5/projects/9/labels':[{'id':7,'name':'a label'}]}");
    add_file(
        &import,
        "{'request':{'method':'GET','path':'/services/v5/projects/9/stories/5/"
        "comments','query':''},"
        "'response':{'status':200,'headers':{},'body':[{'id':50,'text':'hi','person_id':6}]}}");
    add_file(&import,
             "{'request':{'method':'GET','path':'/services/v5/projects/9/stories/99'},"
             "'response':{'status':404,'body':{'kind':'error','code':'unfound_resource'}}}");
    add_file(&import, "{'request':{'method':'DELETE','path':'/services/v5/projects/9/stories/1'},"
                      "'response':{'status':200,'body':{'kind':'story','id':98}}}");
    add_file(&import,
             "{'stories':{'stories':[{'kind':'story','id':8,'project_id':9,'name':'found'}],'total_"
             "hits':1},"
             "'epics':{'epics':[{'id':60,'project_id':9,'name':'E','label_id':7}]},'query':'x'}");
    add_file(&import, "{'kind':'mystery','id':1}");
    add_file(&import, "3");
    run(&import);
    ASSERT_VALUE(&import, "SELECT group_concat(id, ' ') FROM (SELECT id FROM story ORDER BY id)",
                 "1 2 3 4 5 8");
    ASSERT_VALUE(&import, "SELECT text FROM comment WHERE story_id = 5 AND id = 50", "hi");
    ASSERT_VALUE(&import, "SELECT name FROM story WHERE id = 5", "Story 5");
    ASSERT_VALUE(&import, "SELECT name FROM label WHERE id = 7 AND project_id = 9", "a label");
    ASSERT_VALUE(&import, "SELECT name FROM epic WHERE id = 60", "E");
    ASSERT_VALUE(&import, "SELECT name FROM project WHERE id = 9", "Project 9");
    ASSERT_VALUE(&import, "SELECT name FROM person WHERE id = 6", "Person 6");
    ASSERT_VALUE(&import, "SELECT role FROM membership WHERE person_id = 6 AND project_id = 9",
                 "member");
    g_assert_cmpuint(counted(&import, "mystery", TRUE), ==, 1);
    g_assert_cmpuint(counted(&import, "story", FALSE), ==, 5);
    g_assert_cmpuint(import.report.made_stories, ==, 1);
    g_assert_cmpuint(import.report.made_projects, ==, 1);
    g_assert_cmpuint(import.report.files, ==, 10);
    import_close(&import);
}

static void
test_nested(void)
{
    Import import;
    import_open(&import);
    add_file(
        &import,
        "{'kind':'story','id':1,'project_id':9,'name':'S','story_type':'feature','current_state':'"
        "started',"
        "'estimate':2,'requested_by':{'kind':'person','id':3,'name':'Req','initials':'R','username'"
        ":'req'},"
        "'owners':[{'kind':'person','id':4,'name':'Own'},{'kind':'person','id':3,'name':'Req'}],'"
        "owned_by_id':4,"
        "'labels':[{'kind':'label','id':20,'project_id':9,'name':'x'},'by name'],"
        "'tasks':[{'kind':'task','id':30,'story_id':1,'description':'do','complete':true,'position'"
        ":1}],"
        "'comments':[{'kind':'comment','id':40,'text':'t','person':{'kind':'person','id':5,'name':'"
        "Com'},"
        "'file_attachments':[{'kind':'file_attachment','id':70,'filename':'../"
        "x','size':3,'uploader_id':5,"
        "'big_url':'https://s/b','thumbnail_url':'#','new_key':[1]}]}],"
        "'reviews':[{'kind':'review','id':80,'status':'pass','review_type':{'kind':'review_type','"
        "id':81,"
        "'project_id':9,'name':'Code','hidden':false},'reviewer_id':4}],"
        "'blockers':[{'kind':'blocker','id':90,'description':'#2','resolved':false,'person_id':4}],"
        "'transitions':[{'kind':'story_transition','state':'started','occurred_at':'2020-01-01T00:"
        "00:00Z',"
        "'project_version':5,'performed_by_id':4}],'followers':[{'kind':'person','id':5}],"
        "'planned_iteration_number':3,'something':{'odd':true}}");
    run(&import);
    json_t *story = query_get(
        import.tracker, "/services/v5/projects/9/stories/1",
        "fields=:default,owners,tasks,comments(:default,person,file_attachments),reviews(:default,"
        "review_type),blockers,transitions,follower_ids,planned_iteration_number");
    g_assert_nonnull(story);
    g_assert_cmpint(json_integer_value(json_object_get(story, "requested_by_id")), ==, 3);
    g_assert_cmpint(json_integer_value(json_object_get(story, "owned_by_id")), ==, 4);
    g_assert_cmpuint(json_array_size(json_object_get(story, "owners")), ==, 2);
    g_assert_cmpuint(json_array_size(json_object_get(story, "labels")), ==, 2);
    g_assert_cmpuint(json_array_size(json_object_get(story, "tasks")), ==, 1);
    g_assert_cmpuint(json_array_size(json_object_get(story, "blockers")), ==, 1);
    g_assert_cmpuint(json_array_size(json_object_get(story, "transitions")), ==, 1);
    g_assert_cmpint(json_integer_value(json_object_get(story, "planned_iteration_number")), ==, 3);
    json_t *comment = json_array_get(json_object_get(story, "comments"), 0);
    g_assert_cmpstr(json_string_value(json_object_get(json_object_get(comment, "person"), "name")),
                    ==, "Com");
    json_t *file = json_array_get(json_object_get(comment, "file_attachments"), 0);
    g_assert_cmpstr(json_string_value(json_object_get(file, "filename")), ==, "../x");
    g_assert_cmpstr(json_string_value(json_object_get(file, "big_url")), ==, "https://s/b");
    json_t *review = json_array_get(json_object_get(story, "reviews"), 0);
    g_assert_cmpstr(
        json_string_value(json_object_get(json_object_get(review, "review_type"), "name")), ==,
        "Code");
    json_decref(story);
    ASSERT_VALUE(&import, "SELECT json_extract(extra, '$.something.odd') FROM story", "1");
    ASSERT_VALUE(&import, "SELECT json_extract(extra, '$.new_key[0]') FROM file_attachment", "1");
    import_close(&import);
}

static void
test_newer_wins_and_nothing_is_lost(void)
{
    Import import;
    import_open(&import);
    add_file(&import, "{'kind':'story','id':1,'project_id':9,'name':'new','story_type':'bug','"
                      "current_state':'started',"
                      "'requested_by_id':3,'created_at':'2020-01-01T00:00:00Z','updated_at':'2020-"
                      "03-01T00:00:00Z'}");
    add_file(
        &import,
        "{'kind':'story','id':1,'project_id':9,'name':'old','story_type':'feature','estimate':3,"
        "'current_state':'unstarted','requested_by_id':3,'external_thing':7,"
        "'created_at':'2020-01-01T00:00:00Z','updated_at':1580515200000}");
    add_file(&import, "[{'kind':'story','id':1,'name':'light'}]");
    run(&import);
    ASSERT_VALUE(&import, "SELECT name FROM story", "new");
    ASSERT_VALUE(&import, "SELECT story_type FROM story", "bug");
    ASSERT_VALUE(&import, "SELECT estimate FROM story", NULL); /* cleared meanwhile */
    ASSERT_VALUE(&import, "SELECT json_extract(extra, '$.external_thing') FROM story", "7");
    /* Once more, into the same database: an update, not a second copy. */
    import.files = 0;
    add_file(&import,
             "{'kind':'story','id':1,'project_id':9,'name':'newest','current_state':'finished',"
             "'updated_at':'2021-01-01T00:00:00Z'}");
    g_autofree char *path = g_build_filename(import.in, "001.json", NULL);
    run_on(&import, path);
    ASSERT_VALUE(&import, "SELECT name || ' ' || current_state || ' ' || story_type FROM story",
                 "newest finished bug");
    import_close(&import);
}

static void
test_order(void)
{
    Import import;
    import_open(&import);
    /* In a list: 3 1 2, whatever the ids; 7 (icebox) was in none, nor were 5 (accepted) and 6
     * (unstarted). */
    add_file(&import, "{'request':{'method':'GET','path':'/services/v5/projects/9/"
                      "stories'},'response':{'status':200,"
                      "'body':[{'kind':'story','id':3,'name':'c','current_state':'accepted'},"
                      "{'kind':'story','id':1,'name':'a','current_state':'started'},"
                      "{'kind':'story','id':2,'name':'b','current_state':'unscheduled'}]}}");
    add_file(&import,
             "{'kind':'story','id':7,'project_id':9,'name':'x','current_state':'unscheduled'}");
    add_file(&import, "{'request':{'method':'GET','path':'/services/v5/projects/9/stories/"
                      "6'},'response':{'status':200,"
                      "'body':{'kind':'story','id':6,'name':'x','current_state':'unstarted'}}}");
    add_file(&import, "{'request':{'method':'GET','path':'/services/v5/projects/9/stories/"
                      "5'},'response':{'status':200,"
                      "'body':{'kind':'story','id':5,'name':'x','current_state':'accepted'}}}");
    run(&import);
    ASSERT_VALUE(&import,
                 "SELECT group_concat(id, ' ') FROM (SELECT id FROM story ORDER BY position)",
                 "3 5 1 6 2 7");
    import_close(&import);
}

static void
test_activities_and_versions(void)
{
    Import import;
    import_open(&import);
    add_file(&import,
             "[{'kind':'story_update_activity','guid':'9_12','project_version':12,'message':'A "
             "edited this',"
             "'highlight':'edited','changes':[{'kind':'story','change_type':'update','id':1,"
             "'original_values':{'estimate':null},'new_values':{'estimate':1.5}}],"
             "'primary_resources':[{'kind':'story','id':1,'name':'x'}],'project':{'kind':'project',"
             "'id':9,"
             "'name':'Nine'},'performed_by':{'kind':'person','id':3,'name':'A','initials':'A'},"
             "'occurred_at':'2020-01-01T00:00:00Z'},"
             "{'kind':'story_update_activity','guid':'9_12','project_version':12,'occurred_at':"
             "1577836800000}]");
    add_file(&import,
             "{'kind':'project','id':9,'name':'Neun','version':10,'iteration_length':1,"
             "'time_zone':{'kind':'time_zone','olson_name':'Europe/Berlin','offset':'+01:00'},"
             "'updated_at':'2020-02-01T00:00:00Z','enable_planned_mode':false}");
    add_file(
        &import,
        "[{'number':3,'project_id':9,'length':1,'team_strength':0.7,'start':'2020-01-06T00:00:00Z',"
        "'stories':[{'kind':'story','id':1,'name':'x','current_state':'started'}]},"
        "{'number':4,'project_id':9,'length':1,'team_strength':1,'start':'2020-01-13T00:00:00Z'}]");
    run(&import);
    ASSERT_VALUE(&import, "SELECT version FROM project", "12");
    ASSERT_VALUE(&import, "SELECT name FROM project", "Neun");
    ASSERT_VALUE(&import, "SELECT time_zone FROM project", "Europe/Berlin");
    ASSERT_VALUE(&import, "SELECT json_extract(extra, '$.enable_planned_mode') FROM project", "0");
    ASSERT_VALUE(&import, "SELECT count(*) FROM activity", "1");
    ASSERT_VALUE(&import, "SELECT changes FROM activity",
                 "[{\"kind\":\"story\",\"change_type\":\"update\",\"id\":1,\"original_values\":{"
                 "\"estimate\":null},"
                 "\"new_values\":{\"estimate\":1.5}}]");
    ASSERT_VALUE(&import, "SELECT story_id FROM activity_story", "1");
    ASSERT_VALUE(
        &import,
        "SELECT group_concat(number || ':' || team_strength || ':' || COALESCE(length, '-')) FROM"
        " iteration_override",
        "3:0.7:-");
    import_close(&import);
}

static void
test_local_person(void)
{
    Import mine;
    import_open(&mine);
    add_file(
        &mine,
        "{'kind':'me','id':3,'name':'Me','username':'me','api_token':'"
        "00000000000000000000000000000000',"
        "'projects':[{'kind':'membership_summary','id':30,'project_id':9,'project_name':'Nine',"
        "'project_color':'ffffff','role':'member'}]}");
    run(&mine);
    ASSERT_VALUE(&mine, "SELECT value FROM meta WHERE key = 'local_person_id'", "3");
    ASSERT_VALUE(&mine, "SELECT count(*) FROM token", "0");
    ASSERT_VALUE(&mine, "SELECT count(*) FROM person WHERE extra LIKE '%0000%'", "0");
    ASSERT_VALUE(&mine, "SELECT role || id FROM membership", "member30");
    import_close(&mine);

    Import nobody;
    import_open(&nobody);
    add_file(&nobody,
             "[{'kind':'project','id':8,'name':'a'},{'kind':'project','id':9,'name':'b'},"
             "{'kind':'project_membership','id':1,'project_id':8,'role':'owner','person':{'id':5,"
             "'name':'O','username':'local','kind':'person'}},"
             "{'kind':'project_membership','id':2,'project_id':9,'role':'owner','person':{'id':6,"
             "'name':'P','username':'local','kind':'person'}}]");
    run(&nobody);
    ASSERT_VALUE(
        &nobody,
        "SELECT p.name FROM person p JOIN meta ON value = p.id WHERE key = 'local_person_id'",
        "Local");
    json_t *projects = query_get(nobody.tracker, "/services/v5/projects", NULL);
    g_assert_cmpuint(json_array_size(projects), ==, 2);
    json_decref(projects);
    /* One user name twice: the second keeps it aside. */
    ASSERT_VALUE(&nobody, "SELECT json_extract(extra, '$.other_username') FROM person WHERE id = 6",
                 "local");
    import_close(&nobody);
}

static void
test_hostile(void)
{
    Import import;
    import_open(&import);
    add_file(&import,
             "[{'kind':'story','id':-1,'name':'x'},{'kind':'story','id':'7','name':'x'},{'kind':'"
             "story'},"
             "{'kind':7,'id':1},{'kind':'story','id':2,'project_id':9,'name':5,'story_type':null,"
             "'current_state':['started'],'estimate':'many','created_at':'yesterday','labels':["
             "null,3,{}],"
             "'owner_ids':[-1,'x',null,4,4],'tasks':'none','comments':{'a':1},'owners':null,"
             "'description':'nul \\u0000 in it'},"
             "{'kind':'comment','id':1,'text':'lost'},{'kind':'task','id':1},null,[],[[[]]],true]");
    GString *deep = g_string_new(NULL);
    for (int i = 0; i < 500; i++) {
        g_string_append(deep, "{'a':");
    }
    g_string_append(deep, "1");
    for (int i = 0; i < 500; i++) {
        g_string_append_c(deep, '}');
    }
    add_file(&import, deep->str);
    (void)g_string_free(deep, TRUE);
    run(&import);
    ASSERT_VALUE(&import, "SELECT group_concat(id) FROM story", "2");
    ASSERT_VALUE(&import, "SELECT name FROM story", "Story 2");
    ASSERT_VALUE(&import, "SELECT json_extract(extra, '$.name') FROM story",
                 "5"); /* nothing is lost */
    g_assert_cmpuint(counted(&import, "nested too deep", TRUE), ==, 1);
    g_assert_cmpuint(counted(&import, "comment without a story", TRUE), ==, 1);
    json_t *story = query_get(import.tracker, "/services/v5/projects/9/stories/2", NULL);
    g_assert_nonnull(story);
    json_decref(story);
    import_close(&import);
}

static void
assert_refused(Import *import, const char *path, const char *part)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(tracker_import_v5_json(import->tracker, &path, 1, NULL, NULL, NULL, &error));
    g_assert_error(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT);
    error_says(error, TRACKER_ERROR, part);
    ASSERT_VALUE(import, "SELECT count(*) FROM story", "0");
}

static void
test_refused(void)
{
    Import import;
    import_open(&import);
    assert_refused(&import, import.in, "no .json file");
    add_file(&import, "[{'kind':'story','id':1,'project_id':9,'name':'good'}]");
    add_file(&import, "[\n{'kind':'story',\n'id':2,,}]");
    assert_refused(&import, import.in, "002.json: line 3");
    g_autofree char *path = g_build_filename(import.in, "002.json", NULL);
    g_assert_true(g_file_set_contents(path, "[\"\xff\xfe\"]", -1, NULL));
    assert_refused(&import, import.in, "002.json: line 1");
    g_assert_true(g_file_set_contents(path, "[{\"kind\":\"story\",\"id\":3", -1, NULL));
    assert_refused(&import, import.in, "002.json: line 1");
    g_assert_true(g_file_set_contents(path, "", -1, NULL));
    assert_refused(&import, import.in, "002.json: line 1");
    assert_refused(&import, "/nowhere/at/all.json", "/nowhere/at/all.json");
    assert_refused(&import, "/dev/null", "neither a file nor a folder");
    import_close(&import);
}

static void
test_folders(void)
{
    Import import;
    import_open(&import);
    g_autofree char *deep = g_build_filename(import.in, "a", "b", NULL);
    g_assert_cmpint(g_mkdir_with_parents(deep, 0700), ==, 0);
    g_autofree char *loop = g_build_filename(deep, "loop", NULL);
    g_assert_cmpint(symlink(import.in, loop), ==, 0);
    g_autofree char *other = g_build_filename(deep, "notes.txt", NULL);
    g_assert_true(g_file_set_contents(other, "not JSON", -1, NULL));
    g_autofree char *file = g_build_filename(deep, "s.json", NULL);
    g_assert_true(g_file_set_contents(
        file, "\xef\xbb\xbf{\"kind\":\"story\",\"id\":1,\"project_id\":9,\"name\":\"with a BOM\"}",
        -1, NULL));
    run(&import);
    ASSERT_VALUE(&import, "SELECT name FROM story", "with a BOM");
    g_assert_cmpuint(import.report.files, ==, 1);
    import_close(&import);
}

static void
test_paths(void)
{
    V5Context context =
        v5_context_of_path("/services/v5/projects/1/stories/2/comments/3?x=4", NULL);
    g_assert_cmpint(context.project_id, ==, 1);
    g_assert_cmpint(context.story_id, ==, 2);
    g_assert_cmpint(context.comment_id, ==, 3);
    g_assert_cmpint(context.hint, ==, V5_COMMENT);
    g_assert_false(context.is_project_order);
    g_assert_true(v5_context_of_path("/services/v5/projects/1/stories/", NULL).is_project_order);
    g_assert_false(
        v5_context_of_path("/services/v5/projects/1/stories", "filter=x").is_project_order);
    g_assert_cmpint(v5_context_of_path("/services/v5/projects//stories", NULL).project_id, ==, 0);
    g_assert_cmpint(v5_context_of_path("/services/v5/projects/{id}/epics/9", NULL).epic_id, ==, 9);
    g_assert_cmpint(v5_context_of_path("", NULL).hint, ==, V5_UNKNOWN);
}

/* ---- recordings ---- */

/* Every key that the newest recording of a story shows is given back. */
static guint
check_story(Import *import, const json_t *exchange)
{
    const json_t *request = json_object_get(exchange, "request");
    const json_t *body = json_object_get(json_object_get(exchange, "response"), "body");
    const char *kind = json_string_value(json_object_get(body, "kind"));
    if (json_integer_value(json_object_get(json_object_get(exchange, "response"), "status")) !=
            200 ||
        strcmp(json_string_value(json_object_get(request, "method")), "GET") != 0 ||
        g_strcmp0(kind, "story") != 0) {
        return 0;
    }
    json_t *ours = query_get(import->tracker, json_string_value(json_object_get(request, "path")),
                             json_string_value(json_object_get(request, "query")));
    g_assert_nonnull(ours);
    gboolean is_newest = v5_time_ms(json_object_get(body, "updated_at")) ==
                         v5_time_ms(json_object_get(ours, "updated_at"));
    const char *key;
    json_t *recorded;
    json_object_foreach((json_t *)(guintptr)body, key, recorded)
    {
        if (is_newest && json_object_get(ours, key) == NULL) {
            g_error("%s: the key %s was lost", json_string_value(json_object_get(request, "path")),
                    key);
        }
    }
    json_decref(ours);
    return is_newest;
}

static guint
check_folder(Import *import, const char *path)
{
    guint checked = 0;
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        if (g_file_test(inner, G_FILE_TEST_IS_DIR)) {
            checked += check_folder(import, inner);
        } else if (g_str_has_suffix(inner, ".json")) {
            json_t *exchange = json_load_file(inner, JSON_ALLOW_NUL, NULL);
            g_assert_nonnull(exchange);
            checked += check_story(import, exchange);
            json_decref(exchange);
        }
    }
    return checked;
}

static void
test_recordings(void)
{
    const char *shared = g_getenv("TRACKERFS_SHARED_DIR");
    g_autofree char *path =
        g_build_filename(shared != NULL ? shared : "/nowhere", "recorded", NULL);
    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
        g_test_skip("no recordings beside the source");
        return;
    }
    Import import;
    import_open(&import);
    run_on(&import, path);
    g_assert_cmpuint(counted(&import, "story", FALSE), >, 1000);
    ASSERT_VALUE(
        &import,
        "SELECT count(*) FROM story s WHERE NOT EXISTS(SELECT 1 FROM membership m WHERE "
        "m.project_id ="
        " s.project_id AND m.person_id = (SELECT value FROM meta WHERE key = 'local_person_id'))",
        "0");
    g_assert_cmpuint(check_folder(&import, path), >, 4);
    /* The same again changes nothing. */
    g_autofree char *before =
        query_text(tracker_db(import.tracker),
                   "SELECT group_concat(id || ':' || position) FROM (SELECT * FROM story"
                   " ORDER BY id)");
    run_on(&import, path);
    ASSERT_VALUE(
        &import,
        "SELECT group_concat(id || ':' || position) FROM (SELECT * FROM story ORDER BY id)",
        before);
    import_close(&import);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/import/shapes", test_shapes);
    g_test_add_func("/import/nested", test_nested);
    g_test_add_func("/import/newer", test_newer_wins_and_nothing_is_lost);
    g_test_add_func("/import/order", test_order);
    g_test_add_func("/import/activities", test_activities_and_versions);
    g_test_add_func("/import/local-person", test_local_person);
    g_test_add_func("/import/hostile", test_hostile);
    g_test_add_func("/import/refused", test_refused);
    g_test_add_func("/import/folders", test_folders);
    g_test_add_func("/import/paths", test_paths);
    g_test_add_func("/import/recordings", test_recordings);
    return g_test_run();
}
