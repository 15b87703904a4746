#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "text.h"

// Records written by one writev: each takes a prefix, its text (with newline), or prefix, text and
// a newline for a part.
#define BATCH 32

// Days since 1970-01-01 as a date of the Gregorian calendar: years counted from March, so that the
// leap day is the last of a year.
static void civil(int64_t days, int64_t *year, unsigned *month, unsigned *day) {
  days += 719468;
  int64_t era = days / 146097;
  unsigned day_of_era = (unsigned)(days % 146097);
  unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  unsigned shifted = (5 * day_of_year + 2) / 153;
  *day = day_of_year - (153 * shifted + 2) / 5 + 1;
  *month = shifted < 10 ? shifted + 3 : shifted - 9;
  *year = (int64_t)year_of_era + era * 400 + (*month <= 2 ? 1 : 0);
}

size_t log_prefix(char prefix[LOG_PREFIX_MAX], const struct timespec *now, const char *name,
                  char tag) {
  int64_t year;
  unsigned month;
  unsigned day;
  uint64_t seconds = now->tv_sec < 0 ? 0 : (uint64_t)now->tv_sec;
  civil((int64_t)(seconds / 86400), &year, &month, &day);
  unsigned second = (unsigned)(seconds % 86400);
  char *at = put_digits(prefix, (uint64_t)year, 4);
  *at++ = '-';
  at = put_digits(at, month, 2);
  *at++ = '-';
  at = put_digits(at, day, 2);
  *at++ = 'T';
  at = put_digits(at, second / 3600, 2);
  *at++ = ':';
  at = put_digits(at, second / 60 % 60, 2);
  *at++ = ':';
  at = put_digits(at, second % 60, 2);
  *at++ = '.';
  at = put_digits(at, (uint64_t)now->tv_nsec, 9);
  at = put_text(at, "Z ");
  at = put_text(at, name);
  *at++ = ' ';
  *at++ = tag;
  *at++ = ' ';
  return (size_t)(at - prefix);
}

struct batch {
  struct log *log;
  struct iovec parts[BATCH * 3];
  int count;
  int ends[BATCH];  // where each record's parts end
  int records;
};

// Cuts off a record of which only a beginning went to disk, so that the file stays well-formed.
static void cut_back(int fd, size_t partial) {
  off_t end = lseek(fd, 0, SEEK_END);
  if (partial > 0 && end >= (off_t)partial) {
    int ignored = ftruncate(fd, end - (off_t)partial);
    (void)ignored;
  }
}

static void flush(struct batch *batch) {
  if (batch->records == 0 || batch->log->fd < 0) {
    batch->count = 0;
    batch->records = 0;
    return;
  }
  ssize_t written;
  do {
    written = writev(batch->log->fd, batch->parts, batch->count);
  } while (written < 0 && errno == EINTR);
  // Count the records that are there as a whole.
  size_t left = written < 0 ? 0 : (size_t)written;
  int part = 0;
  int whole = 0;
  for (; whole < batch->records; whole++) {
    size_t size = 0;
    for (; part < batch->ends[whole]; part++) {
      size += batch->parts[part].iov_len;
    }
    if (left < size) {
      break;
    }
    left -= size;
  }
  if (whole < batch->records) {
    cut_back(batch->log->fd, left);
    batch->log->lost += (uint64_t)(batch->records - whole);
  }
  batch->count = 0;
  batch->records = 0;
}

static void add_part(struct batch *batch, const char *bytes, size_t length) {
  batch->parts[batch->count++] = (struct iovec){.iov_base = (void *)(uintptr_t)bytes,
                                                .iov_len = length};
}

static void add_record(struct batch *batch, const char *prefix, size_t prefix_length,
                       const char *text, size_t length, bool newline) {
  add_part(batch, prefix, prefix_length);
  add_part(batch, text, length);
  if (newline) {
    add_part(batch, "\n", 1);
  }
  batch->ends[batch->records++] = batch->count;
  if (batch->records == BATCH) {
    flush(batch);
  }
}

int log_open(const char *path) {
  int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0640);
  return fd < 0 ? -errno : fd;
}

void log_received(struct log *log, struct stream *stream, size_t count,
                  const struct timespec *now) {
  char full[LOG_PREFIX_MAX];
  size_t full_length = 0;
  struct batch batch;
  batch.log = log;
  batch.count = 0;
  batch.records = 0;
  const char *at = stream->buffer;
  const char *end = stream->buffer + stream->used + count;
  const char *unseen = stream->buffer + stream->used;
  for (;;) {
    const char *newline = memchr(unseen, '\n', (size_t)(end - unseen));
    if (newline == NULL) {
      break;
    }
    if (full_length == 0) {
      full_length = log_prefix(full, now, stream->name, 'F');
    }
    add_record(&batch, full, full_length, at, (size_t)(newline + 1 - at), false);
    at = newline + 1;
    unseen = at;
  }
  size_t rest = (size_t)(end - at);
  char part[LOG_PREFIX_MAX];
  if (rest > LOG_PART) {
    size_t length = log_prefix(part, now, stream->name, 'P');
    add_record(&batch, part, length, at, LOG_PART, true);
    at += LOG_PART;
    rest -= LOG_PART;
  }
  flush(&batch);
  memmove(stream->buffer, at, rest);
  stream->used = rest;
}

void log_finish(struct log *log, struct stream *stream, const struct timespec *now) {
  if (stream->used == 0) {
    return;
  }
  char prefix[LOG_PREFIX_MAX];
  size_t length = log_prefix(prefix, now, stream->name, 'F');
  struct batch batch;
  batch.log = log;
  batch.count = 0;
  batch.records = 0;
  add_record(&batch, prefix, length, stream->buffer, stream->used, true);
  flush(&batch);
  stream->used = 0;
}
