/* Snapshots: reference counts, lookup by id, and the end of each.
 *
 * The public structs of model.h are the first member of a private one that adds the count and, for
 * a Project, its indexes. Everything else is constant once shared, so the only synchronisation is
 * the count. */
#include "cache/model.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "cache/model_json.h"
#include "cache/model_private.h"

static int
compare_ids(gint64 a, gint64 b)
{
    return (a > b) - (a < b);
}

void
model_text_clear(Text *text)
{
    g_clear_pointer(&text->data, g_free);
    text->length = 0;
}

static void
person_clear(Person *person)
{
    g_free(person->name);
    g_free(person->username);
    g_free(person->initials);
}

void
model_comments_free(Comment *comments, guint n)
{
    for (guint i = 0; i < n; i++) {
        g_free(comments[i].author);
        model_text_clear(&comments[i].text);
    }
    g_free(comments);
}

void
model_members_free(Member *members, guint n)
{
    for (guint i = 0; i < n; i++) {
        person_clear(&members[i].person);
        g_free(members[i].role);
        model_text_clear(&members[i].record);
    }
    g_free(members);
}

void
model_labels_free(Label *labels, guint n)
{
    for (guint i = 0; i < n; i++) {
        g_free(labels[i].name);
    }
    g_free(labels);
}

void
model_epics_free(Epic *epics, guint n)
{
    for (guint i = 0; i < n; i++) {
        g_free(epics[i].name);
        g_free(epics[i].url);
        model_text_clear(&epics[i].record);
        model_text_clear(&epics[i].description);
        model_comments_free(epics[i].comments, epics[i].n_comments);
    }
    g_free(epics);
}

void
model_iterations_free(Iteration *iterations, guint n)
{
    for (guint i = 0; i < n; i++) {
        model_text_clear(&iterations[i].record);
        g_free(iterations[i].story_ids);
    }
    g_free(iterations);
}

/* --- Account --- */

typedef struct {
    Account account;
    atomic_int refs;
} AccountObject;

Account *
model_account_new(void)
{
    AccountObject *object = g_new0(AccountObject, 1);
    atomic_init(&object->refs, 1);
    return &object->account;
}

Account *
account_ref(Account *account)
{
    atomic_fetch_add(&((AccountObject *)account)->refs, 1);
    return account;
}

void
account_unref(Account *account)
{
    if (!account || atomic_fetch_sub(&((AccountObject *)account)->refs, 1) > 1) {
        return;
    }
    person_clear(&account->me);
    model_text_clear(&account->record);
    for (guint i = 0; i < account->n_projects; i++) {
        g_free(account->projects[i].name);
    }
    g_free(account->projects);
    g_free(account);
}

