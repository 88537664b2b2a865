/* Activities tell everything: random writes, then the changes of all activities are applied to what
 * was there before, and the result must be what GET shows: attributes, order, counts of labels.
 *
 * The model is JSON: kind → id → attributes as activities name them. The clock moves by zero to two
 * seconds between writes, so that many fall into one second. Refused requests must leave no trace.
 */
#include "support_service.h"

#include <jansson.h>
#include <string.h>

#define N_WRITES 400
#define P "projects/99/"
#define STORY_FIELDS                                                                               \
    "fields=project_id,name,description,story_type,current_state,estimate,accepted_at,deadline,"   \
    "requested_by_id,owned_by_id,owner_ids,label_ids,follower_ids,created_at,updated_at,"          \
    "external_id,story_priority"

typedef struct Model {
    json_t *kinds; /* kind → {id → attributes} */
    GArray *order; /* gint64 ids of stories */
} Model;

static const char *const child_kinds[] = {"task", "comment", "blocker", "review"};

static json_t *
kind_of(Model *model, const char *kind)
{
    json_t *objects = json_object_get(model->kinds, kind);

    if (!objects) {
        objects = json_object();
        (void)json_object_set_new(model->kinds, kind, objects);
    }
    return objects;
}

static const char *
key_of(gint64 id)
{
    static char key[24];

    (void)g_snprintf(key, sizeof key, "%" G_GINT64_FORMAT, id);
    return key;
}

static gint64
number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* ---- what GET shows ---- */

static void
read_kind(Fixture *f, Model *model, const char *kind, const char *path)
{
    size_t i;
    json_t *object;

    fixture_expect(f, "GET", path, NULL, 200);
    json_array_foreach(f->json, i, object)
    {
        gint64 id = number_of(object, "id");

        (void)json_object_del(object, "id");
        (void)json_object_del(object, "kind");
        (void)json_object_set(kind_of(model, kind), key_of(id), object);
    }
}

static void
read_all(Fixture *f, Model *model)
{
    g_autoptr(GArray) order = g_array_new(FALSE, FALSE, sizeof(gint64));
    size_t i;
    json_t *story;

    model->kinds = json_object();
    fixture_expect(f, "GET", P "stories?limit=500&fields=id", NULL, 200);
    json_array_foreach(f->json, i, story)
    {
        gint64 id = number_of(story, "id");

        g_array_append_val(order, id);
    }
    read_kind(f, model, "story", P "stories?limit=500&" STORY_FIELDS);
    read_kind(f, model, "label", P "labels?fields=:default,counts");
    for (guint k = 0; k < order->len; k++) {
        gint64 id = g_array_index(order, gint64, k);

        for (gsize c = 0; c < G_N_ELEMENTS(child_kinds); c++) {
            g_autofree char *path =
                g_strdup_printf("stories/%" G_GINT64_FORMAT "/%ss", id, child_kinds[c]);

            read_kind(f, model, child_kinds[c], path);
        }
    }
    model->order = g_steal_pointer(&order);
}

static void
model_clear(Model *model)
{
    json_decref(model->kinds);
    g_array_unref(model->order);
}

/* ---- applying activities ---- */

static void
forget_order(Model *model, gint64 id)
{
    for (guint i = 0; i < model->order->len; i++) {
        if (g_array_index(model->order, gint64, i) == id) {
            g_array_remove_index(model->order, i);
            return;
        }
    }
}

static void
place(Model *model, gint64 id, const json_t *values)
{
    gint64 above = number_of(values, "after_id"), below = number_of(values, "before_id");
    guint at = 0;

    forget_order(model, id);
    while (at < model->order->len && above && g_array_index(model->order, gint64, at) != above) {
        at++;
    }
    at += above && at < model->order->len ? 1 : 0;
    g_array_insert_val(model->order, at, id);
    /* the entry agrees with itself */
    g_assert_cmpint(at + 1 < model->order->len ? g_array_index(model->order, gint64, at + 1) : 0,
                    ==, below);
}

/* Where the story stands after this entry, taken from its neighbours; update entries give only what
 * changed of them. */
static void
place_updated(Model *model, gint64 id, const json_t *values)
{
    json_t *both;
    guint at = 0;

    if (!json_object_get(values, "before_id") && !json_object_get(values, "after_id")) {
        return;
    }
    while (g_array_index(model->order, gint64, at) != id) {
        at++;
    }
    both = json_object();
    (void)json_object_set_new(
        both, "after_id", json_integer(at > 0 ? g_array_index(model->order, gint64, at - 1) : 0));
    (void)json_object_set_new(
        both, "before_id",
        json_integer(at + 1 < model->order->len ? g_array_index(model->order, gint64, at + 1) : 0));
    (void)json_object_update(both, (json_t *)(guintptr)values);
    place(model, id, both);
    json_decref(both);
}

