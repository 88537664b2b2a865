/* How: a specification is parsed into an array of rules, replaced as a whole. faults_plan() walks
 * the rules in order; each that matches the path, has a count left and wins its throw of the dice
 * changes the plan. The first rule that answers by itself (hang, reset, 429, ...) wins over later
 * ones, which then keep their counts.
 *
 * The generator is xorshift64*: small, and the same everywhere, so that a seed names a run. */
#include "tracker/faults.h"

#include "tracker/lock.h"
#include "tracker/service.h"

#include <string.h>

typedef enum {
    RULE_LATENCY,
    RULE_RATE429,
    RULE_ERR5XX,
    RULE_HANG,
    RULE_RESET,
    RULE_LOST,
    RULE_IGNORE,
    RULE_HTML,
    RULE_REDIRECT,
    RULE_REVOKE,
    RULE_BADJSON,
    RULE_WRONGTYPE,
    RULE_CUT,
    RULE_STALL,
    RULE_SLOW,
    RULE_HOSTILE,
    RULE_LONG,
    RULE_EDIT,
    RULE_MOVE,
    RULE_DELETE,
    RULE_VJUMP,
    N_RULE_KINDS,
} RuleKind;

typedef enum { VALUE_NONE, VALUE_NUMBER, VALUE_HOST, VALUE_STALL, VALUE_DEED } ValueKind;

static const struct {
    const char *name;
    ValueKind value;
    gint64 min, max;
} rule_kinds[N_RULE_KINDS] = {
    [RULE_LATENCY] = {"latency", VALUE_NUMBER, 0, FAULTS_MAX_WAIT_MS},
    [RULE_RATE429] = {"rate429", VALUE_NUMBER, 0, 100},
    [RULE_ERR5XX] = {"err5xx", VALUE_NUMBER, 0, 100},
    [RULE_HANG] = {"hang", VALUE_NONE, 0, 0},
    [RULE_RESET] = {"reset", VALUE_NONE, 0, 0},
    [RULE_LOST] = {"lost", VALUE_NONE, 0, 0},
    [RULE_IGNORE] = {"ignore", VALUE_NONE, 0, 0},
    [RULE_HTML] = {"html", VALUE_NONE, 0, 0},
    [RULE_REDIRECT] = {"redirect", VALUE_HOST, 0, 0},
    [RULE_REVOKE] = {"revoke", VALUE_NONE, 0, 0},
    [RULE_BADJSON] = {"badjson", VALUE_NONE, 0, 0},
    [RULE_WRONGTYPE] = {"wrongtype", VALUE_NONE, 0, 0},
    [RULE_CUT] = {"cut", VALUE_NUMBER, 0, G_MAXINT32},
    [RULE_STALL] = {"stall", VALUE_STALL, 0, FAULTS_MAX_WAIT_MS},
    [RULE_SLOW] = {"slow", VALUE_NUMBER, 1, G_MAXINT32},
    [RULE_HOSTILE] = {"hostile", VALUE_NONE, 0, 0},
    [RULE_LONG] = {"long", VALUE_NUMBER, 1, FAULTS_MAX_LONG_BYTES},
    [RULE_EDIT] = {"edit", VALUE_DEED, 0, 0},
    [RULE_MOVE] = {"move", VALUE_DEED, 0, 0},
    [RULE_DELETE] = {"delete", VALUE_DEED, 0, 0},
    [RULE_VJUMP] = {"vjump", VALUE_DEED, 0, 0},
};

/* What edit= can change; the first is the default. */
static const char *const fields[] = {"name", "description", "labels"};

typedef struct {
    RuleKind kind;
    gint64 value;         /* of stall: -1 is forever */
    gint64 after_bytes;   /* of stall */
    FaultDeed deed;       /* of edit, move, delete, vjump */
    char *host;           /* of redirect */
    char *method;         /* NULL: every method */
    char *prefix;         /* NULL: every path */
    gint64 left;          /* -1: no limit */
    gint64 retry_after_s; /* -1: none given */
    int status;
} Rule;

struct Faults {
    pthread_mutex_t mutex;
    GArray *rules;  /* of Rule; protected by mutex */
    guint64 random; /* protected by mutex */
    guint64 seed;   /* protected by mutex */
};

static void
rule_clear(gpointer data)
{
    Rule *rule = data;
    g_free(rule->host);
    g_free(rule->method);
    g_free(rule->prefix);
}