const ProjectName *
account_find_project(const Account *account, gint64 project_id)
{
    guint low = 0;
    guint high = account->n_projects;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (account->projects[middle].id < project_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < account->n_projects && account->projects[low].id == project_id
               ? &account->projects[low]
               : NULL;
}

/* --- Story rows --- */

typedef struct {
    StoryRow row;
    atomic_int refs;
    gint64 ids[]; /* owners, followers, reviewers, labels: one allocation a row */
} StoryRowObject;

StoryRow *
model_story_row_new(guint n_owners, guint n_followers, guint n_reviewers, guint n_labels)
{
    gsize n_ids = (gsize)n_owners + n_followers + n_reviewers + n_labels;
    StoryRowObject *object = g_malloc0(sizeof *object + n_ids * sizeof(gint64));
    atomic_init(&object->refs, 1);
    StoryRow *row = &object->row;
    row->owner_ids = object->ids;
    row->follower_ids = row->owner_ids + n_owners;
    row->reviewer_ids = row->follower_ids + n_followers;
    row->label_ids = row->reviewer_ids + n_reviewers;
    row->n_owners = n_owners;
    row->n_followers = n_followers;
    row->n_reviewers = n_reviewers;
    row->n_labels = n_labels;
    return row;
}

StoryRow *
story_row_ref(StoryRow *row)
{
    atomic_fetch_add(&((StoryRowObject *)row)->refs, 1);
    return row;
}

void
story_row_unref(StoryRow *row)
{
    if (!row || atomic_fetch_sub(&((StoryRowObject *)row)->refs, 1) > 1) {
        return;
    }
    g_free(row->name);
    g_free(row);
}

/* --- Project --- */

typedef struct {
    Project project;
    atomic_int refs;
    StoryRow **by_id; /* the rows of project.stories, sorted; borrowed */
} ProjectObject;

Project *
project_new(gint64 id)
{
    ProjectObject *object = g_new0(ProjectObject, 1);
    atomic_init(&object->refs, 1);
    object->project.id = id;
    return &object->project;
}

Project *
project_ref(Project *project)
{
    atomic_fetch_add(&((ProjectObject *)project)->refs, 1);
    return project;
}

static void
project_drop_stories(Project *project)
{
    ProjectObject *object = (ProjectObject *)project;
    for (guint i = 0; i < project->n_stories; i++) {
        story_row_unref(project->stories[i]);
    }
    g_clear_pointer(&project->stories, g_free);
    g_clear_pointer(&object->by_id, g_free);
    project->n_stories = 0;
}

void
project_unref(Project *project)
{
    if (!project || atomic_fetch_sub(&((ProjectObject *)project)->refs, 1) > 1) {
        return;
    }
    project_drop_stories(project);
    g_free(project->name);
    model_text_clear(&project->record);
    model_text_clear(&project->profile);
    model_members_free(project->members, project->n_members);
    model_labels_free(project->labels, project->n_labels);
    model_epics_free(project->epics, project->n_epics);
    model_iterations_free(project->iterations, project->n_iterations);
    g_free(project);
}

static int
compare_rows(const void *a, const void *b)
{
    const StoryRow *const *left = a;
    const StoryRow *const *right = b;
    return compare_ids((*left)->id, (*right)->id);
}

void
project_set_stories(Project *project, GPtrArray *rows)
{
    ProjectObject *object = (ProjectObject *)project;
    project_drop_stories(project);
    project->n_stories = rows->len;
    project->stories = g_new(StoryRow *, rows->len + 1);
    object->by_id = g_new(StoryRow *, rows->len + 1);
    for (guint i = 0; i < rows->len; i++) {
        project->stories[i] = story_row_ref(rows->pdata[i]);
        object->by_id[i] = project->stories[i];
    }
    qsort(object->by_id, rows->len, sizeof *object->by_id, compare_rows);
    g_ptr_array_unref(rows);
}

static Text
text_copy(const Text *text)
{
    Text copy = {.length = text->length};
    if (text->data) {
        copy.data = g_malloc(text->length + 1);
        memcpy(copy.data, text->data, text->length + 1);
    }
    return copy;
}

static Comment *
comments_copy(const Comment *comments, guint n)
{
    Comment *copy = g_new0(Comment, n + 1);
    for (guint i = 0; i < n; i++) {
        copy[i] = comments[i];
        copy[i].author = g_strdup(comments[i].author);
        copy[i].text = text_copy(&comments[i].text);
    }
    return copy;
}

static void
copy_people_and_labels(Project *copy, const Project *project)
{
    copy->members = g_new0(Member, project->n_members + 1);
    for (guint i = 0; i < project->n_members; i++) {
        const Member *from = &project->members[i];
        Member *to = &copy->members[i];
        *to = *from;
        to->person.name = g_strdup(from->person.name);
        to->person.username = g_strdup(from->person.username);
        to->person.initials = g_strdup(from->person.initials);
        to->role = g_strdup(from->role);
        to->record = text_copy(&from->record);
    }
    copy->labels = g_new0(Label, project->n_labels + 1);
    for (guint i = 0; i < project->n_labels; i++) {
        copy->labels[i] = project->labels[i];
        copy->labels[i].name = g_strdup(project->labels[i].name);
    }
}

char *
project_dup_left_out(const Project *project)
{
    static const char *const words[N_LEFT_OUT][2] = {
        [LEFT_OUT_STORIES] = {"story", "stories"},
        [LEFT_OUT_EPICS] = {"epic", "epics"},
        [LEFT_OUT_LABELS] = {"label", "labels"},
        [LEFT_OUT_MEMBERS] = {"member", "members"},
    };
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < N_LEFT_OUT; i++) {
        const guint n = project->left_out[i];
        if (n > 0) {
            g_string_append_printf(text, "%s%u %s", text->len > 0 ? ", " : "", n, words[i][n > 1]);
        }
    }
    return text->len > 0 ? g_strconcat(text->str, ": no id", NULL) : NULL;
}

