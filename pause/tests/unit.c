// Parts of joiner by themselves, for the sanitizers: log, exit record, counters, paths.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../cgroup.h"
#include "../exit_record.h"
#include "../log.h"
#include "../paths.h"
#include "../system.h"
#include "../text.h"

static int failures;

#define EXPECT(condition, ...)                                        \
  do {                                                                \
    if (!(condition)) {                                               \
      failures++;                                                     \
      fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition); \
      fprintf(stderr, __VA_ARGS__);                                   \
      fputc('\n', stderr);                                            \
    }                                                                 \
  } while (0)

static const struct timespec TIME = {.tv_sec = 1767323045, .tv_nsec = 7};
#define STAMP "2026-01-02T03:04:05.000000007Z "

static void dates(void) {
  static const int64_t times[] = {0, 951782399, 951782400, 951868800, 1709164800, 4107542399,
                                  4107542400, 32503679999};
  for (size_t i = 0; i < sizeof times / sizeof times[0] + 2000; i++) {
    struct timespec time = {.tv_nsec = 123456789};
    time.tv_sec = i < sizeof times / sizeof times[0] ? times[i] : (time_t)(i * 1234567);
    char expected[96];
    struct tm parts;
    gmtime_r(&time.tv_sec, &parts);
    size_t length = strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", &parts);
    strcpy(expected + length, ".123456789Z stderr P ");
    char prefix[LOG_PREFIX_MAX];
    length = log_prefix(prefix, &time, "stderr", 'P');
    EXPECT(length == strlen(expected) && memcmp(prefix, expected, length) == 0, "%.*s, not %s",
           (int)length, prefix, expected);
  }
}

static int memory(void) {
  int fd = memfd_create("log", MFD_CLOEXEC);
  if (fd < 0 || fcntl(fd, F_SETFL, O_APPEND) != 0) {
    abort();
  }
  return fd;
}

static char *content(int fd) {
  static char text[1 << 20];
  ssize_t length = pread(fd, text, sizeof text - 1, 0);
  text[length < 0 ? 0 : length] = '\0';
  return text;
}

// Feeds `input` in chunks of sizes that `seed` decides, 0 for as large as they fit.
static char *logged(const char *input, size_t length, unsigned seed) {
  struct log log = {.fd = memory()};
  struct stream *stream = calloc(1, sizeof *stream);
  if (stream == NULL) {
    abort();
  }
  stream->name = "stdout";
  while (length > 0) {
    size_t space;
    char *at = stream_space(stream, &space);
    size_t part = seed == 0 ? space : 1 + (size_t)rand_r(&seed) % space;
    part = part > length ? length : part;
    memcpy(at, input, part);
    log_received(&log, stream, part, &TIME);
    input += part;
    length -= part;
  }
  log_finish(&log, stream, &TIME);
  EXPECT(log.lost == 0, "%lu lost", (unsigned long)log.lost);
  char *text = content(log.fd);
  close(log.fd);
  free(stream);
  return text;
}

static void lines(void) {
  EXPECT(strcmp(logged("", 0, 0), "") == 0, "something from nothing");
  EXPECT(strcmp(logged("a\n\nb", 4, 0),
                STAMP "stdout F a\n" STAMP "stdout F \n" STAMP "stdout F b\n") == 0,
         "%s", logged("a\n\nb", 4, 0));
  static char input[200000];
  unsigned seed = 42;
  size_t length = 0;
  // Lines of all lengths around the limits, zero bytes among them.
  static const size_t lengths[] = {0, 1, 16383, 16384, 16385, 32767, 32768, 32769, 5, 49153};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    for (size_t j = 0; j < lengths[i]; j++) {
      int byte = rand_r(&seed) % 256;
      input[length++] = (char)(byte == '\n' ? 0 : byte);
    }
    input[length++] = '\n';
  }
  static char first[1 << 20];
  memcpy(first, logged(input, length, 0), sizeof first);
  for (unsigned chunks = 1; chunks < 200; chunks++) {
    EXPECT(memcmp(first, logged(input, length, chunks), sizeof first) == 0,
           "the log depends on how the output is cut (%u)", chunks);
  }
}

static void full_disk(void) {
  struct log log = {.fd = open("/dev/full", O_WRONLY | O_CLOEXEC)};
  static struct stream stream = {.name = "stderr"};
  size_t space;
  for (int i = 0; i < 100; i++) {
    memcpy(stream_space(&stream, &space), "line\nline\n", 10);
    log_received(&log, &stream, 10, &TIME);
  }
  EXPECT(log.lost == 200, "%lu lost", (unsigned long)log.lost);
  close(log.fd);
}

