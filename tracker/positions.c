/* Rows are STEP apart, which is room for sixteen moves into the same place in the middle. When
 * there is none left, the rows around are spread: as few as have room among them, so that a move
 * costs the same in a project of any size. The top of the icebox, where stories are made, and the
 * end of the backlog, where they are scheduled, are one place: the border between both. Who inserts
 * there says to which side to lean, and leaves most of the room. */
#include "tracker/positions.h"

#include "tracker/rows.h"

#define STEP G_GINT64_CONSTANT(65536)
#define ENOUGH 1024
#define BORDER (G_GINT64_CONSTANT(1) << 40)

static const char *
table_of(PositionKind kind)
{
    return kind == POSITION_STORY ? "story" : "epic";
}

static gint64
neighbour(DbConn *conn, PositionKind kind, gint64 id, gint64 without, gboolean below)
{
    g_autofree char *sql =
        g_strdup_printf("SELECT n.id FROM %1$s t JOIN %1$s n ON n.project_id = t.project_id"
                        " AND n.position %2$s t.position WHERE t.id = ?1 AND n.id <> ?2"
                        " ORDER BY n.position %3$s LIMIT 1",
                        table_of(kind), below ? ">" : "<", below ? "" : "DESC");

    return row_int(conn, sql, "ii", id, without);
}

gint64
position_below(DbConn *conn, PositionKind kind, gint64 id, gint64 without)
{
    return neighbour(conn, kind, id, without, TRUE);
}

gint64
position_above(DbConn *conn, PositionKind kind, gint64 id, gint64 without)
{
    return neighbour(conn, kind, id, without, FALSE);
}

static gint64
position_of(DbConn *conn, PositionKind kind, gint64 id)
{
    g_autofree char *sql = g_strdup_printf("SELECT position FROM %s WHERE id = ?1", table_of(kind));

    return row_int(conn, sql, "i", id);
}

/* Ids and positions on one side of a place, the nearest first; one more than asked for, if there is
 * one: it stays where it is. */
typedef struct Side {
    GArray *ids;
    gboolean has_end; /* the last one is the one that stays */
    gint64 end;       /* its position */
} Side;

static void
side_clear(Side *side)
{
    g_array_unref(side->ids);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Side, side_clear)

static void
read_side(DbConn *conn, PositionKind kind, gint64 project_id, gint64 from, gboolean below,
          gint64 count, Side *ret_side)
{
    g_autofree char *sql =
        g_strdup_printf("SELECT id, position FROM %s WHERE project_id = ?1 AND position %s ?2"
                        " ORDER BY position %s LIMIT ?3",
                        table_of(kind), below ? ">=" : "<=", below ? "" : "DESC");
    g_autoptr(DbStmt) stmt = db_prepare(conn, sql);

    *ret_side = (Side){.ids = g_array_new(FALSE, FALSE, sizeof(gint64))};
    db_bind_int(stmt, 1, project_id);
    db_bind_int(stmt, 2, from);
    db_bind_int(stmt, 3, count + 1);
    while (db_next(stmt)) {
        gint64 id = db_int(stmt, 0);

        if ((gint64)ret_side->ids->len == count) {
            ret_side->has_end = TRUE;
            ret_side->end = db_int(stmt, 1);
            break;
        }
        g_array_append_val(ret_side->ids, id);
    }
}

static void
set_position(DbConn *conn, PositionKind kind, gint64 id, gint64 position)
{
    (void)row_run(conn,
                  kind == POSITION_STORY ? "UPDATE story SET position = ?2 WHERE id = ?1"
                                         : "UPDATE epic SET position = ?2 WHERE id = ?1",
                  "ii", id, position);
}

/* Positions are unique at every moment: first all go below the lowest there is, then each to its
 * place. */
static void
spread(DbConn *conn, PositionKind kind, gint64 project_id, const GArray *ids, gint64 low,
       gint64 step)
{
    g_autofree char *sql = g_strdup_printf(
        "SELECT min(0, COALESCE(min(position), 0)) FROM %s WHERE project_id = ?1", table_of(kind));
    gint64 lowest = row_int(conn, sql, "i", project_id);

    for (guint i = 0; i < ids->len; i++) {
        set_position(conn, kind, g_array_index(ids, gint64, i), MIN(lowest, low) - 1 - (gint64)i);
    }
    for (guint i = 0; i < ids->len; i++) {
        set_position(conn, kind, g_array_index(ids, gint64, i), low + (gint64)(i + 1) * step);
    }
}

/* Room between two neighbours: of so many rows around that each gets ENOUGH of it. */
static void
make_room(DbConn *conn, PositionKind kind, gint64 project_id, gint64 above, gint64 below)
{
    for (gint64 count = 16;; count *= 4) {
        g_auto(Side) up;
        g_auto(Side) down;
        g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
        gint64 n, low, high, step;

        read_side(conn, kind, project_id, above, FALSE, count, &up);
        read_side(conn, kind, project_id, below, TRUE, count, &down);
        for (guint i = up.ids->len; i > 0; i--) {
            g_array_append_val(ids, g_array_index(up.ids, gint64, i - 1));
        }
        g_array_append_vals(ids, down.ids->data, down.ids->len);
        n = (gint64)ids->len + 1;
        /* An end of the order has all the room there is. */
        low = up.has_end ? up.end : (down.has_end ? down.end : above) - n * STEP;
        high = down.has_end ? down.end : low + n * STEP;
        step = (high - low) / n;
        if (step >= ENOUGH || ids->len == 0 || !db_check(conn, NULL)) {
            spread(conn, kind, project_id, ids, low, step);
            return;
        }
    }
}

static gint64
choose(gint64 above, gint64 below, PositionLean lean)
{
    gint64 half = (gint64)(((guint64)below - (guint64)above) / 2);
    gint64 few = MAX(1, half / 8);

    switch (lean) {
    case POSITION_NEAR_ABOVE:
        return above + MIN(STEP, few);
    case POSITION_NEAR_BELOW:
        return below - MIN(STEP, few);
    case POSITION_MIDDLE:
        break;
    }
    return above + half;
}

gint64
position_between(DbConn *conn, PositionKind kind, gint64 project_id, gint64 above_id,
                 gint64 below_id, PositionLean lean)
{
    gint64 above = above_id ? position_of(conn, kind, above_id) : 0;
    gint64 below = below_id ? position_of(conn, kind, below_id) : 0;

    if (!above_id || !below_id) {
        /* The far side of an empty list gets the border's room. */
        gint64 room = lean == POSITION_MIDDLE ? STEP : BORDER;

        if (above_id) {
            return above + (lean == POSITION_NEAR_BELOW ? room : STEP);
        }
        return below_id ? below - (lean == POSITION_NEAR_ABOVE ? room : STEP) : 0;
    }
    if (below - above < 2) {
        make_room(conn, kind, project_id, above, below);
        above = position_of(conn, kind, above_id);
        below = position_of(conn, kind, below_id);
    }
    return choose(above, below, lean);
}
