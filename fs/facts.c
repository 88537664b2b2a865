/* What a node is in the light of a scene: size, times, bytes, attributes. One function for each
 * group of kinds; each first finds the piece of the snapshot that the node shows, so all agree on
 * what exists.
 *
 * Times: a piece that has none takes those of what it lies in, at last the project's creation;
 * never the present. */
#include "cache/base/digest.h"
#include "fs/manual.h"
#include "fs/scene.h"
#include "fs/tree.h"

#include <string.h>

#define NANOSECONDS 1000000000 /* of a second */

/* The piece that a node shows; at most one of the pointers of each line is set. */
typedef struct Piece {
    const Account *account;
    const Project *project;
    const StoryRow *row;
    const Story *story;
    const Epic *epic;
    const Iteration *iteration;
    const Member *member;
    const Comment *comment;
    const Task *task;
    const Attachment *attachment;
    const Activity *activity;
    const ViewGroup *group;
} Piece;

static gboolean
find_in_story(const Scene *scene, const NodeKey *key, Piece *piece)
{
    piece->row = project_find_story(piece->project, key->id);
    piece->story = scene->story && scene->story->id == key->id ? scene->story : NULL;
    switch ((int)key->kind) {
    case NODE_STORY_COMMENT:
        piece->comment = piece->story ? story_find_comment(piece->story, key->sub) : NULL;
        return piece->row && piece->comment;
    case NODE_TASK:
        piece->task = piece->story ? story_find_task(piece->story, key->sub) : NULL;
        return piece->row && piece->task;
    case NODE_ATTACHMENT:
        piece->attachment = piece->story ? story_find_attachment(piece->story, key->sub) : NULL;
        return piece->row && piece->attachment && scene->config->show_attachments;
    case NODE_ATTACHMENTS:
        return piece->row && scene->config->show_attachments;
    default:
        return piece->row != NULL;
    }
}

static gboolean
find_in_epic(const NodeKey *key, Piece *piece)
{
    piece->epic = project_find_epic(piece->project, key->id);
    if (!piece->epic || key->kind != NODE_EPIC_COMMENT) {
        return piece->epic != NULL;
    }
    for (guint i = 0; i < piece->epic->n_comments && !piece->comment; i++) {
        piece->comment = piece->epic->comments[i].id == key->sub ? &piece->epic->comments[i] : NULL;
    }
    return piece->comment != NULL;
}

/* A file of `.conflict`; NULL: it is not there. */
static const Text *
find_side(const SceneEdits *edits, gint64 sub)
{
    for (guint i = 0; edits->earlier && i < edits->earlier->len; i++) {
        const EditMine *mine = edits->earlier->pdata[i];
        if (N_EDIT_SIDES + mine->number == sub) {
            return &mine->text;
        }
    }
    return sub > 0 && sub <= N_EDIT_SIDES && edits->sides[sub - 1].data ? &edits->sides[sub - 1]
                                                                        : NULL;
}

/* What editing left, while it is there. */
static gboolean
find_of_edits(const Scene *scene, const NodeKey *key, Piece *piece)
{
    switch ((int)key->kind) {
    case NODE_STORY_NEXT_STATES:
        return find_in_story(scene, key, piece);
    case NODE_STORY_ERROR:
    case NODE_EPIC_ERROR:
    case NODE_PROJECT_ERROR:
        return scene->edits.error != NULL;
    case NODE_STORY_CONFLICT:
    case NODE_EPIC_CONFLICT:
    case NODE_PROJECT_CONFLICT:
        return scene->edits.conflict > 0;
    default:
        return find_side(&scene->edits, key->sub) != NULL;
    }
}

static gboolean
find_iteration(const NodeKey *key, Piece *piece)
{
    piece->iteration = project_find_iteration(piece->project, key->id);
    return piece->iteration &&
           (!key->sub || scene_iteration_group(piece->project, key->id) == (NodeKind)key->sub);
}

