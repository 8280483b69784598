/* Instructions instead of nanoseconds: the same on every run, so that a change shows even on a busy machine. */
#include <stdio.h>

#include "measure.h"

/* What the tool counts: from the call of this function to its return, and nothing else. */
__attribute__((noinline)) void counted_operations(void (*op)(size_t n), size_t n);
void counted_operations(void (*op)(size_t n), size_t n)
{
    op(n);
    CLOBBER();
}

static void count(const struct subject *subject, size_t n)
{
    subject->op(n); /* everything it needs is there now */
    if (subject->rest) subject->rest();
    for (size_t times = 1; times <= 2; times++) {
        counted_operations(subject->op, times * n);
        if (subject->rest) subject->rest();
        printf("%zu\t%s\t%s\n", times * n, subject->rows[0].name, subject->rows[0].floor ? subject->rows[0].floor : "");
    }
}

void count_instructions(size_t n)
{
    for (size_t i = 0; i < room_count; i++) {
        if (rooms[i]->begin) rooms[i]->begin();
        for (const struct subject *subject = rooms[i]->subjects; subject->rows[0].name; subject++)
            if (subject->counted) count(subject, n);
    }
    measure_end();
}
