#include "control.h"

#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "system.h"

#define INPUT_MAX 8192
// What an attached client may lag behind, in bytes.
#define SEND_BUFFER (1 << 20)

// The message that is being received, then the input that is being written: one byte of type first.
static uint8_t message[1 + INPUT_MAX];

// A path of any length, by way of its directory: a socket's name has room for 107 bytes. The
// monitor's working directory is the root before and after it.
int control_listen(struct control *control, const char *path) {
  const char *slash = strrchr(path, '/');
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  if (slash == NULL || slash == path || (size_t)(slash - path) >= PATH_MAX ||
      strlen(slash + 1) >= sizeof name.sun_path) {
    return -EINVAL;
  }
  char directory[PATH_MAX];
  memcpy(directory, path, (size_t)(slash - path));
  directory[slash - path] = '\0';
  strcpy(name.sun_path, slash + 1);
  cleanup_fd listener =
      result(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (listener < 0) {
    return listener;
  }
  int bound = result(chdir(directory));
  if (bound == 0) {
    // The mode is that of the socket's own file, before anybody can open it.
    fchmod(listener, 0600);
    bound = result(bind(listener, (const struct sockaddr *)&name, sizeof name));
    if (chdir("/") != 0) {
      return -errno;
    }
  }
  if (bound == 0) {
    bound = result(listen(listener, CONTROL_CLIENTS));
  }
  if (bound < 0) {
    return bound;
  }
  control->listener = listener;
  listener = -1;
  return 0;
}

static void drop(struct control *control, struct client *client) {
  if ((client->flags & ATTACH_ONCE) != 0) {
    control->input_ends = true;
  }
  close(client->fd);
  *client = (struct client){.fd = -1};
}

static void send_to(struct control *control, struct client *client, uint8_t type,
                    const void *bytes, size_t length) {
  struct iovec parts[] = {{.iov_base = &type, .iov_len = 1},
                          {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length}};
  struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
  if (sendmsg(client->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    drop(control, client);
  }
}

void control_output(struct control *control, enum control_answer stream, const char *bytes,
                    size_t length) {
  for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
    struct client *client = &control->clients[i];
    if (client->fd >= 0 && (client->flags & ATTACH_OUTPUT) != 0) {
      send_to(control, client, (uint8_t)stream, bytes, length);
    }
  }
}

static bool takes_input(const struct control *control, const struct client *client) {
  return (client->flags & ATTACH_INPUT) == 0 || control->input_left == 0;
}

void control_watch(const struct control *control, struct pollfd *polls) {
  polls[0] = (struct pollfd){.fd = control->listener, .events = POLLIN};
  polls[1] = (struct pollfd){.fd = control->input_left > 0 ? control->input : -1,
                             .events = POLLOUT};
  for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
    const struct client *client = &control->clients[i];
    bool wanted = client->fd >= 0 && takes_input(control, client);
    polls[2 + i] = (struct pollfd){.fd = wanted ? client->fd : -1, .events = POLLIN};
  }
}

static void end_input(struct control *control) {
  if (control->input >= 0 && control->input != control->terminal) {
    close(control->input);
    control->input = -1;
  }
  control->input_left = 0;
}

void control_closed(struct control *control, int fd) {
  if (fd == control->terminal) {
    control->terminal = -1;
  }
  if (fd == control->input) {
    control->input = -1;
    control->input_left = 0;
  }
}

static void write_input(struct control *control) {
  while (control->input_left > 0 && control->input >= 0) {
    ssize_t written =
        write(control->input, message + 1 + control->input_start, control->input_left);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0 && errno == EAGAIN) {
      return;
    }
    if (written <= 0) {
      // Nobody will read it any more.
      end_input(control);
      return;
    }
    control->input_start += (size_t)written;
    control->input_left -= (size_t)written;
  }
  control->input_left = 0;
}

static int attach(struct control *control, struct client *client, uint8_t flags) {
  int attached = 0;
  for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
    attached += control->clients[i].fd >= 0 && control->clients[i].flags != 0;
  }
  if (attached >= CONTROL_ATTACHED) {
    return -EUSERS;
  }
  // More than the limit for all is fine for the few of us; without it there is just less room.
  int size = SEND_BUFFER;
  setsockopt(client->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  client->flags = flags;
  return 0;
}

static int resize(const struct control *control, const uint8_t *arguments) {
  struct winsize size = {0};
  memcpy(&size.ws_row, arguments, sizeof size.ws_row);
  memcpy(&size.ws_col, arguments + 2, sizeof size.ws_col);
  return control->terminal < 0 ? -ENOTTY : result(ioctl(control->terminal, TIOCSWINSZ, &size));
}

static int reopen_log(struct control *control) {
  if (control->log_path[0] == '\0') {
    return -ENOENT;
  }
  cleanup_fd opened = log_open(control->log_path);
  if (opened < 0) {
    return opened;
  }
  // The number stays, so nothing else needs to know.
  return control->log->fd < 0 ? -EBADF : result(dup3(opened, control->log->fd, O_CLOEXEC));
}

static void answer(struct control *control, struct client *client, int error) {
  int32_t number = error < 0 ? -error : 0;
  send_to(control, client, CONTROL_DONE, &number, sizeof number);
}

// Reads one message of a client that is not waiting for earlier input to be taken.
static void receive(struct control *control, struct client *client) {
  // Others may ask for things while input waits in the one buffer.
  uint8_t small[8];
  bool busy = control->input_left > 0;
  uint8_t *at = busy ? small : message;
  size_t room = busy ? sizeof small : sizeof message;
  ssize_t length = recv(client->fd, at, room, MSG_DONTWAIT | MSG_TRUNC);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  if (length <= 0 || (size_t)length > room) {
    drop(control, client);
    return;
  }
  bool input = (client->flags & ATTACH_INPUT) != 0;
  if (at[0] == CONTROL_ATTACH && length == 2 && client->flags == 0 && at[1] != 0) {
    answer(control, client, attach(control, client, at[1]));
  } else if (at[0] == CONTROL_INPUT && input && !busy) {
    control->input_start = 0;
    control->input_left = (size_t)length - 1;
    write_input(control);
  } else if (at[0] == CONTROL_END_INPUT && input && length == 1) {
    control->input_ends = true;
  } else if (at[0] == CONTROL_RESIZE && length == 5) {
    answer(control, client, resize(control, at + 1));
  } else if (at[0] == CONTROL_REOPEN_LOG && length == 1) {
    answer(control, client, reopen_log(control));
  } else {
    drop(control, client);
  }
}

static void take_client(struct control *control) {
  int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  for (size_t i = 0; i < CONTROL_CLIENTS && fd >= 0; i++) {
    if (control->clients[i].fd < 0) {
      control->clients[i] = (struct client){.fd = fd};
      return;
    }
  }
  if (fd >= 0) {
    close(fd);
  }
}

void control_serve(struct control *control, const struct pollfd *polls) {
  if (polls[1].revents != 0) {
    write_input(control);
  }
  for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
    struct client *client = &control->clients[i];
    if (polls[2 + i].revents != 0 && client->fd == polls[2 + i].fd &&
        takes_input(control, client)) {
      receive(control, client);
    }
  }
  if (control->input_ends && control->input_left == 0) {
    end_input(control);
    control->input_ends = false;
  }
  if (polls[0].revents != 0) {
    take_client(control);
  }
}
