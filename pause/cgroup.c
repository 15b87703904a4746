#include "cgroup.h"

#include <poll.h>
#include <signal.h>
#include <stdalign.h>
#include <string.h>

#include "system.h"
#include "text.h"

int killer_open(struct killer *killer, int64_t kind, const char *path) {
  switch (kind) {
    case KILL_FILE:
      killer->fd = result(open(path, O_WRONLY | O_CLOEXEC));
      break;
    case KILL_FREEZER:
      killer->fd = result(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
      break;
    default:
      return -EINVAL;
  }
  killer->kind = kind;
  return killer->fd < 0 ? killer->fd : 0;
}

static void write_state(int directory, const char *state) {
  cleanup_fd file = openat(directory, "freezer.state", O_WRONLY | O_CLOEXEC);
  if (file >= 0) {
    ssize_t ignored = write(file, state, strlen(state));
    (void)ignored;
  }
}

static bool is_frozen(int directory) {
  char state[16];
  cleanup_fd file = openat(directory, "freezer.state", O_RDONLY | O_CLOEXEC);
  ssize_t length = file < 0 ? -1 : read(file, state, sizeof state);
  return length >= 6 && memcmp(state, "FROZEN", 6) == 0;
}

// Sends SIGKILL to everything in cgroup.procs. Answers how many that were.
static int kill_listed(int directory) {
  cleanup_fd file = openat(directory, "cgroup.procs", O_RDONLY | O_CLOEXEC);
  char text[1024];
  pid_t pid = 0;
  int count = 0;
  ssize_t length;
  while (file >= 0 && (length = read(file, text, sizeof text)) > 0) {
    for (ssize_t i = 0; i < length; i++) {
      if (text[i] >= '0' && text[i] <= '9') {
        pid = pid * 10 + (text[i] - '0');
      } else if (pid > 0) {
        kill(pid, SIGKILL);
        count++;
        pid = 0;
      }
    }
  }
  return count;
}

struct directory_entry {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

#define TYPE_DIRECTORY 4
#define MAX_DEPTH 16

// The same for the cgroup and all below it: cgroup.procs lists one level alone.
static int kill_all(int directory, int depth) {
  int count = kill_listed(directory);
  cleanup_fd list = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  alignas(struct directory_entry) char entries[1024];
  long length;
  while (list >= 0 && depth < MAX_DEPTH &&
         (length = syscall(SYS_getdents64, list, entries, sizeof entries)) > 0) {
    for (long at = 0; at < length;) {
      const struct directory_entry *entry = (const void *)(entries + at);
      at += entry->length;
      if (entry->type == TYPE_DIRECTORY && entry->name[0] != '.') {
        cleanup_fd child = openat(list, entry->name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        count += child < 0 ? 0 : kill_all(child, depth + 1);
      }
    }
  }
  return count;
}

// Frozen, nothing forks while the lists are read.
static void kill_frozen(int directory) {
  for (int attempt = 0; attempt < 5; attempt++) {
    write_state(directory, "FROZEN");
    for (int wait = 0; wait < 20 && !is_frozen(directory); wait++) {
      poll(NULL, 0, 1);
      write_state(directory, "FROZEN");
    }
    bool frozen = is_frozen(directory);
    int count = kill_all(directory, 0);
    write_state(directory, "THAWED");
    if (frozen || count == 0) {
      return;
    }
  }
}

void killer_run(const struct killer *killer) {
  if (killer->fd < 0) {
    return;
  }
  if (killer->kind == KILL_FILE) {
    ssize_t ignored = write(killer->fd, "1", 1);
    (void)ignored;
  } else {
    kill_frozen(killer->fd);
  }
}

static uint64_t read_counter(const struct oom_counter *counter) {
  char text[1024];
  ssize_t length = pread(counter->fd, text, sizeof text - 1, 0);
  if (length <= 0) {
    return 0;
  }
  text[length] = '\0';
  size_t key = strlen(counter->key);
  for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (key == 0 || (strncmp(line, counter->key, key) == 0 && line[key] == ' ')) {
      return get_number(key == 0 ? line : line + key + 1);
    }
  }
  return 0;
}

int oom_open(struct oom_counters *counters, int64_t kind, const char *path, const char *key) {
  if (counters->count == OOM_MAX_COUNTERS || kind < 0 || kind >= OOM_KINDS ||
      strlen(key) >= OOM_KEY_MAX) {
    return -EINVAL;
  }
  struct oom_counter *counter = &counters->list[counters->count];
  counter->fd = result(open(path, O_RDONLY | O_CLOEXEC));
  if (counter->fd < 0) {
    return counter->fd;
  }
  counter->kind = kind;
  strcpy(counter->key, key);
  counter->start = read_counter(counter);
  counters->count++;
  return 0;
}

void oom_read(const struct oom_counters *counters, uint64_t rises[OOM_KINDS]) {
  for (size_t i = 0; i < counters->count; i++) {
    const struct oom_counter *counter = &counters->list[i];
    uint64_t now = read_counter(counter);
    rises[counter->kind] += now > counter->start ? now - counter->start : 0;
  }
}
