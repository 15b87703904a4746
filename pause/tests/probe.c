// The program inside the test containers. Its first argument says what it does.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

// The numbers of the descriptors this process sees, but for the one that lists them.
static int descriptors(void) {
  DIR *list = opendir("/proc/self/fd");
  if (list == NULL) {
    return 1;
  }
  struct dirent *entry;
  while ((entry = readdir(list)) != NULL) {
    int fd = atoi(entry->d_name);
    if (entry->d_name[0] != '.' && fd != dirfd(list)) {
      char path[64];
      char target[256] = "";
      snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
      ssize_t length = readlink(path, target, sizeof target - 1);
      target[length < 0 ? 0 : length] = '\0';
      target[strcspn(target, ":[")] = '\0';
      printf("fd %d %s\n", fd, target);
    }
  }
  return 0;
}

static int zombies(void) {
  DIR *list = opendir("/proc");
  struct dirent *entry;
  int count = 0;
  while ((entry = readdir(list)) != NULL) {
    char path[300];
    char line[512] = "";
    snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
      if (fgets(line, sizeof line, file) != NULL) {
        const char *state = strrchr(line, ')');
        count += state != NULL && state[2] == 'Z' && atoi(state + 4) == 1;
      }
      fclose(file);
    }
  }
  closedir(list);
  return count;
}

// Double forks: each child leaves an orphan behind.
static int storm(int count) {
  int most = 0;
  for (int i = 0; i < count; i++) {
    pid_t child = fork();
    if (child == 0) {
      if (fork() == 0) {
        _exit(7);
      }
      _exit(0);
    }
    if (child < 0) {
      printf("fork %d: %s\n", i, strerror(errno));
      return 1;
    }
    waitpid(child, NULL, 0);
    if (i % 500 == 499) {
      int now = zombies();
      most = now > most ? now : most;
    }
  }
  printf("orphans %d zombies %d\n", count, most);
  return 0;
}

static void put(int fd, const char *text) {
  size_t length = strlen(text);
  while (length > 0) {
    ssize_t written = write(fd, text, length);
    if (written <= 0) {
      exit(9);
    }
    text += written;
    length -= (size_t)written;
  }
}

static void fill(int fd, char byte, size_t count) {
  static char block[4096];
  memset(block, byte, sizeof block);
  while (count > 0) {
    size_t part = count < sizeof block ? count : sizeof block;
    if (write(fd, block, part) != (ssize_t)part) {
      exit(9);
    }
    count -= part;
  }
}

// What the golden log shows. Pauses so that the order of the two streams is known.
static int lines(void) {
  put(1, "first\n");
  put(1, "\n");
  put(1, "slow ");
  usleep(20000);
  put(1, "writer\n");
  usleep(20000);
  put(2, "to stderr\n");
  usleep(20000);
  fill(1, 'a', 16384);
  put(1, "\n");
  fill(1, 'b', 16385);
  put(1, "\n");
  fill(1, 'c', 32768);
  put(1, "\n");
  usleep(20000);
  put(1, "no newline at the end");
  return 0;
}

static int status(void) {
  char line[512];
  FILE *file = fopen("/proc/self/status", "re");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, "Uid", 3) == 0 || strncmp(line, "Gid", 3) == 0 ||
        strncmp(line, "Groups", 6) == 0 || strncmp(line, "Umask", 5) == 0 ||
        strncmp(line, "Cap", 3) == 0 || strncmp(line, "NoNewPrivs", 10) == 0 ||
        strncmp(line, "Seccomp:", 8) == 0 || strncmp(line, "SigBlk", 6) == 0 ||
        strncmp(line, "SigIgn", 6) == 0) {
      put(1, line);
    }
  }
  char cwd[256];
  char host[256];
  gethostname(host, sizeof host);
  printf("cwd %s\nhostname %s\ndumpable %d\nsession %d\nenv %s\n", getcwd(cwd, sizeof cwd), host,
         prctl(PR_GET_DUMPABLE), getsid(0) == getpid(), getenv("GREETING"));
  return 0;
}

static int show(const char *path) {
  char text[4096];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text);
  if (length < 0) {
    printf("%s: %s\n", path, strerror(errno));
    return 1;
  }
  printf("%s: %.*s\n", path, (int)length, text);
  return 0;
}

// Whether it can be written to, its mode changed, and what it is.
static int poke(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0) {
    printf("%s: %s\n", path, strerror(errno));
    return 0;
  }
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  printf("%s: %s write=%s", path,
         S_ISDIR(status.st_mode)   ? "dir"
         : S_ISCHR(status.st_mode) ? "device"
                                   : "file",
         fd < 0 ? strerror(errno) : "yes");
  printf(" chmod=%s\n", chmod(path, 0700) == 0 ? "yes" : strerror(errno));
  return 0;
}

// A child in its own session that would outlive everything and keeps the output open.
static int leave(int code) {
  int ready[2];
  char byte = 0;
  if (pipe(ready) != 0) {
    return 9;
  }
  if (fork() == 0) {
    setsid();
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    put(1, "left behind\n");
    put(ready[1], "x");
    for (;;) {
      pause();
    }
  }
  return read(ready[0], &byte, 1) == 1 ? code : 9;
}