static void exit_records(const char *directory) {
  int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  char id[EXIT_ID_MAX + 1];
  memset(id, 'x', EXIT_ID_MAX);
  id[EXIT_ID_MAX] = '\0';
  struct exit_record record = {.id = id,
                               .pid = 2147483647,
                               .status = 9,
                               .oom = {UINT64_MAX, UINT64_MAX, UINT64_MAX},
                               .started = {.tv_sec = 9223372036, .tv_nsec = 854775807},
                               .finished = {.tv_sec = 9223372036, .tv_nsec = 854775807},
                               .lost_records = UINT64_MAX};
  EXPECT(exit_id_is_valid(id) && exit_record_write(fd, &record) == 0, "not written");
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/%s", directory, id);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  static const char expected[] =
      "\",\"pid\":2147483647,\"exitCode\":137,\"signal\":9,\"oomKills\":18446744073709551615,"
      "\"limitHits\":18446744073709551615,\"podLimitHits\":18446744073709551615,"
      "\"startedAt\":9223372036854775807,\"finishedAt\":9223372036854775807,"
      "\"lostRecords\":18446744073709551615}\n";
  EXPECT(strstr(content(file), expected) != NULL, "%s", content(file));
  close(file);
  unlinkat(fd, id, 0);
  static const char *const bad[] = {"", ".", "..", ".a", "a/b", "a\"b", "a\nb", "\xc3\xbc"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    EXPECT(!exit_id_is_valid(bad[i]), "\"%s\" is taken for an id", bad[i]);
  }
  close(fd);
}

static void counters(const char *directory) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/counter", directory);
  FILE *file = fopen(path, "we");
  fputs("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n", file);
  fflush(file);
  struct oom_counters counters = {0};
  EXPECT(oom_open(&counters, OOM_KILLS, path, "oom_kill") == 0 && counters.list[0].start == 7,
         "start");
  EXPECT(oom_open(&counters, OOM_LIMIT_HITS, path, "oom") == 0 && counters.list[1].start == 0,
         "start of a line that is not there");
  EXPECT(oom_open(&counters, OOM_KINDS, path, "oom") == -EINVAL, "a kind that there is not");
  fclose(file);
  file = fopen(path, "we");
  fputs("low 0\nhigh 0\nmax 12\noom 9\noom_kill 9\noom_group_kill 0\n", file);
  fclose(file);
  uint64_t rises[OOM_KINDS] = {0};
  oom_read(&counters, rises);
  EXPECT(rises[OOM_KILLS] == 2 && rises[OOM_LIMIT_HITS] == 9 && rises[OOM_POD_LIMIT_HITS] == 0,
         "%lu %lu", (unsigned long)rises[OOM_KILLS], (unsigned long)rises[OOM_LIMIT_HITS]);
  close(counters.list[0].fd);
  close(counters.list[1].fd);
  unlink(path);
}

static void expect_inside(int root, const char *asked, const char *expected) {
  int fd = open_or_make(root, asked, TARGET_DIRECTORY, 0755, 0);
  struct stat made;
  struct stat wanted;
  EXPECT(fd >= 0 && fstat(fd, &made) == 0 && fstatat(root, expected, &wanted, 0) == 0 &&
             made.st_ino == wanted.st_ino,
         "%s is not %s: %d", asked, expected, fd);
  if (fd >= 0) {
    close(fd);
  }
}

static void expect_error(int root, const char *path, uint64_t resolve, int error) {
  int fd = open_or_make(root, path, TARGET_FILE, 0644, resolve);
  EXPECT(fd == -error, "%s: %d", path, fd);
  if (fd >= 0) {
    close(fd);
  }
}

static void paths(const char *directory) {
  char root_path[PATH_MAX];
  snprintf(root_path, sizeof root_path, "%s/tree", directory);
  if (mkdir(root_path, 0755) != 0) {
    abort();
  }
  int root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  expect_inside(root, "/", ".");
  expect_inside(root, "a/b//c/", "a/b/c");
  expect_inside(root, "/../../a/../x", "x");
  symlinkat("/../../../jumped/out", root, "absolute");
  expect_inside(root, "absolute/deep", "jumped/out/deep");
  symlinkat("../../../../up", root, "a/b/relative");
  expect_inside(root, "a/b/relative/one", "up/one");
  symlinkat("loop2", root, "loop1");
  symlinkat("loop1", root, "loop2");
  expect_error(root, "loop1", 0, ELOOP);
  expect_error(root, "absolute/file", RESOLVE_NO_SYMLINKS, ELOOP);
  char last[NAME_MAX + 1];
  int parent = open_parent(root, "a/b/name/", last);
  EXPECT(parent >= 0 && strcmp(last, "name") == 0, "%d %s", parent, last);
  close(parent);
  EXPECT(open_parent(root, "///", last) == -EINVAL, "a root has no parent");
  char deep[PATH_MAX];
  memset(deep, 'n', sizeof deep - 1);
  deep[sizeof deep - 1] = '\0';
  expect_error(root, deep, 0, ENAMETOOLONG);
  close(root);
  char command[PATH_MAX + 16];
  snprintf(command, sizeof command, "rm -rf %s", root_path);
  if (system(command) != 0) {
    abort();
  }
}

int main(void) {
  char directory[] = "/tmp/peapod-unit-XXXXXX";
  if (mkdtemp(directory) == NULL) {
    perror(directory);
    return 1;
  }
  dates();
  lines();
  full_disk();
  exit_records(directory);
  counters(directory);
  paths(directory);
  rmdir(directory);
  if (failures == 0) {
    printf("ok units\n");
  }
  return failures == 0 ? 0 : 1;
}
