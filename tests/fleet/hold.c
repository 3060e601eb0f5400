/* hold serve PORT: accepts connections, reads from them, and prints what happens to them.
   hold connect ADDRESS PORT: opens a connection, sends a word, and prints what happens to it. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

int main(int count, char **words)
{
    struct pollfd files[64];
    int used = 0, listener = -1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct sockaddr_in address = { .sin_family = AF_INET };
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (count == 3 && !strcmp(words[1], "serve")) {
        address.sin_port = htons(atoi(words[2]));
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(fd, (void *)&address, sizeof address) || listen(fd, 64))
            fail("listen");
        listener = fd;
        puts("listening");
    } else if (count == 4 && !strcmp(words[1], "connect")) {
        address.sin_port = htons(atoi(words[3]));
        inet_pton(AF_INET, words[2], &address.sin_addr);
        if (connect(fd, (void *)&address, sizeof address) || write(fd, "hello", 5) != 5)
            fail("connect");
        puts("connected");
    } else {
        return 2;
    }
    files[used++] = (struct pollfd){ fd, POLLIN, 0 };
    for (;;) {
        poll(files, used, -1);
        for (int i = 0; i < used; i++) {
            char data[64];
            if (!files[i].revents)
                continue;
            if (files[i].fd == listener) {
                if (used < 64 && (fd = accept(listener, NULL, NULL)) >= 0) {
                    files[used++] = (struct pollfd){ fd, POLLIN, 0 };
                    puts("accepted");
                }
            } else {
                ssize_t length = read(files[i].fd, data, sizeof data);
                if (length <= 0) {
                    printf("ended %s\n", length ? strerror(errno) : "EOF");
                    close(files[i].fd);
                    files[i--] = files[--used];
                }
            }
        }
    }
}
