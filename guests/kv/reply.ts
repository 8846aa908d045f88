// Answers in RESP2. What one call of the host brings about is gathered in one buffer and handed over at its
// end, or when the buffer is full; long values go out from where they lie.
import { output } from './colo'
import { copyBytes } from './bytes'
import { formatNumber, numberEnd } from './numbers'

const BUFFER_BYTES: usize = 65536
const DIRECT_BYTES: usize = 16384
const CRLF: u16 = 0x0a0d
const SHOWN_BYTES_MAX: usize = 128
/**
 * All that one call says is held until the next checkpoint is committed, so this is a limit on memory of both
 * daemons: twice as much as they hold before they stop reading from clients.
 */
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024

@unmanaged
class Reply {
  conn: i32
  length: usize
  /** Bytes that were handed over already in this call. */
  handed: u64
}

const reply: Reply = changetype<Reply>(memory.data(16))
const buffer: usize = memory.data(65536)

export function startReply(conn: i32): void {
  reply.conn = conn
  reply.handed = 0
}

export function flushReply(): void {
  if (reply.length == 0) return
  output(reply.conn, buffer, <i32>reply.length)
  reply.handed += reply.length
  reply.length = 0
}

/** Where the next `size` bytes go; they count as written. */
function room(size: usize): usize {
  if (reply.length + size > BUFFER_BYTES) flushReply()
  const at = buffer + reply.length
  reply.length += size
  return at
}

function bytes(at: usize, length: usize): void {
  if (length < DIRECT_BYTES) {
    copyBytes(room(length), at, length)
    return
  }
  flushReply()
  output(reply.conn, at, <i32>length)
  reply.handed += length
}

/** Whether so many bytes may still be answered in this call; refuses the command if not. */
export function mayAnswer(size: u64): bool {
  if (reply.handed + reply.length + size <= ANSWER_BYTES_MAX) return true
  replyError(
    'ERR the answer would be longer than 16 MiB, with all that this input asked for before',
  )
  return false
}

export function replyTooMuchWork(): void {
  replyError('ERR it would take too long: ask for less at a time')
}

/** A line that starts with a type letter and holds a number. */
function numberLine(type: u8, value: i64): void {
  const from = formatNumber(value)
  const length = numberEnd() - from
  const at = room(length + 3)
  store<u8>(at, type)
  copyBytes(at + 1, from, length)
  store<u16>(at + 1 + length, CRLF)
}

/** ASCII text; the compiler keeps it as UTF-16. */
function text(words: string): void {
  const length = words.length
  const from = changetype<usize>(words)
  const at = room(length)
  for (let i = 0; i < length; i++) store<u8>(at + i, load<u8>(from + (i << 1)))
}

function line(type: u8, words: string): void {
  store<u8>(room(1), type)
  text(words)
  endLine()
}

function endLine(): void {
  store<u16>(room(2), CRLF)
}

export function replyOk(): void {
  const at = room(5)
  store<u32>(at, 0x0d4b4f2b)
  store<u8>(at, 0x0a, 4)
}

export function replyNil(): void {
  const at = room(5)
  store<u32>(at, 0x0d312d24)
  store<u8>(at, 0x0a, 4)
}

export function replyInteger(value: i64): void {
  numberLine(0x3a, value)
}

export function replyArray(count: i64): void {
  numberLine(0x2a, count)
}

export function replyBulkLength(length: usize): void {
  numberLine(0x24, <i64>length)
}

export function replyBulkPart(at: usize, length: usize): void {
  bytes(at, length)
}

export function replyBulkEnd(): void {
  endLine()
}

export function replyBulk(at: usize, length: usize): void {
  replyBulkLength(length)
  bytes(at, length)
  endLine()
}

export function replyBulkNumber(value: i64): void {
  const from = formatNumber(value)
  const length = numberEnd() - from
  replyBulkLength(length)
  copyBytes(room(length), formatNumber(value), length)
  endLine()
}

export function replyBulkText(words: string): void {
  replyBulkLength(words.length)
  text(words)
  endLine()
}

export function replyStatus(words: string): void {
  line(0x2b, words)
}

export function replyError(words: string): void {
  line(0x2d, words)
}

/** An error that shows what the client sent: shortened, and in one line whatever it holds. */
export function replyErrorAbout(before: string, at: usize, length: usize, after: string): void {
  store<u8>(room(1), 0x2d)
  text(before)
  const shown = min(length, SHOWN_BYTES_MAX)
  const to = room(shown)
  for (let i: usize = 0; i < shown; i++) {
    const byte = load<u8>(at + i)
    store<u8>(to + i, byte < 0x20 || byte == 0x7f ? 0x20 : byte)
  }
  text(after)
  endLine()
}

/** The command's name in small letters, as Redis gives it back. */
export function replyWrongCount(at: usize, length: usize): void {
  store<u8>(room(1), 0x2d)
  text("ERR wrong number of arguments for '")
  const to = room(length)
  for (let i: usize = 0; i < length; i++) store<u8>(to + i, load<u8>(at + i) | 0x20)
  text("' command")
  endLine()
}

export function replyOutOfMemory(): void {
  replyError("OOM command not allowed when used memory > 'maxmemory'.")
}