static gboolean
find_piece(const Scene *scene, const NodeKey *key, Piece *piece)
{
    const NodeKind kind = key->kind;
    piece->account = scene->account;
    piece->project = scene->views ? views_project(scene->views) : NULL;
    piece->activity = scene->activity;
    if (kind == NODE_ALIAS) {
        return TRUE; /* its target decides */
    }
    if (kind == NODE_LINK) {
        piece->row = project_find_story(piece->project, key->sub);
        return piece->row != NULL;
    }
    if (kind >= NODE_STORY && kind <= NODE_ATTACHMENT) {
        return find_in_story(scene, key, piece);
    }
    if (kind >= NODE_EPIC && kind <= NODE_EPIC_STORIES) {
        return find_in_epic(key, piece);
    }
    if (kind >= NODE_STORY_ERROR && kind < NODE_QUEUE) {
        return find_of_edits(scene, key, piece);
    }
    if (kind == NODE_QUEUE_ITEM) {
        return scene->edits.shown != NULL && scene->edits.shown_id == key->id;
    }
    if (kind == NODE_ITERATION || kind == NODE_ITERATION_JSON) {
        return find_iteration(key, piece);
    }
    if (kind >= NODE_LABEL && kind <= NODE_REQUESTER) {
        piece->group = views_find_group(scene->views, key);
        return piece->group != NULL;
    }
    if (kind == NODE_MEMBER) {
        piece->member = project_find_member(piece->project, key->sub);
        return piece->member != NULL;
    }
    return TRUE;
}

const Text *
scene_fields_record(const Scene *scene, const NodeKey *key, EditOwner *ret_owner)
{
    const Project *project = views_project(scene->views);
    if (key->kind == NODE_STORY_FIELDS || key->kind == NODE_STORY_FIELD) {
        *ret_owner = EDIT_OF_STORY;
        return scene->story ? &scene->story->record : NULL;
    }
    if (key->kind == NODE_EPIC_FIELDS || key->kind == NODE_EPIC_FIELD) {
        const Epic *epic = project_find_epic(project, key->id);
        *ret_owner = EDIT_OF_EPIC;
        return epic ? &epic->record : NULL;
    }
    *ret_owner = EDIT_OF_PROJECT;
    return &project->record;
}

static Content
content_of_story(const Scene *scene, const NodeKey *key, const Piece *piece)
{
    Content content = {0};
    switch ((int)key->kind) {
    case NODE_STORY_JSON:
        content = render_text(&piece->story->record);
        break;
    case NODE_STORY_DESCRIPTION:
        content = render_text(&piece->story->description);
        break;
    case NODE_STORY_COMMENT:
        content = render_text(&piece->comment->text);
        break;
    case NODE_STORY_URL:
        return render_line(piece->story->url ? piece->story->url : "");
    case NODE_TASK:
        return render_task(piece->task);
    default:
        return content;
    }
    content.owner = story_ref(scene->story);
    content.release = (GDestroyNotify)story_unref;
    return content;
}

static Content
content_of_project(const Scene *scene, const NodeKey *key, const Piece *piece)
{
    Content content = {0};
    switch ((int)key->kind) {
    case NODE_PROJECT_JSON:
        content = render_text(&piece->project->record);
        break;
    case NODE_PROFILE:
        content = render_text(&piece->project->profile);
        break;
    case NODE_MEMBER:
        content = render_text(&piece->member->record);
        break;
    case NODE_EPIC_JSON:
        content = render_text(&piece->epic->record);
        break;
    case NODE_EPIC_DESCRIPTION:
        content = render_text(&piece->epic->description);
        break;
    case NODE_EPIC_COMMENT:
        content = render_text(&piece->comment->text);
        break;
    case NODE_ITERATION_JSON:
        content = render_text(&piece->iteration->record);
        break;
    case NODE_EPIC_URL:
        return render_line(piece->epic->url ? piece->epic->url : "");
    default:
        return content;
    }
    content.owner = project_ref(views_project(scene->views));
    content.release = (GDestroyNotify)project_unref;
    return content;
}

