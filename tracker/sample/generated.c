/* generated: a project of any size, the same for the same number of stories.
 *
 * Random numbers come from splitmix64, seeded by the story's number, so that a story does not
 * depend on how many follow. Six of ten are accepted, in order of time; then come work in progress,
 * backlog and icebox: project order. As after a CSV import, one model_import activity stands for
 * everything. One story in a hundred holds "needle". */
#include "tracker/rows.h"
#include "tracker/sample/sample_internal.h"

#define LABELS 40
#define EPICS 10

static const char *const words[] = {
    "account",  "after",     "anchor", "answer",   "arrival", "because", "before",    "between",
    "boarding", "booking",   "button", "cable",    "captain", "change",  "checkout",  "column",
    "counter",  "crew",      "deck",   "delay",    "depart",  "detail",  "diesel",    "error",
    "every",    "ferry",     "field",  "first",    "fleet",   "folder",  "forward",   "gangway",
    "harbour",  "header",    "import", "index",    "island",  "journey", "kiosk",     "label",
    "language", "latency",   "layout", "lantern",  "message", "mobile",  "morning",   "network",
    "notice",   "number",    "office", "order",    "page",    "paper",   "passenger", "payment",
    "phone",    "picture",   "plan",   "price",    "queue",   "quick",   "quay",      "ramp",
    "receipt",  "refund",    "report", "request",  "return",  "route",   "sailing",   "scanner",
    "schedule", "screen",    "season", "seat",     "server",  "signal",  "simple",    "slow",
    "station",  "storm",     "summer", "table",    "ticket",  "timeout", "today",     "total",
    "träger",   "überfahrt", "update", "vessel",   "voucher", "waiting", "weather",   "window",
    "winter",   "yellow",    "årstid", "пароплав",
};

typedef struct Random {
    guint64 state;
} Random;

