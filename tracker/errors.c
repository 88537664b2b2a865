/* The fixed sentences are protocol constants: clients compare them. */
#include "tracker/errors.h"

#include <string.h>

#include "tracker/json_writer.h"

static const struct {
    int status;
    const char *code, *error;
} codes[] = {
    [PROBLEM_NONE] = {200, "", ""},
    [PROBLEM_INVALID_PARAMETER] = {400, "invalid_parameter",
                                   "One or more request parameters was missing or invalid."},
    [PROBLEM_UNPARSABLE_BODY] = {400, "could_not_parse_body",
                                 "Cannot parse the JSON-encoded request body."},
    [PROBLEM_INVALID_AUTHENTICATION] = {403, "invalid_authentication",
                                        "Invalid authentication credentials were presented."},
    [PROBLEM_UNAUTHORIZED] = {403, "unauthorized_operation", "Authorization failure."},
    [PROBLEM_UNFOUND] = {404, "unfound_resource",
                         "The object you tried to access could not be found.  It may have been "
                         "removed by another user, you may be using the ID of another object type, "
                         "or you may be trying to access a sub-resource at the wrong point in a "
                         "tree."},
    [PROBLEM_NO_ROUTE] = {404, "route_not_found", "The path you requested has no valid endpoint."},
    [PROBLEM_UNHANDLED] = {500, "unhandled_condition", "An unexpected condition occurred."},
};

void
problem_clear(Problem *problem)
{
    g_free(problem->general_problem);
    g_free(problem->possible_fix);
    g_free(problem->requirement);
    g_free(problem->field);
    memset(problem, 0, sizeof *problem);
}

void
problem_set(Problem *problem, ProblemCode code, const char *general_problem)
{
    g_autofree char *text = g_strdup(general_problem);

    problem_clear(problem);
    problem->code = code;
    problem->general_problem = g_steal_pointer(&text);
    if (code == PROBLEM_INVALID_AUTHENTICATION) {
        problem->possible_fix = g_strdup(
            "Verify that your token value matches what's shown on your Profile page in Tracker.");
    } else if (code == PROBLEM_UNAUTHORIZED && !general_problem) {
        problem->general_problem =
            g_strdup("You aren't authorized to access the requested resource.");
        problem->possible_fix = g_strdup(
            "Your project permissions are determined on the Project Membership page. If you are "
            "receiving this error you may be trying to access the wrong project, or the project "
            "API access is disabled, or someone listed as the project's Owner needs to change "
            "your membership type.");
    }
}

int
problem_status(const Problem *problem)
{
    return codes[problem->code].status;
}

static void
write_text(GString *out, const char *name, const char *text)
{
    if (text) {
        json_key(out, name);
        json_text(out, text, strlen(text));
    }
}

void
problem_write(const Problem *problem, GString *out)
{
    g_string_append_c(out, '{');
    write_text(out, "code", codes[problem->code].code);
    write_text(out, "kind", "error");
    write_text(out, "error", codes[problem->code].error);
    write_text(out, "general_problem", problem->general_problem);
    write_text(out, "possible_fix", problem->possible_fix);
    write_text(out, "requirement", problem->requirement);
    if (problem->field) {
        g_string_append(out, ",\"validation_errors\":[{");
        write_text(out, "field", problem->field);
        write_text(out, "problem", problem->general_problem);
        g_string_append(out, "}]");
    }
    g_string_append_c(out, '}');
}

const char *
problem_status_line(int status)
{
    switch (status) {
    case 200:
        return "200 OK";
    case 204:
        return "204 No Content";
    case 302:
        return "302 Found";
    case 400:
        return "400 Bad Request";
    case 403:
        return "403 Forbidden";
    case 404:
        return "404 Not Found";
    default:
        return "500 Internal Server Error";
    }
}
