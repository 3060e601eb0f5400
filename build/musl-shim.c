/* What glibc has and the objects want, and musl has not. What is not wanted is dropped by the linker. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>

/* Behind glibc's CPU_ALLOC and CPU_FREE, which in musl's <sched.h> are plain macros. */
cpu_set_t *__sched_cpualloc(size_t count) { return malloc(CPU_ALLOC_SIZE(count)); }
void __sched_cpufree(cpu_set_t *set) { free(set); }