static guint64
random_next(Random *random)
{
    guint64 z = (random->state += G_GUINT64_CONSTANT(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static guint
random_below(Random *random, guint bound)
{
    return (guint)(random_next(random) % bound);
}

/* At least `bytes` of words, in sentences and paragraphs. */
static char *
random_text(Random *random, gsize bytes)
{
    GString *text = g_string_sized_new(bytes + 64);
    while (text->len < bytes) {
        guint sentence = 4 + random_below(random, 10);
        for (guint i = 0; i < sentence; i++) {
            g_string_append(text, words[random_below(random, G_N_ELEMENTS(words))]);
            g_string_append(text, i + 1 < sentence               ? " "
                                  : random_below(random, 5) == 0 ? ".\n\n"
                                                                 : ". ");
        }
    }
    while (text->len > 0 && g_ascii_isspace(text->str[text->len - 1])) {
        g_string_truncate(text, text->len - 1);
    }
    return g_string_free(text, FALSE);
}

typedef struct Generator {
    DbConn *conn;
    const SampleTime *time;
    guint stories;
    DbStmt *story, *owner, *label, *comment, *task;
    gint64 next_comment_id, next_task_id;
} Generator;

typedef struct Fate {
    const char *state;
    int created_minutes, changed_minutes; /* before day 0 */
} Fate;

static gint64
minutes_before_ms(const Generator *generator, int minutes)
{
    return zone_midnight_ms(generator->time->zone, generator->time->first_day) -
           (gint64)minutes * 60000;
}

/* Project order is time order: what is further down was accepted later, or not yet. */
static Fate
fate_of(const Generator *generator, guint index, Random *random)
{
    static const char *const progress[] = {"delivered", "finished", "started", "rejected"};
    const int span = SAMPLE_WEEKS * 7 * 24 * 60 - 24 * 60;
    double share = (double)index / (double)generator->stories;
    Fate fate = {.created_minutes = 60 + (int)random_below(random, 60 * 24 * 60)};
    if (share < 0.6) {
        fate.state = "accepted";
        fate.changed_minutes = 60 + (int)((1.0 - share / 0.6) * (span - 60));
        fate.created_minutes =
            MIN(fate.changed_minutes + 600 + (int)random_below(random, 20000), span + 600);
    } else if (share < 0.62) {
        fate.state = progress[random_below(random, G_N_ELEMENTS(progress))];
    } else {
        fate.state = share < 0.8 ? "unstarted" : "unscheduled";
    }
    if (fate.changed_minutes == 0) {
        fate.changed_minutes = MAX(fate.created_minutes / 3, 1);
    }
    return fate;
}

static void
write_comments(Generator *generator, gint64 story_id, Random *random, const Fate *fate)
{
    guint comments = random_below(random, 7);
    int span = fate->created_minutes - fate->changed_minutes;
    for (guint i = 0; i < comments; i++) {
        g_autofree char *text = random_text(random, 30 + random_below(random, 400));
        gint64 at_ms =
            minutes_before_ms(generator, fate->created_minutes - span * (int)(i + 1) / 8);
        DbStmt *stmt = generator->comment;
        db_bind_int(stmt, 1, generator->next_comment_id++);
        db_bind_int(stmt, 2, story_id);
        db_bind_text(stmt, 3, text);
        db_bind_int(stmt, 4, SAMPLE_PERSON_ID + random_below(random, (guint)sample_n_people));
        db_bind_int(stmt, 5, at_ms);
        (void)db_run(stmt);
    }
}

static void
write_tasks(Generator *generator, gint64 story_id, Random *random, const Fate *fate)
{
    guint tasks = random_below(random, 7);
    for (guint i = 0; i < tasks; i++) {
        g_autofree char *text = random_text(random, 10 + random_below(random, 60));
        DbStmt *stmt = generator->task;
        db_bind_int(stmt, 1, generator->next_task_id++);
        db_bind_int(stmt, 2, story_id);
        db_bind_text(stmt, 3, text);
        db_bind_int(stmt, 4, random_below(random, 2));
        db_bind_int(stmt, 5, i + 1);
        db_bind_int(stmt, 6, minutes_before_ms(generator, fate->created_minutes));
        (void)db_run(stmt);
    }
}

static void
write_links(Generator *generator, gint64 story_id, Random *random, gboolean is_owned)
{
    guint owners = is_owned ? 1 + random_below(random, 2) : 0;
    guint first = random_below(random, 3); /* the fourth only looks on */
    for (guint i = 0; i < owners; i++) {
        db_bind_int(generator->owner, 1, story_id);
        db_bind_int(generator->owner, 2, i);
        db_bind_int(generator->owner, 3, SAMPLE_PERSON_ID + (first + i) % 3);
        (void)db_run(generator->owner);
    }
    guint labels = random_below(random, 3);
    for (guint i = 0; i < labels; i++) {
        db_bind_int(generator->label, 1, story_id);
        db_bind_int(generator->label, 2, SAMPLE_LABEL_ID + random_below(random, LABELS));
        (void)db_run(generator->label);
    }
}

static void
write_story(Generator *generator, guint index)
{
    static const char *const types[] = {"feature", "feature", "feature", "bug", "bug", "chore"};
    static const int scale[] = {0, 1, 2, 3, 5, 8};
    Random random = {index + 1};
    const gint64 id = SAMPLE_STORY_ID + index;
    Fate fate = fate_of(generator, index, &random);
    const char *type = types[random_below(&random, G_N_ELEMENTS(types))];
    if (*type == 'c' && *fate.state != 'a' && *fate.state != 'u') {
        fate.state = "started";
    }
    g_autofree char *title = random_text(&random, 20 + random_below(&random, 50));
    g_autofree char *body = random_text(&random, 200 + random_below(&random, 3800));
    g_autofree char *description =
        index % 100 == 42 ? g_strconcat(body, "\n\nneedle", NULL) : g_strdup(body);
    const gint64 changed_ms = minutes_before_ms(generator, fate.changed_minutes);

    DbStmt *stmt = generator->story;
    db_bind_int(stmt, 1, id);
    db_bind_int(stmt, 2, (gint64)(index + 1) * SAMPLE_POSITION_STEP);
    db_bind_text(stmt, 3, title);
    db_bind_text(stmt, 4, description);
    db_bind_text(stmt, 5, type);
    db_bind_text(stmt, 6, fate.state);
    if (*type == 'f') {
        db_bind_int(stmt, 7, scale[random_below(&random, G_N_ELEMENTS(scale))]);
    }
    if (*fate.state == 'a') {
        db_bind_int(stmt, 8, changed_ms);
    }
    db_bind_int(stmt, 9, SAMPLE_PERSON_ID + random_below(&random, (guint)sample_n_people));
    db_bind_int(stmt, 10, minutes_before_ms(generator, fate.created_minutes));
    db_bind_int(stmt, 11, changed_ms);
    (void)db_run(stmt);
    write_links(generator, id, &random, *fate.state != 'u');
    write_comments(generator, id, &random, &fate);
    write_tasks(generator, id, &random, &fate);
}

static void
write_labels(Generator *generator)
{
    gint64 at_ms = sample_instant_ms(generator->time, SAMPLE_WEEKS * 7, 9 * 60);
    for (guint i = 0; i < LABELS; i++) {
        g_autofree char *name =
            g_strdup_printf("%s-%02u", words[(i * 7) % G_N_ELEMENTS(words)], i + 1);
        (void)row_run(generator->conn,
                      "INSERT INTO label(id, project_id, name, created_at, updated_at) VALUES(?1, "
                      "?2, ?3, ?4, ?4)",
                      "iiti", SAMPLE_LABEL_ID + (gint64)i, SAMPLE_PROJECT_ID, name, at_ms);
    }
    for (guint i = 0; i < EPICS; i++) {
        Random random = {G_GUINT64_CONSTANT(0xe81c) + i};
        g_autofree char *name = random_text(&random, 20);
        g_autofree char *description = random_text(&random, 500);
        (void)row_run(
            generator->conn,
            "INSERT INTO epic(id, project_id, position, name, label_id, description, created_at,"
            " updated_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
            "iiititi", SAMPLE_EPIC_ID + (gint64)i, SAMPLE_PROJECT_ID,
            (gint64)(i + 1) * SAMPLE_POSITION_STEP, name, SAMPLE_LABEL_ID + (gint64)i, description,
            at_ms);
    }
}

void
sample_write_generated(DbConn *conn, const SampleTime *time, guint stories)
{
    Generator generator = {.conn = conn,
                           .time = time,
                           .stories = stories,
                           .next_comment_id = SAMPLE_COMMENT_ID,
                           .next_task_id = SAMPLE_TASK_ID};
    write_labels(&generator);
    g_autoptr(DbStmt) story = db_prepare(
        conn, "INSERT INTO story(id, project_id, position, name, description, story_type, "
              "current_state, estimate,"
              " accepted_at, requested_by_id, created_at, updated_at)"
              " VALUES(?1, " SAMPLE_PROJECT_ID_TEXT ", ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    g_autoptr(DbStmt) owner = db_prepare(
        conn, "INSERT INTO story_owner(story_id, position, person_id) VALUES(?1, ?2, ?3)");
    g_autoptr(DbStmt) label =
        db_prepare(conn, "INSERT OR IGNORE INTO story_label(story_id, label_id) VALUES(?1, ?2)");
    g_autoptr(DbStmt) comment = db_prepare(
        conn, "INSERT INTO comment(id, story_id, text, person_id, created_at, updated_at)"
              " VALUES(?1, ?2, ?3, ?4, ?5, ?5)");
    g_autoptr(DbStmt) task = db_prepare(
        conn,
        "INSERT INTO task(id, story_id, description, complete, position, created_at, updated_at)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?6)");
    generator.story = story;
    generator.owner = owner;
    generator.label = label;
    generator.comment = comment;
    generator.task = task;
    for (guint i = 0; i < stories; i++) {
        write_story(&generator, i);
    }
    (void)row_run(conn, "UPDATE project SET version = 2 WHERE id = ?1", "i", SAMPLE_PROJECT_ID);
    g_autofree char *message =
        g_strdup_printf("%s imported %u stories", sample_people[0].name, stories);
    (void)row_run(conn,
                  "INSERT INTO activity(project_id, version, kind, message, highlight, "
                  "performed_by_id, occurred_at,"
                  " secondary_resources) VALUES(?1, 2, 'model_import_activity', ?2, 'imported', "
                  "?3, ?4, '[]')",
                  "itii", SAMPLE_PROJECT_ID, message, SAMPLE_PERSON_ID,
                  minutes_before_ms(&generator, 30));
}
