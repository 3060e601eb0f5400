/* At every start the runtime asks which memory and CPU limits its control group sets: two tours of /proc/self/mountinfo,
   and memory.stat, which the kernel has to add up first. That is a fifth of the start of this program (docs/performance.md),
   whose heap of a few MiB meets no limit that it could start under. These stand before the runtime's own of the same names
   and answer as those do where no control groups are mounted, in an initramfs for example. A limit by ulimit -v still counts.
   Under a quota of CPU time the program starts as many threads as it may run on CPUs; the quota holds them back all the same.
   If a new runtime has other names beside them, the link fails by the doubled ones, or just takes the runtime's own,
   which scripts/build-musl.sh finds in the binary. */

/* dotnet/runtime, src/coreclr/gc/unix/cgroup.h */
void InitializeCGroup() {}
void CleanupCGroup() {}
unsigned long GetRestrictedPhysicalMemoryLimit() { return 0; /* none is known */ }
bool GetPhysicalMemoryUsed(unsigned long *) { return false; }

/* dotnet/runtime, src/coreclr/nativeaot/Runtime/unix/cgroupcpu.h */
void InitializeCpuCGroup() {}
bool GetCpuLimit(unsigned *) { return false; }
