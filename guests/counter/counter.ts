// The smallest useful guest: it counts the lines it is sent, over all connections, and answers each line
// with the count. Copy it to begin a guest of your own; README.md beside it explains each step. It places its
// few bytes in memory itself; guests/words does the same kind of work with strings, maps and objects.
import { output } from './colo'

/** Which version of the contract this guest was written for. The host refuses one that it does not know. */
export const colo_abi: i32 = 1

// memory.data(n) is the address of n bytes of memory that are zero at the start. Addresses are constants.
const INPUT_BYTES: i32 = 16384
const input: usize = memory.data(16384)
const count: usize = memory.data(8)
const line: usize = memory.data(24)
const LINE_BYTES: usize = 24
const NEWLINE: u8 = 0x0a

/** The host asks where it may write `size` bytes; it does so and calls colo_input. 0 refuses. */
export function colo_buffer(size: i32): usize {
  return size <= INPUT_BYTES ? input : 0
}

/** A client has connected. This guest keeps nothing for a connection. */
export function colo_open(conn: i32): void {}

/** A client is gone; after a failover this is called for every connection there was. */
export function colo_close(conn: i32): void {}

/** Bytes from a client: they may be part of a line, or many lines. */
export function colo_input(conn: i32, at: usize, length: i32): void {
  const end = at + length
  for (; at < end; at++) {
    if (load<u8>(at) != NEWLINE) continue
    const value = load<u64>(count) + 1
    store<u64>(count, value)
    answer(conn, value)
  }
}

/** Writes the number's digits from the last one backwards, and sends them. */
function answer(conn: i32, value: u64): void {
  const end = line + LINE_BYTES
  let at = end - 1
  store<u8>(at, NEWLINE)
  do {
    at--
    store<u8>(at, <u8>(0x30 + (value % 10)))
    value /= 10
  } while (value)
  output(conn, at, <i32>(end - at))
}
