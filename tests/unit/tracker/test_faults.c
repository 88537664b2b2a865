/* The specification of faults, and what it decides. */
#include "tracker/faults.h"
#include "tracker/service.h"

#include <string.h>

static void
set(Faults *faults, const char *spec)
{
    g_autoptr(GError) error = NULL;
    gboolean ok = faults_set(faults, spec, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
}

static FaultPlan
plan(Faults *faults, const char *path)
{
    FaultPlan result;
    faults_plan(faults, "GET", path, &result);
    return result;
}

static void
test_empty(void)
{
    g_autoptr(Faults) faults = faults_new();
    FaultPlan nothing = plan(faults, "/x");
    g_assert_cmpint(nothing.answer, ==, FAULT_NONE);
    g_assert_false(faults_plan_shapes_body(&nothing));
    g_assert_null(faults_plan_names(&nothing));
    g_autofree char *text = faults_describe(faults);
    g_assert_cmpstr(text, ==, "");
    set(faults, " , ,");
    g_assert_cmpint(plan(faults, "/x").answer, ==, FAULT_NONE);
}

static void
test_every_switch(void)
{
    static const struct {
        const char *spec;
        FaultAnswer answer;
    } answers[] = {
        {"hang", FAULT_HANG},
        {"reset", FAULT_RESET},
        {"rate429=100", FAULT_RATE_LIMIT},
        {"err5xx=100", FAULT_SERVER_ERROR},
        {"html", FAULT_HTML},
        {"redirect=example.org:80", FAULT_REDIRECT},
        {"revoke", FAULT_REVOKE},
    };
    g_autoptr(Faults) faults = faults_new();
    for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
        set(faults, answers[i].spec);
        g_assert_cmpint(plan(faults, "/x").answer, ==, answers[i].answer);
    }
    set(faults, "latency=250,lost,badjson,wrongtype,cut=10,stall=5:3,slow=99");
    FaultPlan all = plan(faults, "/x");
    g_assert_cmpint(all.answer, ==, FAULT_NONE);
    g_assert_cmpint(all.latency_ms, ==, 250);
    g_assert_true(all.lose_answer && all.bad_json && all.wrong_type);
    g_assert_cmpint(all.cut_at, ==, 10);
    g_assert_cmpint(all.stall_at, ==, 3);
    g_assert_cmpint(all.stall_ms, ==, 5);
    g_assert_cmpint(all.bytes_per_second, ==, 99);
    g_autofree char *names = faults_plan_names(&all);
    g_assert_cmpstr(names, ==, "latency+lost+badjson+wrongtype+cut+stall+slow");
    set(faults, "stall=forever");
    all = plan(faults, "/x");
    g_assert_cmpint(all.stall_at, ==, 0);
    g_assert_cmpint(all.stall_ms, ==, -1);
}

static void
test_deeds(void)
{
    g_autoptr(Faults) faults = faults_new();
    set(faults, "edit=5,edit=6:labels,move=7,delete=8,vjump=9,vjump=9:3");
    FaultPlan all = plan(faults, "/x");
    g_assert_cmpuint(all.n_deeds, ==, 6);
    static const FaultDeed wanted[] = {
        {FAULT_EDIT, 5, "name", 1},       {FAULT_EDIT, 6, "labels", 1},
        {FAULT_MOVE, 7, NULL, 1},         {FAULT_DELETE, 8, NULL, 1},
        {FAULT_VERSION_JUMP, 9, NULL, 1}, {FAULT_VERSION_JUMP, 9, NULL, 3},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++) {
        g_assert_cmpint(all.deeds[i].kind, ==, wanted[i].kind);
        g_assert_cmpint(all.deeds[i].id, ==, wanted[i].id);
        g_assert_cmpint(all.deeds[i].by, ==, wanted[i].by);
        if (wanted[i].field) {
            g_assert_cmpstr(all.deeds[i].field, ==, wanted[i].field);
        }
    }
    /* What never reaches the service has nobody come before it. */
    set(faults, "reset*1,edit=5*1");
    g_assert_cmpuint(plan(faults, "/x").n_deeds, ==, 0);
    g_assert_cmpuint(plan(faults, "/x").n_deeds, ==, 1);
    g_autoptr(GString) many = g_string_new("move=1");
    for (guint i = 0; i < FAULTS_MAX_DEEDS; i++) {
        g_string_append(many, ",move=1");
    }
    set(faults, many->str);
    g_assert_cmpuint(plan(faults, "/x").n_deeds, ==, FAULTS_MAX_DEEDS);
}

static void
test_methods(void)
{
    g_autoptr(Faults) faults = faults_new();
    FaultPlan result;
    set(faults, "lost@PUT:/services/v5/projects*1");
    g_assert_false(plan(faults, "/services/v5/projects/1").lose_answer);
    faults_plan(faults, "PUT", "/services/v5/me", &result);
    g_assert_false(result.lose_answer);
    faults_plan(faults, "PUT", "/services/v5/projects/1", &result);
    g_assert_true(result.lose_answer);
    faults_plan(faults, "PUT", "/services/v5/projects/1", &result);
    g_assert_false(result.lose_answer);
}

