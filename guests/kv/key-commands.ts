// The commands about keys, whatever their values: delete, count, list. A list is gone through twice, since
// RESP wants the number of its elements before the first one.
import { capacityOf, release } from './allocator'
import { equalBytes, hashBytes } from './bytes'
import { appendToEntry, createEntry, entryBytes, keyLengthOf, keyOf, renameEntry } from './entry'
import { valueLengthOf, valueOf } from './entry'
import { matches, PATTERN_BYTES_MAX } from './glob'
import { liveKeyCount, seek, seekArgument } from './lookup'
import { parsedNumber, parseNumber } from './numbers'
import { mayAnswer, replyArray, replyBulk, replyBulkNumber, replyError } from './reply'
import { replyInteger, replyOk, replyOutOfMemory, replyStatus, replyTooMuchWork } from './reply'
import { argumentAt, argumentCount, argumentIs, argumentLength } from './request'
import { refuseCrowded, refuseNumber } from './string-commands'
import { bucketCount, detach, erase, firstAt, firstIn, following, isCrowded, locate } from './table'
import { nextPosition, place } from './table'
import { isExpired, moveDeadline } from './timers'
import { BUCKET_STEPS, ENTRY_STEPS, mayCopy, setStepsLeft, spend, stepsLeft } from './work'

const SCAN_COUNT: i64 = 10
/** How many empty buckets a SCAN may pass for each key it was asked for. */
const SCAN_EFFORT: i64 = 10
/** Whatever COUNT says, a SCAN ends behind the bucket with which it has taken so many steps or bytes. */
const SCAN_STEPS: i32 = 5_000_000
const SCAN_ANSWER_BYTES: u64 = 1024 * 1024
/** What an element of an array takes besides its bytes, at most. */
const ELEMENT_BYTES: u64 = 16

@unmanaged
class Scan {
  /** The argument that holds the pattern; 0 for none. */
  pattern: i32
  count: i64
  /** TYPE was given, and it was not `string`: nothing matches. */
  nothing: bool
  /** Keys that were looked at, those of them that match, and what it takes to answer with these. */
  seen: i64
  matched: i64
  bytes: u64
}

const scanned: Scan = changetype<Scan>(memory.data(48))

export function del(): void {
  let deleted = 0
  for (let i = 1; i < argumentCount(); i++) {
    const link = seekArgument(i)
    if (!load<usize>(link)) continue
    erase(link)
    deleted++
  }
  replyInteger(deleted)
}

export function exists(): void {
  let found = 0
  for (let i = 1; i < argumentCount(); i++) {
    if (load<usize>(seekArgument(i))) found++
  }
  replyInteger(found)
}

export function type(): void {
  replyStatus(load<usize>(seekArgument(1)) ? 'string' : 'none')
}

export function dbSize(): void {
  const count = liveKeyCount()
  if (count < 0) replyTooMuchWork()
  else replyInteger(count)
}

/** The key takes its value and its deadline along. */
export function rename(): void {
  const at = argumentAt(2)
  const length = argumentLength(2)
  const hash = hashBytes(at, length)
  const from = load<usize>(seekArgument(1))
  if (!from) return replyError('ERR no such key')
  if (isArgument(1, at, length)) return replyOk()
  if (isCrowded(seek(at, length, hash))) return refuseCrowded()
  const size = valueLengthOf(from)
  const isMoved = capacityOf(from) < entryBytes(length, size)
  if (!mayCopy(size)) return replyTooMuchWork()
  const room = isMoved ? createEntry(at, length, hash, size) : 0
  if (isMoved && !room) return replyOutOfMemory()
  // To erase the other key may have changed the place of this one.
  const link = seekArgument(1)
  detach(link)
  if (isMoved) replaceEntry(from, room)
  else renameEntry(from, at, length, hash)
  place(locate(at, length, hash), isMoved ? room : from)
  replyOk()
}

function isArgument(index: i32, at: usize, length: usize): bool {
  return argumentLength(index) == length && equalBytes(argumentAt(index), at, length)
}

/** An entry that is in no table hands over its value and its deadline, and is released. */
function replaceEntry(from: usize, to: usize): void {
  appendToEntry(to, valueOf(from), valueLengthOf(from))
  moveDeadline(from, to)
  release(from)
}

function isWanted(entry: usize, pattern: i32): bool {
  if (isExpired(entry)) return false
  if (!pattern) return true
  const at = keyOf(entry)
  return matches(argumentAt(pattern), argumentLength(pattern), at, keyLengthOf(entry))
}

