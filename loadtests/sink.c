/* A server that is no bottleneck: one thread, epoll, HTTP/1.1 on 127.0.0.1, the same answer to all.
 * `loadtests.bench` builds and starts it: cc -O2 -o sink sink.c && ./sink
 * Prints its port. Requests need a Content-Length or no body, and fit into 64 KiB.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_FILES 65536
#define ROOM 65536
static const char REPLY[] =
    "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 43\r\n\r\n"
    "{\"accepted\":1,\"duplicates\":0,\"rejected\":[]}";

struct talk { int len; char said[ROOM + 1]; };
static struct talk *talks[MOST_FILES];

static void hang_up(int fd) {
    free(talks[fd]);
    talks[fd] = NULL;
    close(fd);
}

/* Length of the first whole request in what was said, 0 if there is none yet. */
static int whole(struct talk *t) {
    t->said[t->len] = 0;
    char *end = memmem(t->said, t->len, "\r\n\r\n", 4);
    if (!end) return 0;
    char *size = strcasestr(t->said, "\r\ncontent-length:");
    int all = (int)(end - t->said) + 4 + (size && size < end ? atoi(size + 17) : 0);
    return all <= t->len ? all : 0;
}

static void hear(int fd) {
    struct talk *t = talks[fd];
    for (;;) {
        ssize_t n = read(fd, t->said + t->len, ROOM - t->len);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) { hang_up(fd); return; }
        t->len += (int)n;
        for (int size; (size = whole(t)) > 0;) {
            memmove(t->said, t->said + size, t->len - size);
            t->len -= size;
            if (write(fd, REPLY, sizeof REPLY - 1) < 0) { hang_up(fd); return; }
        }
    }
}

int main(void) {
    int one = 1, door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    signal(SIGPIPE, SIG_IGN);
    if (bind(door, (void *)&here, sizeof here) || listen(door, 4096) || getsockname(door, (void *)&here, &size)) {
        perror("sink");
        return 1;
    }
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);
    int ep = epoll_create1(0);
    struct epoll_event on = {.events = EPOLLIN, .data.fd = door}, seen[512];
    epoll_ctl(ep, EPOLL_CTL_ADD, door, &on);
    for (;;) {
        int n = epoll_wait(ep, seen, 512, -1);
        for (int i = 0; i < n; i++) {
            int fd = seen[i].data.fd;
            if (fd != door) {
                if (talks[fd]) hear(fd);
                continue;
            }
            for (int c; (c = accept4(door, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
                if (c >= MOST_FILES || !(talks[c] = malloc(sizeof(struct talk)))) { close(c); continue; }
                talks[c]->len = 0;
                setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                on = (struct epoll_event){.events = EPOLLIN, .data.fd = c};
                epoll_ctl(ep, EPOLL_CTL_ADD, c, &on);
            }
        }
    }
}
