// Bytes to a file descriptor, all of them: a pipe that does not block is waited for.

import { writeSync } from 'node:fs'

const RETRY_MS = 2

/** Throws what the system says, but EAGAIN. */
export function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at)
    } catch (error) {
      // A pipe that does not block says so when it is full.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS)
    }
  }
}
