/* How a number is made. 64 bits:
 *
 *     63        62      61 .. 56   55 .. 0
 *     0         0       kind       the one id that tells the node among its kind
 *     0         1       hash of the whole key (kind, folder, project, ids, name)
 *
 * The first form is for everything with an id of its own: a story's folder and each of its fixed
 * files (the story's id), a comment, a task. The second is for what takes more to tell: links in
 * views, folders named by a word, single attributes, and ids of 2^56 and more. Bit 63 stays clear:
 * some programs keep inode numbers in signed types. The root is FUSE's 1. (squashfuse and composefs
 * likewise derive numbers from what they have instead of counting.)
 *
 * A hostile server can give two comments one id. Then the node that comes second is hashed, and on
 * a collision of hashes hashed again; as long as both are known they have different numbers, which
 * is what correctness needs. Such numbers alone depend on the order of lookups.
 *
 * Where a node is one version of a file (version.h), the number that the kernel uses for it is that
 * of the file for the version that came first, and hashed for the others; what stat shows
 * (inode_number()) is that of the file for all.
 *
 * Invariants: 1. number -> node is in the table exactly while the kernel's lookup count is above 0
 * (the root always).
 * 2. The table never changes a node's key. */
#include "fs/inode.h"

#include "cache/base/clock.h"
#include "cache/base/digest.h"
#include "cache/base/lock.h"

#include <string.h>

#define KIND_SHIFT 56
#define HASHED (G_GUINT64_CONSTANT(1) << 62)
#define ROOT_NUMBER 1
/* Who reads longer than this in one version (tail -f) no longer decides what others see of the
 * size. */
#define CLAIMED_MS 10000

/* What only nodes have whose content is being read, or was. */
typedef struct Copy {
    guint64 digest; /* of what the kernel holds of the content */
    gint64 size, claimed_ms;
    guint claims;
    gboolean owes_size; /* the kernel was told `size` instead of the present one */
} Copy;

/* A walk of a large project leaves millions of these: what is rare is kept outside. */
typedef struct Node {
    guint64 number; /* first: the table's key */
    gint64 id, sub; /* of the key, like all down to name; const after new */
    guint64 version;
    char *name; /* owned; NULL */
    Copy *copy; /* owned; NULL before the first claim */
    gint64 told_size;
    guint32 lookups;
    guint16 project; /* index + 1 in the table's projects; 0: none */
    guint8 kind, of;
} Node;

struct InodeTable {
    pthread_mutex_t lock;
    GHashTable *by_number; /* Node *, a set; protected by lock, like all in the nodes */
    GArray *projects;      /* gint64: ids; only grows */
};

static void
node_free(gpointer data)
{
    Node *node = data;
    g_free(node->name);
    g_free(node->copy);
    g_free(node);
}

static Node *
lookup_locked(InodeTable *table, guint64 number)
{
    return g_hash_table_lookup(table->by_number, &number);
}

/* The place of a project in the table's list; an account has some dozens. */
static guint16
project_place_locked(InodeTable *table, gint64 project_id)
{
    for (guint i = 0; i < table->projects->len; i++) {
        if (g_array_index(table->projects, gint64, i) == project_id) {
            return (guint16)(i + 1);
        }
    }
    g_assert(table->projects->len < G_MAXUINT16 - 1);
    g_array_append_val(table->projects, project_id);
    return (guint16)table->projects->len;
}

/* The key, with the node's own name. */
static NodeKey
key_of_locked(const InodeTable *table, const Node *node)
{
    return (NodeKey){
        .kind = (NodeKind)node->kind,
        .of = (NodeKind)node->of,
        .project_id = node->project ? g_array_index(table->projects, gint64, node->project - 1) : 0,
        .id = node->id,
        .sub = node->sub,
        .name = node->name,
        .version = node->version,
    };
}

static Node *
add_locked(InodeTable *table, guint64 number, const NodeKey *key)
{
    Node *node = g_new0(Node, 1);
    node->number = number;
    node->kind = (guint8)key->kind;
    node->of = (guint8)key->of;
    node->project = key->project_id ? project_place_locked(table, key->project_id) : 0;
    node->id = key->id;
    node->sub = key->sub;
    node->name = g_strdup(key->name);
    node->version = key->version;
    node->told_size = -1;
    (void)g_hash_table_add(table->by_number, node);
    return node;
}

InodeTable *
inode_table_new(void)
{
    const NodeKey root = {.kind = NODE_ROOT, .id = 1};
    InodeTable *table = g_new0(InodeTable, 1);
    (void)pthread_mutex_init(&table->lock, NULL);
    table->by_number = g_hash_table_new_full(g_int64_hash, g_int64_equal, node_free, NULL);
    table->projects = g_array_new(FALSE, FALSE, sizeof(gint64));
    add_locked(table, ROOT_NUMBER, &root)->lookups = 1;
    return table;
}

void
inode_table_free(InodeTable *table)
{
    if (!table) {
        return;
    }
    g_hash_table_destroy(table->by_number);
    g_array_unref(table->projects);
    (void)pthread_mutex_destroy(&table->lock);
    g_free(table);
}

static guint64
hash_key(const NodeKey *key, guint64 version, guint64 round)
{
    const gint64 numbers[] = {(gint64)key->kind, (gint64)key->of, key->project_id, key->id,
                              key->sub,          (gint64)version, (gint64)round};
    guint64 hash = digest_bytes(numbers, sizeof(numbers), 0);
    if (key->name) {
        hash = digest_bytes(key->name, strlen(key->name), hash);
    }
    return HASHED | (hash & (HASHED - 1));
}

