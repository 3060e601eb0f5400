/* Functions of glibc that the object files need and musl lacks. The linker drops those that are not used. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>

/* glibc's CPU_ALLOC and CPU_FREE call these. In musl's <sched.h> the two are plain macros. */
cpu_set_t *__sched_cpualloc(size_t count) { return malloc(CPU_ALLOC_SIZE(count)); }
void __sched_cpufree(cpu_set_t *set) { free(set); }
