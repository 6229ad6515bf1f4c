/* spftell: `cutover spf`, which evaluates SPF once and explains the verdict. */
#ifndef CORE_SPFTELL_H
#define CORE_SPFTELL_H

/* argv[0] is "spf". Returns 0 pass, 1 any other verdict, 2 it could not be evaluated (temperror), 64 wrong usage. */
int spftell_main(int argc, char **argv);

#endif
