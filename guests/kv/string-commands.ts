// The commands that read and write one value or several. A command that needs memory takes all of it before
// it changes anything: when memory is full it answers so and has done nothing.
import { capacityOf, release } from './allocator'
import { copyBytes, hashBytes } from './bytes'
import { replyWrongCount } from './command-errors'
import { appendToEntry, createEntry, entryBytes, VALUE_BYTES_MAX } from './entry'
import { keyLengthOf, keyOf, valueLengthOf, valueOf } from './entry'
import { seek, seekArgument } from './lookup'
import { formatNumber, numberEnd, parsedNumber, parseNumber } from './numbers'
import { mayAnswer, replyArray, replyBulk, replyError, replyInteger, replyNil } from './reply'
import { replyOk, replyOutOfMemory } from './reply'
import { argumentAt, argumentCount, argumentLength } from './request'
import { erase, isCrowded, locate, place, touchEntry, write } from './table'

const number: usize = memory.data(24)
/** What an element of an array takes besides its bytes, at most. */
const ELEMENT_BYTES: u64 = 16
/** The entry of each argument of MGET, or 0. */
const found: usize = memory.data(4096)

function hashOf(index: i32): u32 {
  return hashBytes(argumentAt(index), argumentLength(index))
}

export function replyValue(entry: usize): void {
  if (entry) replyBulk(valueOf(entry), valueLengthOf(entry))
  else replyNil()
}

/** Whether the value may be answered; refuses the command if not. */
export function mayAnswerValue(entry: usize): bool {
  return !entry || mayAnswer(valueLengthOf(entry) + ELEMENT_BYTES)
}

/** Whether a new key may be put at the link that was found last; refuses the command if not. */
export function mayPlace(link: usize): bool {
  if (!isCrowded(link)) return true
  refuseCrowded()
  return false
}

export function refuseCrowded(): void {
  replyError('ERR too many keys have the hash of this one: use another key')
}

/** An entry made of two arguments that is in no table yet, or 0. */
export function newEntry(key: i32, value: i32): usize {
  const length = argumentLength(value)
  const entry = createEntry(argumentAt(key), argumentLength(key), hashOf(key), length)
  if (entry) appendToEntry(entry, argumentAt(value), length)
  return entry
}

export function get(): void {
  const entry = load<usize>(seekArgument(1))
  if (mayAnswerValue(entry)) replyValue(entry)
}

export function getDel(): void {
  const link = seekArgument(1)
  const entry = load<usize>(link)
  if (!mayAnswerValue(entry)) return
  replyValue(entry)
  if (entry) erase(link)
}

export function mget(): void {
  const count = argumentCount()
  let size: u64 = 0
  for (let i = 1; i < count; i++) {
    const entry = load<usize>(seekArgument(i))
    store<usize>(found + (i << 2), entry)
    size += ELEMENT_BYTES + (entry ? valueLengthOf(entry) : 0)
  }
  if (!mayAnswer(size)) return
  replyArray(count - 1)
  for (let i = 1; i < count; i++) replyValue(load<usize>(found + (i << 2)))
}

/** All or nothing: the entries are made first, in a chain of their own, and placed when all are there. */
export function mset(): void {
  if ((argumentCount() & 1) == 0) return replyWrongCount()
  for (let i = 1; i < argumentCount(); i += 2) {
    if (!mayPlace(seekArgument(i))) return
  }
  let made: usize = 0
  for (let i = argumentCount() - 2; i > 0; i -= 2) {
    const entry = newEntry(i, i + 1)
    if (!entry) {
      releaseChain(made)
      replyOutOfMemory()
      return
    }
    store<usize>(entry, made)
    made = entry
  }
  while (made) {
    const next = load<usize>(made)
    const at = keyOf(made)
    const length = keyLengthOf(made)
    place(locate(at, length, hashBytes(at, length)), made)
    made = next
  }
  replyOk()
}

function releaseChain(entry: usize): void {
  while (entry) {
    const next = load<usize>(entry)
    release(entry)
    entry = next
  }
}

export function add(amount: i64): void {
  const at = argumentAt(1)
  const length = argumentLength(1)
  const hash = hashBytes(at, length)
  const link = seek(at, length, hash)
  if (!mayPlace(link)) return
  const entry = load<usize>(link)
  let value: i64 = 0
  if (entry) {
    if (!parseNumber(valueOf(entry), valueLengthOf(entry))) {
      refuseNumber()
      return
    }
    value = parsedNumber()
  }
  const sum = value + amount
  if (amount < 0 ? sum > value : sum < value) {
    replyError('ERR increment or decrement would overflow')
    return
  }
  const from = formatNumber(sum)
  const digits = numberEnd() - from
  copyBytes(number, from, digits)
  if (write(link, at, length, hash, number, digits, true)) replyInteger(sum)
  else replyOutOfMemory()
}

export function addArgument(sign: i64): void {
  if (!parseNumber(argumentAt(2), argumentLength(2))) {
    refuseNumber()
    return
  }
  const amount = parsedNumber()
  if (sign < 0 && amount == i64.MIN_VALUE) {
    replyError('ERR decrement would overflow')
    return
  }
  add(sign * amount)
}

export function refuseNumber(): void {
  replyError('ERR value is not an integer or out of range')
}

/** Grows by half of what is needed, so that appending often does not copy the value each time. */
export function append(): void {
  const link = seekArgument(1)
  if (!mayPlace(link)) return
  const old = load<usize>(link)
  const added = argumentLength(2)
  const length = (old ? valueLengthOf(old) : 0) + added
  if (length > VALUE_BYTES_MAX) {
    replyError('ERR string exceeds maximum allowed size (1048576 bytes)')
    return
  }
  const keyLength = argumentLength(1)
  let entry = old
  if (!old || entryBytes(keyLength, length) > capacityOf(old)) {
    const room = old ? length + (length >> 1) : length
    entry = createEntry(argumentAt(1), keyLength, hashOf(1), room)
    if (!entry && old) entry = createEntry(argumentAt(1), keyLength, hashOf(1), length)
    if (!entry) {
      replyOutOfMemory()
      return
    }
    if (old) appendToEntry(entry, valueOf(old), length - added)
    place(link, entry, true)
  } else touchEntry(entry)
  appendToEntry(entry, argumentAt(2), added)
  replyInteger(length)
}

export function strLen(): void {
  const entry = load<usize>(seekArgument(1))
  replyInteger(entry ? valueLengthOf(entry) : 0)
}
