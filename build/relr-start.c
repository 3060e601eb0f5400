/*
 * The entry point: applies the packed relative relocations (DT_RELR of ELF's gABI) before musl's own entry point applies the
 * others. musl supports them since 1.2.4, but Debian 12 has 1.2.3. Packed, they take 4 KB of the file, otherwise 340 KB.
 * Nothing here may need relocations, threads or the stack protector, because none of them is set up yet.
 */
#include <elf.h>

#ifndef DT_RELR /* musl 1.2.3 does not define them */
#define DT_RELRSZ 35
#define DT_RELR 36
#endif

extern char __ehdr_start[] __attribute__((visibility("hidden")));
extern const Elf64_Dyn _DYNAMIC[] __attribute__((visibility("hidden")));

#define MADV_POPULATE_WRITE 23

static void populate_range(Elf64_Addr start, Elf64_Xword length)
{
#if defined(__x86_64__)
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(28), "D"(start), "S"(length), "d"(MADV_POPULATE_WRITE) : "rcx", "r11", "memory");
#else
    register Elf64_Addr x0 __asm__("x0") = start;
    register Elf64_Xword x1 __asm__("x1") = length;
    register long x2 __asm__("x2") = MADV_POPULATE_WRITE, x8 __asm__("x8") = 233;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x8) : "memory");
#endif
}

/*
 * Nearly every page of the data is about to be written: one madvise(2) costs less than a hundred page faults. Kernels before 5.14
 * refuse it, and so do those with larger pages; then the pages are faulted in one by one.
 */
static void populate(char *base)
{
    const Elf64_Phdr *segment = (const Elf64_Phdr *)(base + ((const Elf64_Ehdr *)base)->e_phoff);
    for (int left = ((const Elf64_Ehdr *)base)->e_phnum; left > 0; left--, segment++)
        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_W)) {
            Elf64_Addr start = (Elf64_Addr)base + (segment->p_vaddr & ~4095UL);
            populate_range(start, (Elf64_Addr)base + segment->p_vaddr + segment->p_filesz - start);
        }
}

__attribute__((visibility("hidden"), used)) void apply_relr(void)
{
    char *base = __ehdr_start;
    populate(base);

    const Elf64_Xword *entry = 0;
    Elf64_Xword size = 0;
    for (const Elf64_Dyn *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
        if (d->d_tag == DT_RELR)
            entry = (const Elf64_Xword *)(base + d->d_un.d_ptr);
        else if (d->d_tag == DT_RELRSZ)
            size = d->d_un.d_val;
    }

    /* An even entry is an address. An odd entry has one bit for each of the 63 words that follow. */
    Elf64_Addr *where = 0;
    for (const Elf64_Xword *end = (const Elf64_Xword *)((const char *)entry + size); entry < end; entry++) {
        if ((*entry & 1) == 0) {
            where = (Elf64_Addr *)(base + *entry);
            *where++ += (Elf64_Addr)base;
        } else {
            for (Elf64_Xword bits = *entry >> 1; bits != 0; bits &= bits - 1)
                where[__builtin_ctzll(bits)] += (Elf64_Addr)base;
            where += 63;
        }
    }
}

#if defined(__x86_64__)
__asm__(".text\n.globl start_with_relr\n.hidden start_with_relr\nstart_with_relr:\n call apply_relr\n jmp _start\n");
#else
__asm__(".text\n.globl start_with_relr\n.hidden start_with_relr\nstart_with_relr:\n bl apply_relr\n b _start\n");
#endif
