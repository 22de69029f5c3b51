// What it costs to say the same KB to a thousand sockets: a send(2) for each, as the event loop does it, against one
// io_uring submission for all. CPU of the sending process only; whoever reads sits on another processor.
//
// Usage: send_cost SOCKETS TURNS ROUNDS SENDER-CPU READER-CPU
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { message_bytes = 1024, most_rounds = 64 };

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) fail("sched_setaffinity");
}

static double cpu_seconds(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

// Reads all that comes, and says so on `done` whenever a whole turn was read.
static void drain(int sockets, in_port_t port, int cpu, int done) {
  static char buffer[65536];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct epoll_event events[256];
  int poll = epoll_create1(0);
  pin(cpu);
  for (int index = 0; index < sockets; index++) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0) fail("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) fail("connect");
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
  }
  for (int64_t seen = 0;;) {
    int count = epoll_wait(poll, events, 256, -1);
    for (int index = 0; index < count; index++) {
      ssize_t got = read(events[index].data.fd, buffer, sizeof buffer);
      if (got == 0) exit(0);
      if (got > 0) seen += got;
    }
    for (; seen >= (int64_t)sockets * message_bytes; seen -= (int64_t)sockets * message_bytes) {
      if (write(done, "", 1) != 1) exit(0);
    }
  }
}

typedef enum { by_send, by_ring, by_fixed_files, by_zero_copy, ways } way;
static const char *const names[ways] = {
  "send(2) for each", "io_uring, one submission", "io_uring, registered sockets",
  "io_uring, registered sockets and buffer, SEND_ZC",
};

static void turn_by_send(const int *fds, int sockets, const char *message) {
  for (int index = 0; index < sockets; index++) {
    if (send(fds[index], message, message_bytes, MSG_NOSIGNAL | MSG_DONTWAIT) != message_bytes) fail("send");
  }
}

static void turn_by_ring(struct io_uring *ring, const int *fds, int sockets, const char *message, way how) {
  int left = sockets;
  for (int index = 0; index < sockets; index++) {
    struct io_uring_sqe *entry = io_uring_get_sqe(ring);
    if (entry == NULL) fail("io_uring_get_sqe");
    int target = how == by_ring ? fds[index] : index;
    if (how == by_zero_copy) {
      io_uring_prep_send_zc_fixed(entry, target, message, message_bytes, MSG_NOSIGNAL, 0, 0);
      left++; // and a notice when the buffer is free again
    } else {
      io_uring_prep_send(entry, target, message, message_bytes, MSG_NOSIGNAL);
    }
    if (how != by_ring) entry->flags |= IOSQE_FIXED_FILE;
  }
  int submitted = io_uring_submit_and_wait(ring, (unsigned)sockets);
  if (submitted < 0) { errno = -submitted; fail("io_uring_submit_and_wait"); }
  while (left > 0) {
    struct io_uring_cqe *answer;
    unsigned head, seen = 0;
    int status = io_uring_wait_cqe(ring, &answer);
    if (status != 0) { errno = -status; fail("io_uring_wait_cqe"); }
    io_uring_for_each_cqe(ring, head, answer) {
      bool is_notice = answer->flags & IORING_CQE_F_NOTIF;
      if (!is_notice && answer->res != message_bytes) { errno = -answer->res; fail("a send by io_uring"); }
      if (how == by_zero_copy && !is_notice && !(answer->flags & IORING_CQE_F_MORE)) left--;
      seen++;
      left--;
    }
    io_uring_cq_advance(ring, seen);
  }
}

static int compare(const void *one, const void *other) {
  double difference = *(const double *)one - *(const double *)other;
  return (difference > 0) - (difference < 0);
}

int main(int count, char **values) {
  if (count != 6) {
    fprintf(stderr, "Usage: send_cost SOCKETS TURNS ROUNDS SENDER-CPU READER-CPU\n");
    return 64;
  }
  int sockets = atoi(values[1]), turns = atoi(values[2]), rounds = atoi(values[3]);
  if (sockets < 1 || turns < 1 || rounds < 1 || rounds > most_rounds) return 64;
  int listener = socket(AF_INET, SOCK_STREAM, 0), done[2];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 4096) != 0 ||
      getsockname(listener, (struct sockaddr *)&address, &size) != 0 || pipe(done) != 0) {
    fail("listen");
  }
  pid_t reader = fork();
  if (reader < 0) fail("fork");
  if (reader == 0) {
    close(done[0]);
    close(listener);
    drain(sockets, address.sin_port, atoi(values[5]), done[1]);
  }
  close(done[1]);
  pin(atoi(values[4]));
  int *fds = calloc((size_t)sockets, sizeof *fds);
  for (int index = 0; index < sockets; index++) {
    int one = 1;
    fds[index] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fds[index] < 0) fail("accept4");
    setsockopt(fds[index], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }

  static char message[message_bytes] __attribute__((aligned(4096)));
  memset(message, 'x', sizeof message);
  struct io_uring ring;
  struct io_uring_params parameters = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                                IORING_SETUP_CQSIZE,
                                       .cq_entries = (unsigned)sockets * 4 + 64};
  int status = io_uring_queue_init_params((unsigned)sockets + 16, &ring, &parameters);
  if (status != 0) { errno = -status; fail("io_uring_queue_init_params"); }
  struct iovec buffer = {.iov_base = message, .iov_len = message_bytes};
  if ((status = io_uring_register_files(&ring, fds, (unsigned)sockets)) != 0 ||
      (status = io_uring_register_buffers(&ring, &buffer, 1)) != 0) {
    errno = -status;
    fail("io_uring_register");
  }

  static double costs[ways][most_rounds];
  for (int round = -1; round < rounds; round++) { // the first one warms up
    for (way how = by_send; how < ways; how++) {
      double before = cpu_seconds();
      for (int turn = 0; turn < turns; turn++) {
        char byte;
        if (how == by_send) {
          turn_by_send(fds, sockets, message);
        } else {
          turn_by_ring(&ring, fds, sockets, message, how);
        }
        if (read(done[0], &byte, 1) != 1) fail("the reader is gone");
      }
      if (round >= 0) costs[how][round] = (cpu_seconds() - before) * 1e6 / ((double)turns * sockets);
    }
  }
  printf("%d sockets, %d bytes, %d turns, %d alternating rounds; us of CPU a send\n", sockets, message_bytes, turns, rounds);
  double base = 0;
  for (way how = by_send; how < ways; how++) {
    qsort(costs[how], (size_t)rounds, sizeof(double), compare);
    double median = costs[how][rounds / 2];
    if (how == by_send) base = median;
    printf("%-50s %6.3f (%.3f...%.3f)  ratio %.3f\n", names[how], median, costs[how][0], costs[how][rounds - 1], median / base);
  }
  // The ring holds its registered sockets for a while yet: the reader would not see their end.
  kill(reader, SIGKILL);
  waitpid(reader, NULL, 0);
  return 0;
}