/* Attributes that the model does not keep. */
static gboolean
is_kept(const char *kind, const char *name)
{
    static const char *const left_out[] = {"before_id",
                                           "after_id",
                                           "labels",
                                           "file_attachment_ids",
                                           "google_attachment_ids",
                                           "attachment_ids",
                                           "file_attachments",
                                           "google_attachments"};

    for (gsize i = 0; i < G_N_ELEMENTS(left_out); i++) {
        if (strcmp(name, left_out[i]) == 0) {
            return FALSE;
        }
    }
    return strcmp(name, "id") != 0 && (strcmp(kind, "file_attachment") != 0);
}

static void
apply_values(json_t *object, const char *kind, json_t *values)
{
    const char *name;
    json_t *value;

    json_object_foreach(values, name, value)
    {
        if (!is_kept(kind, name)) {
            continue;
        }
        if (json_is_null(value)) {
            (void)json_object_del(object, name);
        } else {
            (void)json_object_set(object, name, value);
        }
    }
}

static void
assert_original(const json_t *object, const char *kind, json_t *values)
{
    const char *name;
    json_t *value;

    json_object_foreach(values, name, value)
    {
        json_t *known = json_object_get(object, name);

        if (is_kept(kind, name) &&
            !(json_is_null(value) ? known == NULL : known && json_equal(known, value))) {
            char *text = json_dumps(values, 0), *have = json_dumps(object, 0);

            g_error("original_values of a %s: %s, but it was %s", kind, text, have);
        }
    }
}

static void
delete_children(Model *model, gint64 story_id)
{
    for (gsize c = 0; c < G_N_ELEMENTS(child_kinds); c++) {
        json_t *objects = kind_of(model, child_kinds[c]), *object;
        const char *key;
        void *next;

        json_object_foreach_safe(objects, next, key, object)
        {
            if (number_of(object, "story_id") == story_id) {
                (void)json_object_del(objects, key);
            }
        }
    }
}

static void
apply_change(Model *model, const json_t *change)
{
    const char *kind = json_string_value(json_object_get(change, "kind"));
    const char *type = json_string_value(json_object_get(change, "change_type"));
    gint64 id = number_of(change, "id");
    json_t *objects = kind_of(model, kind), *values = json_object_get(change, "new_values");
    json_t *object = json_object_get(objects, key_of(id));
    gboolean is_story = strcmp(kind, "story") == 0;

    if (strcmp(type, "create") == 0) {
        g_assert_null(object);
        object = json_object();
        apply_values(object, kind, values);
        (void)json_object_set_new(objects, key_of(id), object);
        if (is_story) {
            place(model, id, values);
        }
    } else if (strcmp(type, "update") == 0) {
        g_assert_nonnull(object);
        assert_original(object, kind, json_object_get(change, "original_values"));
        apply_values(object, kind, values);
        if (is_story) {
            place_updated(model, id, values);
        }
    } else {
        g_assert_cmpstr(type, ==, "delete");
        g_assert_nonnull(object);
        (void)json_object_del(objects, key_of(id));
        if (is_story) {
            forget_order(model, id);
            delete_children(model, id);
        }
    }
}

/* Every activity since a version, oldest first; versions have no gap. */
static void
apply_all(Fixture *f, Model *model, gint64 version)
{
    for (;;) {
        g_autofree char *path = g_strdup_printf(
            P "activity?sort_order=asc&limit=500&since_version=%" G_GINT64_FORMAT, version);
        size_t i, k;
        json_t *activity, *change;

        fixture_expect(f, "GET", path, NULL, 200);
        if (json_array_size(f->json) == 0) {
            break;
        }
        json_array_foreach(f->json, i, activity)
        {
            version++;
            g_assert_cmpint(number_of(activity, "project_version"), ==, version);
            json_array_foreach(json_object_get(activity, "changes"), k, change)
            {
                apply_change(model, change);
            }
        }
    }
    g_assert_cmpint(fixture_number(f, "SELECT version FROM project WHERE id = 99"), ==, version);
}

static void
assert_equal(Model *replayed, Model *shown)
{
    static const char *const kinds[] = {"story", "label", "task", "comment", "blocker", "review"};

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        json_t *want = kind_of(shown, kinds[i]), *object;
        json_t *have = kind_of(replayed, kinds[i]);
        const char *key;

        json_object_foreach(want, key, object)
        {
            json_t *other = json_object_get(have, key);

            if (!other || !json_equal(object, other)) {
                char *a = json_dumps(object, JSON_SORT_KEYS);
                char *b = other ? json_dumps(other, JSON_SORT_KEYS) : NULL;

                g_error("%s %s is %s, but its activities say %s", kinds[i], key, a, b);
            }
        }
        g_assert_cmpint(json_object_size(have), ==, json_object_size(want));
    }
    g_assert_cmpmem(replayed->order->data, replayed->order->len * sizeof(gint64),
                    shown->order->data, shown->order->len * sizeof(gint64));
}