static void
test_settings(void)
{
    g_autoptr(Faults) faults = faults_new();
    set(faults, "err5xx=100,status=503,retry_after=7");
    FaultPlan result = plan(faults, "/x");
    g_assert_cmpint(result.status, ==, 503);
    g_assert_cmpint(result.retry_after_s, ==, 7);
    set(faults, "status=502,err5xx=100");
    g_assert_cmpint(plan(faults, "/x").status, ==, 502);
    set(faults, "err5xx=100");
    result = plan(faults, "/x");
    g_assert_cmpint(result.status, ==, 500);
    g_assert_cmpint(result.retry_after_s, ==, -1);
    set(faults, "rate429=100");
    g_assert_cmpint(plan(faults, "/x").retry_after_s, ==, 1);
    set(faults, "rate429=100,retry_after=0");
    g_assert_cmpint(plan(faults, "/x").retry_after_s, ==, 0);
}

static void
test_scope_and_count(void)
{
    g_autoptr(Faults) faults = faults_new();
    set(faults, "reset@/services/v5/projects*2,html");
    g_assert_cmpint(plan(faults, "/services/v5/me").answer, ==, FAULT_HTML);
    g_assert_cmpint(plan(faults, "/services/v5/projects/1").answer, ==, FAULT_RESET);
    g_autofree char *left = faults_describe(faults);
    g_assert_cmpstr(left, ==, "reset@/services/v5/projects*1,html,seed=1");
    g_assert_cmpint(plan(faults, "/services/v5/projects").answer, ==, FAULT_RESET);
    g_assert_cmpint(plan(faults, "/services/v5/projects").answer, ==, FAULT_HTML);
    /* The first answer wins; the later rule keeps its count. */
    set(faults, "hang*1,reset*1");
    g_assert_cmpint(plan(faults, "/x").answer, ==, FAULT_HANG);
    g_assert_cmpint(plan(faults, "/x").answer, ==, FAULT_RESET);
    g_assert_cmpint(plan(faults, "/x").answer, ==, FAULT_NONE);
}

static void
test_description_reads_back(void)
{
    static const char *const specs[] = {
        "latency=5@/a*3,seed=9",
        "rate429=30,retry_after=2,err5xx=10@/b,status=504,retry_after=0,seed=1",
        "stall=forever:12,stall=7:0,slow=3,cut=0,redirect=[::1]:99,seed=4",
        "edit=1:description,move=2,delete=3@DELETE:/c*1,vjump=4:5,hostile,long=6,seed=1",
    };
    g_autoptr(Faults) faults = faults_new();
    for (gsize i = 0; i < G_N_ELEMENTS(specs); i++) {
        set(faults, specs[i]);
        g_autofree char *once = faults_describe(faults);
        g_assert_cmpstr(once, ==, specs[i]);
    }
}

static void
test_same_seed_same_run(void)
{
    g_autoptr(Faults) first = faults_new();
    g_autoptr(Faults) second = faults_new();
    g_autoptr(Faults) other = faults_new();
    set(first, "err5xx=50,seed=42");
    set(second, "err5xx=50,seed=42");
    set(other, "err5xx=50,seed=43");
    guint failures = 0;
    guint different = 0;
    for (guint i = 0; i < 1000; i++) {
        FaultAnswer answer = plan(first, "/x").answer;
        g_assert_cmpint(answer, ==, plan(second, "/x").answer);
        failures += answer != FAULT_NONE;
        different += answer != plan(other, "/x").answer;
    }
    g_assert_cmpuint(failures, >, 400);
    g_assert_cmpuint(failures, <, 600);
    g_assert_cmpuint(different, >, 300);
    set(first, "err5xx=0");
    for (guint i = 0; i < 100; i++) {
        g_assert_cmpint(plan(first, "/x").answer, ==, FAULT_NONE);
    }
}