static GArray *
rules_new(void)
{
    GArray *rules = g_array_new(FALSE, TRUE, sizeof(Rule));
    g_array_set_clear_func(rules, rule_clear);
    return rules;
}

Faults *
faults_new(void)
{
    Faults *faults = g_new0(Faults, 1);
    (void)pthread_mutex_init(&faults->mutex, NULL);
    faults->rules = rules_new();
    faults->seed = faults->random = 1;
    return faults;
}

void
faults_free(Faults *faults)
{
    if (!faults) {
        return;
    }
    g_array_unref(faults->rules);
    (void)pthread_mutex_destroy(&faults->mutex);
    g_free(faults);
}

/* ---- reading a specification ---- */

/* What `status=` and `retry_after=` said before the first rule. */
typedef struct {
    GArray *rules;
    guint64 seed;
    int status;
    gint64 retry_after_s;
} Parse;

static gboolean
bad_part(const char *part, const char *why, GError **error)
{
    g_autofree char *shown = g_utf8_make_valid(part, MIN((gssize)strlen(part), 80));
    g_set_error(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT, "fault “%s”: %s", shown, why);
    return FALSE;
}

static gboolean
read_number(const char *text, gint64 min, gint64 max, gint64 *ret_number)
{
    return text && g_ascii_string_to_signed(text, 10, min, max, ret_number, NULL);
}

static gboolean
is_host(const char *text)
{
    return text && *text && strlen(text) < FAULTS_MAX_HOST_BYTES &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") ==
               strlen(text);
}

static gboolean
parse_stall(char *value, Rule *rule)
{
    if (!value) {
        return FALSE;
    }
    char *colon = strchr(value, ':');
    if (colon) {
        *colon = '\0';
        if (!read_number(colon + 1, 0, G_MAXINT32, &rule->after_bytes)) {
            return FALSE;
        }
    }
    if (g_str_equal(value, "forever")) {
        rule->value = -1;
        return TRUE;
    }
    return read_number(value, 0, FAULTS_MAX_WAIT_MS, &rule->value);
}

/* ID, and for an edit the field, for a jump how far. */
static gboolean
parse_deed(char *value, Rule *rule)
{
    static const FaultDeedKind kinds[N_RULE_KINDS] = {[RULE_EDIT] = FAULT_EDIT,
                                                      [RULE_MOVE] = FAULT_MOVE,
                                                      [RULE_DELETE] = FAULT_DELETE,
                                                      [RULE_VJUMP] = FAULT_VERSION_JUMP};
    char *more = value ? strchr(value, ':') : NULL;
    if (more) {
        *more++ = '\0';
    }
    rule->deed = (FaultDeed){.kind = kinds[rule->kind], .field = fields[0], .by = 1};
    if (!read_number(value, 1, G_MAXINT64, &rule->deed.id)) {
        return FALSE;
    }
    if (rule->kind == RULE_VJUMP) {
        return !more || read_number(more, 1, G_MAXINT32, &rule->deed.by);
    }
    for (gsize i = 0; more && rule->kind == RULE_EDIT && i < G_N_ELEMENTS(fields); i++) {
        if (g_str_equal(fields[i], more)) {
            rule->deed.field = fields[i];
            more = NULL;
        }
    }
    return more == NULL;
}

static gboolean
parse_value(RuleKind kind, char *value, Rule *rule)
{
    switch (rule_kinds[kind].value) {
    case VALUE_NONE:
        return value == NULL;
    case VALUE_NUMBER:
        return read_number(value, rule_kinds[kind].min, rule_kinds[kind].max, &rule->value);
    case VALUE_HOST:
        rule->host = is_host(value) ? g_strdup(value) : NULL;
        return rule->host != NULL;
    case VALUE_STALL:
        return parse_stall(value, rule);
    case VALUE_DEED:
        return parse_deed(value, rule);
    }
    return FALSE;
}

static const char *
value_rule(RuleKind kind)
{
    switch (rule_kinds[kind].value) {
    case VALUE_NONE:
        return "it takes no value";
    case VALUE_NUMBER:
        return kind == RULE_RATE429 || kind == RULE_ERR5XX ? "its value is a percentage, 0 to 100"
               : kind == RULE_LATENCY ? "its value is in milliseconds, at most an hour"
                                      : "its value is a number of bytes";
    case VALUE_HOST:
        return "its value is HOST:PORT";
    case VALUE_STALL:
        return "its value is MS or forever, then :BYTES if not from the start";
    case VALUE_DEED:
        return kind == RULE_VJUMP  ? "its value is PROJECT[:BY]"
               : kind == RULE_EDIT ? "its value is STORY[:name|:description|:labels]"
                                   : "its value is the id of a story";
    }
    return "it makes no sense";
}

