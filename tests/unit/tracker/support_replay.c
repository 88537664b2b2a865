#include "support_replay.h"

#include <jansson.h>
#include <string.h>

#define STORY_FIELDS                                                                               \
    "name,description,story_type,current_state,estimate,accepted_at,deadline,requested_by_id,"     \
    "owned_by_id,owner_ids,label_ids,follower_ids,created_at,updated_at"
#define CHILDREN "tasks,comments,blockers,reviews"
/* What members and settings are told of. */
#define MEMBER_FIELDS                                                                              \
    "person_id,project_id,role,project_color,wants_comment_notification_emails,"                   \
    "will_receive_mention_notifications_or_emails,created_at,updated_at"
#define PROJECT_FIELDS                                                                             \
    "name,iteration_length,week_start_day,point_scale,point_scale_is_custom,"                      \
    "bugs_and_chores_are_estimatable,automatic_planning,enable_tasks,start_date,time_zone,"        \
    "velocity_averaged_over,number_of_done_iterations_to_show,description,profile_content,"        \
    "enable_incoming_emails,initial_velocity,project_type,public,atom_enabled,account_id,"         \
    "show_story_priority,show_priority_icon,show_priority_icon_in_all_panels,updated_at"
#define PAGE 500

typedef struct {
    GHashTable *objects;     /* "story 555" → json_t */
    GArray *stories, *epics; /* ids, in order */
} Picture;

struct Replay {
    Fixture *fixture;
    gint64 project_id, version;
    Picture picture;
};

static void
free_object(gpointer data)
{
    json_decref(data);
}

static void
picture_init(Picture *picture)
{
    picture->objects = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_object);
    picture->stories = g_array_new(FALSE, FALSE, sizeof(gint64));
    picture->epics = g_array_new(FALSE, FALSE, sizeof(gint64));
}

static void
picture_clear(Picture *picture)
{
    g_hash_table_unref(picture->objects);
    g_array_unref(picture->stories);
    g_array_unref(picture->epics);
}

static gint64
int_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static json_t *
get(Replay *replay, const char *what)
{
    g_autofree char *path = g_strdup_printf("projects/%" G_GINT64_FORMAT "%s%s", replay->project_id,
                                            *what == '?' ? "" : "/", what);
    json_t *answer = fixture_json(replay->fixture, "GET", path, NULL);
    g_assert_cmpint(replay->fixture->response.status, ==, 200);
    return answer;
}

/* ---- the picture that GET gives ---- */

static void
keep(Picture *picture, const char *kind, const json_t *object)
{
    g_hash_table_insert(picture->objects,
                        g_strdup_printf("%s %" JSON_INTEGER_FORMAT, kind,
                                        json_integer_value(json_object_get(object, "id"))),
                        json_deep_copy(object));
}

static void
keep_children(Picture *picture, json_t *parent)
{
    static const char *const lists[][2] = {
        {"tasks", "task"}, {"comments", "comment"}, {"blockers", "blocker"}, {"reviews", "review"}};
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        size_t at = 0;
        json_t *child = NULL;
        json_array_foreach(json_object_get(parent, lists[i][0]), at, child)
        {
            (void)json_object_del(child, "kind");
            keep(picture, lists[i][1], child);
        }
        (void)json_object_del(parent, lists[i][0]);
    }
}

static void
keep_list(Picture *picture, const char *kind, json_t *list, GArray *order)
{
    size_t i = 0;
    json_t *object = NULL;
    json_array_foreach(list, i, object)
    {
        gint64 id = int_of(object, "id");
        keep_children(picture, object);
        keep(picture, kind, object);
        if (order) {
            g_array_append_val(order, id);
        }
    }
}

static void
take_picture(Replay *replay, Picture *ret_picture)
{
    picture_init(ret_picture);
    for (guint offset = 0; offset == ret_picture->stories->len; offset += PAGE) {
        g_autofree char *page = g_strdup_printf(
            "stories?limit=%d&offset=%u&fields=" STORY_FIELDS "," CHILDREN, PAGE, offset);
        keep_list(ret_picture, "story", get(replay, page), ret_picture->stories);
    }
    keep_list(ret_picture, "epic",
              get(replay, "epics?fields=name,description,label_id,follower_ids,created_at,"
                          "updated_at,comments"),
              ret_picture->epics);
    keep_list(ret_picture, "project_membership", get(replay, "memberships?fields=" MEMBER_FIELDS),
              NULL);
    keep(ret_picture, "project", get(replay, "?fields=" PROJECT_FIELDS));
    keep_list(ret_picture, "label", get(replay, "labels?fields=name,counts,created_at,updated_at"),
              NULL);
}

