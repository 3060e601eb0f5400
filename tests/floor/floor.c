/*
 * A lower bound for the cost of tcp-closer: a program that makes only the necessary system calls, in the same order and in the same
 * batches. It checks only what could falsify a measurement. scripts/bench.sh runs it.
 *
 *     floor list PORT         one dump of the connections from a local port, with tcp_info
 *     floor kill PORT         the same, every connection held, then SOCK_DESTROY of them in batches of BATCH
 *     floor disconnect PORT   the same dump, then reads /proc until each socket is found, fetched, disconnected and shut down
 *     floor probe PORT        the same search, then probes each peer through its socket every INTERVAL ms until all have answered or
 *                             TIME ms are over; prints the number of silent peers
 *     floor use_proc PORT     the same dump, then reads all of /proc, sends SIGKILL to each holder, and waits for the end of the last
 *     floor start             nothing
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BATCH 256
#define CHUNK 2048
#define TIME 3000
#define INTERVAL 600
#define ANSWER 10 /* when answers are first checked, in ms after the last probe */
#define ESTABLISHED (1 << 1) /* the headers do not export TCPF_ESTABLISHED */

static char answer[64 * 1024];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int open_netlink(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0)
        die("socket");
    return fd;
}

/* Connections are stored in chunks, so that growing never copies. */
static struct inet_diag_sockid **chunks;
static unsigned char **families;
static unsigned **inodes;
static size_t count;

static void keep(const struct inet_diag_msg *m)
{
    if (count % CHUNK == 0) {
        size_t chunk = count / CHUNK;
        chunks = realloc(chunks, (chunk + 1) * sizeof *chunks);
        families = realloc(families, (chunk + 1) * sizeof *families);
        inodes = realloc(inodes, (chunk + 1) * sizeof *inodes);
        chunks[chunk] = malloc(CHUNK * sizeof **chunks);
        families[chunk] = malloc(CHUNK);
        inodes[chunk] = malloc(CHUNK * sizeof **inodes);
    }
    chunks[count / CHUNK][count % CHUNK] = m->id;
    families[count / CHUNK][count % CHUNK] = m->idiag_family;
    inodes[count / CHUNK][count % CHUNK] = m->idiag_inode;
    count++;
}

/* The age is read as tcp-closer reads it, so that the bytes of tcp_info are touched. */
static unsigned last_data_recv(const struct inet_diag_msg *m, size_t length)
{
    const char *at = (const char *)(m + 1), *end = (const char *)m + length;
    while (at + sizeof(struct nlattr) <= end) {
        const struct nlattr *a = (const struct nlattr *)at;
        if (a->nla_type == INET_DIAG_INFO) {
            unsigned age;
            memcpy(&age, at + sizeof *a + 52, sizeof age); /* tcpi_last_data_recv */
            return age;
        }
        at += NLA_ALIGN(a->nla_len);
    }
    return 0;
}

static size_t dump(unsigned short port, int keeping)
{
    struct {
        struct nlmsghdr h;
        struct inet_diag_req r;
    } request = {
        .h = { sizeof request, TCPDIAG_GETSOCK, NLM_F_REQUEST | NLM_F_DUMP, 1, 0 },
        .r = {
            .idiag_family = AF_INET,
            .idiag_ext = 1 << (INET_DIAG_INFO - 1),
            .idiag_states = ESTABLISHED,
            .id.idiag_sport = htons(port),
        },
    };
    int fd = open_netlink();
    size_t sockets = 0;
    unsigned long ages = 0;
    if (send(fd, &request, sizeof request, 0) < 0)
        die("send");
    for (;;) {
        ssize_t length = recv(fd, answer, sizeof answer, MSG_TRUNC);
        if (length < 0 || length > (ssize_t)sizeof answer)
            die("recv");
        for (struct nlmsghdr *h = (struct nlmsghdr *)answer; NLMSG_OK(h, length); h = NLMSG_NEXT(h, length)) {
            if (h->nlmsg_type == NLMSG_ERROR)
                die("dump");
            if (h->nlmsg_type == NLMSG_DONE) {
                close(fd);
                return sockets + (ages == ~0ul);
            }
            const struct inet_diag_msg *m = NLMSG_DATA(h);
            ages += last_data_recv(m, h->nlmsg_len - NLMSG_HDRLEN);
            sockets++;
            if (keeping)
                keep(m);
        }
    }
}

static void destroy(void)
{
    static struct {
        struct nlmsghdr h;
        struct inet_diag_req_v2 r;
    } batch[BATCH];
    int fd = open_netlink();
    for (size_t next = 0; next < count;) {
        size_t n = 0;
        for (; n < BATCH && next < count; n++, next++) {
            batch[n].h = (struct nlmsghdr){ sizeof batch[n], SOCK_DESTROY, NLM_F_REQUEST, next, 0 };
            batch[n].r = (struct inet_diag_req_v2){
                .sdiag_family = families[next / CHUNK][next % CHUNK],
                .sdiag_protocol = IPPROTO_TCP,
                .idiag_states = ~0u,
                .id = chunks[next / CHUNK][next % CHUNK],
            };
        }
        if (send(fd, batch, n * sizeof batch[0], 0) < 0)
            die("send");
        if (recv(fd, answer, sizeof answer, MSG_DONTWAIT) >= 0)
            die("refused");
    }
    close(fd);
}

