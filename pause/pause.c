// PID 1 of a pod. It holds the pod's namespaces, reaps every orphan and ends with 0 on SIGTERM or
// SIGINT. It has no C library, opens no file and keeps no privilege.
//
// It ignores SIGCHLD, so the kernel reaps: no orphan is a zombie for even a moment, a storm of them
// costs no wake-up, and nothing can be missed. Whoever starts it blocks all signals before the
// exec, so that a SIGTERM that comes before the first line here is not lost to PID 1's immunity.

#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/signal.h>
#include <linux/unistd.h>

#ifndef VERSION
#define VERSION "0.0.0"
#endif

static long call(long number, long a, long b, long c, long d, long e) {
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
                   : "memory");
  return x0;
#else
#error "unsupported architecture"
#endif
}

__attribute__((noreturn)) static void leave(long status) {
  for (;;) {
    call(__NR_exit_group, status, 0, 0, 0, 0);
  }
}

static void say(int fd, const char *text) {
  long length = 0;
  while (text[length] != '\0') {
    length++;
  }
  call(__NR_write, fd, (long)text, length, 0, 0);
}

static int same(const char *a, const char *b) {
  while (*a != '\0' && *a == *b) {
    a++;
    b++;
  }
  return *a == *b;
}

// The kernel's own layout of a sigaction; SIG_IGN needs neither flags nor restorer.
struct disposition {
  unsigned long handler;
  unsigned long flags;
  unsigned long restorer;
  unsigned long mask;
};

static void drop_privileges(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
  if (call(__NR_capset, (long)&header, (long)none, 0, 0, 0) != 0 ||
      call(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      call(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    leave(1);
  }
}

static void hold(void) {
  const unsigned long everything = ~0ul;
  const unsigned long ends = (1ul << (SIGTERM - 1)) | (1ul << (SIGINT - 1));
  const struct disposition ignored = {.handler = (unsigned long)SIG_IGN};
  if (call(__NR_rt_sigprocmask, SIG_SETMASK, (long)&everything, 0, sizeof everything, 0) != 0 ||
      call(__NR_rt_sigaction, SIGCHLD, (long)&ignored, 0, sizeof ignored.mask, 0) != 0) {
    leave(1);
  }
  call(__NR_prctl, PR_SET_NAME, (long)"pause", 0, 0, 0);
  drop_privileges();
  for (;;) {
    long signal = call(__NR_rt_sigtimedwait, (long)&ends, 0, 0, sizeof ends, 0);
    if (signal == SIGTERM || signal == SIGINT) {
      leave(0);
    }
  }
}

// Where _start goes, with the stack as the kernel left it.
__attribute__((noreturn)) void enter(long *stack);

void enter(long *stack) {
  long count = stack[0];
  char **arguments = (char **)(stack + 1);
  if (count > 1) {
    if (same(arguments[1], "--version")) {
      say(1, "pause " VERSION "\n");
      leave(0);
    }
    int help = same(arguments[1], "--help");
    say(help ? 1 : 2,
        "usage: pause [--version | --help]\n"
        "Holds the namespaces of a pod, reaps its orphans, ends on SIGTERM or SIGINT.\n");
    leave(help ? 0 : 2);
  }
  hold();
  leave(1);
}

#if defined(__x86_64__)
__asm__(
    ".globl _start\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call enter\n");
#elif defined(__aarch64__)
__asm__(
    ".globl _start\n"
    "_start:\n"
    "  mov x29, #0\n"
    "  mov x0, sp\n"
    "  bl enter\n");
#endif
