#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 20000

int failures;
char scratch[64];

void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fprintf(stderr, " (%s)\n", strerror(errno));
  exit(1);
}

int sealed_memfd(const char *name, const void *bytes, size_t length) {
  int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0 || write(fd, bytes, length) != (ssize_t)length ||
      fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
    die("memfd %s", name);
  }
  return fd;
}

int memfd_of(const char *path) {
  static char bytes[1 << 20];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
  if (length < 0) {
    die("%s", path);
  }
  close(fd);
  const char *name = strrchr(path, '/');
  return sealed_memfd(name == NULL ? path : name + 1, bytes, (size_t)length);
}

void spawner_start(struct spawner_client *client, const char *native) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    die("socketpair");
  }
  char path[512];
  snprintf(path, sizeof path, "%s/pause", native);
  int pause_program = memfd_of(path);
  snprintf(path, sizeof path, "%s/joiner", native);
  int joiner = memfd_of(path);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  fflush(NULL);
  client->pid = fork();
  if (client->pid == 0) {
    // As a daemon might: something ignored, descriptors out of the way first.
    signal(SIGPIPE, SIG_IGN);
    int high[] = {fcntl(null, F_DUPFD, 100), fcntl(ends[1], F_DUPFD, 100),
                  fcntl(pause_program, F_DUPFD, 100), fcntl(joiner, F_DUPFD, 100)};
    dup2(high[0], 0);
    dup2(high[0], 1);
    dup2(high[1], 3);
    dup2(high[2], 4);
    dup2(high[3], 5);
    for (int i = 0; i < 4; i++) {
      close(high[i]);
    }
    char *argv[] = {"joiner", "spawner", NULL};
    char *env[] = {NULL};
    execveat(5, "", argv, env, AT_EMPTY_PATH);
    _exit(126);
  }
  close(ends[1]);
  close(null);
  close(pause_program);
  close(joiner);
  client->socket = ends[0];
  struct reply ready = spawner_receive(client);
  if (ready.answer.type != ANSWER_READY || ready.answer.pid != client->pid) {
    die("the spawner is not ready: type %u", ready.answer.type);
  }
}

int spawner_stop(struct spawner_client *client) {
  close(client->socket);
  int status = -1;
  waitpid(client->pid, &status, 0);
  return status;
}

void spawner_send_raw(struct spawner_client *client, const void *bytes, size_t length,
                      const int *descriptors, size_t count) {
  struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
  static union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int) * 253)];
  } control;
  memset(&control, 0, sizeof control);
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (count > 0) {
    control.header.cmsg_len = CMSG_LEN(sizeof(int) * count);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(&control.header), descriptors, sizeof(int) * count);
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
  }
  if (sendmsg(client->socket, &message, MSG_NOSIGNAL) < 0) {
    die("sendmsg");
  }
}

void spawner_send(struct spawner_client *client, uint64_t id, struct builder *builder,
                  const int *descriptors, size_t count) {
  plan_end(builder);
  int all[253];
  all[0] = sealed_memfd("plan", builder->bytes, builder->length);
  memcpy(all + 1, descriptors, count * sizeof(int));
  struct request request = {.magic = PEAP_MAGIC, .version = PROTOCOL_VERSION, .id = id};
  spawner_send_raw(client, &request, sizeof request, all, count + 1);
  close(all[0]);
}

struct reply spawner_receive(struct spawner_client *client) {
  struct pollfd readable = {.fd = client->socket, .events = POLLIN};
  if (poll(&readable, 1, PATIENCE) <= 0) {
    die("no answer");
  }
  struct reply reply = {.pidfd = -1, .terminal = -1};
  struct iovec part = {.iov_base = &reply.answer, .iov_len = sizeof reply.answer};
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
  } control = {0};
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes};
  ssize_t length = recvmsg(client->socket, &message, MSG_CMSG_CLOEXEC);
  if (length != sizeof reply.answer || reply.answer.magic != PEAP_MAGIC) {
    die("an answer of %zd bytes", length);
  }
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header != NULL) {
    memcpy(&reply.pidfd, CMSG_DATA(header), sizeof(int));
    if (header->cmsg_len == CMSG_LEN(2 * sizeof(int))) {
      memcpy(&reply.terminal, CMSG_DATA(header) + sizeof(int), sizeof(int));
    }
  }
  return reply;
}

struct reply spawner_call(struct spawner_client *client, struct builder *builder,
                          const int *descriptors, size_t count) {
  static uint64_t next = 1ull << 40;
  uint64_t id = next++;
  spawner_send(client, id, builder, descriptors, count);
  struct reply reply = spawner_receive(client);
  if (reply.answer.id != id) {
    die("the answer to another request");
  }
  return reply;
}

void await_end(int pidfd) {
  struct pollfd gone = {.fd = pidfd, .events = POLLIN};
  if (poll(&gone, 1, PATIENCE) <= 0) {
    die("a process does not end");
  }
}

bool await_path(const char *path, int milliseconds) {
  for (int i = 0; i < milliseconds; i++) {
    if (access(path, F_OK) == 0) {
      return true;
    }
    usleep(1000);
  }
  return false;
}

char *slurp(const char *format, ...) {
  static char buffers[4][256 << 10];
  static int next;
  char *buffer = buffers[next++ % 4];
  char path[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(path, sizeof path, format, arguments);
  va_end(arguments);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = 0;
  ssize_t part;
  while (fd >= 0 && (part = read(fd, buffer + length, sizeof buffers[0] - 1 - (size_t)length)) > 0) {
    length += part;
  }
  if (fd >= 0) {
    close(fd);
  }
  buffer[length] = '\0';
  return buffer;
}

long number_after(const char *text, const char *key) {
  const char *at = strstr(text, key);
  return at == NULL ? -1 : strtol(at + strlen(key), NULL, 10);
}

uint64_t monotonic_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}
