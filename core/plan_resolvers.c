/* Who is asked when a plan names no resolvers: public, open, unfiltered, one address of each operator, many regions.
 * Resolvers that filter are not among them, because they may lie about a domain. */
#include "core/plan_read.h"

const struct plan_resolver plan_public_resolvers[] = {
    {"Google", "8.8.8.8", 53, false},
    {"Cloudflare", "1.1.1.1", 53, false},
    {"Quad9 unsecured", "9.9.9.10", 53, false},
    {"AdGuard unfiltered", "94.140.14.140", 53, false},
    {"Control D", "76.76.2.0", 53, false},
    {"DNS.SB", "185.222.222.222", 53, false},
    {"UltraDNS", "156.154.70.1", 53, false},
    {"Verisign", "64.6.64.6", 53, false},
    {"Hurricane Electric", "74.82.42.42", 53, false},
    {"Level3", "4.2.2.1", 53, false},
    {"Lumen", "205.171.3.66", 53, false},
    {"CIRA private", "149.112.121.10", 53, false},
    {"DNS4EU unfiltered", "86.54.11.100", 53, false},
    {"CZ.NIC ODVR", "193.17.47.1", 53, false},
    {"DNS4all", "194.0.5.3", 53, false},
    {"Gcore", "95.85.95.85", 53, false},
    {"Yandex basic", "77.88.8.8", 53, false},
    {"Quad101", "101.101.101.101", 53, false},
    {"HiNet", "168.95.1.1", 53, false},
    {"KT", "168.126.63.1", 53, false},
    {"Telstra", "139.130.4.4", 53, false},
    {"UOL", "200.221.11.100", 53, false},
};
const int plan_npublic_resolvers = ARRAY_LEN(plan_public_resolvers);
