// Container output in CRI log format. No allocation; a stream's buffer is touched as far as lines
// are long.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define LOG_PART 16384

struct log {
  int fd;         // the log file, opened for appending; -1 for none: nothing is written
  uint64_t lost;  // records that could not be written
};

struct stream {
  const char *name;  // "stdout" or "stderr"
  size_t used;       // unfinished bytes at the buffer's start
  char buffer[LOG_PART + 1];
};

// Where the next bytes of a stream go, and how many may.
static inline char *stream_space(struct stream *stream, size_t *space) {
  *space = sizeof stream->buffer - stream->used;
  return stream->buffer + stream->used;
}

// Opens a log file for appending, making it where it is missing. A descriptor or -errno.
int log_open(const char *path);

// Writes what `count` new bytes in the stream's space made complete; keeps the rest.
void log_received(struct log *log, struct stream *stream, size_t count, const struct timespec *now);

// Writes the unfinished rest, if there is any.
void log_finish(struct log *log, struct stream *stream, const struct timespec *now);

// What every record begins with: time, stream name, tag, each with a space. Answers the length.
#define LOG_PREFIX_MAX 64
size_t log_prefix(char prefix[LOG_PREFIX_MAX], const struct timespec *now, const char *name,
                  char tag);