static void
test_bad_specs(void)
{
    static const char *const bad[] = {
        "nonsense",
        "latency",
        "latency=",
        "latency=-1",
        "latency=x",
        "latency=99999999999",
        "rate429=101",
        "err5xx=100,status=200",
        "hang=1",
        "reset*0",
        "reset*",
        "reset*x",
        "reset@x",
        "redirect=",
        "redirect=a/b:80",
        "redirect=a b",
        "stall=soon",
        "stall=1:",
        "stall",
        "slow=0",
        "seed=x",
        "retry_after=-1",
        "cut=1e3",
        "latency=5,,nope",
        "html@/a*b*2",
        "=5",
        "@/x",
        "lat\xff\xfe=1",
        "edit",
        "edit=0",
        "edit=1:estimate",
        "edit=1:name:name",
        "move=1:name",
        "delete=x",
        "vjump=1:0",
        "vjump=1:x",
        "long=0",
        "hostile=1",
        "reset@put:/x",
        "reset@:/x",
        "reset@PUT/x",
        "reset@PUT:x",
    };
    g_autoptr(Faults) faults = faults_new();
    set(faults, "html");
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(faults_set(faults, bad[i], &error));
        g_assert_error(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT);
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
        g_assert_cmpint(plan(faults, "/x").answer, ==, FAULT_HTML);
    }
    g_autoptr(GString) many = g_string_new("seed=1");
    for (guint i = 0; i < FAULTS_MAX_RULES; i++) {
        g_string_append(many, ",html");
    }
    g_string_append(many, ",seed=2");
    set(faults, many->str);
    g_string_append(many, ",html");
    g_assert_false(faults_set(faults, many->str, NULL));
    for (guint i = 0; i < FAULTS_MAX_SPEC_BYTES; i++) {
        g_string_append_c(many, ',');
    }
    g_assert_false(faults_set(faults, many->str, NULL));
}

static void
test_spoiled_bodies(void)
{
    FaultPlan bad = {.bad_json = TRUE};
    g_autoptr(GString) body = g_string_new("{\"id\":12}");
    faults_spoil_body(&bad, body);
    g_assert_cmpstr(body->str, ==, "{\"id");

    static const struct {
        guint32 choice;
        const char *before, *after;
    } wrong[] = {
        {0, "[1,2]", "{}"},
        {0, "{\"id\":1}", "[]"},
        {1, "[{\"id\":1,\"name\":\"x\",\"ok\":true,\"list\":[]}]",
         "[{\"id\":\"forty-two\",\"name\":42,\"ok\":\"yes\",\"list\":{}}]"},
        {2, "[{\"id\":1}]", "[\"no object\",{\"id\":1}]"},
        {1, "{\"id\":1}", "{\"id\":\"forty-two\"}"},
        {1, "{}", "[]"},
        {1, "not json", "not json"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        FaultPlan types = {.wrong_type = TRUE, .choice = wrong[i].choice};
        g_string_assign(body, wrong[i].before);
        faults_spoil_body(&types, body);
        g_assert_cmpstr(body->str, ==, wrong[i].after);
    }
}

/* Texts of people become something else, words of the protocol and ids stay; what results is still
 * JSON, except for bytes that are none of UTF-8. */
static void
test_hostile_bodies(void)
{
    FaultPlan tall = {.long_bytes = 9};
    g_autoptr(GString) body = g_string_new(
        "[{\"kind\":\"story\",\"id\":1,\"name\":\"a\",\"created_at\":\"2020-01-01T00:00:00Z\","
        "\"labels\":[{\"name\":\"b\"}]}]");
    g_autofree char *before = g_strdup(body->str);
    faults_spoil_body(&tall, body);
    g_assert_cmpstr(body->str, ==,
                    "[{\"kind\":\"story\",\"id\":1,\"name\":\"xxxxxxxxx\",\"created_at\":"
                    "\"2020-01-01T00:00:00Z\",\"labels\":[{\"name\":\"xxxxxxxxx\"}]}]");
    static const char *const needles[] = {"\"\"",        "\"..\"",   "etc/passwd", "\\u001B",
                                          "\\u0000byte", "\xc3\x28", "\\ud83d\"",  "-rf"};
    gboolean found[G_N_ELEMENTS(needles)] = {0};
    gsize longest = 0;
    for (guint32 choice = 0; choice < 20; choice++) {
        FaultPlan hostile = {.hostile = TRUE, .choice = choice};
        g_string_assign(body, before);
        faults_spoil_body(&hostile, body);
        g_assert_true(g_str_has_prefix(body->str, "[{\"kind\":\"story\",\"id\":1,\"name\":"));
        g_assert_nonnull(strstr(body->str, "\"x_nested\":[[[["));
        longest = MAX(longest, body->len);
        for (gsize i = 0; i < G_N_ELEMENTS(needles); i++) {
            found[i] = found[i] || strstr(body->str, needles[i]);
        }
    }
    for (gsize i = 0; i < G_N_ELEMENTS(needles); i++) {
        g_assert_true(found[i]);
    }
    g_assert_cmpuint(longest, >, 100000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/faults/empty", test_empty);
    g_test_add_func("/faults/every-switch", test_every_switch);
    g_test_add_func("/faults/deeds", test_deeds);
    g_test_add_func("/faults/methods", test_methods);
    g_test_add_func("/faults/settings", test_settings);
    g_test_add_func("/faults/scope-and-count", test_scope_and_count);
    g_test_add_func("/faults/description-reads-back", test_description_reads_back);
    g_test_add_func("/faults/same-seed-same-run", test_same_seed_same_run);
    g_test_add_func("/faults/bad-specs", test_bad_specs);
    g_test_add_func("/faults/spoiled-bodies", test_spoiled_bodies);
    g_test_add_func("/faults/hostile-bodies", test_hostile_bodies);
    return g_test_run();
}