/* ---- what activities tell ---- */

static void
order_remove(GArray *order, gint64 id)
{
    for (guint i = 0; i < order->len; i++) {
        if (g_array_index(order, gint64, i) == id) {
            g_array_remove_index(order, i);
            return;
        }
    }
}

static gboolean
order_has(GArray *order, gint64 id)
{
    for (guint i = 0; i < order->len; i++) {
        if (g_array_index(order, gint64, i) == id) {
            return TRUE;
        }
    }
    return FALSE;
}

static guint
order_find(GArray *order, gint64 id)
{
    for (guint i = 0; i < order->len; i++) {
        if (g_array_index(order, gint64, i) == id) {
            return i;
        }
    }
    g_error("the neighbour %" G_GINT64_FORMAT " of a move is not there", id);
}

/* Where the neighbours that are named want it. */
static void
order_place(GArray *order, gint64 id, const json_t *values)
{
    const json_t *above = json_object_get(values, "after_id");
    const json_t *below = json_object_get(values, "before_id");
    guint place = 0;
    if (!above && !below && order_has(order, id)) {
        return; /* it did not move */
    }
    order_remove(order, id);
    if (json_is_integer(above)) {
        place = order_find(order, json_integer_value(above)) + 1;
    } else if (json_is_integer(below)) {
        place = order_find(order, json_integer_value(below));
    } else if (!above) {
        place = order->len; /* before_id became null: nothing is below it */
    }
    g_array_insert_val(order, place, id);
}

static gboolean
hangs_on(gpointer key, gpointer value, gpointer user)
{
    const char *const *of = user; /* attribute and id */
    (void)key;
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, int_of(value, of[0]));
    return g_str_equal(id, of[1]);
}

static void
apply_delete(Picture *picture, const char *kind, gint64 id, const char *name)
{
    g_autofree char *parent = g_strconcat(kind, "_id", NULL);
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, id);
    const char *of[] = {parent, text};
    if (!g_hash_table_remove(picture->objects, name)) {
        g_error("%s: an activity says that it went, it was not there", name);
    }
    (void)g_hash_table_foreach_remove(picture->objects, hangs_on, of);
}

/* Neighbours are compared as an order, what files are on a comment is not kept. */
static gboolean
is_kept(const char *key)
{
    static const char *const others[] = {"before_id", "after_id", "labels", "label", "url"};
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        if (g_str_equal(others[i], key)) {
            return FALSE;
        }
    }
    return !strstr(key, "attachment");
}

/* The offset of a time zone is that of the moment. */
static gboolean
same_zone(const json_t *a, const json_t *b)
{
    return json_equal(json_object_get(a, "olson_name"), json_object_get(b, "olson_name"));
}

/* The activity knows what was there before. */
static void
check_originals(const char *name, const json_t *object, json_t *originals)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(originals, key, value)
    {
        json_t *known = json_object_get(object, key);
        if (g_str_equal(key, "time_zone") && known && same_zone(known, value)) {
            continue;
        }
        if (is_kept(key) && !(json_is_null(value) ? !known : known && json_equal(known, value))) {
            g_error("%s.%s: an activity says that it was %s, it was %s", name, key,
                    json_dumps(value, JSON_ENCODE_ANY),
                    known ? json_dumps(known, JSON_ENCODE_ANY) : "nothing");
        }
    }
}

static void
apply_values(json_t *object, json_t *values)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(values, key, value)
    {
        if (json_is_null(value)) {
            (void)json_object_del(object, key);
        } else {
            (void)json_object_set(object, key, value);
        }
    }
}

static gboolean
is_override(gpointer key, gpointer value, gpointer user)
{
    (void)value;
    (void)user;
    return g_str_has_prefix(key, "iteration_override ");
}

