/* The two functions behind glibc's CPU_ALLOC and CPU_FREE, which musl's <sched.h> has as plain macros. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>

cpu_set_t *__sched_cpualloc(size_t count) { return malloc(CPU_ALLOC_SIZE(count)); }
void __sched_cpufree(cpu_set_t *set) { free(set); }
