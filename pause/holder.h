// A holder keeps host ports really bound, which is the clash check, and forwards what comes to
// them from the host itself. One epoll loop over fixed tables.
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define MAX_LISTENERS 256
#define MAX_CONNECTIONS 256
#define MAX_SESSIONS 256

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

struct listener {
  int fd;
  bool tcp;
  sa_family_t family;
  struct sockaddr_in target;
};

struct holder {
  int epoll;
  int count;
  struct listener listeners[MAX_LISTENERS];
};

// What an event is about: the upper half of its data is the source, the lower its index.
enum source { SOURCE_LISTENER, SOURCE_CLIENT, SOURCE_TARGET, SOURCE_SESSION };

static inline uint64_t event_data(enum source source, uint32_t index) {
  return (uint64_t)source << 32 | index;
}

// holder_tcp.c
void tcp_accept(struct holder *holder, uint32_t index);
void tcp_event(struct holder *holder, enum source source, uint32_t index, uint32_t events);
// Goes on with connections that had more to forward than their turn allowed. True if some still do.
bool tcp_continue(struct holder *holder);

// holder_udp.c
void udp_receive(struct holder *holder, uint32_t index);
void udp_reply(struct holder *holder, uint32_t index);
// Closes idle sessions. Answers in how many milliseconds to look again, -1 for never.
int udp_expire(struct holder *holder);