/* An override always was there: with the project's own length and full strength. */
static void
apply_override(Picture *picture, const json_t *change)
{
    g_autofree char *name =
        g_strdup_printf("iteration_override %" G_GINT64_FORMAT, int_of(change, "number"));
    json_t *object = g_hash_table_lookup(picture->objects, name);
    json_t *originals = json_object_get(change, "original_values");

    if (!object) {
        object = json_pack("{s:s, s:i, s:O}", "length", "default", "team_strength", 1, "number",
                           json_object_get(change, "number"));
        g_hash_table_insert(picture->objects, g_strdup(name), object);
    }
    (void)json_object_del(object, "finish"); /* follows from others */
    (void)json_object_del(originals, "finish");
    check_originals(name, object, originals);
    apply_values(object, json_object_get(change, "new_values"));
}

/* A story that went to another project: to this one it is no more. */
static gboolean
left_project(const char *kind, const json_t *change)
{
    return g_str_equal(kind, "story") &&
           json_object_get(json_object_get(change, "original_values"), "project_id");
}

static void
apply_change(Picture *picture, const json_t *change)
{
    const char *kind = json_string_value(json_object_get(change, "kind"));
    const char *type = json_string_value(json_object_get(change, "change_type"));
    gint64 id = int_of(change, "id");
    json_t *values = json_object_get(change, "new_values");
    g_autofree char *name = g_strdup_printf("%s %" G_GINT64_FORMAT, kind, id);
    GArray *order = g_str_equal(kind, "story")  ? picture->stories
                    : g_str_equal(kind, "epic") ? picture->epics
                                                : NULL;
    if (strstr(kind, "attachment")) { /* as is_kept() */
        return;
    }
    if (g_str_equal(kind, "iteration_override")) {
        apply_override(picture, change);
        return;
    }
    if (g_str_equal(kind, "project") &&
        (json_object_get(values, "week_start_day") || json_object_get(values, "start_date"))) {
        (void)g_hash_table_foreach_remove(picture->objects, is_override, NULL);
    }
    if (g_str_equal(type, "delete") || left_project(kind, change)) {
        apply_delete(picture, kind, id, name);
        if (order) {
            order_remove(order, id);
        }
        return;
    }
    json_t *object = g_hash_table_lookup(picture->objects, name);
    if (g_str_equal(type, "create") != (object == NULL)) {
        g_error("%s: %s", name, json_dumps(change, 0));
    }
    if (!object) {
        object = json_object();
        g_hash_table_insert(picture->objects, g_strdup(name), object);
    }
    check_originals(name, object, json_object_get(change, "original_values"));
    apply_values(object, values);
    if (order) {
        order_place(order, id, values);
    }
}

gint64
replay_advance(Replay *replay)
{
    for (gboolean more = TRUE; more;) {
        g_autofree char *path =
            g_strdup_printf("activity?sort_order=asc&limit=%d&since_version=%" G_GINT64_FORMAT,
                            PAGE, replay->version);
        json_t *activities = get(replay, path);
        size_t i = 0;
        size_t k = 0;
        json_t *activity = NULL;
        json_t *change = NULL;
        more = json_array_size(activities) == PAGE;
        json_array_foreach(activities, i, activity)
        {
            g_assert_cmpint(int_of(activity, "project_version"), ==, replay->version + 1);
            replay->version++;
            json_array_foreach(json_object_get(activity, "changes"), k, change)
            {
                apply_change(&replay->picture, change);
            }
        }
    }
    return replay->version;
}

/* ---- comparing ---- */

static int
compare_ints(gconstpointer a, gconstpointer b)
{
    gint64 x = *(const gint64 *)a;
    gint64 y = *(const gint64 *)b;
    return (x > y) - (x < y);
}

static GArray *
sorted_ids(const json_t *list)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (size_t i = 0; i < json_array_size(list); i++) {
        gint64 id = json_integer_value(json_array_get(list, i));
        g_array_append_val(ids, id);
    }
    g_array_sort(ids, compare_ints);
    return ids;
}

/* Lists of ids are sets, except for owners, whose first one owns the story. */
static gboolean
same_value(const char *key, const json_t *a, const json_t *b)
{
    if (g_str_equal(key, "time_zone")) {
        return same_zone(a, b);
    }
    if (!json_is_array(a) || !json_is_array(b) || g_str_equal(key, "owner_ids")) {
        return a == b || json_equal(a, b);
    }
    g_autoptr(GArray) left = sorted_ids(a);
    g_autoptr(GArray) right = sorted_ids(b);
    return left->len == right->len &&
           (left->len == 0 || memcmp(left->data, right->data, left->len * sizeof(gint64)) == 0);
}