Project *
project_copy(const Project *project)
{
    Project *copy = project_new(project->id);
    copy->account_id = project->account_id;
    copy->version = project->version;
    copy->created_ms = project->created_ms;
    copy->updated_ms = project->updated_ms;
    copy->changed_ms = project->changed_ms;
    copy->current_iteration = project->current_iteration;
    memcpy(copy->left_out, project->left_out, sizeof copy->left_out);
    copy->name = g_strdup(project->name);
    copy->record = text_copy(&project->record);
    copy->profile = text_copy(&project->profile);
    copy->n_members = project->n_members;
    copy->n_labels = project->n_labels;
    copy_people_and_labels(copy, project);
    copy->n_epics = project->n_epics;
    copy->epics = g_new0(Epic, project->n_epics + 1);
    for (guint i = 0; i < project->n_epics; i++) {
        const Epic *from = &project->epics[i];
        Epic *to = &copy->epics[i];
        *to = *from;
        to->name = g_strdup(from->name);
        to->url = g_strdup(from->url);
        to->record = text_copy(&from->record);
        to->description = text_copy(&from->description);
        to->comments = comments_copy(from->comments, from->n_comments);
    }
    copy->n_iterations = project->n_iterations;
    copy->iterations = g_new0(Iteration, project->n_iterations + 1);
    for (guint i = 0; i < project->n_iterations; i++) {
        const Iteration *from = &project->iterations[i];
        copy->iterations[i] = *from;
        copy->iterations[i].record = text_copy(&from->record);
        copy->iterations[i].story_ids =
            g_memdup2(from->story_ids, from->n_stories * sizeof *from->story_ids);
    }
    GPtrArray *rows = g_ptr_array_sized_new(project->n_stories);
    for (guint i = 0; i < project->n_stories; i++) {
        g_ptr_array_add(rows, project->stories[i]);
    }
    project_set_stories(copy, rows);
    return copy;
}

void
project_finish(Project *project)
{
    gint64 changed = MAX(project->created_ms, project->updated_ms);
    for (guint i = 0; i < project->n_members; i++) {
        changed = MAX(changed, project->members[i].updated_ms);
    }
    for (guint i = 0; i < project->n_labels; i++) {
        changed = MAX(changed, project->labels[i].updated_ms);
    }
    for (guint i = 0; i < project->n_epics; i++) {
        changed = MAX(changed, project->epics[i].updated_ms);
    }
    for (guint i = 0; i < project->n_stories; i++) {
        changed = MAX(changed, project->stories[i]->updated_ms);
    }
    project->changed_ms = changed;
}

const StoryRow *
project_find_story(const Project *project, gint64 story_id)
{
    const ProjectObject *object = (const ProjectObject *)project;
    StoryRow key = {.id = story_id};
    const StoryRow *wanted = &key;
    if (project->n_stories == 0) {
        return NULL;
    }
    StoryRow **found =
        bsearch(&wanted, object->by_id, project->n_stories, sizeof *object->by_id, compare_rows);
    return found ? *found : NULL;
}

