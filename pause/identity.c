// Who the process is and what it may do.
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "operations.h"
#include "paths.h"
#include "system.h"

int op_rlimit(struct launch *launch, struct cursor *arguments) {
  (void)launch;
  int resource = (int)take_int(arguments);
  struct rlimit wanted;
  wanted.rlim_cur = (rlim_t)take_int(arguments);
  wanted.rlim_max = (rlim_t)take_int(arguments);
  int set = result(setrlimit(resource, &wanted));
  if (set != -EPERM) {
    return set;
  }
  struct rlimit present;
  if (getrlimit(resource, &present) != 0) {
    return -errno;
  }
  if (wanted.rlim_max > present.rlim_max) {
    wanted.rlim_max = present.rlim_max;
  }
  if (wanted.rlim_cur > wanted.rlim_max) {
    wanted.rlim_cur = wanted.rlim_max;
  }
  return result(setrlimit(resource, &wanted));
}

int op_groups(struct launch *launch, struct cursor *arguments) {
  (void)launch;
  int64_t count = take_int(arguments);
  if (count > 65536) {
    return -EINVAL;
  }
  gid_t *groups = NULL;
  if (count > 0) {
    groups = mmap(NULL, (size_t)count * sizeof *groups, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (groups == MAP_FAILED) {
      return -errno;
    }
    for (int64_t i = 0; i < count; i++) {
      groups[i] = (gid_t)take_int(arguments);
    }
  }
  return result(syscall(SYS_setgroups, (size_t)count, groups));
}

// Pipes of ours, and the terminal, belong to the user, so that /dev/stdout can be opened again.
static void give_stdio(const struct launch *launch, uid_t uid) {
  for (int fd = 0; fd <= 2; fd++) {
    struct stat status;
    if (fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || launch->terminal)) {
      // A failure only means that a reopen will fail.
      int ignored = fchown(fd, uid, (gid_t)-1);
      (void)ignored;
    }
  }
}

int op_stdio_owner(struct launch *launch, struct cursor *arguments) {
  give_stdio(launch, (uid_t)take_int(arguments));
  return 0;
}

int op_ids(struct launch *launch, struct cursor *arguments) {
  uid_t uid = (uid_t)take_int(arguments);
  gid_t gid = (gid_t)take_int(arguments);
  if (uid == (uid_t)-1 || gid == (gid_t)-1) {
    return -EINVAL;
  }
  if (uid != 0) {
    give_stdio(launch, uid);
  }
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || syscall(SYS_setresgid, gid, gid, gid) != 0 ||
      syscall(SYS_setresuid, uid, uid, uid) != 0) {
    return -errno;
  }
  return 0;
}

static uint64_t known_capabilities(void) {
  uint64_t known = 0;
  for (int bit = 0; bit < 64 && prctl(PR_CAPBSET_READ, bit, 0, 0, 0) >= 0; bit++) {
    known |= 1ull << bit;
  }
  return known;
}

static int set_capabilities(uint64_t permitted, uint64_t effective, uint64_t inheritable) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
  for (int half = 0; half < 2; half++) {
    data[half].permitted = (uint32_t)(permitted >> (32 * half));
    data[half].effective = (uint32_t)(effective >> (32 * half));
    data[half].inheritable = (uint32_t)(inheritable >> (32 * half));
  }
  return result(syscall(SYS_capset, &header, data));
}

int op_fs_ids(struct launch *launch, struct cursor *arguments) {
  (void)launch;
  uid_t uid = (uid_t)take_int(arguments);
  gid_t gid = (gid_t)take_int(arguments);
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct present[_LINUX_CAPABILITY_U32S_3];
  // They answer what was before; asked once more they tell whether it is so now.
  syscall(SYS_setfsgid, gid);
  syscall(SYS_setfsuid, uid);
  if ((gid_t)syscall(SYS_setfsgid, gid) != gid || (uid_t)syscall(SYS_setfsuid, uid) != uid) {
    return -EINVAL;
  }
  // Leaving user 0 has taken the capabilities over files away.
  if (syscall(SYS_capget, &header, present) != 0) {
    return -errno;
  }
  uint64_t held = present[0].permitted | (uint64_t)present[1].permitted << 32;
  return set_capabilities(held, held, 0);
}

int op_capabilities(struct launch *launch, struct cursor *arguments) {
  (void)launch;
  uint64_t bounding = (uint64_t)take_int(arguments);
  uint64_t permitted = (uint64_t)take_int(arguments);
  uint64_t effective = (uint64_t)take_int(arguments);
  uint64_t inheritable = (uint64_t)take_int(arguments);
  uint64_t ambient = (uint64_t)take_int(arguments);

  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct present[_LINUX_CAPABILITY_U32S_3];
  if (syscall(SYS_capget, &header, present) != 0) {
    return -errno;
  }
  uint64_t held = present[0].permitted | (uint64_t)present[1].permitted << 32;
  // IDS took the effective set away; dropping from the bounding set needs it.
  int set = set_capabilities(held, held, 0);
  uint64_t known = known_capabilities();
  for (int bit = 0; set == 0 && bit < 64 && (known >> bit & 1) != 0; bit++) {
    if ((bounding >> bit & 1) == 0) {
      set = result(prctl(PR_CAPBSET_DROP, bit, 0, 0, 0));
    }
  }
  permitted &= held;
  effective &= permitted;
  inheritable &= held & bounding;
  ambient &= permitted & inheritable;
  if (set == 0) {
    set = set_capabilities(permitted, effective, inheritable);
  }
  if (set == 0) {
    set = result(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
  }
  for (int bit = 0; set == 0 && bit < 64; bit++) {
    if ((ambient >> bit & 1) != 0) {
      set = result(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, bit, 0, 0));
    }
  }
  return set;
}

int op_no_new_privs(struct launch *launch, struct cursor *arguments) {
  (void)launch;
  (void)arguments;
  return result(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

int op_seccomp(struct launch *launch, struct cursor *arguments) {
  int fd = slot_of(launch, take_int(arguments));
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) {
    return fd < 0 ? fd : -errno;
  }
  size_t size = (size_t)status.st_size;
  if (size == 0 || size % sizeof(struct sock_filter) != 0 ||
      size / sizeof(struct sock_filter) > BPF_MAXINSNS) {
    return -EINVAL;
  }
  struct sock_filter *filter = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (filter == MAP_FAILED) {
    return -errno;
  }
  launch->filter = filter;
  launch->filter_length = (unsigned short)(size / sizeof *filter);
  launch->filter_flags = (unsigned)take_int(arguments);
  launch->filter_index = launch->index;
  return 0;
}

int load_filter(const struct launch *launch) {
  if (launch->filter == NULL) {
    return 0;
  }
  struct sock_fprog program = {.len = launch->filter_length, .filter = launch->filter};
  return result(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, launch->filter_flags, &program));
}

int op_umask(struct launch *launch, struct cursor *arguments) {
  launch->mask = (mode_t)take_int(arguments) & 0777;
  return 0;
}
