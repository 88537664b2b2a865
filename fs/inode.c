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
 * A walk of a large project leaves millions of nodes, so a node is 40 bytes in blocks without gaps
 * (the last one moves into a hole), the way from number to node is a table of 32-bit places, and
 * what few nodes have is kept outside: a Rest for each distinct name (the links of a view share
 * one), and a Copy for what is or was open.
 *
 * Invariants: 1. number -> node is in the table exactly while the kernel's lookup count is above 0
 * (the root always).
 * 2. The table never changes a node's key, but for the project that a story has moved to.
 * 3. A Node * is good until the next node is added or removed. */
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

#define ID_BITS 48
#define LOW_ID(id) ((guint64)(id) & ((G_GUINT64_CONSTANT(1) << ID_BITS) - 1))
#define LOOKUPS_MAX ((G_GUINT64_CONSTANT(1) << 31) - 1) /* who gets there is never forgotten */
#define TOLD_NOTHING G_MAXUINT32
#define BLOCK_NODES 1024
#define NO_PLACE G_MAXUINT32
#define LEAST_PLACES 1024

/* What only nodes have whose content is being read, or was. */
typedef struct Copy {
    guint64 number; /* first: the table's key */
    guint64 digest; /* of what the kernel holds of the content */
    gint64 size, claimed_ms;
    guint claims;
    gboolean owes_size; /* the kernel was told `size` instead of the present one */
} Copy;

/* What a node has no room for; one for all that have the same. */
typedef struct Rest {
    const char *name; /* `owned`; NULL */
    char *owned;
    guint64 version;
    gint32 id_above, sub_above; /* the bits from ID_BITS on */
    guint uses;
} Rest;

typedef struct Node {
    guint64 number;
    guint64 id : ID_BITS; /* of the key, like all down to version; const after add */
    guint64 project : 16; /* index + 1 in the table's projects; 0: none */
    guint64 sub : ID_BITS;
    guint64 kind : 8, of : 8;
    union {
        guint64 version;
        Rest *rest; /* with has_rest */
    };
    guint32 told_size; /* TOLD_NOTHING; sizes beyond are cut, and so equal to none */
    guint32 lookups : 31, has_rest : 1;
} Node;

struct InodeTable {
    pthread_mutex_t lock;
    GPtrArray *blocks; /* of BLOCK_NODES nodes each; protected by lock, like all below */
    guint32 n_nodes;
    guint32 *places;    /* of nodes, by their numbers' hashes, NO_PLACE; linear probing */
    guint32 n_places;   /* a power of two */
    GHashTable *rests;  /* Rest *, a set */
    GHashTable *copies; /* Copy *, a set by number */
    GArray *projects;   /* gint64: ids; only grows */
};

/* --- The nodes --- */

static Node *
node_at(const InodeTable *table, guint32 place)
{
    Node *block = g_ptr_array_index(table->blocks, place / BLOCK_NODES);
    return &block[place % BLOCK_NODES];
}

static guint32
home_of(const InodeTable *table, guint64 number)
{
    /* Fibonacci hashing: numbers are kinds and ids, alike but in few bits. */
    return (guint32)((number * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15)) >> 32) &
           (table->n_places - 1);
}

/* Where the number is in `places`, or would be. */
static guint32
slot_locked(const InodeTable *table, guint64 number)
{
    guint32 slot = home_of(table, number);
    while (table->places[slot] != NO_PLACE &&
           node_at(table, table->places[slot])->number != number) {
        slot = (slot + 1) & (table->n_places - 1);
    }
    return slot;
}

static Node *
lookup_locked(const InodeTable *table, guint64 number)
{
    const guint32 place = table->places[slot_locked(table, number)];
    return place == NO_PLACE ? NULL : node_at(table, place);
}

static void
resize_places_locked(InodeTable *table, guint32 n_places)
{
    g_free(table->places);
    table->places = g_new(guint32, n_places);
    table->n_places = n_places;
    memset(table->places, 0xff, n_places * sizeof *table->places);
    for (guint32 place = 0; place < table->n_nodes; place++) {
        table->places[slot_locked(table, node_at(table, place)->number)] = place;
    }
}

