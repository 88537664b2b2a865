/* positions: the one linear order of a project's stories, and that of its epics
 * (v5-reference 4.1).
 *
 * A row's `position` is a sparse number; a move gives one row a number between two others and
 * touches no other row. When there is none left, the rows around are spread. Which place a story
 * belongs to is not known here (tracker/story_order.h).
 *
 * Threads: with the connection, inside its write transaction. Errors: stick to the connection. */
#pragma once

#include "tracker/db.h"

typedef enum { POSITION_STORY, POSITION_EPIC } PositionKind;

/* The neighbours of an id as if `without` were not there; 0: it is the last, the first. */
gint64 position_below(DbConn *conn, PositionKind kind, gint64 id, gint64 without);
gint64 position_above(DbConn *conn, PositionKind kind, gint64 id, gint64 without);

/* Where the next row is expected to come: that side keeps more room. */
typedef enum {
    POSITION_MIDDLE,
    POSITION_NEAR_ABOVE, /* below the one above, as close as is sensible */
    POSITION_NEAR_BELOW,
} PositionLean;

/* A free number between two neighbours (0: none on that side). May move the numbers around it. */
gint64 position_between(DbConn *conn, PositionKind kind, gint64 project_id, gint64 above_id,
                        gint64 below_id, PositionLean lean);
