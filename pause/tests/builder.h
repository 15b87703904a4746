// Writes launch plans, and their operations in readable form beside them.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../plan.h"

struct builder {
  uint8_t bytes[64 << 10];
  size_t length;
  char text[64 << 10];
  size_t text_length;
  uint32_t operations;
  uint32_t slots;
};

void plan_begin(struct builder *builder, enum plan_kind kind, uint32_t slots);

// Adds an operation. `arguments` are in the order of docs/launch-plan.md; the format has one letter
// for each: i (int64_t), s (const char *), b (const void *, size_t), l (const char *const *, ended
// by NULL), n (const int64_t *, size_t: counted ints).
void plan_add(struct builder *builder, enum opcode opcode, enum plan_stage stage,
              const char *format, ...);

// Fills in the header's counts.
void plan_end(struct builder *builder);
