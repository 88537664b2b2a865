#include "tracker/write_person.h"

#include <string.h>

#include "tracker/people.h"
#include "tracker/zone.h"

/* Ids beyond this did not fit into the real service's column, and it said so. */
#define MAX_PERSON_ID G_MAXINT32

gboolean
write_is_blank(const char *text)
{
    while (*text && g_unichar_isspace(g_utf8_get_char(text))) {
        text = g_utf8_next_char(text);
    }
    return *text == '\0';
}

gboolean
write_fail_email(Call *call, const char *email)
{
    g_autofree char *rule = g_strdup_printf("%s is not a valid email address.", email);

    return call_fail_rule(call, "One or more consistency checks failed on the supplied Person.",
                          rule);
}

static gboolean
find_by_id(Call *call, gint64 id, gint64 *ret_person_id)
{
    g_autofree char *problem = NULL;

    if (id > MAX_PERSON_ID || id < -MAX_PERSON_ID - 1) {
        return call_fail_text(call, "Couldn't find Person with an out of range value for 'id'");
    }
    if (!people_exists(call->conn, id)) {
        problem = g_strdup_printf("Couldn't find Person with 'id'=%" G_GINT64_FORMAT, id);
        return call_fail_text(call, problem);
    }
    *ret_person_id = id;
    return TRUE;
}

static gboolean
is_given(const char *text)
{
    return text && !write_is_blank(text);
}

gboolean
write_find_person(Call *call, gboolean needs_name, gint64 *ret_person_id)
{
    const char *email = body_text(call->given, "email");
    const char *name = body_text(call->given, "name");
    const char *initials = body_text(call->given, "initials");
    g_autofree char *local = NULL;
    gint64 known;

    if (body_has(call->given, "person_id")) {
        return email || name || initials
                   ? call_fail_text(call, "Do not send person_id with email, initials, or name in "
                                          "the same request.")
                   : find_by_id(call, body_int(call->given, "person_id", 0), ret_person_id);
    }
    if (!is_given(email)) {
        return call_fail_text(call, is_given(name) ? "Email can't be blank"
                                                   : "Email can't be blank., Name can't be blank");
    }
    if (!people_email_is_valid(email)) {
        return write_fail_email(call, email);
    }
    known = people_by_email(call->conn, email);
    if (known) {
        *ret_person_id = known;
        return TRUE;
    }
    if (!is_given(name)) {
        if (needs_name) {
            return call_fail_text(call, "Name can't be blank");
        }
        local = g_strndup(email, strcspn(email, "@"));
        name = local;
    }
    *ret_person_id = people_add(call->conn, name, email, is_given(initials) ? initials : NULL,
                                call->now_ms - call->now_ms % 1000);
    return TRUE;
}

gboolean
write_time_zone(Call *call, const json_t *given, char **ret_zone)
{
    static const Param params[] = {
        {"olson_name", PARAM_STRING, PARAM_REQUIRED, 0, NULL},
        {"kind", PARAM_ANY, PARAM_IGNORED, 0, NULL},
        {"offset", PARAM_ANY, PARAM_IGNORED, 0, NULL},
    };
    static const ParamTable table = PARAM_TABLE(params, FALSE, NULL);
    json_t *object = json_object_get(given, "time_zone");

    *ret_zone = NULL;
    if (!object) {
        return TRUE;
    }
    if (!body_check(call, object, &table, "time_zone")) {
        return FALSE;
    }
    if (!zone_exists(body_text(object, "olson_name"))) {
        return call_fail_text(call, "Can't use content of 'time_zone' parameter.");
    }
    *ret_zone = g_strdup(body_text(object, "olson_name"));
    return TRUE;
}

gboolean
write_answer_nothing(Call *call)
{
    call->no_content = TRUE;
    return TRUE;
}
