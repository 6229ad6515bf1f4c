/* lookup: commands that ask names once, print and end. Each returns the exit status of the program. */
#ifndef CORE_LOOKUP_H
#define CORE_LOOKUP_H

/* cutover spf: may this address send mail for the domain (RFC 7208)? Prints the tree of terms with what each costs. sender NULL:
 * postmaster@domain; helo NULL: the domain; server "address[:port]" NULL: the system's nameservers (resolv.conf(5)).
 * 0 pass, 1 any other verdict, 2 could not look (temperror too). */
struct lookup_spf {
    const char *address, *domain, *sender, *helo, *server;
};
int lookup_spf(const struct lookup_spf *o);

/* cutover dns snapshot: what the zone's servers publish for the plan's names, sorted, a record a line: "name TYPE ttl value". Server after
 * server is asked directly; where one says something else than the first, that goes to standard error.
 * 0 all agree, 1 they differ, 2 could not look. */
int lookup_snapshot(const char *plan_path);

/* cutover dns diff: two such files ("-": standard input). 0 the same, 1 they differ, 2 can't be read. */
int lookup_diff(const char *old_path, const char *new_path);

#endif