/* The sockets to find in /proc, ordered by inode. */
static struct wanted {
    unsigned inode;
    size_t index;
    unsigned long long cookie;
    int process, number;  /* pidfd of the holder, and its descriptor */
    unsigned segments_in; /* before the first probe */
    int answered;
} *wanted;
static size_t left;

static int by_inode(const void *a, const void *b)
{
    unsigned x = ((const struct wanted *)a)->inode, y = ((const struct wanted *)b)->inode;
    return x < y ? -1 : x > y;
}

static void index_wanted(void)
{
    wanted = malloc(count * sizeof *wanted);
    for (size_t i = 0; i < count; i++) {
        const struct inet_diag_sockid *id = &chunks[i / CHUNK][i % CHUNK];
        wanted[i].inode = inodes[i / CHUNK][i % CHUNK];
        wanted[i].index = i;
        wanted[i].process = -1;
        wanted[i].cookie = (unsigned long long)id->idiag_cookie[1] << 32 | id->idiag_cookie[0];
    }
    qsort(wanted, count, sizeof *wanted, by_inode);
    left = count;
}

static struct wanted *find_wanted(unsigned inode)
{
    struct wanted key = { .inode = inode };
    return bsearch(&key, wanted, count, sizeof *wanted, by_inode);
}

/* Reads the numeric names in a directory of /proc. */
static size_t read_numbers(int directory, int **numbers)
{
    static char entries[32 * 1024];
    size_t n = 0, room = 0;
    *numbers = NULL;
    for (;;) {
        long length = syscall(SYS_getdents64, directory, entries, sizeof entries);
        if (length <= 0)
            return n;
        for (long at = 0; at < length;) {
            const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
            at += entry->d_reclen;
            if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
                continue;
            if (n == room)
                *numbers = realloc(*numbers, (room = room ? room * 2 : 64) * sizeof **numbers);
            (*numbers)[n++] = atoi(entry->d_name);
        }
    }
}

static void disconnect(int process, int number, const struct wanted *socket)
{
    unsigned long long cookie = 0;
    socklen_t length = sizeof cookie;
    struct sockaddr unspecified = { .sa_family = AF_UNSPEC };
    int fd = syscall(SYS_pidfd_getfd, process, number, 0);
    if (fd < 0)
        die("pidfd_getfd");
    if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) != 0 || cookie != socket->cookie)
        die("cookie");
    if (connect(fd, &unspecified, sizeof unspecified) != 0)
        die("connect");
    shutdown(fd, SHUT_RDWR);
    close(fd);
    left--;
}

static long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int option(int fd, int level, int name)
{
    int value = 0;
    socklen_t length = sizeof value;
    if (getsockopt(fd, level, name, &value, &length) != 0)
        die("getsockopt");
    return value;
}

static void probe(struct wanted *socket, int first)
{
    static struct tcp_info info;
    unsigned long long cookie = 0;
    socklen_t length = sizeof cookie, info_length = sizeof info;
    int off = 0, on = 1;
    int fd = syscall(SYS_pidfd_getfd, socket->process, socket->number, 0);
    if (fd < 0)
        die("pidfd_getfd");
    if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) != 0 || cookie != socket->cookie)
        die("cookie");
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &info_length) != 0)
        die("TCP_INFO");
    if (first)
        socket->segments_in = info.tcpi_segs_in;
    if (option(fd, IPPROTO_TCP, TCP_REPAIR))
        die("the socket is in repair mode");
    int reuse = option(fd, SOL_SOCKET, SO_REUSEADDR);
    if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof off) != 0)
        die("TCP_REPAIR");
    if (reuse && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        die("SO_REUSEADDR");
    close(fd);
}

