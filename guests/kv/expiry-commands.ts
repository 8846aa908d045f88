// The commands about deadlines. A deadline is a time of the host's clock, so it stays right after a failover.
import { currentMs } from './clock'
import { replyInvalidExpiry } from './command-errors'
import { Entry } from './entry'
import { seekArgument } from './lookup'
import { parsedNumber, parseNumber } from './numbers'
import { replyArray, replyBulkNumber, replyError, replyErrorAbout, replyInteger } from './reply'
import { replyOutOfMemory } from './reply'
import { argumentAt, argumentCount, argumentIs, argumentLength } from './request'
import { refuseNumber } from './string-commands'
import { erase, touchEntry } from './table'
import { clearDeadline, deadlineOf, reserveTimer, setDeadline } from './timers'

/** When EXPIRE is to change anything. */
const IF_NONE: i32 = 1
const IF_SOME: i32 = 2
const IF_LATER: i32 = 4
const IF_SOONER: i32 = 8

@unmanaged
class Parsed {
  deadline: i64
}

const parsed: Parsed = changetype<Parsed>(memory.data(8, 8))

/** What readDeadline() read last. */
export function parsedDeadline(): i64 {
  return parsed.deadline
}

/**
 * Reads an argument as so many times `unit` milliseconds after `base`; refuses the command if it is no number, less
 * than `least`, or beyond what a deadline can hold.
 */
export function readDeadline(index: i32, unit: i64, base: i64, least: i64): bool {
  if (!parseNumber(argumentAt(index), argumentLength(index))) {
    refuseNumber()
    return false
  }
  const number = parsedNumber()
  const isLong = number > i64.MAX_VALUE / unit || number < i64.MIN_VALUE / unit
  if (number < least || isLong || number * unit > i64.MAX_VALUE - base) {
    replyInvalidExpiry()
    return false
  }
  parsed.deadline = number * unit + base
  return true
}

function readConditions(): i32 {
  let conditions = 0
  for (let i = 3; i < argumentCount(); i++) {
    if (argumentIs(i, 'NX')) conditions |= IF_NONE
    else if (argumentIs(i, 'XX')) conditions |= IF_SOME
    else if (argumentIs(i, 'GT')) conditions |= IF_LATER
    else if (argumentIs(i, 'LT')) conditions |= IF_SOONER
    else {
      replyErrorAbout('ERR Unsupported option ', argumentAt(i), argumentLength(i), '')
      return -1
    }
  }
  if (conditions & IF_NONE && conditions != IF_NONE) {
    replyError('ERR NX and XX, GT or LT options at the same time are not compatible')
    return -1
  }
  if (conditions & IF_LATER && conditions & IF_SOONER) {
    replyError('ERR GT and LT options at the same time are not compatible')
    return -1
  }
  return conditions
}

/** A key without a deadline counts as one whose deadline is never. */
function isMet(conditions: i32, entry: usize, deadline: i64): bool {
  const isSet = changetype<Entry>(entry).timer != 0
  if (conditions & IF_NONE && isSet) return false
  if (conditions & IF_SOME && !isSet) return false
  if (conditions & IF_LATER && (!isSet || deadline <= deadlineOf(entry))) return false
  return !(conditions & IF_SOONER) || !isSet || deadline < deadlineOf(entry)
}

export function expire(unit: i64): void {
  const conditions = readConditions()
  if (conditions < 0 || !readDeadline(2, unit, currentMs(), i64.MIN_VALUE)) return
  const link = seekArgument(1)
  const entry = load<usize>(link)
  if (!entry || !isMet(conditions, entry, parsed.deadline)) return replyInteger(0)
  if (parsed.deadline <= currentMs()) erase(link)
  else {
    if (!reserveTimer()) return replyOutOfMemory()
    setDeadline(entry, parsed.deadline)
    touchEntry(entry)
  }
  replyInteger(1)
}

export function persist(): void {
  const entry = load<usize>(seekArgument(1))
  const isSet = entry != 0 && changetype<Entry>(entry).timer != 0
  if (isSet) {
    clearDeadline(entry)
    touchEntry(entry)
  }
  replyInteger(isSet ? 1 : 0)
}

/** In units of so many milliseconds, rounded. */
export function ttl(unit: i64): void {
  const entry = load<usize>(seekArgument(1))
  if (!entry) replyInteger(-2)
  else if (!changetype<Entry>(entry).timer) replyInteger(-1)
  else replyInteger((deadlineOf(entry) - currentMs() + (unit >> 1)) / unit)
}

/** Seconds, and the microseconds behind them. */
export function time(): void {
  replyArray(2)
  replyBulkNumber(currentMs() / 1000)
  replyBulkNumber((currentMs() % 1000) * 1000)
}
