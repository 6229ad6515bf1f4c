/* How long until the WAL that a slot keeps fills its server. Two limits count, whichever is nearer: the server's own, at which it gives
 * the slot up (max_slot_wal_keep_size; safe_wal_size tells what is left), and its disk, which no SQL tells: the plan's wal_room. */
#include "core/model.h"

enum { OVER = 60 };

int64_t model_wal_left(const struct model_db *db, const struct plan_database *plan, enum side side)
{
    int64_t kept = side == BLUE ? db->retained : db->back_retained, left = side == BLUE ? db->wal_left : db->back_left;
    if (kept >= 0 && plan->wal_room) {
        int64_t room = MAX(plan->wal_room - kept, (int64_t)0);
        left = left >= 0 ? MIN(left, room) : room;
    }
    return left;
}

int64_t model_wal_full_in(const struct model_db *db, const struct plan_database *plan, enum side side, int64_t now)
{
    int64_t left = model_wal_left(db, plan, side), each;
    if (left < 0 || !history_growth(side == BLUE ? &db->kept : &db->back_kept, now / 1000, OVER, &each) || each <= 0)
        return left == 0 ? 0 : UNKNOWN;
    return left / each * 1000;
}
