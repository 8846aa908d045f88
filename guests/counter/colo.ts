// What the host gives a guest, and there is nothing else. AssemblyScript names an import's module after the file
// that declares it, so this file must be called colo.ts: `output` becomes `colo.output`. A guest imports only what
// it calls.

/** Sends `length` bytes at address `at` to a connection; the host has copied them when it returns. */
export declare function output(conn: i32, at: usize, length: i32): void

/** Asks the host to close a connection, after the output so far. */
export declare function close(conn: i32): void

/**
 * Milliseconds since 1970-01-01 UTC, a whole number. It is the same throughout one call into the guest, and never
 * less than before, on this host or on the one from which the guest came.
 */
export declare function now(): f64

/** Fills `length` bytes at address `at` with random bytes that nobody can guess. */
export declare function random(at: usize, length: i32): void
