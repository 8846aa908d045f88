// Answers in RESP2. What one call of the host brings about is gathered in one buffer and handed over at its
// end, or when the buffer is full; long values go out from where they lie.
import { output } from './colo'
import { copyBytes } from './bytes'
import { formatNumber, numberEnd } from './numbers'

const BUFFER_BYTES: usize = 65536
const DIRECT_BYTES: usize = 16384
const CRLF: u16 = 0x0a0d
export const SHOWN_BYTES_MAX: usize = 128
const CR: u8 = 0x0d
const LF: u8 = 0x0a
const SPACE: u8 = 0x20
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
  /** Bytes that the other commands of a transaction may still need, see transactions.ts. */
  promised: u64
}

const reply: Reply = changetype<Reply>(memory.data(24, 8))
const buffer: usize = memory.data(65536)

export function startReply(conn: i32): void {
  reply.conn = conn
  reply.handed = 0
  reply.promised = 0
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

/** Whether so many bytes may still be answered in this call. */
export function hasRoomFor(size: u64): bool {
  return reply.handed + reply.length + reply.promised + size <= ANSWER_BYTES_MAX
}

/** Keeps room for so many bytes of answers, or gives it back where they are less than none. */
export function promise(bytes: i64): void {
  reply.promised += bytes
}

/** As hasRoomFor(), but refuses the command if not. */
export function mayAnswer(size: u64): bool {
  if (hasRoomFor(size)) return true
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

export function replyNilArray(): void {
  const at = room(5)
  store<u32>(at, 0x0d312d2a)
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

/** An error in parts: its first words, then more words and bytes, then its end. */
export function startError(words: string): void {
  store<u8>(room(1), 0x2d)
  text(words)
}

export function addWords(words: string): void {
  text(words)
}

/** What a client sent: as Redis shows it, up to a zero byte and in one line. How many bytes that is. */
export function addShown(from: usize, length: usize): usize {
  const most = min(length, SHOWN_BYTES_MAX)
  let count: usize = 0
  while (count < most && load<u8>(from + count)) count++
  const to = room(count)
  for (let i: usize = 0; i < count; i++) {
    const byte = load<u8>(from + i)
    store<u8>(to + i, byte == CR || byte == LF ? SPACE : byte)
  }
  return count
}

export function addSmallLetters(from: usize, length: usize): void {
  const to = room(length)
  for (let i: usize = 0; i < length; i++) store<u8>(to + i, load<u8>(from + i) | 0x20)
}

export function endError(): void {
  endLine()
}

/** An error that shows the first bytes of what the client sent. */
export function replyErrorAbout(before: string, at: usize, length: usize, after: string): void {
  startError(before)
  addShown(at, length)
  text(after)
  endLine()
}

export function replyOutOfMemory(): void {
  replyError("OOM command not allowed when used memory > 'maxmemory'.")
}
