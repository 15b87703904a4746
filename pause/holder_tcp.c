// TCP: each connection is two sockets and a pipe for each direction; bytes are spliced and never
// seen. Events are edge-triggered: after each, both directions are pumped until they would block.
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "holder.h"
#include "system.h"

#define CHUNK (64 << 10)
#define TURNS 32
#define CONNECT_TRIES 3

// One direction: from sockets[d] to sockets[1 - d].
struct direction {
  int pipe[2];
  size_t buffered;
  bool open;  // the pipe is there
  bool ended;
  bool shut;
};

struct connection {
  bool used;
  bool connected;
  bool busy;
  int sockets[2];  // client, target
  struct direction directions[2];
};

static struct connection connections[MAX_CONNECTIONS];
static int used;
static bool paused;

static void watch_listeners(struct holder *holder, bool watch) {
  for (int i = 0; i < holder->count; i++) {
    if (holder->listeners[i].tcp) {
      struct epoll_event event = {.events = watch ? EPOLLIN : 0,
                                  .data.u64 = event_data(SOURCE_LISTENER, (uint32_t)i)};
      epoll_ctl(holder->epoll, EPOLL_CTL_MOD, holder->listeners[i].fd, &event);
    }
  }
  paused = !watch;
}

static void close_connection(struct holder *holder, struct connection *connection, bool reset) {
  if (reset) {
    const struct linger at_once = {.l_onoff = 1};
    setsockopt(connection->sockets[0], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    setsockopt(connection->sockets[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  for (int i = 0; i < 2; i++) {
    close(connection->sockets[i]);
    if (connection->directions[i].open) {
      close(connection->directions[i].pipe[0]);
      close(connection->directions[i].pipe[1]);
    }
  }
  connection->used = false;
  used--;
  if (paused) {
    watch_listeners(holder, true);
  }
}

enum pumped { BLOCKED, MORE, BROKEN };

static enum pumped pump(struct direction *direction, int from, int to) {
  if (!direction->open) {
    if (pipe2(direction->pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
      return BROKEN;
    }
    direction->open = true;
  }
  for (int turn = 0; turn < TURNS; turn++) {
    ssize_t count;
    if (direction->buffered > 0) {
      count = splice(direction->pipe[0], NULL, to, NULL, direction->buffered,
                     SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      if (count > 0) {
        direction->buffered -= (size_t)count;
      }
    } else if (direction->ended) {
      if (!direction->shut) {
        shutdown(to, SHUT_WR);
        direction->shut = true;
      }
      return BLOCKED;
    } else {
      count = splice(from, NULL, direction->pipe[1], NULL, CHUNK,
                     SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      if (count > 0) {
        direction->buffered = (size_t)count;
      } else if (count == 0) {
        direction->ended = true;
        continue;
      }
    }
    if (count < 0 && errno != EINTR) {
      return errno == EAGAIN ? BLOCKED : BROKEN;
    }
  }
  return MORE;
}

static void run(struct holder *holder, struct connection *connection) {
  connection->busy = false;
  for (int i = 0; i < 2; i++) {
    switch (pump(&connection->directions[i], connection->sockets[i], connection->sockets[1 - i])) {
      case BROKEN:
        close_connection(holder, connection, true);
        return;
      case MORE:
        connection->busy = true;
        break;
      case BLOCKED:
        break;
    }
  }
  if (connection->directions[0].shut && connection->directions[1].shut) {
    close_connection(holder, connection, false);
  }
}

void tcp_event(struct holder *holder, enum source source, uint32_t index, uint32_t events) {
  struct connection *connection = &connections[index];
  if (!connection->used) {
    return;
  }
  if (!connection->connected) {
    if (source != SOURCE_TARGET) {
      return;
    }
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(connection->sockets[1], SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0 || (events & EPOLLOUT) == 0) {
      close_connection(holder, connection, true);
      return;
    }
    connection->connected = true;
  }
  run(holder, connection);
}

bool tcp_continue(struct holder *holder) {
  bool busy = false;
  for (int i = 0; used > 0 && i < MAX_CONNECTIONS; i++) {
    if (connections[i].used && connections[i].busy) {
      run(holder, &connections[i]);
      busy |= connections[i].used && connections[i].busy;
    }
  }
  return busy;
}

// A socket on its way to the target, or -errno.
static int connect_target(const struct listener *listener) {
  cleanup_fd fd = result(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd < 0) {
    return fd;
  }
  const int tries = CONNECT_TRIES;
  setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &tries, sizeof tries);
  const struct sockaddr_in *target = &listener->target;
  if (connect(fd, (const struct sockaddr *)target, sizeof *target) != 0 && errno != EINPROGRESS) {
    return -errno;
  }
  return take_fd(&fd);
}

static bool watch(struct holder *holder, int fd, enum source source, uint32_t index) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                              .data.u64 = event_data(source, index)};
  return epoll_ctl(holder->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

void tcp_accept(struct holder *holder, uint32_t index) {
  const struct listener *listener = &holder->listeners[index];
  for (int turn = 0; turn < TURNS; turn++) {
    if (used == MAX_CONNECTIONS) {
      watch_listeners(holder, false);
      return;
    }
    int client = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) {
      // Out of descriptors or memory: not before something of ours ends. With nothing of ours there
      // is nothing to wait for, and the listener stays watched.
      if ((errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) && used > 0) {
        watch_listeners(holder, false);
      }
      return;
    }
    int target = connect_target(listener);
    if (target < 0) {
      const struct linger at_once = {.l_onoff = 1};
      setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      close(client);
      continue;
    }
    uint32_t slot = 0;
    while (connections[slot].used) {
      slot++;
    }
    connections[slot] = (struct connection){.used = true, .sockets = {client, target}};
    used++;
    if (!watch(holder, client, SOURCE_CLIENT, slot) ||
        !watch(holder, target, SOURCE_TARGET, slot)) {
      close_connection(holder, &connections[slot], true);
    }
  }
}
