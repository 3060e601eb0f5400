/* At every start the runtime reads the memory and CPU limits of its control group: it reads /proc/self/mountinfo twice, and
   memory.stat, which the kernel first has to sum up. That is a fifth of this program's start-up time (docs/performance.md).
   Its heap of a few MiB stays below any limit under which it could start at all. The functions below override the runtime's
   and return what those return if no control groups are mounted, as in an initramfs. A limit set by ulimit -v still applies.
   Under a CPU quota the runtime counts all CPUs of the affinity mask instead of the quota's share; the quota still applies.
   If a new runtime changes the set of functions, the link fails because of duplicates, or silently uses the runtime's
   functions, which scripts/build-musl.sh detects in the binary. */

/* dotnet/runtime, src/coreclr/gc/unix/cgroup.h */
void InitializeCGroup() {}
void CleanupCGroup() {}
unsigned long GetRestrictedPhysicalMemoryLimit() { return 0; /* unknown */ }
bool GetPhysicalMemoryUsed(unsigned long *) { return false; }

/* dotnet/runtime, src/coreclr/nativeaot/Runtime/unix/cgroupcpu.h */
void InitializeCpuCGroup() {}
bool GetCpuLimit(unsigned *) { return false; }
