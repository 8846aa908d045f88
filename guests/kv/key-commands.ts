// The commands about keys, whatever their values: delete, count, list. A list is gone through twice, since
// RESP wants the number of its elements before the first one.
import { matches } from './glob'
import { hashBytes } from './bytes'
import { keyLengthOf, keyOf } from './entry'
import { parsedNumber, parseNumber } from './numbers'
import { replyArray, replyBulk, replyBulkNumber, replyError, replyInteger } from './reply'
import { replyStatus } from './reply'
import { argumentAt, argumentCount, argumentIs, argumentLength } from './request'
import { refuseNumber } from './string-commands'
import { erase, firstAt, following, keyCount, locate, nextPosition } from './table'

const SCAN_COUNT: i64 = 10
/** How many empty buckets a SCAN may pass for each key it was asked for. */
const SCAN_EFFORT: i64 = 10

@unmanaged
class Scan {
  /** The argument that holds the pattern; 0 for none. */
  pattern: i32
  count: i64
  /** TYPE was given, and it was not `string`: nothing matches. */
  nothing: bool
}

const scanned: Scan = changetype<Scan>(memory.data(24))

function linkOf(index: i32): usize {
  const at = argumentAt(index)
  const length = argumentLength(index)
  return locate(at, length, hashBytes(at, length))
}

export function del(): void {
  let deleted = 0
  for (let i = 1; i < argumentCount(); i++) {
    const link = linkOf(i)
    if (!load<usize>(link)) continue
    erase(link)
    deleted++
  }
  replyInteger(deleted)
}

export function exists(): void {
  let found = 0
  for (let i = 1; i < argumentCount(); i++) {
    if (load<usize>(linkOf(i))) found++
  }
  replyInteger(found)
}

export function type(): void {
  replyStatus(load<usize>(linkOf(1)) ? 'string' : 'none')
}

/** As Redis answers where nothing expires: -1 for a key, -2 for none. */
export function ttl(): void {
  replyInteger(load<usize>(linkOf(1)) ? -1 : -2)
}

export function dbSize(): void {
  replyInteger(keyCount())
}

function isWanted(entry: usize, pattern: i32): bool {
  if (!pattern) return true
  const at = keyOf(entry)
  return matches(argumentAt(pattern), argumentLength(pattern), at, keyLengthOf(entry))
}

/** Counts the keys of one bucket that match, or answers with them. */
function visit(position: u32, pattern: i32, answer: bool): i64 {
  let count: i64 = 0
  for (let entry = firstAt(position); entry; entry = following(entry, position)) {
    if (!isWanted(entry, pattern)) continue
    count++
    if (answer) replyBulk(keyOf(entry), keyLengthOf(entry))
  }
  return count
}

/** The same for all buckets from one position up to another, where 0 is the end of the table. */
function visitAll(position: u32, end: u32, pattern: i32, answer: bool): i64 {
  let count: i64 = 0
  do {
    count += visit(position, pattern, answer)
    position = nextPosition(position)
  } while (position != end)
  return count
}

export function keys(): void {
  replyArray(visitAll(0, 0, 1, false))
  visitAll(0, 0, 1, true)
}

function readScanOptions(): bool {
  scanned.pattern = 0
  scanned.count = SCAN_COUNT
  scanned.nothing = false
  const count = argumentCount()
  for (let i = 2; i < count; i += 2) {
    if (i + 1 == count) return refuseSyntax()
    if (argumentIs(i, 'MATCH')) scanned.pattern = i + 1
    else if (argumentIs(i, 'TYPE')) scanned.nothing = !argumentIs(i + 1, 'STRING')
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
  let seen: i64 = 0
  let effort = scanned.count * SCAN_EFFORT
  let end = start
  do {
    seen += visit(end, 0, false)
    end = nextPosition(end)
  } while (end && seen < scanned.count && --effort > 0)
  replyArray(2)
  replyBulkNumber(end)
  if (scanned.nothing) {
    replyArray(0)
    return
  }
  replyArray(visitAll(start, end, scanned.pattern, false))
  visitAll(start, end, scanned.pattern, true)
}
