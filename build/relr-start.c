/*
 * Where the program begins: it applies the packed relative relocations (DT_RELR, of ELF's gABI) before musl's own start applies the
 * others. musl knows them from 1.2.4 on, Debian 12 has 1.2.3; packed they take 4 KB of the file, and otherwise 340.
 * Nothing here may need a relocation, a thread or the stack protector: none of them is there yet.
 */
#include <elf.h>

#ifndef DT_RELR /* musl 1.2.3 does not name them either */
#define DT_RELRSZ 35
#define DT_RELR 36
#endif

extern char __ehdr_start[] __attribute__((visibility("hidden")));
extern const Elf64_Dyn _DYNAMIC[] __attribute__((visibility("hidden")));

__attribute__((visibility("hidden"), used)) void apply_relr(void)
{
    char *base = __ehdr_start;
    const Elf64_Xword *entry = 0;
    Elf64_Xword size = 0;
    for (const Elf64_Dyn *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
        if (d->d_tag == DT_RELR)
            entry = (const Elf64_Xword *)(base + d->d_un.d_ptr);
        else if (d->d_tag == DT_RELRSZ)
            size = d->d_un.d_val;
    }

    /* An even entry is an address; an odd one has a bit for each of the 63 words behind the last. */
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
