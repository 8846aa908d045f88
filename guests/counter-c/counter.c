// Counts the lines it is sent, over all connections, and answers each line with the count. Static variables lie
// in the guest's memory, so they survive the death of a host; nothing else is needed for that.

#include "colo.h"

static char input[16384];
static uint64_t count;

// The version of the contract. A function: a variable would export its address.
int32_t COLO_EXPORT(colo_abi)(void) { return 1; }

// Where the host may write `size` bytes of input; 0 refuses them.
char *COLO_EXPORT(colo_buffer)(int32_t size) {
  return size <= (int32_t)sizeof input ? input : 0;
}

// This guest keeps nothing for a connection.
void COLO_EXPORT(colo_open)(int32_t connection) {}
void COLO_EXPORT(colo_close)(int32_t connection) {}

static void answer(int32_t connection, uint64_t value) {
  char line[24];
  char *end = line + sizeof line;
  char *at = end;
  *--at = '\n';
  do {
    *--at = (char)('0' + value % 10);
    value /= 10;
  } while (value != 0);
  colo_output(connection, at, (int32_t)(end - at));
}

// Bytes from a client: part of a line, or many lines.
void COLO_EXPORT(colo_input)(int32_t connection, const char *bytes, int32_t length) {
  for (int32_t i = 0; i < length; i++) {
    if (bytes[i] == '\n') answer(connection, ++count);
  }
}
