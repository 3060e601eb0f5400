/*
 * The floor under tcp-closer: what listing and destroying connections costs when a program does nothing but the system calls, in
 * the same order and the same batches. It checks only what keeps a figure from being wrong. scripts/bench.sh runs it.
 *
 *     floor list PORT     one dump of the connections from a local port, with tcp_info
 *     floor kill PORT     the same, every connection held, then SOCK_DESTROY of them in batches of BATCH
 *     floor start         nothing
 */
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 256
#define CHUNK 2048
#define ESTABLISHED (1 << 1) /* linux/tcp_states.h hides it from programs */

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

/* Connections in chunks: growing never copies. */
static struct inet_diag_sockid **chunks;
static unsigned char **families;
static size_t count;

static void keep(const struct inet_diag_msg *m)
{
    if (count % CHUNK == 0) {
        size_t chunk = count / CHUNK;
        chunks = realloc(chunks, (chunk + 1) * sizeof *chunks);
        families = realloc(families, (chunk + 1) * sizeof *families);
        chunks[chunk] = malloc(CHUNK * sizeof **chunks);
        families[chunk] = malloc(CHUNK);
    }
    chunks[count / CHUNK][count % CHUNK] = m->id;
    families[count / CHUNK][count % CHUNK] = m->idiag_family;
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

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "start"))
        return 0;
    if (argc != 3 || (strcmp(argv[1], "list") && strcmp(argv[1], "kill"))) {
        fprintf(stderr, "usage: floor start | list PORT | kill PORT\n");
        return 2;
    }
    int kills = !strcmp(argv[1], "kill");
    size_t sockets = dump(atoi(argv[2]), kills);
    if (kills)
        destroy();
    printf("%zu\n", sockets);
    return 0;
}