/* Looks up one socket by its cookie. Returns whether its peer has answered since the first probe. */
static int has_answered(int fd, const struct wanted *socket)
{
    struct {
        struct nlmsghdr h;
        struct inet_diag_req_v2 r;
    } request = {
        .h = { sizeof request, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0 },
        .r = {
            .sdiag_family = families[socket->index / CHUNK][socket->index % CHUNK],
            .sdiag_protocol = IPPROTO_TCP,
            .idiag_ext = 1 << (INET_DIAG_INFO - 1),
            .idiag_states = ~0u,
            .id = chunks[socket->index / CHUNK][socket->index % CHUNK],
        },
    };
    if (send(fd, &request, sizeof request, 0) < 0)
        die("send");
    ssize_t length = recv(fd, answer, sizeof answer, MSG_TRUNC);
    const struct nlmsghdr *h = (const struct nlmsghdr *)answer;
    if (length < (ssize_t)sizeof *h || h->nlmsg_type == NLMSG_ERROR)
        die("look up");
    const char *at = (const char *)NLMSG_DATA(h) + sizeof(struct inet_diag_msg), *end = (const char *)h + h->nlmsg_len;
    for (const struct nlattr *a; at + sizeof *a <= end; at += NLA_ALIGN(a->nla_len)) {
        a = (const struct nlattr *)at;
        if (a->nla_type == INET_DIAG_INFO) {
            unsigned segments_in;
            memcpy(&segments_in, at + sizeof *a + 140, sizeof segments_in); /* tcpi_segs_in */
            return segments_in != socket->segments_in;
        }
    }
    return 0;
}

static size_t probe_all(void)
{
    int fd = open_netlink();
    long started = now();
    size_t silent = count;
    for (int round = 0; silent > 0; round++) {
        long due = started + (long)round * INTERVAL;
        int is_over = due > started + TIME - TIME / 10;
        due = is_over ? started + TIME : due;
        if (due > now())
            poll(NULL, 0, due - now());
        for (size_t i = 0; i < count && !is_over; i++)
            if (!wanted[i].answered)
                probe(&wanted[i], round == 0);
        if (round == 0)
            poll(NULL, 0, ANSWER);
        for (size_t i = 0; i < count; i++)
            if (!wanted[i].answered && has_answered(fd, &wanted[i])) {
                wanted[i].answered = 1;
                silent--;
            }
        if (is_over)
            break;
    }
    close(fd);
    return silent;
}

/* Reads each descriptor of a process. Returns whether it holds a wanted socket. */
static int search_process(int pid, int disconnecting, int probing)
{
    char path[32], link[32];
    int *numbers, process = -1, holds = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return 0;
    size_t n = read_numbers(directory, &numbers);
    for (size_t i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%d", numbers[i]);
        ssize_t length = readlinkat(directory, path, link, sizeof link - 1);
        if (length < 9 || memcmp(link, "socket:[", 8) != 0)
            continue;
        link[length] = 0;
        struct wanted *socket = find_wanted(strtoul(link + 8, NULL, 10));
        if (!socket)
            continue;
        holds = 1;
        if ((disconnecting || probing) && process < 0 && (process = syscall(SYS_pidfd_open, pid, 0)) < 0)
            die("pidfd_open");
        if (disconnecting)
            disconnect(process, numbers[i], socket);
        if (probing && socket->process < 0) {
            socket->process = process;
            socket->number = numbers[i];
            left--;
        }
    }
    free(numbers);
    if (process >= 0 && !probing)
        close(process);
    close(directory);
    return holds;
}

static size_t list_processes(int **pids)
{
    int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0)
        die("/proc");
    return read_numbers(proc, pids);
}

static void find_all(int disconnecting)
{
    int *pids;
    size_t n = list_processes(&pids);
    for (size_t i = 0; i < n && left > 0; i++)
        search_process(pids[i], disconnecting, !disconnecting);
    if (left > 0)
        die("some are left");
}

static void kill_holders(unsigned short port)
{
    int *pids;
    size_t n = list_processes(&pids), holders = 0;
    struct pollfd *ended = malloc(n * sizeof *ended);
    for (size_t i = 0; i < n; i++)
        if (search_process(pids[i], 0, 0))
            ended[holders++] = (struct pollfd){ .fd = syscall(SYS_pidfd_open, pids[i], 0), .events = POLLIN };
    for (size_t i = 0; i < holders; i++)
        if (syscall(SYS_pidfd_send_signal, ended[i].fd, SIGKILL, NULL, 0) != 0)
            die("kill");
    for (size_t i = 0; i < holders; i++)
        poll(&ended[i], 1, -1);
    if (dump(port, 0) > 0)
        die("some are left");
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    int kills = !strcmp(what, "kill"), disconnects = !strcmp(what, "disconnect");
    int probes = !strcmp(what, "probe"), signals = !strcmp(what, "use_proc");
    if (argc == 2 && !strcmp(what, "start"))
        return 0;
    if (argc != 3 || !(kills || disconnects || probes || signals || !strcmp(what, "list"))) {
        fprintf(stderr, "usage: floor start | list PORT | kill PORT | disconnect PORT | probe PORT | use_proc PORT\n");
        return 2;
    }
    unsigned short port = atoi(argv[2]);
    size_t sockets = dump(port, kills || disconnects || probes || signals);
    if (kills)
        destroy();
    if (disconnects || probes || signals)
        index_wanted();
    if (disconnects || probes)
        find_all(disconnects);
    if (probes)
        sockets = probe_all();
    if (signals)
        kill_holders(port);
    printf("%zu\n", sockets);
    return 0;
}
