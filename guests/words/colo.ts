// What the host gives a guest. AssemblyScript names an import's module after the file that declares it,
// so this file must be called colo.ts: these two become `colo.output` and `colo.close`. There is nothing
// else, no clock and no random numbers: what a guest does follows from its memory and its input alone.

/** Sends `length` bytes at address `at` to a connection; the host has copied them when it returns. */
export declare function output(conn: i32, at: usize, length: i32): void

/** Asks the host to close a connection, after the output so far. */
export declare function close(conn: i32): void
