/* A token is 128 random bits, so one plain SHA-256 hides it well and can be looked up by index; the
 * compare of two hashes tells a guesser nothing about the token. Passwords are chosen by people:
 * PBKDF2-HMAC-SHA256 with a salt of their own, "pbkdf2-sha256$ROUNDS$SALT$HEX". */
#include "tracker/auth.h"

#include <string.h>

#define ROUNDS 60000
#define MAX_ROUNDS 10000000
#define SALT_BYTES 16
#define MAX_PASSWORD_BYTES 1024
#define DIGEST_BYTES 32
#define TOKEN_BYTES 16

char *
auth_token_new(void)
{
    return db_random_hex(TOKEN_BYTES);
}

char *
auth_token_hash(const char *token)
{
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, token, -1);
}

gboolean
auth_token_add(DbConn *conn, gint64 person_id, const char *token, const char *note, gint64 now_ms)
{
    g_autofree char *hash = auth_token_hash(token);
    g_autoptr(DbStmt) stmt = db_prepare(
        conn, "INSERT INTO token(hash, person_id, created_at, note) VALUES(?1, ?2, ?3, ?4)"
              " ON CONFLICT(hash) DO NOTHING");

    db_bind_text(stmt, 1, hash);
    db_bind_int(stmt, 2, person_id);
    db_bind_int(stmt, 3, now_ms);
    db_bind_text(stmt, 4, note);
    return db_run(stmt);
}

gint64
auth_token_person(DbConn *conn, const char *token)
{
    g_autofree char *hash = auth_token_hash(token);
    g_autoptr(DbStmt) stmt = db_prepare(conn, "SELECT person_id FROM token WHERE hash = ?1");

    db_bind_text(stmt, 1, hash);
    return db_next(stmt) ? db_int(stmt, 0) : 0;
}

static void
hmac(const char *key, const guint8 *data, gsize bytes, guint8 ret_digest[DIGEST_BYTES])
{
    GHmac *state = g_hmac_new(G_CHECKSUM_SHA256, (const guchar *)key, strlen(key));
    gsize length = DIGEST_BYTES;

    g_hmac_update(state, data, (gssize)bytes);
    g_hmac_get_digest(state, ret_digest, &length);
    g_hmac_unref(state);
}

/* The first block of PBKDF2 is all we need: it is as long as the digest. */
static char *
derive(const char *password, const char *salt, gint64 rounds)
{
    static const guint8 block_number[4] = {0, 0, 0, 1};
    g_autoptr(GByteArray) first = g_byte_array_new();
    guint8 step[DIGEST_BYTES], sum[DIGEST_BYTES];
    GString *hex = g_string_new(NULL);

    g_byte_array_append(first, (const guint8 *)salt, (guint)strlen(salt));
    g_byte_array_append(first, block_number, sizeof block_number);
    hmac(password, first->data, first->len, step);
    memcpy(sum, step, sizeof sum);
    for (gint64 round = 1; round < rounds; round++) {
        guint8 next[DIGEST_BYTES];

        hmac(password, step, sizeof step, next);
        memcpy(step, next, sizeof step);
        for (gsize i = 0; i < sizeof sum; i++) {
            sum[i] ^= step[i];
        }
    }
    for (gsize i = 0; i < sizeof sum; i++) {
        g_string_append_printf(hex, "%02x", sum[i]);
    }
    return g_string_free(hex, FALSE);
}

char *
auth_password_hash(const char *password)
{
    g_autofree char *salt = db_random_hex(SALT_BYTES);
    g_autofree char *hex = derive(password, salt, ROUNDS);

    return g_strdup_printf("pbkdf2-sha256$%d$%s$%s", ROUNDS, salt, hex);
}

static gboolean
equal_in_constant_time(const char *a, const char *b)
{
    gsize bytes = strlen(a);
    guint8 difference = 0;

    if (strlen(b) != bytes) {
        return FALSE;
    }
    for (gsize i = 0; i < bytes; i++) {
        difference |= (guint8)(a[i] ^ b[i]);
    }
    return difference == 0;
}

static gboolean
password_matches(const char *password, const char *stored)
{
    g_auto(GStrv) parts = stored ? g_strsplit(stored, "$", 5) : NULL;
    g_autofree char *hex = NULL;
    guint64 rounds = 0;

    if (!parts || g_strv_length(parts) != 4 || strcmp(parts[0], "pbkdf2-sha256") != 0 ||
        !g_ascii_string_to_unsigned(parts[1], 10, 1, MAX_ROUNDS, &rounds, NULL)) {
        return FALSE;
    }
    hex = derive(password, parts[2], (gint64)rounds);
    return equal_in_constant_time(hex, parts[3]);
}

gint64
auth_password_person(DbConn *conn, const char *user, const char *password)
{
    /* Someone unknown costs as much time as someone known. */
    static const char nobody[] = "pbkdf2-sha256$" G_STRINGIFY(ROUNDS) "$00$00";
    g_autoptr(DbStmt) stmt =
        db_prepare(conn, "SELECT id, password_hash FROM person WHERE password_hash IS NOT NULL"
                         " AND (username = ?1 OR lower(email) = lower(?1)) LIMIT 1");
    gint64 id = 0;
    const char *stored = nobody;

    if (strlen(password) > MAX_PASSWORD_BYTES) {
        return 0;
    }
    db_bind_text(stmt, 1, user);
    if (db_next(stmt)) {
        id = db_int(stmt, 0);
        stored = db_text(stmt, 1);
    }
    return password_matches(password, stored) ? id : 0;
}

char *
auth_password_token(DbConn *conn, gint64 person_id)
{
    g_autofree char *secret = db_meta_get(conn, "secret");
    g_autoptr(DbStmt) stmt = db_prepare(conn, "SELECT password_hash FROM person WHERE id = ?1");
    g_autofree char *text = NULL, *sum = NULL;

    db_bind_int(stmt, 1, person_id);
    text = g_strdup_printf("token\n%" G_GINT64_FORMAT "\n%s", person_id,
                           db_next(stmt) ? db_text(stmt, 0) : "");
    sum = g_compute_hmac_for_string(G_CHECKSUM_SHA256, (const guchar *)(secret ? secret : ""),
                                    secret ? strlen(secret) : 0, text, -1);
    return g_strndup(sum, 2 * TOKEN_BYTES);
}
