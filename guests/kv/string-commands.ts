// The commands that read and write one value or several. A command that needs memory takes all of it before
// it changes anything: when memory is full it answers so and has done nothing.
import { capacityOf, release } from './allocator'
import { copyBytes, hashBytes } from './bytes'
import { currentMs } from './clock'
import { replyWrongCount } from './command-errors'
import { appendToEntry, createEntry, entryBytes, VALUE_BYTES_MAX } from './entry'
import { keyLengthOf, keyOf, valueLengthOf, valueOf } from './entry'
import { parsedDeadline, readDeadline } from './expiry-commands'
import { seek, seekArgument } from './lookup'
import { formatNumber, numberEnd, parsedNumber, parseNumber } from './numbers'
import { mayAnswer, replyArray, replyBulk, replyError, replyInteger, replyNil } from './reply'
import { replyOk, replyOutOfMemory } from './reply'
import { argumentAt, argumentCount, argumentIs, argumentLength } from './request'
import { erase, isCrowded, locate, place, touchEntry, write } from './table'
import { reserveTimer, setDeadline } from './timers'

const number: usize = memory.data(24)
/** What an element of an array takes besides its bytes, at most. */
const ELEMENT_BYTES: u64 = 16
/** The entry of each argument of MGET, or 0. */
const found: usize = memory.data(4096)

function hashOf(index: i32): u32 {
  return hashBytes(argumentAt(index), argumentLength(index))
}

function replyValue(entry: usize): void {
  if (entry) replyBulk(valueOf(entry), valueLengthOf(entry))
  else replyNil()
}

/** Whether the value may be answered; refuses the command if not. */
function mayAnswerValue(entry: usize): bool {
  return !entry || mayAnswer(valueLengthOf(entry) + ELEMENT_BYTES)
}

/** Whether a new key may be put at the link that was found last; refuses the command if not. */
function mayPlace(link: usize): bool {
  if (!isCrowded(link)) return true
  refuseCrowded()
  return false
}

export function refuseCrowded(): void {
  replyError('ERR too many keys have the hash of this one: use another key')
}

/**
 * Writes the value of one argument to the key of another, with its deadline or without; answers only when that
 * fails. The entry, or 0.
 */
function writeArgument(key: i32, value: i32, keepsDeadline: bool): usize {
  const at = argumentAt(key)
  const length = argumentLength(key)
  const hash = hashBytes(at, length)
  const link = seek(at, length, hash)
  if (!mayPlace(link)) return 0
  const size = argumentLength(value)
  const entry = write(link, at, length, hash, argumentAt(value), size, keepsDeadline)
  if (!entry) replyOutOfMemory()
  return entry
}

/** An entry made of two arguments that is in no table yet, or 0. */
function newEntry(key: i32, value: i32): usize {
  const length = argumentLength(value)
  const entry = createEntry(argumentAt(key), argumentLength(key), hashOf(key), length)
  if (entry) appendToEntry(entry, argumentAt(value), length)
  return entry
}

export function get(): void {
  const entry = load<usize>(seekArgument(1))
  if (mayAnswerValue(entry)) replyValue(entry)
}

/** What the words behind a SET ask for. */
@unmanaged
class SetOptions {
  ifAbsent: bool
  ifPresent: bool
  wantsOld: bool
  keepsDeadline: bool
  /** The option that gives a deadline, which stands before it; or 0. */
  expiry: i32
  /** The unit of that in milliseconds, and whether it counts from now on. */
  unit: i64
  isFromNow: bool
}

const options: SetOptions = changetype<SetOptions>(memory.data(32, 8))

export function set(): void {
  memory.fill(changetype<usize>(options), 0, offsetof<SetOptions>())
  for (let i = 3; i < argumentCount(); i++) {
    if (argumentIs(i, 'NX') && !options.ifPresent) options.ifAbsent = true
    else if (argumentIs(i, 'XX') && !options.ifAbsent) options.ifPresent = true
    else if (argumentIs(i, 'GET')) options.wantsOld = true
    else if (argumentIs(i, 'KEEPTTL') && !options.expiry) options.keepsDeadline = true
    else if (!options.keepsDeadline && i + 1 < argumentCount() && isExpiry(i)) i++
    else return replyError('ERR syntax error')
  }
  if (options.expiry) {
    const base = options.isFromNow ? currentMs() : 0
    if (!readDeadline(options.expiry + 1, options.unit, base, 1)) return
  }
  setWithOptions()
}

/** Takes one of the four options of a deadline, if it is the only one of them. */
function isExpiry(index: i32): bool {
  const isFromNow = argumentIs(index, 'EX') || argumentIs(index, 'PX')
  if (!isFromNow && !argumentIs(index, 'EXAT') && !argumentIs(index, 'PXAT')) return false
  const unit: i64 = argumentIs(index, 'PX') || argumentIs(index, 'PXAT') ? 1 : 1000
  if (options.expiry && (options.unit != unit || options.isFromNow != isFromNow)) return false
  options.expiry = index
  options.unit = unit
  options.isFromNow = isFromNow
  return true
}

function setWithOptions(): void {
  const old = load<usize>(seekArgument(1))
  if (options.wantsOld && !mayAnswerValue(old)) return
  if (old ? options.ifAbsent : options.ifPresent) return replyValue(options.wantsOld ? old : 0)
  if (options.expiry && !reserveTimer()) return replyOutOfMemory()
  // The old value is answered from where it lies, so it must not be overwritten there.
  const entry = options.wantsOld ? exchange() : writeArgument(1, 2, options.keepsDeadline)
  if (!entry) return
  if (options.expiry) setDeadline(entry, parsedDeadline())
  if (!options.wantsOld) replyOk()
}

/** Puts a new entry in the place of the old one, and answers with that; the entry, or 0. */
function exchange(): usize {
  const link = seekArgument(1)
  if (!mayPlace(link)) return 0
  const entry = newEntry(1, 2)
  if (!entry) {
    replyOutOfMemory()
    return 0
  }
  replyValue(load<usize>(link))
  place(link, entry, options.keepsDeadline)
  return entry
}

/** SETEX and PSETEX: the value comes last. */
export function setFor(unit: i64): void {
  if (!readDeadline(2, unit, currentMs(), 1)) return
  if (!reserveTimer()) return replyOutOfMemory()
  const entry = writeArgument(1, 3, false)
  if (!entry) return
  setDeadline(entry, parsedDeadline())
  replyOk()
}

export function getSet(): void {
  memory.fill(changetype<usize>(options), 0, offsetof<SetOptions>())
  options.wantsOld = true
  setWithOptions()
}

export function getDel(): void {
  const link = seekArgument(1)
  const entry = load<usize>(link)
  if (!mayAnswerValue(entry)) return
  replyValue(entry)
  if (entry) erase(link)
}

export function setNx(): void {
  if (load<usize>(seekArgument(1))) replyInteger(0)
  else if (writeArgument(1, 2, false)) replyInteger(1)
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
