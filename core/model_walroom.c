/* How long until the WAL that a slot keeps fills its server. Two limits count, whichever is nearer: the server's own, at which it gives
 * the slot up (max_slot_wal_keep_size; safe_wal_size tells what is left), and its disk, which no SQL tells: the plan's wal_room. */
#include "core/model.h"

enum { OVER = 60 };

/* What the disk has left by the plan; UNKNOWN. */
static int64_t disk_left(const struct model_db *db, const struct plan_database *plan, enum side side)
{
    int64_t kept = side == BLUE ? db->retained : db->back_retained;
    return kept >= 0 && plan->wal_room ? MAX(plan->wal_room - kept, (int64_t)0) : UNKNOWN;
}

bool model_wal_is_given_up(const struct model_db *db, const struct plan_database *plan, enum side side)
{
    int64_t own = side == BLUE ? db->wal_left : db->back_left, disk = disk_left(db, plan, side);
    return own >= 0 && (disk < 0 || own <= disk);
}

int64_t model_wal_left(const struct model_db *db, const struct plan_database *plan, enum side side)
{
    if (model_wal_is_given_up(db, plan, side))
        return side == BLUE ? db->wal_left : db->back_left;
    return disk_left(db, plan, side);
}

int64_t model_wal_full_in(const struct model_db *db, const struct plan_database *plan, enum side side, int64_t now)
{
    int64_t left = model_wal_left(db, plan, side), each;
    if (left < 0 || !history_growth(side == BLUE ? &db->kept : &db->back_kept, now / 1000, OVER, &each) || each <= 0)
        return left == 0 ? 0 : UNKNOWN;
    return left / each * 1000;
}
