// A guest that misbehaves on request, for tests of the host: it burns time, hangs, traps, grows, makes pages
// dirty and says a lot. One command a line, one answer a line:
//
//   spin N          runs N million turns of a loop in one call, answers `done`
//   forever         never returns
//   trap            executes `unreachable`
//   grow N          grows memory by N WebAssembly pages, answers the new size in pages, or -1
//   fill PAGES      makes a region of that many 4 KiB pages, none of them zero, answers `ok`, or `full`
//   dirty PERMILLE  stores 8 bytes in that share of the region's pages, other ones at each call, and answers
//                   how many
//   flood N         answers N bytes, of which the last one ends the line
//   count           adds 1 to a counter in memory and answers with it
//   close           asks the host to close the connection
//
// Anything else answers `unknown`. A line is kept until it is complete, for 64 connections at a time.
import { close, output } from './colo'

export const colo_abi: i32 = 1

const INPUT_BYTES: i32 = 65536
const CONNECTIONS: usize = 64
const LINE_BYTES: u32 = 120
const PAGE_BYTES: usize = 4096
const PAGES_MAX: i32 = 1 << 20
const WASM_PAGES_MAX: i32 = 65535
const FLOOD_BYTES: i32 = 65536
const NEWLINE: u8 = 0x0a
const SPACE: u8 = 0x20
/** Odd and prime, so that steps of this size reach every page of a region before one comes again. */
const STRIDE: u64 = 2654435761

@unmanaged
class Line {
  conn: i32
  used: bool
  length: u32
}

@unmanaged
class State {
  count: u64
  spun: u64
  regionPages: u32
  dirtyCalls: u64
}

const state: State = changetype<State>(memory.data(32))
const input: usize = memory.data(65536)
const floodBytes: usize = memory.data(65536)
const lines: usize = memory.data(8448)
const LINE_SIZE: usize = 132
const digits: usize = memory.data(24)
const DIGITS_BYTES: usize = 24

export function colo_buffer(size: i32): usize {
  return size <= INPUT_BYTES ? input : 0
}

function lineOf(conn: i32, used: bool): usize {
  for (let i: usize = 0; i < CONNECTIONS; i++) {
    const line = changetype<Line>(lines + i * LINE_SIZE)
    if (line.used == used && (!used || line.conn == conn)) return changetype<usize>(line)
  }
  return 0
}

export function colo_open(conn: i32): void {
  const free = lineOf(conn, false)
  if (!free) {
    close(conn)
    return
  }
  const line = changetype<Line>(free)
  line.conn = conn
  line.used = true
  line.length = 0
}

export function colo_close(conn: i32): void {
  const found = lineOf(conn, true)
  if (found) changetype<Line>(found).used = false
}

export function colo_input(conn: i32, at: usize, length: i32): void {
  const found = lineOf(conn, true)
  if (!found) return
  const line = changetype<Line>(found)
  const text = found + offsetof<Line>()
  for (const end = at + length; at < end && line.used; at++) {
    const byte = load<u8>(at)
    if (byte != NEWLINE) {
      if (line.length < LINE_BYTES) store<u8>(text + line.length++, byte)
      continue
    }
    const size = line.length
    line.length = 0
    run(conn, text, size)
  }
}

function begins(at: usize, length: u32, word: string): bool {
  if (length < <u32>word.length) return false
  for (let i = 0; i < word.length; i++) {
    if (load<u8>(at + i) != load<u8>(changetype<usize>(word) + (i << 1))) return false
  }
  const after = load<u8>(at + word.length)
  return length == word.length || after == SPACE || after == 0x0d
}

/** The digits after the first space. */
function argument(at: usize, length: u32): u64 {
  const end = at + length
  while (at < end && load<u8>(at) != SPACE) at++
  let value: u64 = 0
  for (at++; at < end; at++) {
    const digit = <u32>load<u8>(at) - 0x30
    if (digit > 9) break
    value = value * 10 + digit
  }
  return value
}

function run(conn: i32, at: usize, length: u32): void {
  const value = argument(at, length)
  if (begins(at, length, 'spin')) {
    spin(value * 1000000)
    say(conn, 'done\n')
  } else if (begins(at, length, 'forever')) while (true) spin(1)
  else if (begins(at, length, 'trap')) unreachable()
  else if (begins(at, length, 'grow')) answer(conn, grow(value))
  else if (begins(at, length, 'fill')) say(conn, fill(value) ? 'ok\n' : 'full\n')
  else if (begins(at, length, 'dirty')) answer(conn, dirty(value))
  else if (begins(at, length, 'flood')) flood(conn, value)
  else if (begins(at, length, 'count')) answer(conn, ++state.count)
  else if (begins(at, length, 'close')) {
    colo_close(conn)
    close(conn)
  } else say(conn, 'unknown\n')
}

/** Each turn needs the one before, so that no compiler can shorten the loop. */
function spin(turns: u64): void {
  let value = state.spun
  for (; turns; turns--) value = rotl<u64>(value ^ turns, 7) + STRIDE
  state.spun = value
}

function grow(pages: u64): i64 {
  if (pages > <u64>WASM_PAGES_MAX) return -1
  return memory.grow(<i32>pages) < 0 ? -1 : memory.size()
}

function regionStart(): usize {
  return (__heap_base + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1)
}

function fill(pages: u64): bool {
  if (pages > <u64>PAGES_MAX) return false
  const end = regionStart() + pages * PAGE_BYTES
  const needed = (end + 0xffff) >> 16
  if (needed > <u64>WASM_PAGES_MAX) return false
  const missing = <i32>needed - memory.size()
  if (missing > 0 && memory.grow(missing) < 0) return false
  state.regionPages = <u32>pages
  for (let at = regionStart(); at < <usize>end; at += 8) store<u64>(at, (<u64>at * STRIDE) | 1)
  return true
}

function dirty(permille: u64): i64 {
  const pages = <u64>state.regionPages
  const wanted = (pages * min<u64>(permille, 1000)) / 1000
  const call = ++state.dirtyCalls
  for (let i: u64 = 0; i < wanted; i++) {
    const page = (((i + call * 7919) % pages) * STRIDE) % pages
    const within = ((i * 31 + call) & 511) << 3
    store<u64>(regionStart() + <usize>(page * PAGE_BYTES + within), (call << 32) | (i << 1) | 1)
  }
  return wanted
}

function flood(conn: i32, bytes: u64): void {
  memory.fill(floodBytes, 0x78, FLOOD_BYTES)
  while (bytes > 0) {
    const part = <i32>min<u64>(bytes, FLOOD_BYTES)
    bytes -= part
    if (bytes == 0) store<u8>(floodBytes + part - 1, NEWLINE)
    output(conn, floodBytes, part)
  }
}

function say(conn: i32, words: string): void {
  for (let i = 0; i < words.length; i++) {
    store<u8>(digits + i, load<u8>(changetype<usize>(words) + (i << 1)))
  }
  output(conn, digits, words.length)
}

function answer(conn: i32, value: i64): void {
  const end = digits + DIGITS_BYTES
  let at = end - 1
  store<u8>(at, NEWLINE)
  let rest: u64 = value < 0 ? -value : value
  do {
    at--
    store<u8>(at, <u8>(0x30 + (rest % 10)))
    rest /= 10
  } while (rest)
  if (value < 0) store<u8>(--at, 0x2d)
  output(conn, at, <i32>(end - at))
}
