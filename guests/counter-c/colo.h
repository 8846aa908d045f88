// What a guest in C imports, and how it exports. Copy this file beside your own; no C library is needed.

#include <stdint.h>

// Exports the function that is declared with it under its own name.
#define COLO_EXPORT(name) __attribute__((export_name(#name))) name

// Sends `length` bytes to a connection. The host has copied them when this returns.
__attribute__((import_module("colo"), import_name("output"))) void
colo_output(int32_t connection, const void *bytes, int32_t length);

// Closes a connection after the output so far. Named apart from colo_close, which the guest itself exports.
__attribute__((import_module("colo"), import_name("close"))) void
colo_close_connection(int32_t connection);