/* seed=, status= and retry_after= are no rules; *ret_taken says whether it was one of them. */
static gboolean
parse_setting(Parse *parse, const char *part, const char *name, const char *value,
              gboolean *ret_taken, GError **error)
{
    Rule *last =
        parse->rules->len > 0 ? &g_array_index(parse->rules, Rule, parse->rules->len - 1) : NULL;
    gint64 number = 0;
    *ret_taken = TRUE;
    if (g_str_equal(name, "seed")) {
        if (!read_number(value, 0, G_MAXINT64, &number)) {
            return bad_part(part, "a seed is a number", error);
        }
        parse->seed = (guint64)number;
        return TRUE;
    }
    if (g_str_equal(name, "status")) {
        if (!read_number(value, 500, 599, &number)) {
            return bad_part(part, "a status is 500 to 599", error);
        }
        *(last ? &last->status : &parse->status) = (int)number;
        return TRUE;
    }
    if (g_str_equal(name, "retry_after")) {
        if (!read_number(value, 0, 86400, &number)) {
            return bad_part(part, "its value is in seconds, at most a day", error);
        }
        *(last ? &last->retry_after_s : &parse->retry_after_s) = number;
        return TRUE;
    }
    *ret_taken = FALSE;
    return TRUE;
}

/* "[METHOD:]/PREFIX" */
static gboolean
parse_target(const char *text, Rule *rule)
{
    const char *slash = strchr(text, '/');
    gsize bytes = slash ? (gsize)(slash - text) : 0;
    gboolean any_method = bytes == 0;
    if (!slash || strchr(slash, '*') ||
        (!any_method && (bytes == 1 || text[bytes - 1] != ':' ||
                         strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != bytes - 1))) {
        return FALSE;
    }
    rule->method = any_method ? NULL : g_strndup(text, bytes - 1);
    rule->prefix = g_strdup(slash);
    return TRUE;
}

/* Cuts "*COUNT" and "@[METHOD:]PREFIX" off the end of `text`. */
static gboolean
parse_scope(const char *part, char *text, Rule *rule, GError **error)
{
    char *star = strrchr(text, '*');
    if (star) {
        *star = '\0';
        if (!read_number(star + 1, 1, G_MAXINT32, &rule->left)) {
            return bad_part(part, "*COUNT is a number from 1", error);
        }
    }
    char *at = strchr(text, '@');
    if (at) {
        *at = '\0';
        if (!parse_target(at + 1, rule)) {
            return bad_part(part, "after @ comes [METHOD:]/PATH-PREFIX, without a star", error);
        }
    }
    return TRUE;
}

static gboolean
parse_part(Parse *parse, const char *part, GError **error)
{
    g_autofree char *text = g_strdup(part);
    Rule rule = {.left = -1, .status = parse->status, .retry_after_s = parse->retry_after_s};
    if (!parse_scope(part, text, &rule, error)) {
        rule_clear(&rule);
        return FALSE;
    }
    char *value = strchr(text, '=');
    if (value) {
        *value++ = '\0';
    }
    gboolean taken = FALSE;
    gboolean ok = parse_setting(parse, part, text, value, &taken, error);
    if (!ok || taken) {
        rule_clear(&rule);
        return ok;
    }
    for (guint kind = 0; kind < N_RULE_KINDS; kind++) {
        if (!g_str_equal(rule_kinds[kind].name, text)) {
            continue;
        }
        rule.kind = (RuleKind)kind;
        if (!parse_value(rule.kind, value, &rule)) {
            rule_clear(&rule);
            return bad_part(part, value_rule(rule.kind), error);
        }
        if (parse->rules->len == FAULTS_MAX_RULES) {
            rule_clear(&rule);
            return bad_part(part, "there are too many switches", error);
        }
        g_array_append_val(parse->rules, rule);
        return TRUE;
    }
    rule_clear(&rule);
    return bad_part(part, "there is no such switch", error);
}

