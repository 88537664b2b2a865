/* Start: which command was asked for. */
#include <stdio.h>

int
main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)fputs("trackerfs: nothing is built yet\n", stderr);
    return 1;
}
