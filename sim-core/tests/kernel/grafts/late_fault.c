/* The same graft as late_flipper.c, except that it faults before it changes anything. */
#define FAULTS_FIRST
#include "late_flipper.c"
