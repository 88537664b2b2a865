/* The search language: trees, refusals, and what dates mean. */
#include "tracker/search_dates.h"
#include "tracker/search_parse.h"

#include <string.h>

#include "tracker/service.h"

static void
dump(const SearchNode *node, GString *out)
{
    static const char *const operators[] = {
        [SEARCH_NODE_AND] = " & ",
        [SEARCH_NODE_OR] = " | ",
    };

    if (node->type == SEARCH_NODE_NOT) {
        g_string_append_c(out, '!');
        dump(node->left, out);
        return;
    }
    if (node->type != SEARCH_NODE_TERM) {
        g_string_append_c(out, '(');
        dump(node->left, out);
        g_string_append(out, operators[node->type]);
        dump(node->right, out);
        g_string_append_c(out, ')');
        return;
    }
    g_string_append_printf(out, "%d:", (int)node->keyword);
    for (guint i = 0; i < node->values->len; i++) {
        const SearchValue *value = &g_array_index(node->values, SearchValue, i);
        const char *mark = value->form == SEARCH_QUOTED  ? "\""
                           : value->form == SEARCH_REGEX ? "/"
                                                         : "";

        g_string_append_printf(out, "%s%s%s%s", i ? "," : "", mark, value->text, mark);
    }
}

static void
test_trees(void)
{
    static const struct {
        const char *text, *tree;
    } cases[] = {
        {"", ""},
        {"  ", ""},
        {"a b", "(0:a & 0:b)"},
        {"a AND b", "(0:a & 0:b)"},
        {"a OR b c", "((0:a | 0:b) & 0:c)"},
        {"a b OR c", "((0:a & 0:b) | 0:c)"},
        {"a (b OR c)", "(0:a & (0:b | 0:c))"},
        {"a(b)c", "((0:a & 0:b) & 0:c)"},
        {"-a -(b c)", "(!0:a & !(0:b & 0:c))"},
        {"--a", "0:a"},
        {"a - b", "(0:a & 0:b)"},
        {"a () b", "(0:a & 0:b)"},
        {"ORacle and", "(0:ORacle & 0:and)"},
        {"\"a b\"", "0:\"a b\""},
        {"\"a \\\"b\\\" \\\\\"", "0:\"a \"b\" \\\""},
        {"label:\"needs design\"", "2:\"needs design\""},
        {"LABELS:x", "2:x"},
        {"label:\"\"", "2:\"\""},
        {"label:\"a,b\",c", "2:\"a,b\",c"},
        {"state:started,finished", "5:started,finished"},
        {"no:owner", "!15:owner"},
        {"-no:owner", "!!15:owner"},
        {"a,b", "0:a,b"},
        {"/re ge.x/", "0:/re ge.x/"},
        {"name:/a\\/b/ c", "(1:/a\\/b/ & 0:c)"},
        {"/usr/bin", "0:/usr/bin"},
        {"//", "0://"},
        {"http://x", "0:http://x"},
        {"nonsense:x", "0:nonsense:x"},
        {"owned_by:x requested_by:y", "(8:x & 9:y)"},
        {"created:11/22/2014", "19:11/22/2014"},
        {"modified_since:-3d", "23:-3d"},
        {"includedone:true", ""},
        {"a includedone:TRUE b", "(0:a & 0:b)"},
        {"gr\303\266\303\237e", "0:gr\303\266\303\237e"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Search) search = search_parse(cases[i].text, &error);
        g_autoptr(GString) tree = g_string_new(NULL);

        g_assert_no_error(error);
        if (search->root) {
            dump(search->root, tree);
        }
        g_assert_cmpstr(tree->str, ==, cases[i].tree);
    }
}

static void
test_include_done(void)
{
    static const struct {
        const char *text;
        gboolean include;
    } cases[] = {
        {"a", FALSE},
        {"includedone:true", TRUE},
        {"a (b includedone:True)", TRUE},
        {"includedone:false", FALSE},
        {"-includedone:true", FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Search) search = search_parse(cases[i].text, NULL);

        g_assert_cmpint(search->include_done, ==, cases[i].include);
    }
}

static void
assert_refused(const char *text, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Search) search = search_parse(text, &error);

    g_assert_null(search);
    g_assert_error(error, TRACKER_ERROR, TRACKER_ERROR_BAD_INPUT);
    g_assert_cmpstr(error->message, ==, message);
}

static char *
repeated(const char *text, int times)
{
    GString *out = g_string_new(NULL);

    for (int i = 0; i < times; i++) {
        g_string_append(out, text);
    }
    return g_string_free(out, FALSE);
}