static Content
content_copy(const char *data, gsize length)
{
    return content_take(length > 0 ? g_memdup2(data, length) : NULL, length);
}

static gboolean
content_of(const Scene *scene, const NodeKey *key, const Piece *piece, Content *ret_content)
{
    const Text *record;
    EditOwner owner;
    switch ((int)key->kind) {
    case NODE_README:
        *ret_content = manual_render(scene->account, scene->config->id_names);
        return TRUE;
    case NODE_ME:
        *ret_content = render_text(&scene->account->record);
        ret_content->owner = account_ref(scene->account);
        ret_content->release = (GDestroyNotify)account_unref;
        return TRUE;
    case NODE_STATUS:
        *ret_content = content_copy(scene->status.data, scene->status.length);
        return TRUE;
    case NODE_REQUESTS:
        *ret_content = content_take(g_strndup(scene->requests.data, scene->requests.length),
                                    scene->requests.length);
        return TRUE;
    case NODE_REFRESH:
        *ret_content = (Content){0};
        return TRUE;
    case NODE_STORY_ERROR:
    case NODE_EPIC_ERROR:
    case NODE_PROJECT_ERROR:
        *ret_content = content_copy(scene->edits.error, strlen(scene->edits.error));
        return TRUE;
    case NODE_STORY_CONFLICT_SIDE:
    case NODE_EPIC_CONFLICT_SIDE:
    case NODE_PROJECT_CONFLICT_SIDE: {
        const Text *side = find_side(&scene->edits, key->sub);
        *ret_content = content_copy(side->data, side->length);
        return TRUE;
    }
    case NODE_QUEUE_ITEM:
        *ret_content = content_copy(scene->edits.shown, strlen(scene->edits.shown));
        return TRUE;
    case NODE_STORY_NEXT_STATES: {
        char *states = cache_dup_next_states(piece->project, piece->story);
        *ret_content = content_take(states, states ? strlen(states) : 0);
        return TRUE;
    }
    case NODE_PROJECT_ACTIVITY:
    case NODE_STORY_ACTIVITY:
    case NODE_EPIC_ACTIVITY:
        *ret_content = render_text(&scene->activity->lines);
        ret_content->owner = activity_ref(scene->activity);
        ret_content->release = (GDestroyNotify)activity_unref;
        return TRUE;
    case NODE_PROJECT_FIELD:
    case NODE_STORY_FIELD:
    case NODE_EPIC_FIELD:
        record = scene_fields_record(scene, key, &owner);
        return record && render_field(record, owner, key->name, ret_content);
    case NODE_STORY_JSON:
    case NODE_STORY_DESCRIPTION:
    case NODE_STORY_COMMENT:
    case NODE_STORY_URL:
    case NODE_TASK:
        *ret_content = content_of_story(scene, key, piece);
        return TRUE;
    default:
        *ret_content = content_of_project(scene, key, piece);
        return TRUE;
    }
}

gboolean
scene_content(const Scene *scene, const NodeKey *key, Content *ret_content)
{
    Piece piece = {0};
    return find_piece(scene, key, &piece) && content_of(scene, key, &piece, ret_content);
}

static guint
count_folders(const Scene *scene, const NodeKey *key, const Piece *piece)
{
    guint n = 0, n_fixed;
    const NodeChild *child = node_fixed_children(key->kind, &n_fixed);
    for (guint i = 0; i < n_fixed; i++) {
        n += child[i].is_listed && node_info(child[i].kind)->type == S_IFDIR &&
             (child[i].kind != NODE_ATTACHMENTS || scene->config->show_attachments);
    }
    switch ((int)key->kind) {
    case NODE_ROOT:
        return n + piece->account->n_projects;
    case NODE_STORIES:
        return n + piece->project->n_stories;
    case NODE_EPICS:
        return n + piece->project->n_epics;
    case NODE_LABELS:
    case NODE_BY_STATE:
    case NODE_BY_TYPE:
    case NODE_BY_OWNER:
    case NODE_BY_REQUESTER:
        return n + views_groups(scene->views, key->kind)->len;
    case NODE_ITERATIONS_DONE:
    case NODE_ITERATIONS_CURRENT:
    case NODE_ITERATIONS_BACKLOG:
        for (guint i = 0; i < piece->project->n_iterations; i++) {
            const gint64 number = piece->project->iterations[i].number;
            n += scene_iteration_group(piece->project, number) == key->kind;
        }
        return n;
    default:
        return n;
    }
}