/* ---- random writes ---- */

static gint64
random_id(Fixture *f, GRand *dice, const char *table, const char *condition)
{
    g_autofree char *count = g_strdup_printf("SELECT count(*) FROM %s WHERE %s", table, condition);
    gint64 n = fixture_number(f, count);
    g_autofree char *one = NULL;

    if (n == 0) {
        return 1; /* nobody's */
    }
    one = g_strdup_printf("SELECT id FROM %s WHERE %s ORDER BY id LIMIT 1 OFFSET %d", table,
                          condition, g_rand_int_range(dice, 0, (gint32)n));
    return fixture_number(f, one);
}

static const char *
pick(GRand *dice, const char *const *words, gsize n)
{
    return words[g_rand_int_range(dice, 0, (gint32)n)];
}
#define PICK(dice, words) pick(dice, words, G_N_ELEMENTS(words))

static const char *const states[] = {"unscheduled", "unstarted", "started",  "finished",
                                     "delivered",   "accepted",  "rejected", "planned"};
static const char *const types[] = {"feature", "bug", "chore", "release"};
static const char *const label_lists[] = {"[]", "[\"red\"]", "[\"Red\",\"blue\"]",
                                          "[{\"id\":5001},\"green\"]", "[\"plans\",\"admin\"]"};
static const char *const owner_lists[] = {"[]", "[101]", "[102,101]", "[101,102]", "[103]"};

/* Fills in method, path and body of some write. */
static void
think_of(Fixture *f, GRand *dice, const char **ret_method, char **ret_path, char **ret_body)
{
    static const char story_ids[] = "project_id = 99";
    static const char hanging[] = "story_id IN (SELECT id FROM story WHERE project_id = 99)";
    gint64 story = random_id(f, dice, "story", story_ids);
    gint64 other = random_id(f, dice, "story", story_ids);
    gint64 task = random_id(f, dice, "task", hanging);
    gint64 task_story = task;
    int n = g_rand_int_range(dice, 0, 1000);

    *ret_method = "PUT";
    *ret_path = g_strdup_printf("stories/%" G_GINT64_FORMAT, story);
    *ret_body = NULL;
    if (task != 1) {
        g_autofree char *sql =
            g_strdup_printf("SELECT story_id FROM task WHERE id = %" G_GINT64_FORMAT, task);

        task_story = fixture_number(f, sql);
    }
#define PATH(...) (g_free(*ret_path), *ret_path = g_strdup_printf(__VA_ARGS__))
#define BODY(...) (*ret_body = g_strdup_printf(__VA_ARGS__))
    switch (g_rand_int_range(dice, 0, 24)) {
    case 0:
    case 1:
        *ret_method = "POST";
        PATH(P "stories");
        BODY(
            "{\"name\":\"Story %d\",\"story_type\":\"%s\",\"current_state\":\"%s\",\"estimate\":%s,"
            "\"labels\":%s,\"owner_ids\":%s,\"tasks\":[{\"description\":\"t\"},{\"description\":"
            "\"u\",\"position\":1}]}",
            n, PICK(dice, types), PICK(dice, states), n % 2 ? "2" : "null", PICK(dice, label_lists),
            PICK(dice, owner_lists));
        break;
    case 2:
        *ret_method = "POST";
        PATH(P "stories");
        BODY("{\"name\":\"Placed %d\",\"%s\":%" G_GINT64_FORMAT "}", n,
             n % 2 ? "before_id" : "after_id", other);
        break;
    case 3:
        BODY("{\"name\":\"Renamed %d\",\"description\":%s}", n, n % 3 ? "\"text\"" : "null");
        break;
    case 4:
    case 5:
        BODY("{\"current_state\":\"%s\"}", PICK(dice, states));
        break;
    case 6:
        BODY("{\"current_state\":\"%s\",\"estimate\":%d,\"comment\":\"c%d @bo\"}",
             PICK(dice, states), n % 4, n);
        break;
    case 7:
        BODY("{\"estimate\":%s}", n % 3 ? "3" : "null");
        break;
    case 8:
        BODY("{\"labels\":%s}", PICK(dice, label_lists));
        break;
    case 9:
        BODY("{\"owner_ids\":%s,\"follower_ids\":%s}", PICK(dice, owner_lists),
             n % 2 ? "[101]" : "[]");
        break;
    case 10:
    case 11:
        BODY("{\"%s\":%" G_GINT64_FORMAT "}", n % 2 ? "before_id" : "after_id", other);
        break;
    case 12:
        BODY("{\"group\":\"%s\"%s}", n % 2 ? "scheduled" : "unscheduled", "");
        break;
    case 13:
        BODY("{\"story_type\":\"%s\"}", PICK(dice, types));
        break;
    case 14:
        if (n % 3 == 0) {
            *ret_method = "DELETE";
        } else {
            BODY("{\"story_priority\":\"p%d\",\"external_id\":\"%d\"}", n % 4, n % 2);
        }
        break;
    case 15:
        *ret_method = "POST";
        PATH("stories/%" G_GINT64_FORMAT "/tasks", story);
        BODY("{\"description\":\"Task %d\",\"position\":%d}", n, n % 4 + 1);
        break;
    case 16:
        PATH("stories/%" G_GINT64_FORMAT "/tasks/%" G_GINT64_FORMAT, task_story, task);
        BODY(n % 2 ? "{\"position\":%d}" : "{\"complete\":true,\"position\":%d}", n % 4 + 1);
        break;
    case 17:
        *ret_method = "DELETE";
        PATH("stories/%" G_GINT64_FORMAT "/tasks/%" G_GINT64_FORMAT, task_story, task);
        break;
    case 18:
        *ret_method = "POST";
        PATH("stories/%" G_GINT64_FORMAT "/comments", story);
        BODY("{\"text\":\"Comment %d @bo\"}", n);
        break;
    case 19:
        *ret_method = n % 2 ? "PUT" : "DELETE";
        {
            gint64 comment = random_id(f, dice, "comment", hanging);
            g_autofree char *sql = g_strdup_printf(
                "SELECT COALESCE(max(story_id), 1) FROM comment WHERE id = %" G_GINT64_FORMAT,
                comment);

            PATH("stories/%" G_GINT64_FORMAT "/comments/%" G_GINT64_FORMAT, fixture_number(f, sql),
                 comment);
        }
        BODY("{\"text\":\"Edited %d\"}", n);
        break;
    case 20:
        *ret_method = "POST";
        PATH("stories/%" G_GINT64_FORMAT "/blockers", story);
        BODY("{\"description\":\"#%" G_GINT64_FORMAT "\"}", other);
        break;
    case 21:
        *ret_method = "POST";
        PATH("stories/%" G_GINT64_FORMAT "/reviews", story);
        BODY("{\"review_type_id\":22,\"reviewer_id\":%s}", n % 2 ? "102" : "null");
        break;
    case 22:
        *ret_method = "POST";
        PATH("stories/%" G_GINT64_FORMAT "/%s", story, n % 2 ? "labels" : "owners");
        BODY(n % 2 ? "{\"name\":\"l%d\"}" : "{\"id\":%d}", n % 2 ? n % 8 : 101 + n % 4 / 2);
        break;
    default:
        *ret_method = "DELETE";
        PATH("stories/%" G_GINT64_FORMAT "/labels/5001", story);
        break;
    }
#undef PATH
#undef BODY
}