/** Counts the keys of a chain, and those of them that match. */
function count(entry: usize, position: u32, pattern: i32): void {
  spend(BUCKET_STEPS)
  for (; entry; entry = following(entry, position)) {
    spend(ENTRY_STEPS)
    scanned.seen++
    if (!isWanted(entry, pattern)) continue
    scanned.matched++
    scanned.bytes += keyLengthOf(entry) + ELEMENT_BYTES
  }
}

/** Answers with those that match. */
function answer(entry: usize, position: u32, pattern: i32): void {
  spend(BUCKET_STEPS)
  for (; entry; entry = following(entry, position)) {
    spend(ENTRY_STEPS)
    if (isWanted(entry, pattern)) replyBulk(keyOf(entry), keyLengthOf(entry))
  }
}

function startCount(): void {
  scanned.seen = 0
  scanned.matched = 0
  scanned.bytes = 0
}

function isPattern(index: i32): bool {
  if (argumentLength(index) <= PATTERN_BYTES_MAX) return true
  replyError('ERR the pattern is longer than 1024 bytes')
  return false
}

/**
 * The keys are gone through twice, and matched with the pattern twice, so the first time may take half of the
 * steps that are left. What it took is left for the second time.
 */
export function keys(): void {
  if (!isPattern(1)) return
  const left = stepsLeft()
  const half = left >> 1
  setStepsLeft(half)
  startCount()
  const buckets = bucketCount()
  for (let i: u32 = 0; i < buckets && stepsLeft() >= 0; i++) count(firstIn(i), 0, 1)
  const isTooMuch = stepsLeft() < 0
  setStepsLeft(left - half + stepsLeft())
  if (isTooMuch) replyError('ERR KEYS would take too long here: use SCAN')
  if (isTooMuch || !mayAnswer(scanned.bytes)) return
  replyArray(scanned.matched)
  for (let i: u32 = 0; i < buckets; i++) answer(firstIn(i), 0, 1)
}

function readScanOptions(): bool {
  scanned.pattern = 0
  scanned.count = SCAN_COUNT
  scanned.nothing = false
  const count = argumentCount()
  for (let i = 2; i < count; i += 2) {
    if (i + 1 == count) return refuseSyntax()
    if (argumentIs(i, 'MATCH')) {
      if (!isPattern(i + 1)) return false
      scanned.pattern = i + 1
    } else if (argumentIs(i, 'TYPE')) scanned.nothing = !argumentIs(i + 1, 'STRING')
    else if (!argumentIs(i, 'COUNT')) return refuseSyntax()
    else if (!parseNumber(argumentAt(i + 1), argumentLength(i + 1))) {
      refuseNumber()
      return false
    } else {
      if (parsedNumber() < 1) return refuseSyntax()
      scanned.count = min<i64>(parsedNumber(), u32.MAX_VALUE)
    }
  }
  return true
}

function refuseSyntax(): bool {
  replyError('ERR syntax error')
  return false
}

export function scan(): void {
  if (!parseNumber(argumentAt(1), argumentLength(1)) || <u64>parsedNumber() > u32.MAX_VALUE) {
    replyError('ERR invalid cursor')
    return
  }
  const start = <u32>parsedNumber()
  if (!readScanOptions()) return
  const left = stepsLeft()
  const end = findEnd(start, left >> 1)
  const isTooMuch = end == start && stepsLeft() < 0
  setStepsLeft(left - (left >> 1) + stepsLeft())
  if (isTooMuch) {
    replyTooMuchWork()
    return
  }
  if (scanned.nothing) {
    scanned.matched = 0
    scanned.bytes = 0
  }
  if (!mayAnswer(scanned.bytes)) return
  replyArray(2)
  replyBulkNumber(end)
  replyArray(scanned.matched)
  if (scanned.nothing) return
  let position = start
  do {
    answer(firstAt(position), position, scanned.pattern)
    position = nextPosition(position)
  } while (position != end)
}

/** Counts buckets until they are what was asked for, or enough for one answer; the position behind them. */
function findEnd(start: u32, steps: i32): u32 {
  setStepsLeft(steps)
  startCount()
  let effort = scanned.count * SCAN_EFFORT
  let end = start
  do {
    const matched = scanned.matched
    const bytes = scanned.bytes
    count(firstAt(end), end, scanned.pattern)
    if (stepsLeft() < 0) {
      scanned.matched = matched
      scanned.bytes = bytes
      return end
    }
    end = nextPosition(end)
    if (stepsLeft() < steps - SCAN_STEPS || scanned.bytes > SCAN_ANSWER_BYTES) return end
  } while (end && scanned.seen < scanned.count && --effort > 0)
  return end
}
