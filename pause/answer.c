#include "answer.h"

#include <string.h>
#include <sys/socket.h>

#include "system.h"
#include "text.h"

int send_answer(int socket, const struct answer *answer, const int *fds, size_t count, int flags) {
  struct iovec part = {.iov_base = (void *)answer, .iov_len = sizeof *answer};
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
  } control = {0};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (count > 0) {
    control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(&control.header), fds, count * sizeof *fds);
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(count * sizeof *fds);
  }
  int sent;
  do {
    sent = result(sendmsg(socket, &message, MSG_NOSIGNAL | flags));
  } while (sent == -EINTR);
  return sent < 0 ? sent : 0;
}

void answer_failed(const struct launch *launch, const struct failure *failure) {
  struct answer answer = {
      .magic = PEAP_MAGIC,
      .type = ANSWER_FAILED,
      .id = launch->id,
      .index = failure->index,
      .error = failure->error,
      .stage = failure->stage,
      .detail = failure->detail,
  };
  send_answer(launch->socket, &answer, NULL, 0, 0);
  _exit(1);
}

uint64_t process_start(int proc, pid_t pid) {
  char text[512];
  char *at = put_number(text, (uint64_t)pid);
  at = put_text(at, "/stat");
  *at = '\0';
  cleanup_fd fd = openat(proc, text, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (length <= 0) {
    return 0;
  }
  text[length] = '\0';
  // The name (field 2) may hold spaces and brackets; its last bracket is the last of the line.
  const char *field = strrchr(text, ')');
  for (int i = 2; field != NULL && i < 22; i++) {
    field = strchr(field + 1, ' ');
  }
  return field == NULL ? 0 : get_number(field + 1);
}