/* Finds `id` in an array sorted by the gint64 at `offset` of each element. */
static const void *
find_sorted(const void *array, guint n, gsize element_bytes, gsize offset, gint64 id)
{
    guint low = 0;
    guint high = n;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        const char *element = (const char *)array + middle * element_bytes;
        gint64 have;
        memcpy(&have, element + offset, sizeof have);
        if (have == id) {
            return element;
        }
        if (have < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

const Member *
project_find_member(const Project *project, gint64 person_id)
{
    return find_sorted(project->members, project->n_members, sizeof(Member),
                       offsetof(Member, person.id), person_id);
}

const Label *
project_find_label(const Project *project, gint64 label_id)
{
    return find_sorted(project->labels, project->n_labels, sizeof(Label), offsetof(Label, id),
                       label_id);
}

const Iteration *
project_find_iteration(const Project *project, gint64 number)
{
    return find_sorted(project->iterations, project->n_iterations, sizeof(Iteration),
                       offsetof(Iteration, number), number);
}

/* Epics keep the server's order, and there are few of them. */
const Epic *
project_find_epic(const Project *project, gint64 epic_id)
{
    for (guint i = 0; i < project->n_epics; i++) {
        if (project->epics[i].id == epic_id) {
            return &project->epics[i];
        }
    }
    return NULL;
}

/* --- Story --- */

typedef struct {
    Story story;
    atomic_int refs;
} StoryObject;

Story *
model_story_new(void)
{
    StoryObject *object = g_new0(StoryObject, 1);
    atomic_init(&object->refs, 1);
    return &object->story;
}

Story *
story_ref(Story *story)
{
    atomic_fetch_add(&((StoryObject *)story)->refs, 1);
    return story;
}

void
story_unref(Story *story)
{
    if (!story || atomic_fetch_sub(&((StoryObject *)story)->refs, 1) > 1) {
        return;
    }
    g_free(story->name);
    g_free(story->url);
    model_text_clear(&story->record);
    model_text_clear(&story->description);
    model_comments_free(story->comments, story->n_comments);
    for (guint i = 0; i < story->n_tasks; i++) {
        model_text_clear(&story->tasks[i].description);
    }
    g_free(story->tasks);
    for (guint i = 0; i < story->n_attachments; i++) {
        g_free(story->attachments[i].filename);
        g_free(story->attachments[i].content_type);
        g_free(story->attachments[i].download_url);
    }
    g_free(story->attachments);
    g_free(story);
}

void
model_story_finish(Story *story)
{
    gsize bytes = sizeof(StoryObject) + story->record.length + story->description.length;
    bytes += (story->name ? strlen(story->name) : 0) + (story->url ? strlen(story->url) : 0);
    for (guint i = 0; i < story->n_comments; i++) {
        bytes += sizeof(Comment) + story->comments[i].text.length;
    }
    for (guint i = 0; i < story->n_tasks; i++) {
        bytes += sizeof(Task) + story->tasks[i].description.length;
    }
    for (guint i = 0; i < story->n_attachments; i++) {
        const Attachment *attachment = &story->attachments[i];
        bytes += sizeof(Attachment) + (attachment->filename ? strlen(attachment->filename) : 0) +
                 (attachment->download_url ? strlen(attachment->download_url) : 0);
    }
    story->bytes = bytes;
}

const Comment *
story_find_comment(const Story *story, gint64 comment_id)
{
    return find_sorted(story->comments, story->n_comments, sizeof(Comment), offsetof(Comment, id),
                       comment_id);
}

const Attachment *
story_find_attachment(const Story *story, gint64 attachment_id)
{
    return find_sorted(story->attachments, story->n_attachments, sizeof(Attachment),
                       offsetof(Attachment, id), attachment_id);
}

const Task *
story_find_task(const Story *story, gint64 task_id)
{
    for (guint i = 0; i < story->n_tasks; i++) {
        if (story->tasks[i].id == task_id) {
            return &story->tasks[i];
        }
    }
    return NULL;
}

/* --- Activity --- */

typedef struct {
    Activity activity;
    atomic_int refs;
} ActivityObject;

Activity *
model_activity_new(void)
{
    ActivityObject *object = g_new0(ActivityObject, 1);
    atomic_init(&object->refs, 1);
    return &object->activity;
}

Activity *
activity_ref(Activity *activity)
{
    atomic_fetch_add(&((ActivityObject *)activity)->refs, 1);
    return activity;
}

void
activity_unref(Activity *activity)
{
    if (!activity || atomic_fetch_sub(&((ActivityObject *)activity)->refs, 1) > 1) {
        return;
    }
    model_text_clear(&activity->lines);
    g_free(activity);
}

void
parsed_story_free(ParsedStory *parsed)
{
    if (parsed) {
        story_unref(parsed->story);
        story_row_unref(parsed->row);
        g_free(parsed);
    }
}

void
parsed_activity_free(ParsedActivity *parsed)
{
    if (parsed) {
        model_text_clear(&parsed->line);
        g_free(parsed->story_ids);
        g_free(parsed->epic_ids);
        g_free(parsed);
    }
}