static guint64
first_choice(const NodeKey *key)
{
    if (key->kind == NODE_ROOT) {
        return ROOT_NUMBER;
    }
    gint64 id = 0;
    switch (node_info(key->kind)->number) {
    case NUMBER_BY_ID:
        id = key->id;
        break;
    case NUMBER_BY_SUB:
        id = key->sub;
        break;
    case NUMBER_BY_HASH:
        break;
    }
    if (id <= 0 || id >= (gint64)1 << KIND_SHIFT) {
        return hash_key(key, 0, 0);
    }
    return (guint64)key->kind << KIND_SHIFT | (guint64)id;
}

/* The node, or NULL with the number that it would get. */
static Node *
find_locked(InodeTable *table, const NodeKey *key, guint64 *ret_number)
{
    guint64 number = first_choice(key);
    for (guint64 round = 1;; round++) {
        Node *node = lookup_locked(table, number);
        const NodeKey have = node ? key_of_locked(table, node) : *key;
        if (node_key_equal(&have, key)) {
            *ret_number = number;
            return node;
        }
        number = hash_key(key, key->version, round);
    }
}

/* All versions of a file show the number of the first. */
guint64
inode_number(InodeTable *table, const NodeKey *key)
{
    LOCK_SCOPE(&table->lock);
    guint64 number = first_choice(key);
    for (guint64 round = 1;; round++) {
        const Node *node = lookup_locked(table, number);
        const NodeKey have = node ? key_of_locked(table, node) : *key;
        if (node_key_same_file(&have, key)) {
            return number;
        }
        number = hash_key(key, 0, round);
    }
}

guint64
inode_find(InodeTable *table, const NodeKey *key)
{
    LOCK_SCOPE(&table->lock);
    guint64 number;
    return find_locked(table, key, &number) ? number : 0;
}

guint64
inode_intern(InodeTable *table, const NodeKey *key)
{
    LOCK_SCOPE(&table->lock);
    guint64 number;
    Node *node = find_locked(table, key, &number);
    if (!node) {
        node = add_locked(table, number, key);
    }
    node->lookups++;
    return number;
}

gboolean
inode_forget(InodeTable *table, guint64 number, guint64 n)
{
    LOCK_SCOPE(&table->lock);
    Node *node = lookup_locked(table, number);
    if (!node || number == ROOT_NUMBER) {
        return FALSE;
    }
    node->lookups -= MIN(n, node->lookups);
    return node->lookups == 0 && g_hash_table_remove(table->by_number, &number);
}

gboolean
inode_get(InodeTable *table, guint64 number, NodeKey *ret_key, char **ret_name)
{
    LOCK_SCOPE(&table->lock);
    const Node *node = lookup_locked(table, number);
    if (!node) {
        return FALSE;
    }
    *ret_key = key_of_locked(table, node);
    *ret_name = g_strdup(node->name);
    ret_key->name = *ret_name;
    return TRUE;
}

void
inode_move_story(InodeTable *table, gint64 story_id, gint64 project_id)
{
    GHashTableIter iter;
    gpointer value;
    LOCK_SCOPE(&table->lock);
    const guint16 place = project_place_locked(table, project_id);
    g_hash_table_iter_init(&iter, table->by_number);
    while (g_hash_table_iter_next(&iter, &value, NULL)) {
        Node *node = value;
        if (node->kind >= NODE_STORY && node->kind <= NODE_ATTACHMENT && node->id == story_id) {
            node->project = place;
        }
    }
}

Claim
inode_claim(InodeTable *table, guint64 number, guint64 digest, gint64 size)
{
    LOCK_SCOPE(&table->lock);
    Node *node = lookup_locked(table, number);
    if (!node) {
        return CLAIM_BYPASS;
    }
    const gboolean same = node->copy && node->copy->digest == digest;
    if (!same && node->copy && node->copy->claims > 0) {
        return CLAIM_BYPASS;
    }
    if (!node->copy) {
        node->copy = g_new0(Copy, 1);
    }
    node->copy->digest = digest;
    node->copy->size = size;
    node->copy->claimed_ms = clock_monotonic_ms();
    node->copy->claims++;
    return same ? CLAIM_KEEP : CLAIM_DROP;
}

gboolean
inode_unclaim(InodeTable *table, guint64 number)
{
    LOCK_SCOPE(&table->lock);
    Node *node = lookup_locked(table, number);
    Copy *copy = node ? node->copy : NULL;
    if (!copy || copy->claims == 0 || --copy->claims > 0) {
        return FALSE;
    }
    const gboolean owes = copy->owes_size;
    copy->owes_size = FALSE;
    return owes;
}

gint64
inode_tell_size(InodeTable *table, guint64 number, gint64 size)
{
    LOCK_SCOPE(&table->lock);
    Node *node = lookup_locked(table, number);
    if (!node) {
        return size;
    }
    Copy *copy = node->copy;
    if (copy && copy->claims > 0 && copy->size >= 0 && copy->size != size && size >= 0 &&
        clock_monotonic_ms() - copy->claimed_ms < CLAIMED_MS) {
        copy->owes_size = TRUE;
        size = copy->size;
    }
    node->told_size = size;
    return size;
}

gint64
inode_told_size(InodeTable *table, guint64 number)
{
    LOCK_SCOPE(&table->lock);
    const Node *node = lookup_locked(table, number);
    return node ? node->told_size : -1;
}

guint
inode_count(InodeTable *table)
{
    LOCK_SCOPE(&table->lock);
    return g_hash_table_size(table->by_number);
}
