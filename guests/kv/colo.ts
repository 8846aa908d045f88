// What the host gives a guest. AssemblyScript names an import's module after the file that declares it,
// so this file must be called colo.ts: these become `colo.output` and so on. What a guest does follows from its
// memory, its input and the host's clock.

/** Sends `length` bytes at address `at` to a connection; the host has copied them when it returns. */
export declare function output(conn: i32, at: usize, length: i32): void

/** Asks the host to close a connection, after the output so far. */
export declare function close(conn: i32): void

/** Milliseconds since 1970: the same during one call, never less than before, whichever host it is. */
export declare function now(): f64
