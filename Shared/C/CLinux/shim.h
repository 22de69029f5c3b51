/* Linux calls that Swift's Glibc module does not show, and variadic ones it can not call. */
#ifndef ARAGORA_CLINUX_H
#define ARAGORA_CLINUX_H
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

/* Sets O_NONBLOCK and FD_CLOEXEC; 0 on success, -1 with errno otherwise. */
static inline int clinux_set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL, 0);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return -1;
    return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* epoll_ctl with a plain 64-bit tag (descriptor and generation), so that Swift does not touch the data union. */
static inline int clinux_epoll_ctl(int epfd, int op, int fd, unsigned int events, unsigned long long tag) {
    struct epoll_event event;
    event.events = events;
    event.data.u64 = tag;
    return epoll_ctl(epfd, op, fd, &event);
}
static inline unsigned long long clinux_event_tag(const struct epoll_event *event) { return event->data.u64; }
static inline unsigned int clinux_event_mask(const struct epoll_event *event) { return event->events; }

enum {
    CLINUX_IN = EPOLLIN, CLINUX_OUT = EPOLLOUT, CLINUX_ERR = EPOLLERR, CLINUX_HUP = EPOLLHUP, CLINUX_RDHUP = EPOLLRDHUP,
    CLINUX_ADD = EPOLL_CTL_ADD, CLINUX_MOD = EPOLL_CTL_MOD, CLINUX_DEL = EPOLL_CTL_DEL
};
static inline int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }
static inline int clinux_pipe(int ends[2]) {
    if (pipe(ends) < 0) return -1;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    return fcntl(ends[1], F_SETFD, FD_CLOEXEC);
}
/* Names the calling thread; at most 15 characters are kept. */
static inline void clinux_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
/* Bytes that have come and were not read; 0 when nobody can say. */
static inline int clinux_unread_bytes(int fd) {
    int count = 0;
    return ioctl(fd, FIONREAD, &count) == 0 ? count : 0;
}
static inline int clinux_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
#endif
