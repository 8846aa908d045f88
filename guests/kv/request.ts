// Reads one command from a run of bytes, without copying it: an array of bulk strings, or a line of words as
// a person types it. The arguments of the command that was read last stay where they are in the input, and
// this file knows their addresses. A command that is not complete is read again from its start when more has
// come.
import { copyBytes } from './bytes'
import { replyError, replyErrorAbout } from './reply'

const ARGUMENTS_MAX: i64 = 1024
const ARGUMENT_BYTES_MAX: i64 = 512 * 1024
const COMMAND_BYTES_MAX: usize = 1024 * 1024
const LINE_BYTES_MAX: usize = 65536
const NUMBER_LINE_BYTES_MAX: usize = 32

/** What a reading function gives instead of the address after what it has read. */
export const INCOMPLETE: usize = 0
export const BROKEN: usize = 1

const CR: u32 = 0x0d
const LF: u32 = 0x0a
const SPACE: u32 = 0x20
const QUOTE: u32 = 0x22
const APOSTROPHE: u32 = 0x27
const DOLLAR: u32 = 0x24
const STAR: u32 = 0x2a
const BACKSLASH: u32 = 0x5c
const LETTER_X: u32 = 0x78

@unmanaged
class Request {
  count: i32
  number: i64
}

@unmanaged
class Argument {
  at: usize
  length: usize
}

const request: Request = changetype<Request>(memory.data(16))
const list: usize = memory.data(8192)

export function argumentCount(): i32 {
  return request.count
}

export function argumentAt(index: i32): usize {
  return changetype<Argument>(list + (index << 3)).at
}

export function argumentLength(index: i32): usize {
  return changetype<Argument>(list + (index << 3)).length
}

/** Of all arguments together. */
export function argumentsBytes(): usize {
  let bytes: usize = 0
  for (let i = 0; i < request.count; i++) bytes += argumentLength(i)
  return bytes
}

/** What saveArguments() needs. */
export function savedBytes(): usize {
  return 4 * <usize>request.count + argumentsBytes()
}

/** Copies the arguments: their lengths, then their bytes. */
export function saveArguments(to: usize): void {
  let bytes = to + 4 * <usize>request.count
  for (let i = 0; i < request.count; i++) {
    const length = argumentLength(i)
    store<usize>(to + (i << 2), length)
    copyBytes(bytes, argumentAt(i), length)
    bytes += length
  }
}

/** Makes the command that was saved here the one that was read last. */
export function restoreArguments(from: usize, count: i32): void {
  let bytes = from + 4 * <usize>count
  request.count = 0
  for (let i = 0; i < count; i++) {
    const length = load<usize>(from + (i << 2))
    addArgument(bytes, length)
    bytes += length
  }
}

/** Whether an argument is this word, which is given in capitals, in whatever case it was written. */
export function argumentIs(index: i32, word: string): bool {
  const length = argumentLength(index)
  if (length != word.length) return false
  const at = argumentAt(index)
  for (let i: usize = 0; i < length; i++) {
    const byte = load<u8>(at + i)
    const capital = byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte
    if (capital != load<u8>(changetype<usize>(word) + (i << 1))) return false
  }
  return true
}

function addArgument(at: usize, length: usize): void {
  const argument = changetype<Argument>(list + (request.count << 3))
  argument.at = at
  argument.length = length
  request.count++
}

/** Reads one command; the address after it, INCOMPLETE, or BROKEN when an error was answered. */
export function readCommand(at: usize, end: usize): usize {
  request.count = 0
  return load<u8>(at) == STAR ? readArray(at, end) : readLine(at, end)
}

function readArray(start: usize, end: usize): usize {
  let at = readNumber(start + 1, end)
  if (at == INCOMPLETE)
    return incomplete(start, end, 'ERR Protocol error: too big mbulk count string')
  const count = request.number
  if (at == BROKEN || count > ARGUMENTS_MAX) {
    return broken('ERR Protocol error: invalid multibulk length')
  }
  for (let i: i64 = 0; i < count; i++) {
    if (at >= end) return INCOMPLETE
    if (load<u8>(at) != DOLLAR) {
      replyErrorAbout("ERR Protocol error: expected '$', got '", at, 1, "'")
      return BROKEN
    }
    const line = at
    at = readNumber(line + 1, end)
    if (at == INCOMPLETE)
      return incomplete(line, end, 'ERR Protocol error: too big bulk count string')
    const length = request.number
    if (at == BROKEN || length < 0 || length > ARGUMENT_BYTES_MAX) {
      return broken('ERR Protocol error: invalid bulk length')
    }
    const after = at + <usize>length + 2
    if (after - start > COMMAND_BYTES_MAX) return broken('ERR Protocol error: too big command')
    addArgument(at, <usize>length)
    at = after
  }
  return at > end ? INCOMPLETE : at
}

