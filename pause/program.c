// The last steps: working directory, descriptors, exec.
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "operations.h"
#include "system.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

int op_chdir(struct launch *launch, struct cursor *arguments) {
  (void)launch;
  // A link of procfs could lead to a directory that a descriptor still holds.
  cleanup_fd root = result(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  cleanup_fd directory =
      root < 0 ? root : sys_open_beneath(root, take_string(arguments, NULL), O_PATH | O_DIRECTORY, 0);
  if (directory < 0) {
    return directory;
  }
  if (fchdir(directory) != 0) {
    return -errno;
  }
  // The kernel calls a directory outside the root "(unreachable)...".
  char path[PATH_MAX];
  long length = syscall(SYS_getcwd, path, sizeof path);
  if (length < 0) {
    return -errno;
  }
  return path[0] == '/' ? 0 : -ENOENT;
}

static bool is_null(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

// Leaves the program 0, 1, 2 alone, and the container's own /dev/null where one is a null device.
static void settle_descriptors(void) {
  sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
  // The host's null device would let the container change its mode and owner.
  cleanup_fd null = -1;
  for (int fd = 0; fd <= 2; fd++) {
    if (!is_null(fd)) {
      continue;
    }
    if (null < 0) {
      null = open("/dev/null", O_RDWR | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
      if (null < 0 || !is_null(null)) {
        return;
      }
    }
    dup2(null, fd);
  }
}

// The arguments of a list as exec wants them: an array that ends with NULL.
static char **take_list(struct cursor *arguments) {
  int64_t count = take_int(arguments);
  char **list = mmap(NULL, ((size_t)count + 1) * sizeof *list, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (list == MAP_FAILED) {
    return NULL;
  }
  for (int64_t i = 0; i < count; i++) {
    list[i] = (char *)(uintptr_t)take_string(arguments, NULL);
  }
  return list;
}

static const char *search_path(char **env) {
  for (; *env != NULL; env++) {
    if (strncmp(*env, "PATH=", 5) == 0) {
      return *env + 5;
    }
  }
  return DEFAULT_PATH;
}

// As execvpe(3), without its fall-back to a shell.
static int exec_search(char **argv, char **env) {
  const char *name = argv[0];
  size_t name_length = strlen(name);
  if (name_length == 0) {
    return -ENOENT;
  }
  if (strchr(name, '/') != NULL) {
    return result(execve(name, argv, env));
  }
  int error = -ENOENT;
  const char *start = search_path(env);
  for (;;) {
    const char *end = strchrnul(start, ':');
    size_t length = (size_t)(end - start);
    char path[PATH_MAX];
    if (length + 1 + name_length < sizeof path) {
      memcpy(path, start, length);
      path[length] = '/';
      // An empty part of PATH is the working directory.
      size_t slash = length == 0 ? 0 : 1;
      memcpy(path + length + slash, name, name_length + 1);
      int failed = result(execve(path, argv, env));
      if (failed == -EACCES) {
        error = failed;
      } else if (failed != -ENOENT && failed != -ENOTDIR) {
        return failed;
      }
    }
    if (*end == '\0') {
      return error;
    }
    start = end + 1;
  }
}

int op_exec(struct launch *launch, struct cursor *arguments) {
  char **argv = take_list(arguments);
  char **env = argv == NULL ? NULL : take_list(arguments);
  if (env == NULL) {
    return -ENOMEM;
  }
  settle_descriptors();
  send_report(launch, &(struct report){.type = REPORT_READY}, -1);
  sigset_t none;
  sigemptyset(&none);
  umask(launch->mask);
  sigprocmask(SIG_SETMASK, &none, NULL);
  int loaded = load_filter(launch);
  if (loaded < 0) {
    report_failure(launch, &(struct failure){.index = launch->filter_index,
                                             .error = -loaded,
                                             .stage = STAGE_PROCESS});
  }
  return exec_search(argv, env);
}

int op_exec_pause(struct launch *launch, struct cursor *arguments) {
  (void)arguments;
  static char name[] = "pause";
  static char *argv[] = {name, NULL};
  static char *env[] = {NULL};
  send_report(launch, &(struct report){.type = REPORT_READY}, -1);
  // pause does this too, but it is visible before its first instruction. Without new privileges an
  // exec as root gives none back.
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_capset, &header, none) != 0) {
    return -errno;
  }
  // All signals stay blocked: pause begins with that.
  sys_close_range(0, ~0u, CLOSE_RANGE_CLOEXEC);
  return result(syscall(SYS_execveat, launch->program, "", argv, env, AT_EMPTY_PATH));
}
