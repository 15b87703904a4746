#include "exit_record.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "system.h"
#include "text.h"

bool exit_id_is_valid(const char *id) {
  size_t length = strlen(id);
  if (length == 0 || length > EXIT_ID_MAX || id[0] == '.') {
    return false;
  }
  for (; *id != '\0'; id++) {
    bool plain = (*id >= '0' && *id <= '9') || (*id >= 'a' && *id <= 'z') ||
                 (*id >= 'A' && *id <= 'Z') || *id == '-' || *id == '_' || *id == '.';
    if (!plain) {
      return false;
    }
  }
  return true;
}

static char *put_time(char *at, const char *key, const struct timespec *time) {
  at = put_text(at, key);
  return put_number(at, (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec);
}

static size_t format(const struct exit_record *record, char *text) {
  bool signalled = WIFSIGNALED(record->status);
  int signal = signalled ? WTERMSIG(record->status) : 0;
  int code = signalled ? 128 + signal : WEXITSTATUS(record->status);
  char *at = put_text(text, "{\"version\":1,\"id\":\"");
  at = put_text(at, record->id);
  at = put_text(at, "\",\"pid\":");
  at = put_number(at, (uint64_t)record->pid);
  at = put_text(at, ",\"exitCode\":");
  at = put_number(at, (uint64_t)code);
  at = put_text(at, ",\"signal\":");
  at = put_number(at, (uint64_t)signal);
  static const char *const counters[OOM_KINDS] = {
      ",\"oomKills\":", ",\"limitHits\":", ",\"podLimitHits\":"};
  for (int i = 0; i < OOM_KINDS; i++) {
    at = put_text(at, counters[i]);
    at = put_number(at, record->oom[i]);
  }
  at = put_time(at, ",\"startedAt\":", &record->started);
  at = put_time(at, ",\"finishedAt\":", &record->finished);
  at = put_text(at, ",\"lostRecords\":");
  at = put_number(at, record->lost_records);
  at = put_text(at, "}\n");
  return (size_t)(at - text);
}

int exit_record_write(int directory, const struct exit_record *record) {
  char text[512];
  char temporary[EXIT_ID_MAX + 2] = ".";
  strcpy(temporary + 1, record->id);
  size_t length = format(record, text);
  cleanup_fd file = result(openat(directory, temporary,
                                  O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file < 0) {
    return file;
  }
  ssize_t written = write(file, text, length);
  if (written != (ssize_t)length) {
    return written < 0 ? -errno : -ENOSPC;
  }
  return result(renameat(directory, temporary, directory, record->id));
}
