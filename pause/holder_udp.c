// UDP: a session for each client of a listener, with a connected socket towards the target. The
// address that the client spoke to is what it is answered from.
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "holder.h"
#include "system.h"

#define TURNS 64
#define IDLE_SECONDS 60
#define LOOK_MILLISECONDS 5000

struct session {
  bool used;
  int fd;
  uint32_t listener;
  union address client;
  union {
    struct in_pktinfo v4;
    struct in6_pktinfo v6;
  } local;
  time_t last;
};

static struct session sessions[MAX_SESSIONS];
static int used;
// Touched as far as datagrams are long.
static char datagram[65536];

static time_t seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

static void close_session(struct session *session) {
  close(session->fd);
  session->used = false;
  used--;
}

static bool same_client(const union address *a, const union address *b) {
  if (a->any.sa_family != b->any.sa_family) {
    return false;
  }
  if (a->any.sa_family == AF_INET) {
    return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
  }
  return a->v6.sin6_port == b->v6.sin6_port && a->v6.sin6_scope_id == b->v6.sin6_scope_id &&
         memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0;
}

// The client's session, or a new one; where the table is full, the one that was silent for longest
// gives way. NULL if no socket can be had.
static struct session *session_of(struct holder *holder, uint32_t index,
                                  const union address *client) {
  struct session *place = NULL;
  for (int i = 0; i < MAX_SESSIONS; i++) {
    struct session *session = &sessions[i];
    if (session->used && session->listener == index && same_client(&session->client, client)) {
      return session;
    }
    if (place == NULL || (place->used && (!session->used || session->last < place->last))) {
      place = session;
    }
  }
  cleanup_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const struct sockaddr_in *target = &holder->listeners[index].target;
  struct epoll_event event = {
      .events = EPOLLIN, .data.u64 = event_data(SOURCE_SESSION, (uint32_t)(place - sessions))};
  if (fd < 0 || connect(fd, (const struct sockaddr *)target, sizeof *target) != 0 ||
      epoll_ctl(holder->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
    return NULL;
  }
  if (place->used) {
    close_session(place);
  }
  *place =
      (struct session){.used = true, .fd = take_fd(&fd), .listener = index, .client = *client};
  used++;
  return place;
}

static void remember_local(struct session *session, struct msghdr *message) {
  for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
       header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
      memcpy(&session->local.v4, CMSG_DATA(header), sizeof session->local.v4);
      session->local.v4.ipi_ifindex = 0;
    } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
      memcpy(&session->local.v6, CMSG_DATA(header), sizeof session->local.v6);
      if (!IN6_IS_ADDR_LINKLOCAL(&session->local.v6.ipi6_addr)) {
        session->local.v6.ipi6_ifindex = 0;
      }
    }
  }
}

union local_control {
  struct cmsghdr header;
  char v4[CMSG_SPACE(sizeof(struct in_pktinfo))];
  char v6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

void udp_receive(struct holder *holder, uint32_t index) {
  for (int turn = 0; turn < TURNS; turn++) {
    union address client = {0};
    union local_control control;
    struct iovec part = {.iov_base = datagram, .iov_len = sizeof datagram};
    struct msghdr message = {.msg_name = &client,
                             .msg_namelen = sizeof client,
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t length = recvmsg(holder->listeners[index].fd, &message, 0);
    if (length < 0) {
      if (errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS) {
        return;
      }
      continue;  // an ICMP error of an earlier reply
    }
    struct session *session = session_of(holder, index, &client);
    if (session != NULL) {
      remember_local(session, &message);
      session->last = seconds();
      // A target that is not there loses datagrams, as UDP does.
      send(session->fd, datagram, (size_t)length, MSG_NOSIGNAL);
    }
  }
}

static void send_back(const struct holder *holder, const struct session *session, size_t length) {
  const struct listener *listener = &holder->listeners[session->listener];
  union local_control control = {0};
  struct iovec part = {.iov_base = datagram, .iov_len = length};
  union address client = session->client;
  struct msghdr message = {
      .msg_name = &client, .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control};
  if (listener->family == AF_INET) {
    message.msg_namelen = sizeof client.v4;
    message.msg_controllen = sizeof control.v4;
    control.header.cmsg_len = CMSG_LEN(sizeof session->local.v4);
    control.header.cmsg_level = IPPROTO_IP;
    control.header.cmsg_type = IP_PKTINFO;
    memcpy(CMSG_DATA(&control.header), &session->local.v4, sizeof session->local.v4);
  } else {
    message.msg_namelen = sizeof client.v6;
    message.msg_controllen = sizeof control.v6;
    control.header.cmsg_len = CMSG_LEN(sizeof session->local.v6);
    control.header.cmsg_level = IPPROTO_IPV6;
    control.header.cmsg_type = IPV6_PKTINFO;
    memcpy(CMSG_DATA(&control.header), &session->local.v6, sizeof session->local.v6);
  }
  sendmsg(listener->fd, &message, MSG_NOSIGNAL);
}

void udp_reply(struct holder *holder, uint32_t index) {
  struct session *session = &sessions[index];
  for (int turn = 0; turn < TURNS && session->used; turn++) {
    ssize_t length = recv(session->fd, datagram, sizeof datagram, 0);
    if (length < 0) {
      return;  // nothing more, or an ICMP error, which this cleared
    }
    session->last = seconds();
    send_back(holder, session, (size_t)length);
  }
}

int udp_expire(struct holder *holder) {
  (void)holder;
  static time_t looked;
  if (used == 0) {
    return -1;
  }
  time_t now = seconds();
  if (now - looked >= LOOK_MILLISECONDS / 1000) {
    looked = now;
    for (int i = 0; i < MAX_SESSIONS; i++) {
      if (sessions[i].used && now - sessions[i].last >= IDLE_SECONDS) {
        close_session(&sessions[i]);
      }
    }
  }
  return used == 0 ? -1 : LOOK_MILLISECONDS;
}
