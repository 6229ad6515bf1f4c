/* ask: asks one resolver for one name and prints address and TTL. For readiness in `up`, and for tests.
 *   ask 127.0.1.1:20053 www.shop.test [TRIES MS]     3 tries of 700 ms unless told */
#include "tests/lab/ask.h"

int main(int argc, char **argv)
{
    struct sockaddr_in to;
    struct ask_answer answer = {0};
    int tries = argc == 5 ? atoi(argv[3]) : 3, ms = argc == 5 ? atoi(argv[4]) : 700;
    if ((argc != 3 && argc != 5) || tries < 1 || ms < 1 || !ask_target(argv[1], &to)) {
        fprintf(stderr, "usage: ask ADDRESS:PORT NAME [TRIES MS]\n");
        return 2;
    }
    if (!ask(&to, argv[2], tries, ms, &answer)) {
        fprintf(stderr, "%s gave no address for %s.\n", argv[1], argv[2]);
        return 1;
    }
    printf("%s %u\n", answer.address, answer.ttl);
    return 0;
}
