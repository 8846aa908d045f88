// A guest that tells the time and gives random bytes, for tests of what the host gives it. One command a line, one
// answer a line:
//
//   now            the time, milliseconds since 1970
//   twice          the time at the begin and at the end of a call that works for a while in between
//   opened         the time in the latest colo_open; so `closed` and `started` for colo_close and colo_start
//   random N       N random bytes in hexadecimal digits, at most 4096
//   pair A B       A and then B random bytes of one call, in hexadecimal digits
//   across N       writes N random bytes into the region, so that they begin just below a page border, answers `ok`
//   sum            a digest of the region
//   raw AT N       asks for N random bytes at that address, wherever it is, answers `ok`
//   say AT N       sends N bytes of that address, wherever it is
//
// Anything else answers `unknown`. Only one client at a time is served: a line is kept until it is complete, and
// begins anew with a connection.
import { now, output, random } from './colo'

export const colo_abi: i32 = 1

const INPUT_BYTES: i32 = 16384
const input: usize = memory.data(16384)
const LINE_BYTES: u32 = 120
const line: usize = memory.data(120)
const ANSWER_BYTES: u32 = 8192
const answer: usize = memory.data(8194)
const BYTES_MAX: u64 = 4096
const bytes: usize = memory.data(4096)
const PAGE_BYTES: usize = 4096
const REGION_BYTES: usize = 131072
const region: usize = memory.data(131072, 16)
const NEWLINE: u8 = 0x0a
const SPACE: u8 = 0x20
const TURNS: i32 = 3000000

@unmanaged
class State {
  length: u32
  answered: u32
  spun: u64
  started: f64
  opened: f64
  closed: f64
}

const state: State = changetype<State>(memory.data(40, 8))

export function colo_start(): void {
  state.started = now()
}

export function colo_buffer(size: i32): usize {
  return size <= INPUT_BYTES ? input : 0
}

export function colo_open(conn: i32): void {
  state.length = 0
  state.opened = now()
}

export function colo_close(conn: i32): void {
  state.closed = now()
}

export function colo_input(conn: i32, at: usize, length: i32): void {
  for (const end = at + length; at < end; at++) {
    const byte = load<u8>(at)
    if (byte != NEWLINE) {
      if (state.length < LINE_BYTES) store<u8>(line + state.length++, byte)
      continue
    }
    run(conn)
    state.length = 0
  }
}

function begins(word: string): bool {
  if (state.length < <u32>word.length) return false
  for (let i = 0; i < word.length; i++) {
    if (load<u8>(line + i) != load<u8>(changetype<usize>(word) + (i << 1))) return false
  }
  return state.length == word.length || load<u8>(line + word.length) == SPACE
}

/** The number behind the space number `which`, from 1; 0 if there is none. */
function argument(which: i32): u64 {
  let at: u32 = 0
  while (at < state.length && which > 0) if (load<u8>(line + at++) == SPACE) which--
  let value: u64 = 0
  for (; at < state.length; at++) {
    const digit = <u32>load<u8>(line + at) - 0x30
    if (digit > 9) break
    value = value * 10 + digit
  }
  return value
}

function run(conn: i32): void {
  state.answered = 0
  if (begins('now')) put(now())
  else if (begins('twice')) {
    put(now())
    work()
    byte(SPACE)
    put(now())
  } else if (begins('started')) put(state.started)
  else if (begins('opened')) put(state.opened)
  else if (begins('closed')) put(state.closed)
  else if (begins('random')) hex(argument(1))
  else if (begins('pair')) {
    hex(argument(1))
    hex(argument(2))
  } else if (begins('across')) {
    across(<usize>argument(1))
    words('ok')
  } else if (begins('sum')) digits(sum())
  else if (begins('raw')) {
    random(<usize>argument(1), <i32>argument(2))
    words('ok')
  } else if (begins('say')) {
    output(conn, <usize>argument(1), <i32>argument(2))
    return
  } else words('unknown')
  byte(NEWLINE)
  output(conn, answer, state.answered)
}

/** Each turn needs the one before, so that no compiler can shorten the loop. */
function work(): void {
  let value = state.spun
  for (let turn = 0; turn < TURNS; turn++) value = rotl<u64>(value ^ turn, 7) + 2654435761
  state.spun = value
}

function across(length: usize): void {
  const border = (region + 2 * PAGE_BYTES - 1) & ~(PAGE_BYTES - 1)
  random(border - 5, <i32>min<usize>(length, REGION_BYTES - 3 * PAGE_BYTES))
}

function sum(): u64 {
  let value: u64 = 0
  for (let at: usize = 0; at < REGION_BYTES; at += 8) {
    value = rotl<u64>(value ^ load<u64>(region + at), 7) + 2654435761
  }
  return value
}

function byte(value: u8): void {
  if (state.answered <= ANSWER_BYTES) store<u8>(answer + state.answered++, value)
}

function words(text: string): void {
  for (let i = 0; i < text.length; i++) byte(load<u8>(changetype<usize>(text) + (i << 1)))
}

function hex(count: u64): void {
  const length = <i32>min<u64>(count, BYTES_MAX)
  random(bytes, length)
  for (let i = 0; i < length; i++) {
    const value = load<u8>(bytes + i)
    nibble(value >> 4)
    nibble(value & 15)
  }
}

function nibble(value: u8): void {
  byte(value < 10 ? 0x30 + value : 0x57 + value)
}

/** A time, and whatever a time must not have: a sign, a fraction. */
function put(time: f64): void {
  if (time < 0) byte(0x2d)
  const whole = abs<f64>(time)
  digits(<u64>whole)
  if (<f64>(<u64>whole) != whole) words('.x')
}

function digits(value: u64): void {
  let divisor: u64 = 1
  while (value / divisor >= 10) divisor *= 10
  for (; divisor; divisor /= 10) byte(<u8>(0x30 + ((value / divisor) % 10)))
}
