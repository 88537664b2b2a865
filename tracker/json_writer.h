/* json_writer: JSON text written straight into a GString, and the little reading that a writer
 * needs.
 *
 * No trees: a page of answers costs about its bytes. Separators are the caller's: json_key() puts
 * the comma before every member but the first. Threads: any. Errors: none; bytes that are no UTF-8
 * become U+FFFD. */
#pragma once

#include <glib.h>

/* A member's name, quoted, with its colon, after a comma unless an object has just been opened. */
void json_key(GString *out, const char *name);
/* A comma unless an array or object has just been opened. */
void json_separate(GString *out);
/* Text that is JSON already. */
void json_append(GString *out, const char *text, gsize bytes);
void json_text(GString *out, const char *text, gsize bytes);
void json_int(GString *out, gint64 value);
/* Whole values without a point ("2"), others with as many digits as needed. */
void json_number(GString *out, double value);
/* The same with a point always: "2.0". */
void json_float(GString *out, double value);
/* ISO 8601 in UTC and whole seconds, or with `millis` an integer. */
void json_time(GString *out, gint64 at_ms, gboolean millis);

/* Finds a member of the object `json` at its top level; the value's bytes are borrowed. FALSE when
 * it is absent or the text is no object. */
gboolean json_member(const char *json, const char *name, const char **ret_value, gsize *ret_bytes);
/* Appends the members of an object to another one that is open. */
void json_splice(GString *out, const char *json);
/* Appends JSON text with every time (the value of a member named like one) as milliseconds. */
void json_append_millis(GString *out, const char *json);

/* An ISO 8601 time with a day and a clock, or an integer of milliseconds. */
gboolean json_time_parse(const char *text, gint64 *ret_ms);