static int processes(void) {
  DIR *list = opendir("/proc");
  struct dirent *entry;
  while (list != NULL && (entry = readdir(list)) != NULL) {
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') {
      char path[300];
      snprintf(path, sizeof path, "/proc/%s/comm", entry->d_name);
      show(path);
    }
  }
  return 0;
}

static volatile sig_atomic_t told;

static void on_term(int signal) {
  (void)signal;
  told = 1;
}

// Looks at the root and the descriptors of every process in the pod, over and over.
static int watch(void) {
  signal(SIGTERM, on_term);
  put(1, "watching\n");
  int most = 0;
  while (!told) {
    DIR *all = opendir("/proc");
    struct dirent *process;
    while (all != NULL && (process = readdir(all)) != NULL) {
      int pid = atoi(process->d_name);
      if (pid <= 0 || pid == getpid()) {
        continue;
      }
      most = pid > most ? pid : most;
      char path[400];
      // The containers' root has no /usr; the host's has.
      snprintf(path, sizeof path, "/proc/%d/root/usr", pid);
      if (access(path, F_OK) == 0) {
        printf("host root at %d\n", pid);
      }
      snprintf(path, sizeof path, "/proc/%d/cwd/usr", pid);
      if (access(path, F_OK) == 0) {
        printf("host directory at %d\n", pid);
      }
      snprintf(path, sizeof path, "/proc/%d/fd", pid);
      DIR *descriptors_of = opendir(path);
      struct dirent *entry;
      while (descriptors_of != NULL && (entry = readdir(descriptors_of)) != NULL) {
        char target[256] = "";
        struct stat status;
        snprintf(path, sizeof path, "/proc/%d/fd/%s", pid, entry->d_name);
        if (entry->d_name[0] == '.' || readlink(path, target, sizeof target - 1) < 0 ||
            stat(path, &status) != 0) {
          continue;
        }
        bool harmless = S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) ||
                        (S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3)) ||
                        strcmp(target, "/") == 0 || strncmp(target, "/proc", 5) == 0 ||
                        // A mount of the container's own that is being made.
                        strcmp(target, "anon_inode:[fscontext]") == 0;
        if (!harmless) {
          printf("host descriptor at %d: %s\n", pid, target);
        }
      }
      if (descriptors_of != NULL) {
        closedir(descriptors_of);
      }
    }
    if (all != NULL) {
      closedir(all);
    }
  }
  printf("processes seen %d\n", most);
  return 0;
}

static int list(const char *path) {
  DIR *directory = opendir(path);
  struct dirent *entry;
  while (directory != NULL && (entry = readdir(directory)) != NULL) {
    if (entry->d_name[0] != '.') {
      printf("%s/%s\n", path, entry->d_name);
    }
  }
  return 0;
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  const char *what = argc > 1 ? argv[1] : "";
  const char *value = argc > 2 ? argv[2] : "0";
  if (strcmp(what, "fds") == 0) {
    return descriptors();
  }
  if (strcmp(what, "storm") == 0) {
    return storm(atoi(value));
  }
  if (strcmp(what, "lines") == 0) {
    return lines();
  }
  if (strcmp(what, "status") == 0) {
    return status();
  }
  if (strcmp(what, "exit") == 0) {
    return atoi(value);
  }
  if (strcmp(what, "leave") == 0) {
    return leave(atoi(value));
  }
  if (strcmp(what, "processes") == 0) {
    return processes();
  }
  if (strcmp(what, "poke") == 0) {
    for (int i = 2; i < argc; i++) {
      poke(argv[i]);
    }
    return 0;
  }
  if (strcmp(what, "list") == 0) {
    return list(value);
  }
  if (strcmp(what, "show") == 0) {
    for (int i = 2; i < argc; i++) {
      show(argv[i]);
    }
    return 0;
  }
  if (strcmp(what, "kill") == 0) {
    raise(atoi(value));
    return 1;
  }
  if (strcmp(what, "fill") == 0) {
    fill(1, '\n', (size_t)atoi(value));
    put(1, "filled\n");
    return 0;
  }
  if (strcmp(what, "cat") == 0) {
    char buffer[4096];
    ssize_t length;
    while ((length = read(0, buffer, sizeof buffer)) > 0) {
      if (write(1, buffer, (size_t)length) != length) {
        return 9;
      }
    }
    return 0;
  }
  if (strcmp(what, "tty") == 0) {
    printf("tty %d %d %d %s\n", isatty(0), isatty(1), isatty(2), ttyname(0));
    return 0;
  }
  if (strcmp(what, "watch") == 0) {
    return watch();
  }
  if (strcmp(what, "hoard") == 0) {
    for (;;) {
      char *page = malloc(1 << 20);
      if (page != NULL) {
        memset(page, 1, 1 << 20);
      }
    }
  }
  if (strcmp(what, "flood") == 0) {
    for (;;) {
      put(1, "a line of a flood that goes on and on and on\n");
      fill(1, 'x', 20000);
      fill(2, 'y', 20000);
    }
  }
  if (strcmp(what, "wait") == 0) {
    put(1, "waiting\n");
    for (;;) {
      pause();
    }
  }
  fprintf(stderr, "probe: what?\n");
  return 2;
}