/* Closes the gap that an emptied slot would be for those behind it. */
static void
empty_slot_locked(InodeTable *table, guint32 slot)
{
    const guint32 mask = table->n_places - 1;
    guint32 hole = slot;
    for (guint32 at = (slot + 1) & mask; table->places[at] != NO_PLACE; at = (at + 1) & mask) {
        const guint32 home = home_of(table, node_at(table, table->places[at])->number);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            table->places[hole] = table->places[at];
            hole = at;
        }
    }
    table->places[hole] = NO_PLACE;
}

static Node *
append_locked(InodeTable *table, guint64 number)
{
    if (table->n_nodes >= table->n_places / 4 * 3) {
        resize_places_locked(table, table->n_places * 2);
    }
    if (table->n_nodes == table->blocks->len * BLOCK_NODES) {
        g_ptr_array_add(table->blocks, g_new(Node, BLOCK_NODES));
    }
    const guint32 place = table->n_nodes++;
    Node *node = node_at(table, place);
    *node = (Node){.number = number, .told_size = TOLD_NOTHING};
    table->places[slot_locked(table, number)] = place;
    return node;
}

static guint
rest_hash(gconstpointer data)
{
    const Rest *rest = data;
    return (rest->name ? g_str_hash(rest->name) : 0) ^ (guint)rest->version ^
           (guint)rest->id_above * 31 ^ (guint)rest->sub_above * 37;
}

static gboolean
rest_equal(gconstpointer left, gconstpointer right)
{
    const Rest *a = left, *b = right;
    return a->version == b->version && a->id_above == b->id_above && a->sub_above == b->sub_above &&
           g_strcmp0(a->name, b->name) == 0;
}

static void
rest_free(gpointer data)
{
    Rest *rest = data;
    g_free(rest->owned);
    g_free(rest);
}

static void
set_rest_locked(InodeTable *table, Node *node, const NodeKey *key)
{
    const Rest wanted = {.name = key->name,
                         .version = key->version,
                         .id_above = (gint32)(key->id >> ID_BITS),
                         .sub_above = (gint32)(key->sub >> ID_BITS)};
    if (!wanted.name && wanted.id_above == 0 && wanted.sub_above == 0) {
        node->version = key->version;
        return;
    }
    Rest *rest = g_hash_table_lookup(table->rests, &wanted);
    if (!rest) {
        rest = g_memdup2(&wanted, sizeof wanted);
        rest->name = rest->owned = g_strdup(wanted.name);
        (void)g_hash_table_add(table->rests, rest);
    }
    rest->uses++;
    node->rest = rest;
    node->has_rest = 1;
}

static void
remove_locked(InodeTable *table, guint64 number)
{
    const guint32 slot = slot_locked(table, number);
    const guint32 place = table->places[slot];
    Node *node = node_at(table, place);
    if (node->has_rest && --node->rest->uses == 0) {
        (void)g_hash_table_remove(table->rests, node->rest);
    }
    (void)g_hash_table_remove(table->copies, &number);
    empty_slot_locked(table, slot);
    const guint32 last = table->n_nodes - 1;
    if (place != last) {
        table->places[slot_locked(table, node_at(table, last)->number)] = place;
        *node = *node_at(table, last);
    }
    table->n_nodes = last;
    /* One block more than needed stays, so that coming and going does not allocate. */
    while (table->blocks->len > last / BLOCK_NODES + 2) {
        g_ptr_array_set_size(table->blocks, (gint)table->blocks->len - 1);
    }
    if (table->n_places > LEAST_PLACES && last < table->n_places / 8) {
        resize_places_locked(table, table->n_places / 2);
    }
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

static gint64
whole_id(guint64 low, gint64 above)
{
    return (gint64)((guint64)above << ID_BITS | low);
}

/* The key, with the node's own name. */
static NodeKey
key_of_locked(const InodeTable *table, const Node *node)
{
    const Rest *rest = node->has_rest ? node->rest : NULL;
    return (NodeKey){
        .kind = (NodeKind)node->kind,
        .of = (NodeKind)node->of,
        .project_id = node->project ? g_array_index(table->projects, gint64, node->project - 1) : 0,
        .id = whole_id(node->id, rest ? rest->id_above : 0),
        .sub = whole_id(node->sub, rest ? rest->sub_above : 0),
        .name = rest ? rest->name : NULL,
        .version = rest ? rest->version : node->version,
    };
}

static Node *
add_locked(InodeTable *table, guint64 number, const NodeKey *key)
{
    Node *node = append_locked(table, number);
    node->kind = key->kind;
    node->of = key->of;
    node->project = key->project_id ? project_place_locked(table, key->project_id) : 0;
    node->id = LOW_ID(key->id);
    node->sub = LOW_ID(key->sub);
    set_rest_locked(table, node, key);
    return node;
}

InodeTable *
inode_table_new(void)
{
    const NodeKey root = {.kind = NODE_ROOT, .id = 1};
    InodeTable *table = g_new0(InodeTable, 1);
    (void)pthread_mutex_init(&table->lock, NULL);
    table->blocks = g_ptr_array_new_with_free_func(g_free);
    resize_places_locked(table, LEAST_PLACES);
    table->rests = g_hash_table_new_full(rest_hash, rest_equal, rest_free, NULL);
    table->copies = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
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
    g_ptr_array_unref(table->blocks);
    g_free(table->places);
    g_hash_table_destroy(table->rests);
    g_hash_table_destroy(table->copies);
    g_array_unref(table->projects);
    (void)pthread_mutex_destroy(&table->lock);
    g_free(table);
}

/* --- Numbers --- */

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
    if (node->lookups < LOOKUPS_MAX) {
        node->lookups++;
    }
    return number;
}

