// Numbers and texts into buffers, without printf, so that a monitor stays small.
#pragma once

#include <stdint.h>
#include <string.h>

// Each put_ function answers where the next one goes on; nothing is NUL-terminated.
static inline char *put_text(char *at, const char *text) {
  size_t length = strlen(text);
  memcpy(at, text, length);
  return at + length;
}

static inline char *put_number(char *at, uint64_t value) {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (count > 0) {
    *at++ = digits[--count];
  }
  return at;
}

// Exactly `width` digits, zeros first.
static inline char *put_digits(char *at, uint64_t value, int width) {
  for (int i = width - 1; i >= 0; i--) {
    at[i] = (char)('0' + value % 10);
    value /= 10;
  }
  return at + width;
}

// The number that `text` begins with; 0 if it begins with none.
static inline uint64_t get_number(const char *text) {
  uint64_t value = 0;
  while (*text >= '0' && *text <= '9') {
    value = value * 10 + (uint64_t)(*text++ - '0');
  }
  return value;
}
