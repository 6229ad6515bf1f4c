/* Secrets never stand in a plan, also not in a comment: the whole text goes into the journal. libpq-connect(7) for the
 * connection strings, RFC 3986 section 3.2.1 for the URIs, tsig keys as "name:algorithm:base64". */
#include "core/plan_read.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char in_conninfo[] = "A password stands here, and the whole plan goes into the journal; "
                                  "take it out and name  service=...  or  passfile=...  instead.";
static const char in_uri[] = "A password stands in this URI, and the whole plan goes into the journal; "
                             "take it out and use a passfile or the environment instead.";
static const char in_key[] = "A TSIG key stands here, and the whole plan goes into the journal; "
                             "take it out and name its file:  key_file = \"/etc/cutover/tsig.key\";";

/* "password = x", "PGPASSWORD=x", "sslpassword='x'"; not "password=" at an end, not "password=..." */
static bool has_assignment(const char *s)
{
    for (const char *p = s; (p = strcasestr(p, "password")); p++) {
        const char *v = p + strlen("password");
        v += strspn(v, " \t");
        if (*v++ != '=')
            continue;
        v += strspn(v, " \t'\"\\");
        if (*v && !isspace((unsigned char)*v) && !strchr(";&,)]}", *v) && strncmp(v, "...", 3) != 0)
            return true;
    }
    return false;
}

/* scheme://user:secret@ */
static bool has_userinfo(const char *s)
{
    for (const char *p = s; (p = strstr(p, "://")); p += 3) {
        const char *user = p + 3;
        size_t n = strcspn(user, "/?# \t\n\"'");
        const char *at = memchr(user, '@', n), *colon = at ? memchr(user, ':', (size_t)(at - user)) : NULL;
        if (colon && colon + 1 < at && strncmp(colon + 1, "...", 3) != 0)
            return true;
    }
    return false;
}

static bool has_tsig(const char *s)
{
    const char *p = strcasestr(s, ":hmac-");
    return p && (p = strchr(p + 1, ':')) && strspn(p + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") >= 16;
}

const char *plan_secret_in(const char *text)
{
    return has_assignment(text) ? in_conninfo : has_userinfo(text) ? in_uri : has_tsig(text) ? in_key : NULL;
}

/* ---- connection strings ---- */

static const char keywords[] =
    "host hostaddr port dbname user passfile service servicefile connect_timeout client_encoding options application_name "
    "fallback_application_name keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout replication gssencmode "
    "sslmode sslnegotiation sslcompression sslcert sslkey sslrootcert sslcrl sslcrldir sslsni sslcertmode requirepeer require_auth "
    "channel_binding ssl_min_protocol_version ssl_max_protocol_version krbsrvname gsslib gssdelegation target_session_attrs "
    "load_balance_hosts min_protocol_version max_protocol_version password sslpassword scram_client_key scram_server_key "
    "oauth_issuer oauth_client_id oauth_client_secret oauth_scope";

/* pgbouncer(5), section [databases]. */
static const char pooler_keywords[] =
    "host port dbname user password auth_user auth_query auth_dbname pool_size min_pool_size reserve_pool reserve_pool_size connect_query pool_mode "
    "load_balance_hosts max_db_connections max_db_client_connections server_lifetime client_encoding datestyle timezone application_name";

static bool is_among(const char *word, size_t len, const char *words)
{
    for (const char *w = words; *(w += strspn(w, " ")); w += strcspn(w, " "))
        if (strcspn(w, " ") == len && strncmp(w, word, len) == 0)
            return true;
    return false;
}

/* Past the value of a pooler that begins at p: a doubled quote stands for one, and a backslash for itself. */
static const char *skip_pooler_value(const char *p)
{
    if (*p != '\'')
        return p + strcspn(p, " \t\r\n");
    for (p++; *p && (*p != '\'' || p[1] == '\''); p++)
        p += *p == '\'';
    return *p ? p + 1 : NULL;
}

/* Past the value that begins at p; NULL when its quote isn't closed. */
static const char *skip_value(const char *p)
{
    if (*p != '\'') {
        while (*p && !isspace((unsigned char)*p))
            p += p[0] == '\\' && p[1] ? 2 : 1;
        return p;
    }
    for (p++; *p && *p != '\''; p++)
        if (p[0] == '\\' && p[1])
            p++;
    return *p ? p + 1 : NULL;
}

static bool check_keyword(struct plan_reader *r, int line, const char *name, const char *word, size_t len, bool pooler)
{
    const char *known = pooler ? pooler_keywords : keywords;
    char copy[40], hint[128];
    copy_text(copy, MIN(len + 1, sizeof copy), word);
    if (is_among(word, len, "password sslpassword scram_client_key scram_server_key oauth_client_secret"))
        return plan_complain(r, line, "%s", in_conninfo), false;
    if (is_among(word, len, known))
        return true;
    plan_complain(r, line, "%s: \"%s\" isn't a keyword of %s%s", name, copy, pooler ? "PgBouncer's section [databases]" : "a connection string",
                  plan_suggest(copy, known, hint, sizeof hint)[0] ? hint
                  : pooler ? "; see  man 5 pgbouncer." : "; see  man 3 libpq  or the manual, \"Parameter Key Words\".");
    return false;
}

static bool check_pairs(struct plan_reader *r, int line, const char *name, const char *p, bool pooler)
{
    while (*(p += strspn(p, " \t"))) {
        size_t len = strcspn(p, " \t='");
        const char *eq = p + len + strspn(p + len, " \t");
        if (!len || *eq != '=')
            return plan_complain(r, line, pooler ? "%s must be what stands to the right of a database in PgBouncer's file, such as \"host=192.0.2.1 port=5432\"."
                                                 : "%s must be a connection string of keyword=value pairs, such as \"service=shop_blue\".", name), false;
        if (!check_keyword(r, line, name, p, len, pooler))
            return false;
        p = (pooler ? skip_pooler_value : skip_value)(eq + 1 + strspn(eq + 1, " \t"));
        if (!p)
            return plan_complain(r, line, "%s: a ' in the connection string is never closed.", name), false;
    }
    return true;
}

bool plan_conninfo_check(struct plan_reader *r, int line, const char *name, const char *text)
{
    if (strncmp(text, "postgres://", 11) == 0 || strncmp(text, "postgresql://", 13) == 0)
        return true; /* its password, in userinfo or as a parameter, was found by plan_secret_in */
    return check_pairs(r, line, name, text, false);
}

bool plan_target_check(struct plan_reader *r, int line, const char *name, const char *text)
{
    return check_pairs(r, line, name, text, true);
}
