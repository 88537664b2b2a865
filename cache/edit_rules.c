/* What a story may be: states by type, estimates, dates. The same rules that the service has, so
 * that most mistakes are told before anything is sent; where the service is stricter, it says so
 * itself. */
#include "cache/cache.h"
#include "cache/edit_fields.h"

#include <math.h>
#include <string.h>

#include "cache/json_text.h"

static const char *const states_of_features[] = {"unscheduled", "unstarted", "planned",
                                                 "started",     "finished",  "delivered",
                                                 "rejected",    "accepted",  NULL};
static const char *const states_of_chores[] = {"unscheduled", "unstarted", "planned",
                                               "started",     "accepted",  NULL};
static const char *const states_of_releases[] = {"unscheduled", "unstarted", "planned", "accepted",
                                                 NULL};

const char *const *
edit_states_of_type(const char *story_type)
{
    if (g_str_equal(story_type, "feature") || g_str_equal(story_type, "bug")) {
        return states_of_features;
    }
    if (g_str_equal(story_type, "chore")) {
        return states_of_chores;
    }
    return g_str_equal(story_type, "release") ? states_of_releases : NULL;
}

/* The settings of a project that rules depend on. */
typedef struct Settings {
    char *point_scale; /* "0,1,2,3"; NULL unknown */
    gboolean estimates_all, plans_by_hand;
} Settings;

static void
settings_clear(Settings *settings)
{
    g_free(settings->point_scale);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Settings, settings_clear)

static Settings
settings_of(const Project *project)
{
    Settings settings = {.point_scale = NULL};
    g_autoptr(Json) record =
        project->record.data ? json_text_parse(project->record.data, project->record.length, NULL)
                             : NULL;
    settings.point_scale = json_dup_string(record, "point_scale");
    settings.estimates_all =
        json_is_true(json_object_get(record, "bugs_and_chores_are_estimatable"));
    settings.plans_by_hand = json_is_false(json_object_get(record, "automatic_planning"));
    return settings;
}

static gboolean
is_estimatable(const Settings *settings, const char *type)
{
    return g_strcmp0(type, "feature") == 0 ||
           (settings->estimates_all && g_strcmp0(type, "release") != 0);
}

char *
field_point_scale(const Project *project)
{
    g_auto(Settings) settings = settings_of(project);
    return g_steal_pointer(&settings.point_scale);
}

gboolean
field_type_has_estimate(const Project *project, const char *story_type)
{
    g_auto(Settings) settings = settings_of(project);
    return is_estimatable(&settings, story_type);
}

static gboolean
is_state_of(const Settings *settings, const char *type, const char *state)
{
    const char *const *states = edit_states_of_type(type);
    return !states || (g_strv_contains(states, state) &&
                       (settings->plans_by_hand || !g_str_equal(state, "planned")));
}

static char *
states_for(const Settings *settings, const char *type, const char *separator)
{
    GString *list = g_string_new(NULL);
    const char *const *states = edit_states_of_type(type);
    for (guint i = 0; states && states[i]; i++) {
        if (is_state_of(settings, type, states[i])) {
            g_string_append_printf(list, "%s%s", list->len ? separator : "", states[i]);
        }
    }
    return g_string_free(list, FALSE);
}

static const char *
string_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static gboolean
has_value(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return value && !json_is_null(value);
}

static gboolean
needs_estimate(const char *state)
{
    static const char *const states[] = {"started",  "finished", "delivered",
                                         "rejected", "accepted", NULL};
    return state && g_strv_contains(states, state);
}

static gboolean
is_on_scale(const char *scale, double estimate)
{
    g_auto(GStrv) points = g_strsplit(scale, ",", -1);
    for (guint i = 0; points[i]; i++) {
        if (fabs(g_ascii_strtod(points[i], NULL) - estimate) < 1e-9) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
check_state(const json_t *now, const Settings *settings, GError **error)
{
    const char *type = string_of(now, "story_type");
    const char *state = string_of(now, "current_state");
    if (!type || !state || is_state_of(settings, type, state)) {
        return TRUE;
    }
    g_autofree char *rule = g_strdup_printf("a %s cannot have this state", type);
    g_autofree char *allowed = states_for(settings, type, ", ");
    edit_refuse(error, "current_state", state, rule, allowed);
    return FALSE;
}

static gboolean
check_estimate(const json_t *now, const json_t *changes, const Settings *settings, GError **error)
{
    const char *type = string_of(now, "story_type");
    const char *state = string_of(now, "current_state");
    g_autofree char *value = edit_json_to_text(json_object_get(now, "estimate"));
    if (has_value(changes, "estimate")) {
        double estimate = json_number_value(json_object_get(now, "estimate"));
        if (!is_estimatable(settings, type)) {
            g_autofree char *rule = g_strdup_printf("a %s has no estimate in this project", type);
            edit_refuse(error, "estimate", value, rule, NULL);
            return FALSE;
        }
        if (settings->point_scale && !is_on_scale(settings->point_scale, estimate)) {
            edit_refuse(error, "estimate", value, "it is not on the project's point scale",
                        settings->point_scale);
            return FALSE;
        }
    }
    if (is_estimatable(settings, type) && needs_estimate(state) && !has_value(now, "estimate")) {
        g_autofree char *rule =
            g_strdup_printf("Stories in the %s state must be estimated.", state);
        edit_refuse(error, "estimate", NULL, rule, settings->point_scale);
        return FALSE;
    }
    return TRUE;
}

gboolean
field_check_story(const json_t *now, const json_t *changes, const EditContext *context,
                  GError **error)
{
    g_auto(Settings) settings = settings_of(context->project);
    const char *type = string_of(now, "story_type");
    const char *state = string_of(now, "current_state");
    gboolean state_or_type =
        json_object_get(changes, "current_state") || json_object_get(changes, "story_type");
    if (state_or_type && !check_state(now, &settings, error)) {
        return FALSE;
    }
    if ((state_or_type || json_object_get(changes, "estimate")) &&
        !check_estimate(now, changes, &settings, error)) {
        return FALSE;
    }
    if (has_value(changes, "accepted_at") && g_strcmp0(state, "accepted") != 0) {
        edit_refuse(error, "accepted_at", string_of(changes, "accepted_at"),
                    "Only stories in accepted state may have accepted_at dates", NULL);
        return FALSE;
    }
    if (has_value(changes, "deadline") && g_strcmp0(type, "release") != 0) {
        edit_refuse(error, "deadline", string_of(changes, "deadline"),
                    "Deadline can only be set on releases.", NULL);
        return FALSE;
    }
    return TRUE;
}

char *
cache_dup_next_states(const Project *project, const Story *story)
{
    g_auto(Settings) settings = settings_of(project);
    g_autoptr(Json) record = model_tree_of_story(story);
    const char *type = string_of(record, "story_type");
    const char *present = string_of(record, "current_state");
    gboolean lacks = type && is_estimatable(&settings, type) && !has_value(record, "estimate");
    GString *list = g_string_new(NULL);
    const char *const *states = type ? edit_states_of_type(type) : NULL;
    for (guint i = 0; states && states[i]; i++) {
        if (is_state_of(&settings, type, states[i]) && g_strcmp0(states[i], present) != 0 &&
            !(lacks && needs_estimate(states[i]))) {
            g_string_append_printf(list, "%s\n", states[i]);
        }
    }
    return g_string_free(list, FALSE);
}