static gint64
first_time(gint64 a, gint64 b)
{
    return a > 0 ? a : b;
}

/* When the piece itself changed and was made; 0 where it does not know. */
static void
times_of(const NodeKey *key, const Piece *piece, gint64 *changed_ms, gint64 *created_ms)
{
#define TIMES(what, changed)                                                                       \
    do {                                                                                           \
        *created_ms = (what)->created_ms;                                                          \
        *changed_ms = first_time((changed), (what)->created_ms);                                   \
        return;                                                                                    \
    } while (0)
    if (piece->activity) {
        *created_ms = *changed_ms = piece->activity->changed_ms;
        return;
    }
    if (piece->comment) {
        TIMES(piece->comment, piece->comment->updated_ms);
    }
    if (piece->task) {
        TIMES(piece->task, piece->task->updated_ms);
    }
    if (piece->attachment) {
        TIMES(piece->attachment, piece->attachment->created_ms);
    }
    if (piece->row) {
        TIMES(piece->row, piece->row->updated_ms);
    }
    if (piece->epic) {
        TIMES(piece->epic, key->kind == NODE_EPIC_STORIES ? piece->project->changed_ms
                                                          : piece->epic->updated_ms);
    }
    if (piece->member) {
        TIMES(piece->member, piece->member->updated_ms);
    }
    if (key->kind == NODE_PROJECT_JSON || key->kind == NODE_PROFILE ||
        key->kind == NODE_PROJECT_FIELDS || key->kind == NODE_PROJECT_FIELD) {
        TIMES(piece->project, piece->project->updated_ms);
    }
    if (piece->project) {
        TIMES(piece->project, piece->project->changed_ms);
    }
    if (key->kind == NODE_ME) {
        TIMES(piece->account, piece->account->updated_ms);
    }
    if (piece->account) {
        TIMES(piece->account, manual_changed_ms(piece->account));
    }
#undef TIMES
}

/* What editing left changes without a publication, so nobody tells the kernel to forget the listing
 * that it keeps; but it looks at the folder's time before each use. (Of st_ctime it takes no
 * notice, and tar(1) would.) */
static guint32
mark_of_listing(const Scene *scene)
{
    const SceneEdits *edits = &scene->edits;
    guint64 digest = 0;
    for (guint i = 0; i < N_EDIT_SIDES; i++) {
        const gint64 side = edits->sides[i].data ? (gint64)i : -1;
        digest = digest_bytes(&side, sizeof side, digest);
    }
    for (guint i = 0; edits->queue && i < edits->queue->len; i++) {
        const EditStatus *edit = g_ptr_array_index(edits->queue, i);
        digest = digest_bytes(&edit->number, sizeof edit->number, digest);
        digest = digest_bytes(edit->state, strlen(edit->state), digest);
    }
    return 1 + (guint32)(digest % (NANOSECONDS - 1));
}

