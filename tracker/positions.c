/* Rows are STEP apart, which is room for sixteen moves into the same place in the middle. The top
 * of the icebox is where stories are made, and the end of the backlog where they are scheduled:
 * both are the border between scheduled and unscheduled stories, so numbering anew leaves BORDER
 * there, and who inserts there says to which side to lean. */
#include "tracker/positions.h"

#include "tracker/rows.h"

#define STEP G_GINT64_CONSTANT(65536)
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

/* Positions are unique at every moment: first all go below the lowest there is, in reverse, then
 * each to its place. */
static void
number_anew(DbConn *conn, PositionKind kind, gint64 project_id)
{
    const char *table = table_of(kind);
    g_autofree char *lowest = g_strdup_printf(
        "SELECT min(0, COALESCE(min(position), 0)) FROM %s WHERE project_id = ?1", table);
    g_autofree char *down = g_strdup_printf(
        "UPDATE %1$s SET position = ?2 - n.rank FROM (SELECT id, row_number() OVER"
        " (ORDER BY position) AS rank FROM %1$s WHERE project_id = ?1) n WHERE n.id = %1$s.id",
        table);
    g_autofree char *up = g_strdup_printf(
        "UPDATE %1$s SET position = n.rank * ?2 + %2$s * ?3 FROM (SELECT id, row_number() OVER"
        " (ORDER BY position DESC) AS rank FROM %1$s WHERE project_id = ?1) n"
        " WHERE n.id = %1$s.id",
        table, kind == POSITION_STORY ? "(current_state = 'unscheduled')" : "0");

    (void)row_run(conn, down, "ii", project_id, row_int(conn, lowest, "i", project_id));
    (void)row_run(conn, up, "iii", project_id, STEP, BORDER);
}

static gint64
choose(gint64 above, gint64 below, PositionLean lean)
{
    gint64 half = (gint64)(((guint64)below - (guint64)above) / 2);

    switch (lean) {
    case POSITION_NEAR_ABOVE:
        return above + MIN(STEP, half);
    case POSITION_NEAR_BELOW:
        return below - MIN(STEP, half);
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
        number_anew(conn, kind, project_id);
        above = position_of(conn, kind, above_id);
        below = position_of(conn, kind, below_id);
    }
    return choose(above, below, lean);
}