gboolean
inode_forget(InodeTable *table, guint64 number, guint64 n)
{
    LOCK_SCOPE(&table->lock);
    Node *node = lookup_locked(table, number);
    if (!node || number == ROOT_NUMBER || node->lookups == LOOKUPS_MAX) {
        return FALSE;
    }
    node->lookups -= (guint32)MIN(n, node->lookups);
    if (node->lookups > 0) {
        return FALSE;
    }
    remove_locked(table, number);
    return TRUE;
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
    *ret_name = g_strdup(ret_key->name);
    ret_key->name = *ret_name;
    return TRUE;
}

void
inode_move_story(InodeTable *table, gint64 story_id, gint64 project_id)
{
    LOCK_SCOPE(&table->lock);
    const guint16 place = project_place_locked(table, project_id);
    for (guint32 i = 0; i < table->n_nodes; i++) {
        Node *node = node_at(table, i);
        if (node->kind >= NODE_STORY && node->kind <= NODE_ATTACHMENT &&
            key_of_locked(table, node).id == story_id) {
            node->project = place;
        }
    }
}

/* --- What the kernel has of the content --- */

static Copy *
copy_locked(InodeTable *table, guint64 number)
{
    return g_hash_table_lookup(table->copies, &number);
}

Claim
inode_claim(InodeTable *table, guint64 number, guint64 digest, gint64 size)
{
    LOCK_SCOPE(&table->lock);
    if (!lookup_locked(table, number)) {
        return CLAIM_BYPASS;
    }
    Copy *copy = copy_locked(table, number);
    const gboolean same = copy && copy->digest == digest;
    if (!same && copy && copy->claims > 0) {
        return CLAIM_BYPASS;
    }
    if (!copy) {
        copy = g_new0(Copy, 1);
        copy->number = number;
        (void)g_hash_table_add(table->copies, copy);
    }
    copy->digest = digest;
    copy->size = size;
    copy->claimed_ms = clock_monotonic_ms();
    copy->claims++;
    return same ? CLAIM_KEEP : CLAIM_DROP;
}

gboolean
inode_unclaim(InodeTable *table, guint64 number)
{
    LOCK_SCOPE(&table->lock);
    Copy *copy = copy_locked(table, number);
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
    Copy *copy = copy_locked(table, number);
    if (copy && copy->claims > 0 && copy->size >= 0 && copy->size != size && size >= 0 &&
        clock_monotonic_ms() - copy->claimed_ms < CLAIMED_MS) {
        copy->owes_size = TRUE;
        size = copy->size;
    }
    node->told_size = size < 0 ? TOLD_NOTHING : (guint32)MIN(size, (gint64)TOLD_NOTHING - 1);
    return size;
}

gint64
inode_told_size(InodeTable *table, guint64 number)
{
    LOCK_SCOPE(&table->lock);
    const Node *node = lookup_locked(table, number);
    return node && node->told_size != TOLD_NOTHING ? (gint64)node->told_size : -1;
}

guint
inode_count(InodeTable *table)
{
    LOCK_SCOPE(&table->lock);
    return table->n_nodes;
}