/** INCOMPLETE, unless the line that began at `line` is already too long to hold a number. */
function incomplete(line: usize, end: usize, words: string): usize {
  return end - line > NUMBER_LINE_BYTES_MAX + 2 ? broken(words) : INCOMPLETE
}

function broken(words: string): usize {
  replyError(words)
  return BROKEN
}

/** A number and the end of its line. */
function readNumber(at: usize, end: usize): usize {
  const start = at
  const limit = min(end, at + NUMBER_LINE_BYTES_MAX)
  let value: i64 = 0
  let negative = false
  let strange = false
  for (; at < limit; at++) {
    const byte = <u32>load<u8>(at)
    const digit = byte - 0x30
    if (digit <= 9) value = value * 10 + digit
    else if (byte == CR) {
      if (at + 1 >= end) return INCOMPLETE
      const digits = at - start - <usize>negative
      request.number = negative ? -value : value
      return strange || digits == 0 || digits > 18 ? BROKEN : at + 2
    } else if (byte == 0x2d && at == start) negative = true
    else strange = true
  }
  return INCOMPLETE
}

function readLine(start: usize, end: usize): usize {
  const limit = min(end, start + LINE_BYTES_MAX)
  let newline = start
  while (newline < limit && load<u8>(newline) != LF) newline++
  if (newline == limit) {
    if (end - start < LINE_BYTES_MAX) return INCOMPLETE
    return broken('ERR Protocol error: too big inline request')
  }
  const last = newline > start && load<u8>(newline - 1) == CR ? newline - 1 : newline
  let at = start
  while (true) {
    while (at < last && isSpace(load<u8>(at))) at++
    if (at == last) return newline + 1
    if (request.count == <i32>ARGUMENTS_MAX) {
      return broken('ERR Protocol error: invalid multibulk length')
    }
    at = readWord(at, last)
    if (at == BROKEN) return broken('ERR Protocol error: unbalanced quotes in request')
  }
}

function isSpace(byte: u32): bool {
  return byte == SPACE || (byte >= 0x09 && byte <= 0x0d)
}

/** A word, whose quotes and escapes are undone where it stands: it only gets shorter. */
function readWord(start: usize, last: usize): usize {
  let at = start
  let to = start
  let quote: u32 = 0
  while (at < last) {
    const byte = <u32>load<u8>(at)
    if (!quote && isSpace(byte)) break
    at++
    if (byte == quote && quote) {
      if (at < last && !isSpace(load<u8>(at))) return BROKEN
      quote = 0
    } else if (!quote && (byte == QUOTE || byte == APOSTROPHE)) {
      quote = byte
    } else if (byte == BACKSLASH && quote && at < last) {
      const escape = readEscape(at, last, quote)
      store<u8>(to++, <u8>escape)
      at += escape >> 8
    } else {
      store<u8>(to++, byte)
    }
  }
  if (quote) return BROKEN
  addArgument(start, to - start)
  return at
}

/** What stands after a backslash: the byte it means, and above that how many bytes it took. */
function readEscape(at: usize, last: usize, quote: u32): u32 {
  const byte = <u32>load<u8>(at)
  if (quote == APOSTROPHE) return byte == APOSTROPHE ? 0x100 | byte : BACKSLASH
  if (byte == LETTER_X && at + 2 < last) {
    const value = (hexDigit(load<u8>(at + 1)) << 4) | hexDigit(load<u8>(at + 2))
    if (value < 0x100) return 0x300 | value
  }
  if (byte == 0x6e) return 0x100 | LF
  if (byte == 0x72) return 0x100 | CR
  if (byte == 0x74) return 0x100 | 0x09
  if (byte == 0x62) return 0x100 | 0x08
  if (byte == 0x61) return 0x100 | 0x07
  return 0x100 | byte
}

/** The value of a hexadecimal digit, or more than any two of them. */
function hexDigit(byte: u32): u32 {
  if (byte - 0x30 <= 9) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : 0x1000
}
