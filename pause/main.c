// joiner: starts processes inside pods.
#include <string.h>
#include <unistd.h>

#include "spawner.h"

#ifndef VERSION
#define VERSION "0.0.0"
#endif

static void say(int fd, const char *text) {
  ssize_t ignored = write(fd, text, strlen(text));
  (void)ignored;
}

int main(int argc, char **argv) {
  const char *mode = argc == 2 ? argv[1] : "";
  if (strcmp(mode, "spawner") == 0) {
    return spawner_run();
  }
  if (strcmp(mode, "--version") == 0) {
    say(1, "joiner " VERSION "\n");
    return 0;
  }
  int help = strcmp(mode, "--help") == 0;
  say(help ? 1 : 2,
      "usage: joiner spawner | --version | --help\n"
      "\n"
      "spawner  Carries out the launch plans that peapodd sends over descriptor 3. Descriptors:\n"
      "         0, 1 /dev/null; 2 log; 3 socket; 4 the pause program; 5 this program.\n");
  return help ? 0 : 2;
}
