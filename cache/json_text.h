/* json_text: bytes to a jansson tree, and tolerant reading of its members. Pure, any
 * thread. */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "cache/model.h"

/* Parses; mends what services are known to get wrong (bytes that are no UTF-8, lone surrogates, raw
 * control characters, integers beyond 64 bits) when the text does not parse as it is. ERR_PROTOCOL
 * with line and reason otherwise, or when it nests deeper than MODEL_JSON_MAX_DEPTH. The caller's
 * (json_decref). */
json_t *json_text_parse(const char *text, gsize bytes, GError **error);

/* The same of what a user wrote: nothing is mended, no key may be there twice. ERR_INVALID with
 * line, column and reason. */
json_t *json_text_parse_written(const char *text, gsize bytes, GError **error);

/* Members of an object; absent, null or of another type gives 0 or NULL. Ids and numbers may be
 * strings of digits, as some services send them. A time may be ISO 8601 or milliseconds. */
gint64 json_get_integer(const json_t *object, const char *key);
gint64 json_get_id(const json_t *object, const char *key); /* 0 unless positive */
gint64 json_get_time(const json_t *object, const char *key);
char *json_dup_string(const json_t *object, const char *key); /* the caller's, NULL if none */
Text json_dup_text(const json_t *object, const char *key);    /* the caller's */
