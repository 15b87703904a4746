// What the monitor does for those who come by its socket.
#include "../control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "pod.h"

static const enum plan_stage M = STAGE_MONITOR;
static const enum plan_stage X = STAGE_PROCESS;

static struct container c;
static char socket_path[128];

static void begin(const char *id) {
  container_begin(&c, id);
  snprintf(socket_path, sizeof socket_path, "%s/%s.sock", scratch, id);
  plan_add(&c.builder, OP_STDIO, M, "iii", I(-2), I(-1), I(-1));
  plan_add(&c.builder, OP_CONTROL, M, "s", socket_path);
  container_mounts(&c);
}

static int connect_client(void) {
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  strcpy(name.sun_path, socket_path);
  if (fd < 0 || connect(fd, (const struct sockaddr *)&name, sizeof name) != 0) {
    die("connect %s", socket_path);
  }
  return fd;
}

static void tell(int fd, const char *bytes, size_t length) {
  if (send(fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length) {
    die("send");
  }
}

// The next message; its first byte is the type, the rest is in `text`. -1 at the end.
static int hear(int fd, char *text, size_t size, size_t *length) {
  char message[32 << 10];
  struct pollfd readable = {.fd = fd, .events = POLLIN};
  if (poll(&readable, 1, 20000) <= 0) {
    die("the monitor does not answer");
  }
  ssize_t count = recv(fd, message, sizeof message, 0);
  if (count <= 0) {
    return -1;
  }
  *length = (size_t)count - 1 < size ? (size_t)count - 1 : size;
  memcpy(text, message + 1, *length);
  return (unsigned char)message[0];
}

// Sends a request and answers the errno that comes back.
static int ask(int fd, const char *bytes, size_t length) {
  tell(fd, bytes, length);
  int32_t error = -1;
  size_t count;
  int type = hear(fd, (char *)&error, sizeof error, &count);
  return type == CONTROL_DONE && count == sizeof error ? error : -1;
}

static const char ATTACH_BOTH[] = {CONTROL_ATTACH, ATTACH_INPUT | ATTACH_OUTPUT};
static const char ATTACH_READ[] = {CONTROL_ATTACH, ATTACH_OUTPUT};

static void passes_both_ways(struct pod *pod) {
  begin("attached");
  container_start(&c, pod, LIST("probe", "cat"));
  struct stat status;
  EXPECT(stat(socket_path, &status) == 0 && (status.st_mode & 0777) == 0600, "mode %o",
         status.st_mode);
  int both = connect_client();
  int reader = connect_client();
  EXPECT(ask(both, ATTACH_BOTH, sizeof ATTACH_BOTH) == 0, "attach");
  EXPECT(ask(reader, ATTACH_READ, sizeof ATTACH_READ) == 0, "attach");
  tell(both, "\2here and there\n", 16);
  char text[64];
  size_t length = 0;
  EXPECT(hear(both, text, sizeof text, &length) == CONTROL_STDOUT, "no output");
  EXPECT(length == 15 && memcmp(text, "here and there\n", 15) == 0, "%.*s", (int)length, text);
  EXPECT(hear(reader, text, sizeof text, &length) == CONTROL_STDOUT && length == 15, "no output");
  int other = connect_client();
  EXPECT(ask(other, "\4\30\0\120\0", 5) == ENOTTY, "resized without a terminal");
  // Who only reads may not write.
  tell(reader, "\2x", 2);
  EXPECT(hear(reader, text, sizeof text, &length) == -1, "still attached");
  tell(both, "\3", 1);
  EXPECT(hear(both, text, sizeof text, &length) == -1, "more after the end");
  container_wait(&c);
  EXPECT(strcmp(log_text(c.log), "stdout F here and there\n") == 0, "%s", log_text(c.log));
  close(both);
  close(reader);
  close(other);
  unlink(socket_path);
}

// Input ends with the client that attached for this one time.
static void ends_once(struct pod *pod) {
  begin("once");
  container_start(&c, pod, LIST("probe", "cat"));
  int once = connect_client();
  EXPECT(ask(once, (const char[]){CONTROL_ATTACH, ATTACH_INPUT | ATTACH_ONCE}, 2) == 0, "attach");
  tell(once, "\2last words\n", 12);
  close(once);
  container_wait(&c);
  EXPECT(strcmp(log_text(c.log), "stdout F last words\n") == 0, "%s", log_text(c.log));
  unlink(socket_path);
}

static void drops_the_slow(struct pod *pod) {
  begin("slow");
  container_start(&c, pod, LIST("probe", "cat"));
  int slow = connect_client();
  int writer = connect_client();
  EXPECT(ask(slow, ATTACH_READ, sizeof ATTACH_READ) == 0, "attach");
  EXPECT(ask(writer, (const char[]){CONTROL_ATTACH, ATTACH_INPUT}, 2) == 0, "attach");
  char chunk[8000];
  memset(chunk, 'x', sizeof chunk);
  chunk[0] = CONTROL_INPUT;
  chunk[sizeof chunk - 1] = '\n';
  for (int i = 0; i < 1000; i++) {
    tell(writer, chunk, sizeof chunk);
  }
  tell(writer, "\3", 1);
  container_wait(&c);
  size_t heard = 0;
  size_t length = 0;
  while (hear(slow, chunk, sizeof chunk, &length) >= 0) {
    heard += length;
  }
  EXPECT(heard > 0 && heard < 7999 * 1000, "%zu bytes were kept for a client that reads nothing",
         heard);
  struct stat status;
  EXPECT(stat(c.log, &status) == 0 && status.st_size > 7999 * 1000, "log of %ld bytes",
         (long)status.st_size);
  close(slow);
  close(writer);
  unlink(socket_path);
}

static void has_places_for_few(struct pod *pod) {
  begin("places");
  container_start(&c, pod, LIST("probe", "wait"));
  int clients[CONTROL_ATTACHED];
  for (int i = 0; i < CONTROL_ATTACHED; i++) {
    clients[i] = connect_client();
    EXPECT(ask(clients[i], ATTACH_READ, sizeof ATTACH_READ) == 0, "attach %d", i);
  }
  int late = connect_client();
  EXPECT(ask(late, ATTACH_READ, sizeof ATTACH_READ) == EUSERS, "one more is attached");
  close(clients[0]);
  EXPECT(ask(late, ATTACH_READ, sizeof ATTACH_READ) == 0, "no place after one has gone");
  // What is no request ends that client alone.
  static const char *const WRONG[] = {"", "\1", "\1\0", "\4\1", "\5x", "\77"};
  for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
    int wrong = connect_client();
    char text[8];
    size_t length;
    send(wrong, WRONG[i], i == 2 ? 2 : strlen(WRONG[i]), MSG_NOSIGNAL);
    EXPECT(hear(wrong, text, sizeof text, &length) == -1, "request %zu is answered", i);
    close(wrong);
  }
  int other = connect_client();
  EXPECT(ask(other, "\5", 1) == 0, "the log is not reopened");
  close(other);
  close(late);
  for (int i = 1; i < CONTROL_ATTACHED; i++) {
    close(clients[i]);
  }
  kill(c.reply.answer.pid, SIGKILL);
  container_wait(&c);
  unlink(socket_path);
}