static void
compare_object(const char *name, const json_t *told, json_t *real)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(real, key, value)
    {
        if (!same_value(key, json_object_get(told, key), value)) {
            g_error("%s.%s: GET says %s, the activities say %s", name, key,
                    json_dumps(value, JSON_ENCODE_ANY),
                    json_object_get(told, key)
                        ? json_dumps(json_object_get(told, key), JSON_ENCODE_ANY)
                        : "nothing");
        }
    }
}

static void
compare_orders(const char *what, const GArray *told, const GArray *real)
{
    g_assert_cmpuint(told->len, ==, real->len);
    for (guint i = 0; i < told->len; i++) {
        if (g_array_index(told, gint64, i) != g_array_index(real, gint64, i)) {
            g_error("%s: the activities put %" G_GINT64_FORMAT
                    " at place %u, GET %" G_GINT64_FORMAT,
                    what, g_array_index(told, gint64, i), i, g_array_index(real, gint64, i));
        }
    }
}

/* What overrides were told is how long and how strong the iterations are. */
static void
compare_overrides(Replay *replay)
{
    GHashTableIter iter;
    gpointer name = NULL;
    gpointer told = NULL;
    json_t *known = json_incref(get(replay, "?fields=iteration_length,iteration_override_numbers"));
    size_t i = 0;
    json_t *number = NULL;
    guint overridden = 0;

    json_array_foreach(json_object_get(known, "iteration_override_numbers"), i, number)
    {
        g_autofree char *object =
            g_strdup_printf("iteration_override %" JSON_INTEGER_FORMAT, json_integer_value(number));
        g_assert_true(g_hash_table_contains(replay->picture.objects, object));
    }
    g_hash_table_iter_init(&iter, replay->picture.objects);
    while (g_hash_table_iter_next(&iter, &name, &told)) {
        if (!is_override(name, NULL, NULL)) {
            continue;
        }
        json_t *length = json_object_get(told, "length");
        double strength = json_number_value(json_object_get(told, "team_strength"));
        g_autofree char *path = g_strdup_printf("projects/%" G_GINT64_FORMAT
                                                "/iterations/%s?fields=length,team_strength",
                                                replay->project_id, strchr(name, ' ') + 1);
        json_t *real = fixture_json(replay->fixture, "GET", path, NULL);

        overridden += json_is_integer(length) || strength != 1 ? 1 : 0;
        if (replay->fixture->response.status == 404) {
            continue; /* since iterations became longer, there are not as many */
        }
        g_assert_cmpint(int_of(real, "length"), ==,
                        json_is_integer(length) ? json_integer_value(length)
                                                : int_of(known, "iteration_length"));
        g_assert_cmpfloat(json_number_value(json_object_get(real, "team_strength")), ==, strength);
    }
    g_assert_cmpuint(overridden, ==,
                     json_array_size(json_object_get(known, "iteration_override_numbers")));
    json_decref(known);
}

void
replay_compare(Replay *replay)
{
    Picture real;
    GHashTableIter iter;
    gpointer name = NULL;
    gpointer object = NULL;
    take_picture(replay, &real);
    g_hash_table_iter_init(&iter, real.objects);
    while (g_hash_table_iter_next(&iter, &name, &object)) {
        json_t *told = g_hash_table_lookup(replay->picture.objects, name);
        if (!told) {
            g_error("%s: no activity told of it", (char *)name);
        }
        compare_object(name, told, object);
    }
    g_hash_table_iter_init(&iter, replay->picture.objects);
    while (g_hash_table_iter_next(&iter, &name, &object)) {
        if (!g_hash_table_contains(real.objects, name) &&
            !g_str_has_prefix(name, "iteration_override ")) {
            g_error("%s: the activities know it, GET does not", (char *)name);
        }
    }
    compare_orders("stories", replay->picture.stories, real.stories);
    compare_overrides(replay);
    compare_orders("epics", replay->picture.epics, real.epics);
    picture_clear(&real);
}

Replay *
replay_new(Fixture *fixture, gint64 project_id)
{
    Replay *replay = g_new0(Replay, 1);
    replay->fixture = fixture;
    replay->project_id = project_id;
    replay->version = int_of(get(replay, "?fields=version"), "version");
    take_picture(replay, &replay->picture);
    return replay;
}

void
replay_free(Replay *replay)
{
    picture_clear(&replay->picture);
    g_free(replay);
}
