/* Who is asked when a plan names no resolvers, or says "public": open resolvers, one address of each operator, many regions. Those that filter may
 * lie about a domain and are asked only with  filtering = true. The region is where the operator is at home; most answer from near by. */
#include "core/plan_read.h"

const struct plan_resolver plan_public_resolvers[] = {
    {"Google", "8.8.8.8", 53, false, "US", false},
    {"Cloudflare", "1.1.1.1", 53, false, "US", false},
    {"Quad9 unsecured", "9.9.9.10", 53, false, "CH", false},
    {"AdGuard unfiltered", "94.140.14.140", 53, false, "CY", false},
    {"Control D", "76.76.2.0", 53, false, "CA", false},
    {"DNS.SB", "185.222.222.222", 53, false, "DE", false},
    {"UltraDNS", "156.154.70.1", 53, false, "US", false},
    {"Verisign", "64.6.64.6", 53, false, "US", false},
    {"Hurricane Electric", "74.82.42.42", 53, false, "US", false},
    {"Level3", "4.2.2.1", 53, false, "US", false},
    {"Lumen", "205.171.3.66", 53, false, "US", false},
    {"CIRA private", "149.112.121.10", 53, false, "CA", false},
    {"DNS4EU unfiltered", "86.54.11.100", 53, false, "EU", false},
    {"CZ.NIC ODVR", "193.17.47.1", 53, false, "CZ", false},
    {"DNS4all", "194.0.5.3", 53, false, "EU", false},
    {"Gcore", "95.85.95.85", 53, false, "LU", false},
    {"Yandex basic", "77.88.8.8", 53, false, "RU", false},
    {"Quad101", "101.101.101.101", 53, false, "TW", false},
    {"HiNet", "168.95.1.1", 53, false, "TW", false},
    {"KT", "168.126.63.1", 53, false, "KR", false},
    {"Telstra", "139.130.4.4", 53, false, "AU", false},
    {"UOL", "200.221.11.100", 53, false, "BR", false},
    {"Quad9 secure", "9.9.9.9", 53, false, "CH", true},
    {"OpenDNS", "208.67.222.222", 53, false, "US", true},
    {"CleanBrowsing security", "185.228.168.9", 53, false, "US", true},
    {"Comodo", "8.26.56.26", 53, false, "US", true},
    {"SafeDNS", "195.46.39.39", 53, false, "EU", true},
    {"Comss.one", "83.220.169.155", 53, false, "RU", true},
    {"AliDNS", "223.5.5.5", 53, false, "CN", true},
    {"DNSPod", "119.29.29.29", 53, false, "CN", true},
    {"114DNS", "114.114.114.114", 53, false, "CN", true},
    {"SafeSurfer", "104.197.28.121", 53, false, "NZ", true},
};
const int plan_npublic_resolvers = ARRAY_LEN(plan_public_resolvers);