static void
test_refusals(void)
{
    g_autofree char *terms = repeated("a ", SEARCH_MAX_TERMS + 1);
    g_autofree char *fits = repeated("a ", SEARCH_MAX_TERMS);
    g_autofree char *alternatives = repeated("x,", SEARCH_MAX_TERMS + 1);
    g_autofree char *listed = g_strdup_printf("state:%sx", alternatives);
    g_autofree char *deep = repeated("(", SEARCH_MAX_PARENTHESES + 1);
    g_autofree char *many = repeated("1,", SEARCH_MAX_IDS);
    g_autofree char *ids = g_strdup_printf("id:%s1", many);
    g_autofree char *no_last = g_strdup_printf("id:%.*s", (int)strlen(many) - 1, many);
    g_autofree char *level = repeated("a OR b c ", SEARCH_MAX_DEPTH / 2);
    g_autofree char *levels = g_strdup_printf("%sOR a", level);
    g_autofree char *huge = g_strnfill(SEARCH_MAX_BYTES + 1, 'x');
    g_autoptr(Search) within = search_parse(fits, NULL), with_ids = search_parse(no_last, NULL),
                      fitting = search_parse(level, NULL);

    assert_refused("\"a", "The search text has a quotation mark without its partner.");
    assert_refused("label:\"a", "The search text has a quotation mark without its partner.");
    assert_refused("(a", "The search text lacks a closing parenthesis.");
    assert_refused("a (b (c)", "The search text lacks a closing parenthesis.");
    assert_refused("a) b", "The search text lacks an opening parenthesis.");
    assert_refused("AND a", "'AND' needs a term on both sides.");
    assert_refused("a OR", "'OR' needs a term on both sides.");
    assert_refused("a OR AND b", "'AND' needs a term on both sides.");
    assert_refused("(a OR) b", "'OR' needs a term on both sides.");
    assert_refused("label: x", "A value must follow 'label:' directly, without a space.");
    assert_refused("state:started,", "A value must follow 'state:' directly, without a space.");
    assert_refused("includedone:maybe", "'includedone' must be one of: true, false");
    assert_refused("-created:today", "A date cannot be negated in a search.");
    assert_refused(terms, "The search text has too many terms.");
    assert_refused(listed, "The search text has too many terms.");
    assert_refused(deep, "The search text has too many parentheses inside each other.");
    assert_refused(levels, "The search text is nested too deeply.");
    assert_refused(ids, "The search text has too many ids.");
    assert_refused(huge, "The search text is too long.");
    assert_refused("a \377", "The search text is not valid UTF-8.");
    g_assert_nonnull(within);
    g_assert_nonnull(with_ids);
    g_assert_nonnull(fitting);
}

static gint64
at(const char *iso)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(iso, NULL);

    g_assert_nonnull(time);
    return g_date_time_to_unix(time) * 1000;
}

/* Now is a Wednesday evening in Berlin, two hours before midnight, in summer time. */
static void
test_dates(void)
{
    static const struct {
        const char *text, *start, *end;
    } cases[] = {
        {"today", "2017-05-02T22:00:00Z", "2017-05-03T22:00:00Z"},
        {"Yesterday", "2017-05-01T22:00:00Z", "2017-05-02T22:00:00Z"},
        {"5/3/2017", "2017-05-02T22:00:00Z", "2017-05-03T22:00:00Z"},
        {"05/03/2017", "2017-05-02T22:00:00Z", "2017-05-03T22:00:00Z"},
        {"2017-05-03", "2017-05-02T22:00:00Z", "2017-05-03T22:00:00Z"},
        {"2017-5-3", "2017-05-02T22:00:00Z", "2017-05-03T22:00:00Z"},
        {"may 3 2017", "2017-05-02T22:00:00Z", "2017-05-03T22:00:00Z"},
        {"Nov 22, 2014", "2014-11-21T23:00:00Z", "2014-11-22T23:00:00Z"},
        {"november 22 2014", "2014-11-21T23:00:00Z", "2014-11-22T23:00:00Z"},
        {"-0d", "2017-05-02T22:00:00Z", "2017-05-03T22:00:00Z"},
        {"-3d", "2017-04-29T22:00:00Z", "2017-04-30T22:00:00Z"},
        {"-3days", "2017-04-29T22:00:00Z", "2017-04-30T22:00:00Z"},
        {"-2w", "2017-04-18T22:00:00Z", "2017-04-19T22:00:00Z"},
        {"-2Weeks", "2017-04-18T22:00:00Z", "2017-04-19T22:00:00Z"},
        {"-5h", "2017-05-03T15:00:00Z", "2017-05-03T16:00:00Z"},
        {"-5hours", "2017-05-03T15:00:00Z", "2017-05-03T16:00:00Z"},
        {"-3w..-2w", "2017-04-11T22:00:00Z", "2017-04-19T22:00:00Z"},
        {"nov 22 2014..today", "2014-11-21T23:00:00Z", "2017-05-03T22:00:00Z"},
        /* the day on which summer time begins has 23 hours */
        {"3/26/2017", "2017-03-25T23:00:00Z", "2017-03-26T22:00:00Z"},
    };
    g_autoptr(GTimeZone) zone = zone_open_or_utc("Europe/Berlin");

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 start, end;

        g_test_message("%s", cases[i].text);
        g_assert_true(
            search_date_parse(cases[i].text, zone, at("2017-05-03T20:00:00Z"), &start, &end));
        g_assert_cmpint(start, ==, at(cases[i].start));
        g_assert_cmpint(end, ==, at(cases[i].end));
    }
}

static void
test_no_dates(void)
{
    static const char *const texts[] = {
        "",          "now",        "-5days..now", "tomorrow",    "11/22/14",    "22/11/2014",
        "2/30/2017", "2017-02-30", "nov 22",      "nov 22 14",   "nove 2 2014", "3d",
        "-d",        "-3",         "-3x",         "-3months",    "-9999999d",   "..",
        "today..",   "..today",    "a..b",        "today..a..b", "1/2/2017x",   "0/1/2017",
        "1/0/2017",  "2017-1-1-1", "-999999d",    "1/2/99999",
    };
    g_autoptr(GTimeZone) zone = zone_open_or_utc(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        gint64 start, end;

        g_test_message("%s", texts[i]);
        g_assert_false(search_date_parse(texts[i], zone, at("2017-05-03T20:00:00Z"), &start, &end));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/search/parse/trees", test_trees);
    g_test_add_func("/search/parse/include-done", test_include_done);
    g_test_add_func("/search/parse/refusals", test_refusals);
    g_test_add_func("/search/dates/all-forms", test_dates);
    g_test_add_func("/search/dates/none", test_no_dates);
    return g_test_run();
}
