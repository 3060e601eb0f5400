/* seccomp [-o] COMMAND...: runs a command with a filter like the default profiles of Docker and podman for a container
   without added capabilities. With -o, also like Docker before 20.10: newer system calls return EPERM instead of ENOSYS.
   chroot(2) is allowed, because the tests need it. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#else
#define ARCH AUDIT_ARCH_AARCH64
#endif

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define FIELD(name) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, name))
#define ANSWER(errno) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (errno))

static const int denied[] = {
    SYS_acct, SYS_add_key, SYS_bpf, SYS_clock_adjtime, SYS_clock_settime, SYS_delete_module, SYS_fanotify_init, SYS_finit_module,
    SYS_fsconfig, SYS_fsmount, SYS_fsopen, SYS_fspick, SYS_get_mempolicy, SYS_init_module, SYS_io_uring_enter, SYS_io_uring_register,
    SYS_io_uring_setup, SYS_kcmp, SYS_kexec_file_load, SYS_kexec_load, SYS_keyctl, SYS_lookup_dcookie, SYS_mbind, SYS_mount,
    SYS_mount_setattr, SYS_move_mount, SYS_move_pages, SYS_nfsservctl, SYS_open_by_handle_at, SYS_open_tree, SYS_perf_event_open,
    SYS_pidfd_getfd, SYS_pivot_root, SYS_process_madvise, SYS_process_vm_readv, SYS_process_vm_writev, SYS_ptrace,
    SYS_quotactl, SYS_reboot, SYS_request_key, SYS_set_mempolicy, SYS_setdomainname, SYS_sethostname, SYS_setns, SYS_settimeofday,
    SYS_swapoff, SYS_swapon, SYS_syslog, SYS_umount2, SYS_unshare, SYS_userfaultfd, SYS_vhangup,
};
static const int unknown_to_old[] = {
    SYS_clone3, SYS_close_range, SYS_epoll_pwait2, SYS_faccessat2, SYS_openat2, SYS_pidfd_open, SYS_pidfd_send_signal, SYS_rseq,
};

static struct sock_filter program[256];
static unsigned short length;

static void add(struct sock_filter op) { program[length++] = op; }

static void deny(const int *calls, size_t bytes)
{
    for (size_t i = 0; i < bytes / sizeof *calls; i++) {
        add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1));
        add((struct sock_filter)ANSWER(EPERM));
    }
}

int main(int argc, char **argv)
{
    int old = argc > 1 && strcmp(argv[1], "-o") == 0;
    if (argc < 2 + old)
        return fputs("usage: seccomp [-o] COMMAND...\n", stderr), 2;

    add((struct sock_filter)FIELD(arch));
    add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
    add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    add((struct sock_filter)FIELD(nr));
    deny(denied, sizeof denied);
    if (old)
        deny(unknown_to_old, sizeof unknown_to_old);
    /* A filter cannot read the flags of clone3: ENOSYS makes libc fall back to clone. */
    add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1));
    add((struct sock_filter)ANSWER(ENOSYS));
    add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3));
    add((struct sock_filter)FIELD(args[0]));
    add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1));
    add((struct sock_filter)ANSWER(EPERM));
    add((struct sock_filter)FIELD(nr));
    add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3));
    add((struct sock_filter)FIELD(args[0]));
    add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_VSOCK, 0, 1));
    add((struct sock_filter)ANSWER(EPERM));
    add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));

    struct sock_fprog filter = { length, program };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        return perror("seccomp"), 1;
    execvp(argv[1 + old], argv + 1 + old);
    return perror(argv[1 + old]), 1;
}
