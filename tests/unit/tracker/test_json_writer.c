/* JSON text as V5 writes it, and the little that is read from our own columns. */
#include "tracker/json_writer.h"

#include <math.h>
#include <string.h>

static void
assert_text(const char *text, gsize bytes, const char *json)
{
    GString *out = g_string_new(NULL);

    json_text(out, text, bytes);
    g_assert_cmpstr(out->str, ==, json);
    (void)g_string_free(out, TRUE);
}

static void
test_text(void)
{
    assert_text("", 0, "\"\"");
    assert_text("a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\"");
    assert_text("\n\r\t\v\x01\x7f", 6, "\"\\n\\r\\t\\u000b\\u0001\\u007f\"");
    assert_text("h\xc3\xa9\xf0\x9f\x98\x80", 7, "\"h\xc3\xa9\xf0\x9f\x98\x80\"");
    assert_text("a\xff"
                "b",
                3,
                "\"a\xef\xbf\xbd"
                "b\"");
    assert_text("a\0b", 3, "\"a\\u0000b\"");
    assert_text("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

/* Texts are looked at in words: no byte may be missed or escaped for where it stands. */
static void
test_every_byte_everywhere(void)
{
    for (guint byte = 0; byte < 0x80; byte++) {
        for (gsize at = 0; at < 20; at++) {
            for (gsize other = 0; other < 20; other++) {
                char text[20], written[8] = {(char)byte, '\0'};
                g_autoptr(GString) expected = g_string_new("\"");

                memset(text, 'x', sizeof text);
                text[other] = '\x80' | 0x40; /* no UTF-8 by itself */
                text[at] = (char)byte;
                if (byte < 0x20 || byte == 0x7f) {
                    (void)g_snprintf(written, sizeof written, "\\u%04x", byte);
                }
                written[0] = byte == '"' || byte == '\\' ? '\\' : written[0];
                written[1] = byte == '"' || byte == '\\' ? (char)byte : written[1];
                for (gsize i = 0; i < sizeof text; i++) {
                    g_string_append(expected, i == at                     ? written
                                              : i == other && other != at ? "\xef\xbf\xbd"
                                                                          : "x");
                }
                g_string_append_c(expected, '"');
                if (byte != '\n' && byte != '\r' && byte != '\t') {
                    assert_text(text, sizeof text, expected->str);
                }
            }
        }
    }
}

static void
assert_number(double value, const char *json)
{
    GString *out = g_string_new(NULL);

    json_number(out, value);
    g_assert_cmpstr(out->str, ==, json);
    (void)g_string_free(out, TRUE);
}

static void
test_numbers(void)
{
    GString *out = g_string_new(NULL);

    assert_number(2, "2");
    assert_number(-3, "-3");
    assert_number(0.5, "0.5");
    assert_number(0.7, "0.7");
    assert_number(33.333333333333336, "33.333333333333336");
    assert_number((double)INFINITY, "0");
    json_int(out, G_MININT64);
    json_separate(out);
    json_int(out, G_MAXINT64);
    g_assert_cmpstr(out->str, ==, "-9223372036854775808,9223372036854775807");
    (void)g_string_free(out, TRUE);
}

static void
assert_time(gint64 ms, const char *json)
{
    GString *out = g_string_new(NULL);

    json_time(out, ms, FALSE);
    g_assert_cmpstr(out->str, ==, json);
    (void)g_string_free(out, TRUE);
}

static void
test_times(void)
{
    gint64 ms;

    assert_time(0, "\"1970-01-01T00:00:00Z\"");
    assert_time(-1, "\"1969-12-31T23:59:59Z\"");
    assert_time(G_GINT64_CONSTANT(951782400000), "\"2000-02-29T00:00:00Z\"");
    assert_time(G_GINT64_CONSTANT(1493854181999), "\"2017-05-03T23:29:41Z\"");
    assert_time(G_GINT64_CONSTANT(4107542399000), "\"2100-02-28T23:59:59Z\"");
    assert_time(G_MAXINT64, "\"9999-08-17T07:12:55Z\""); /* capped year, no overflow */
    for (gint64 day = -40000; day < 80000; day += 17) {
        g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(day * 86400 + 3661);
        g_autofree char *right = g_date_time_format(time, "\"%Y-%m-%dT%H:%M:%SZ\"");

        assert_time((day * 86400 + 3661) * 1000, right);
    }
    g_assert_true(json_time_parse("2017-05-03T23:29:41Z", &ms));
    g_assert_cmpint(ms, ==, G_GINT64_CONSTANT(1493854181000));
    g_assert_true(json_time_parse("2017-05-04T01:29:41.250+02:00", &ms));
    g_assert_cmpint(ms, ==, G_GINT64_CONSTANT(1493854181250));
    g_assert_true(json_time_parse("1493854181000", &ms));
    g_assert_cmpint(ms, ==, G_GINT64_CONSTANT(1493854181000));
    g_assert_false(json_time_parse("2017-05-03", &ms));
    g_assert_false(json_time_parse("", &ms));
    g_assert_false(json_time_parse("soonT", &ms));
}

static void
test_members(void)
{
    static const char json[] = "{\"a\":{\"b\":\"}\"},\"c\\\"\":[1,2],\"d\":\"x\\\\\",\"e\":null}";
    static const char *const broken[] = {"",       "[]",      "{",         "{\"",      "{\"e",
                                         "{\"e\"", "{\"e\":", "{\"x\":\"", "{\"x\":[", "{\"x\":1,"};
    const char *value;
    gsize bytes;

    g_assert_true(json_member(json, "a", &value, &bytes));
    g_assert_cmpuint(bytes, ==, strlen("{\"b\":\"}\"}"));
    g_assert_true(json_member(json, "d", &value, &bytes));
    g_assert_true(strncmp(value, "\"x\\\\\"", bytes) == 0);
    g_assert_true(json_member(json, "e", &value, &bytes));
    g_assert_true(strncmp(value, "null", bytes) == 0);
    g_assert_false(json_member(json, "b", &value, &bytes));
    g_assert_false(json_member(NULL, "b", &value, &bytes));
    for (gsize i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_assert_false(json_member(broken[i], "e", &value, &bytes));
    }
}

static void
test_splice(void)
{
    GString *out = g_string_new("{");

    json_splice(out, "{}");
    json_splice(out, "nonsense");
    json_splice(out, "{\"a\":1}");
    json_splice(out, " {\"b\":{}} ");
    g_assert_cmpstr(out->str, ==, "{\"a\":1,\"b\":{}");
    (void)g_string_free(out, TRUE);
}

static void
test_millis(void)
{
    GString *out = g_string_new(NULL);

    json_append_millis(out, "[{\"updated_at\":\"2017-05-03T23:29:41Z\",\"name\":\"created_at\","
                            "\"text\":\"2017-05-03T23:29:41Z\",\"accepted_at\":null,"
                            "\"start\" : \"2017-05-03T23:29:41Z\",\"deadline\":\"soon\"}]");
    g_assert_cmpstr(out->str, ==,
                    "[{\"updated_at\":1493854181000,\"name\":\"created_at\","
                    "\"text\":\"2017-05-03T23:29:41Z\",\"accepted_at\":null,"
                    "\"start\":1493854181000,\"deadline\":\"soon\"}]");
    (void)g_string_free(out, TRUE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tracker/json-writer/text", test_text);
    g_test_add_func("/tracker/json-writer/every-byte", test_every_byte_everywhere);
    g_test_add_func("/tracker/json-writer/numbers", test_numbers);
    g_test_add_func("/tracker/json-writer/times", test_times);
    g_test_add_func("/tracker/json-writer/members", test_members);
    g_test_add_func("/tracker/json-writer/splice", test_splice);
    g_test_add_func("/tracker/json-writer/millis", test_millis);
    return g_test_run();
}
