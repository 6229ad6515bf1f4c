/* What the steps of DNS say before anything is sent. */
#include <string.h>

#include "core/digest.h"
#include "core/step/dnschange.h"

const char *dnschange_place(const struct plan *p, char *buf, size_t size)
{
    return dnsview_place(p->dns.server, p->dns.port, buf, size);
}

int dnschange_side(const struct plan_record *r, const struct dnsview *now)
{
    for (int s = 0; s < SIDES; s++)
        if (now->count == 1 && !*now->alias && dnsview_same(r->type, r->value[s], now->values))
            return s;
    return -1;
}

void dnschange_describe_key(const struct plan *p, struct buf *out)
{
    struct dnsupdate_key key;
    struct err err;
    if (dnsupdate_key_read(&key, p->dns.key_file, &err))
        buf_printf(out, "(signed %.*s.)", (int)(strlen(key.name) - (key.name[strlen(key.name) - 1] == '.')), key.name);
    else
        buf_printf(out, "(signed with the key of %s)", p->dns.key_file);
    digest_wipe(&key, sizeof key);
}

void dnschange_describe_probe(const struct plan *p, struct buf *out)
{
    char at[80];
    dnschange_place(p, at, sizeof at);
    for (int i = 0; i < p->dns.nrecords; i++)
        buf_printf(out, "%sask %s for %s %s without recursion", i ? "\n" : "", at, p->dns.records[i].name, p->dns.records[i].type);
}

const struct model_dns *dnschange_published(const struct plan *p, const struct model *m, int record)
{
    for (int r = 0; m && r < p->dns.nresolvers; r++) {
        const struct model_dns *cell = model_cell(m, p, r, record);
        if (p->dns.resolvers[r].authoritative && cell && cell->answered_at)
            return cell;
    }
    return NULL;
}
