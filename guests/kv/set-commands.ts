// The commands that give a key a value, a deadline with it, or ask for the old value. What they need is taken before
// anything is changed: when memory is full they answer so and have done nothing.
import { hashBytes } from './bytes'
import { currentMs } from './clock'
import { parsedDeadline, readDeadline } from './expiry-commands'
import { seek, seekArgument } from './lookup'
import { replyError, replyInteger, replyOk, replyOutOfMemory } from './reply'
import { argumentAt, argumentCount, argumentIs, argumentLength } from './request'
import { mayAnswerValue, mayPlace, newEntry, replyValue } from './string-commands'
import { place, write } from './table'
import { reserveTimer, setDeadline } from './timers'

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
  if (argumentCount() == 3) {
    if (writeArgument(1, 2, false)) replyOk()
    return
  }
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

export function setNx(): void {
  if (load<usize>(seekArgument(1))) replyInteger(0)
  else if (writeArgument(1, 2, false)) replyInteger(1)
}