gboolean
scene_describe(const Scene *scene, const NodeKey *key, Facts *ret_facts)
{
    Piece piece = {0};
    if (!find_piece(scene, key, &piece)) {
        return FALSE;
    }
    Facts facts = {.n_links = 1};
    const mode_t type = node_info(key->kind)->type;
    if (type == S_IFDIR) {
        facts.n_links = 2 + count_folders(scene, key, &piece);
        facts.changed_ns = node_info(key->kind)->needs & NEED_EDITS ? mark_of_listing(scene) : 0;
    } else if (type == S_IFLNK) {
        g_autofree char *target = scene_link_target(scene, key);
        if (!target) {
            return FALSE;
        }
        facts.size = strlen(target);
    } else if (piece.attachment) {
        facts.size = (guint64)MAX(piece.attachment->size_bytes, 0);
    } else if (key->kind == NODE_EVENTS) {
        facts.size = (guint64)scene->events_bytes;
    } else {
        g_auto(Content) content = {0};
        if (!content_of(scene, key, &piece, &content)) {
            return FALSE;
        }
        facts.size = content.length;
    }
    times_of(key, &piece, &facts.changed_ms, &facts.created_ms);
    if (facts.changed_ms <= 0 && piece.project) {
        facts.changed_ms = piece.project->created_ms;
    }
    if (key->kind == NODE_STATUS || key->kind == NODE_CONTROL || key->kind == NODE_REQUESTS ||
        key->kind == NODE_REFRESH || key->kind == NODE_QUEUE || key->kind == NODE_QUEUE_ITEM) {
        facts.changed_ms = scene->config->started_ms;
    }
    if (key->kind == NODE_EVENTS && scene->events_ms > 0) {
        facts.changed_ms = scene->events_ms;
    }
    *ret_facts = facts;
    return TRUE;
}

static char *
number_text(gint64 number)
{
    return number > 0 ? g_strdup_printf("%" G_GINT64_FORMAT, number) : NULL;
}

static char *
time_text(gint64 ms)
{
    g_autoptr(GDateTime) time = ms > 0 ? g_date_time_new_from_unix_utc(ms / 1000) : NULL;
    return time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
}

static char *
id_text(const NodeKey *key, const Piece *piece)
{
    if (piece->comment || piece->task || piece->attachment || key->kind == NODE_LINK) {
        return number_text(key->sub);
    }
    if (piece->member) {
        return number_text(piece->member->membership_id);
    }
    if (key->kind == NODE_ME) {
        return number_text(piece->account->me.id);
    }
    return number_text(key->id);
}

static char *
author_text(const Piece *piece)
{
    if (piece->comment) {
        return g_strdup(piece->comment->author);
    }
    const gint64 id = piece->attachment ? piece->attachment->uploader_id
                      : piece->row      ? piece->row->requested_by_id
                                        : 0;
    const Member *member = id ? project_find_member(piece->project, id) : NULL;
    if (!member) {
        return number_text(id);
    }
    return g_strdup(member->person.username ? member->person.username : member->person.name);
}

static char *
url_text(const Piece *piece)
{
    if (piece->attachment) {
        return g_strdup(piece->attachment->download_url);
    }
    if (piece->story) {
        return g_strdup(piece->story->url);
    }
    return piece->epic ? g_strdup(piece->epic->url) : NULL;
}

static const char *const attribute_names[] = {"id",      "kind",    "url",   "author",
                                              "version", "created", "error", NULL};

const char *const *
scene_attribute_names(void)
{
    return attribute_names;
}

char *
scene_attribute(const Scene *scene, const NodeKey *key, const char *name)
{
    Piece piece = {0};
    const char *word = node_info(key->kind)->word;
    if (!word || !find_piece(scene, key, &piece)) {
        return NULL;
    }
    if (strcmp(name, "kind") == 0) {
        return g_strdup(word);
    }
    if (strcmp(name, "id") == 0) {
        return id_text(key, &piece);
    }
    if (strcmp(name, "author") == 0) {
        return author_text(&piece);
    }
    if (strcmp(name, "url") == 0) {
        return url_text(&piece);
    }
    if (strcmp(name, "version") == 0) {
        return piece.project ? number_text(piece.project->version) : NULL;
    }
    if (strcmp(name, "error") == 0) {
        return scene->edits.error ? g_strchomp(g_strdup(scene->edits.error)) : NULL;
    }
    gint64 changed_ms = 0, created_ms = 0;
    times_of(key, &piece, &changed_ms, &created_ms);
    return strcmp(name, "created") == 0 ? time_text(created_ms) : NULL;
}