static void
write_something(Fixture *f, GRand *dice, guint *n_done)
{
    static const char state_sql[] =
        "SELECT (SELECT version FROM project WHERE id = 99) * 1000000 + (SELECT count(*) FROM "
        "story)"
        " + (SELECT count(*) FROM task) + (SELECT count(*) FROM comment) + (SELECT count(*) FROM"
        " label) + (SELECT count(*) FROM activity)";
    gint64 before = fixture_number(f, state_sql);
    g_autofree char *path = NULL, *body = NULL;
    const char *method;

    f->now_ms += g_rand_int_range(dice, 0, 3) * 1000;
    think_of(f, dice, &method, &path, &body);
    (void)fixture_json(f, method, path, body);
    switch (f->response.status) {
    case 200:
    case 204:
        (*n_done)++;
        break;
    case 400:
    case 404:
    case 403:
        g_assert_cmpint(fixture_number(f, state_sql), ==, before);
        break;
    default:
        g_error("%s %s %s: %d %s", method, path, body, f->response.status, f->response.body->str);
    }
}

static void
test_replay(void)
{
    Fixture f;
    Model replayed, shown;
    GRand *dice = g_rand_new_with_seed(20170503);
    guint n_done = 0;

    fixture_open(&f);
    fixture_sql(&f, "UPDATE story SET updated_at = created_at WHERE project_id = 99");
    read_all(&f, &replayed);
    for (int i = 0; i < N_WRITES; i++) {
        write_something(&f, dice, &n_done);
    }
    g_test_message("%u of %d writes were accepted", n_done, N_WRITES);
    g_assert_cmpint(n_done, >, N_WRITES / 2);
    apply_all(&f, &replayed, 230);
    read_all(&f, &shown);
    assert_equal(&replayed, &shown);
    model_clear(&replayed);
    model_clear(&shown);
    g_rand_free(dice);
    fixture_close(&f);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/write/replay", test_replay);
    return g_test_run();
}