static gboolean
parse_spec(Parse *parse, const char *spec, GError **error)
{
    if (strlen(spec) > FAULTS_MAX_SPEC_BYTES) {
        return bad_part(spec, "the specification is too long", error);
    }
    g_auto(GStrv) parts = g_strsplit(spec, ",", -1);
    for (char **part = parts; *part; part++) {
        g_strstrip(*part);
        if (**part == '\0') {
            continue;
        }
        if (!parse_part(parse, *part, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
faults_set(Faults *faults, const char *spec, GError **error)
{
    Parse parse = {.rules = rules_new(), .seed = 1, .status = 500, .retry_after_s = -1};
    g_autoptr(GError) problem = NULL;
    if (!parse_spec(&parse, spec, &problem)) {
        g_array_unref(parse.rules);
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    GArray *old = NULL;
    {
        TRACKER_LOCK(&faults->mutex);
        old = faults->rules;
        faults->rules = parse.rules;
        faults->seed = parse.seed;
        /* xorshift must not start at 0. */
        faults->random = parse.seed * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15) | 1;
    }
    g_array_unref(old);
    return TRUE;
}

static void
describe_rule(const Rule *rule, GString *out)
{
    g_string_append_printf(out, "%s%s", out->len > 0 ? "," : "", rule_kinds[rule->kind].name);
    switch (rule_kinds[rule->kind].value) {
    case VALUE_NONE:
        break;
    case VALUE_NUMBER:
        g_string_append_printf(out, "=%" G_GINT64_FORMAT, rule->value);
        break;
    case VALUE_HOST:
        g_string_append_printf(out, "=%s", rule->host);
        break;
    case VALUE_STALL:
        if (rule->value < 0) {
            g_string_append(out, "=forever");
        } else {
            g_string_append_printf(out, "=%" G_GINT64_FORMAT, rule->value);
        }
        g_string_append_printf(out, ":%" G_GINT64_FORMAT, rule->after_bytes);
        break;
    case VALUE_DEED:
        g_string_append_printf(out, "=%" G_GINT64_FORMAT, rule->deed.id);
        if (rule->kind == RULE_EDIT) {
            g_string_append_printf(out, ":%s", rule->deed.field);
        } else if (rule->kind == RULE_VJUMP) {
            g_string_append_printf(out, ":%" G_GINT64_FORMAT, rule->deed.by);
        }
        break;
    }
    if (rule->prefix) {
        g_string_append_printf(out, "@%s%s%s", rule->method ? rule->method : "",
                               rule->method ? ":" : "", rule->prefix);
    }
    if (rule->left >= 0) {
        g_string_append_printf(out, "*%" G_GINT64_FORMAT, rule->left);
    }
    if (rule->kind == RULE_ERR5XX) {
        g_string_append_printf(out, ",status=%d", rule->status);
    }
    if (rule->retry_after_s >= 0 && (rule->kind == RULE_ERR5XX || rule->kind == RULE_RATE429)) {
        g_string_append_printf(out, ",retry_after=%" G_GINT64_FORMAT, rule->retry_after_s);
    }
}

char *
faults_describe(Faults *faults)
{
    GString *out = g_string_new(NULL);
    TRACKER_LOCK(&faults->mutex);
    for (guint i = 0; i < faults->rules->len; i++) {
        const Rule *rule = &g_array_index(faults->rules, Rule, i);
        if (rule->left != 0) { /* "*0" could not be read back */
            describe_rule(rule, out);
        }
    }
    if (out->len > 0) {
        g_string_append_printf(out, ",seed=%" G_GUINT64_FORMAT, faults->seed);
    }
    return g_string_free(out, FALSE);
}

/* ---- deciding ---- */

static guint32
next_random_locked(Faults *faults)
{
    guint64 x = faults->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    faults->random = x;
    return (guint32)((x * G_GUINT64_CONSTANT(0x2545f4914f6cdd1d)) >> 32);
}

static gboolean
rule_answers(RuleKind kind)
{
    return kind == RULE_RATE429 || kind == RULE_ERR5XX || kind == RULE_HANG || kind == RULE_RESET ||
           kind == RULE_HTML || kind == RULE_REDIRECT || kind == RULE_REVOKE;
}

static FaultAnswer
rule_answer(RuleKind kind)
{
    static const FaultAnswer answers[N_RULE_KINDS] = {
        [RULE_RATE429] = FAULT_RATE_LIMIT, [RULE_ERR5XX] = FAULT_SERVER_ERROR,
        [RULE_HANG] = FAULT_HANG,          [RULE_RESET] = FAULT_RESET,
        [RULE_HTML] = FAULT_HTML,          [RULE_REDIRECT] = FAULT_REDIRECT,
        [RULE_REVOKE] = FAULT_REVOKE,
    };
    return answers[kind];
}

static void
apply_rule(const Rule *rule, FaultPlan *plan)
{
    if (rule_answers(rule->kind)) {
        plan->answer = rule_answer(rule->kind);
        plan->status = rule->status;
        plan->retry_after_s =
            rule->kind == RULE_RATE429 && rule->retry_after_s < 0 ? 1 : rule->retry_after_s;
        (void)g_strlcpy(plan->host, rule->host ? rule->host : "", sizeof(plan->host));
        return;
    }
    if (rule->kind == RULE_LATENCY) {
        plan->latency_ms = MIN(plan->latency_ms + rule->value, FAULTS_MAX_WAIT_MS);
    } else if (rule->kind == RULE_LOST) {
        plan->lose_answer = TRUE;
    } else if (rule->kind == RULE_IGNORE) {
        plan->ignore_put = TRUE;
    } else if (rule->kind == RULE_BADJSON) {
        plan->bad_json = TRUE;
    } else if (rule->kind == RULE_WRONGTYPE) {
        plan->wrong_type = TRUE;
    } else if (rule->kind == RULE_CUT) {
        plan->cut_at = rule->value;
    } else if (rule->kind == RULE_STALL) {
        plan->stall_at = rule->after_bytes;
        plan->stall_ms = rule->value;
    } else if (rule->kind == RULE_SLOW) {
        plan->bytes_per_second = rule->value;
    } else if (rule->kind == RULE_HOSTILE) {
        plan->hostile = TRUE;
    } else if (rule->kind == RULE_LONG) {
        plan->long_bytes = rule->value;
    } else {
        plan->deeds[plan->n_deeds++] = rule->deed;
    }
}

static gboolean
rule_fits(const Rule *rule, const char *method, const char *path, const FaultPlan *plan)
{
    gboolean is_deed = rule_kinds[rule->kind].value == VALUE_DEED;
    /* What is answered instead reaches no service, so nobody else does anything before it. */
    gboolean too_late = plan->answer != FAULT_NONE && (is_deed || rule_answers(rule->kind));
    return rule->left != 0 && !too_late && !(is_deed && plan->n_deeds == FAULTS_MAX_DEEDS) &&
           (!rule->prefix || g_str_has_prefix(path, rule->prefix)) &&
           (!rule->method || g_str_equal(method, rule->method));
}

void
faults_plan(Faults *faults, const char *method, const char *path, FaultPlan *ret_plan)
{
    *ret_plan = (FaultPlan){.retry_after_s = -1, .cut_at = -1, .stall_at = -1};
    TRACKER_LOCK(&faults->mutex);
    for (guint i = 0; i < faults->rules->len; i++) {
        Rule *rule = &g_array_index(faults->rules, Rule, i);
        if (!rule_fits(rule, method, path, ret_plan)) {
            continue;
        }
        gboolean by_chance = rule->kind == RULE_RATE429 || rule->kind == RULE_ERR5XX;
        if (by_chance && next_random_locked(faults) % 100 >= rule->value) {
            continue;
        }
        if (rule->left > 0) {
            rule->left--;
        }
        apply_rule(rule, ret_plan);
        ret_plan->rules |= 1u << rule->kind;
    }
    if (ret_plan->wrong_type || ret_plan->hostile) {
        ret_plan->choice = next_random_locked(faults);
    }
}

gboolean
faults_plan_shapes_body(const FaultPlan *plan)
{
    return plan->cut_at >= 0 || plan->stall_at >= 0 || plan->bytes_per_second > 0;
}

char *
faults_plan_names(const FaultPlan *plan)
{
    if (plan->rules == 0) {
        return NULL;
    }
    GString *names = g_string_new(NULL);
    for (guint kind = 0; kind < N_RULE_KINDS; kind++) {
        if (plan->rules & (1u << kind)) {
            g_string_append_printf(names, "%s%s", names->len > 0 ? "+" : "", rule_kinds[kind].name);
        }
    }
    return g_string_free(names, FALSE);
}