static void reopens_the_log(struct pod *pod) {
  begin("rotate");
  container_start(&c, pod, LIST("probe", "cat"));
  int client = connect_client();
  EXPECT(ask(client, ATTACH_BOTH, sizeof ATTACH_BOTH) == 0, "attach");
  char text[64];
  size_t length;
  tell(client, "\2before\n", 8);
  hear(client, text, sizeof text, &length);
  char old[160];
  snprintf(old, sizeof old, "%s.1", c.log);
  while (strstr(log_text(c.log), "before") == NULL) {
    usleep(1000);
  }
  rename(c.log, old);
  EXPECT(ask(client, "\5", 1) == 0, "reopen");
  tell(client, "\2after\n", 7);
  hear(client, text, sizeof text, &length);
  tell(client, "\3", 1);
  container_wait(&c);
  EXPECT(strcmp(log_text(old), "stdout F before\n") == 0, "%s", log_text(old));
  EXPECT(strcmp(log_text(c.log), "stdout F after\n") == 0, "%s", log_text(c.log));
  close(client);
  unlink(socket_path);
}

static void has_a_terminal(struct pod *pod) {
  begin("terminal");
  plan_add(&c.builder, OP_TTY, X, "ii", I(24), I(80));
  container_start(&c, pod, LIST("probe", "cat"));
  int client = connect_client();
  EXPECT(ask(client, ATTACH_BOTH, sizeof ATTACH_BOTH) == 0, "attach");
  int other = connect_client();
  EXPECT(ask(other, "\4\50\0\144\0", 5) == 0, "resize");
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/root/dev/pts/0", c.reply.answer.pid);
  int slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
  struct winsize size = {0};
  EXPECT(slave >= 0 && ioctl(slave, TIOCGWINSZ, &size) == 0 && size.ws_row == 40 &&
             size.ws_col == 100, "%d x %d", size.ws_row, size.ws_col);
  close(slave);
  tell(client, "\2typed\n", 7);
  char all[64] = "";
  size_t total = 0;
  while (total < 14) {
    size_t length = 0;
    if (hear(client, all + total, sizeof all - total, &length) != CONTROL_STDOUT) {
      break;
    }
    total += length;
  }
  EXPECT(strcmp(all, "typed\r\ntyped\r\n") == 0, "%s", all);
  tell(client, "\2\4", 2);
  container_wait(&c);
  close(client);
  close(other);
  unlink(socket_path);
}

static void leaves_no_socket(struct pod *pod) {
  begin("failing");
  plan_add(&c.builder, OP_EXEC, X, "ll", LIST("/no/such/program"), LIST());
  struct reply reply = spawner_call(pod->spawner, &c.builder, &pod->pause.pidfd, 1);
  EXPECT(reply.answer.type == ANSWER_FAILED && reply.answer.error == ENOENT, "type %u",
         reply.answer.type);
  EXPECT(access(socket_path, F_OK) != 0, "%s is left", socket_path);
}

void test_control(const char *native) {
  struct spawner_client spawner;
  spawner_start(&spawner, native);
  struct pod pod;
  pod_start(&pod, &spawner);
  passes_both_ways(&pod);
  ends_once(&pod);
  drops_the_slow(&pod);
  has_places_for_few(&pod);
  reopens_the_log(&pod);
  has_a_terminal(&pod);
  leaves_no_socket(&pod);
  spawner_stop(&spawner);
  pod_stop(&pod);
}
