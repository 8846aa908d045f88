// When keys expire: a binary heap of deadlines, the earliest on top, so that what has expired is found without a
// search. A slot is a deadline in milliseconds and the address of its entry, and an entry knows its slot. The slots
// lie in segments, so the heap grows without being copied. Most keys have no deadline and pay four bytes.
import { release } from './allocator'
import { currentMs } from './clock'
import { Entry } from './entry'
import { allocateEntry } from './retired'

const SLOT_BYTES: u32 = 12
const SEGMENT_BITS: u32 = 12
const SEGMENT_SLOTS: u32 = 1 << SEGMENT_BITS
const SEGMENTS_MAX: u32 = 4096
/** What the next deadline may take, at most. */
export const TIMERS_BYTES: u64 = 52 * 1024

@unmanaged
class Timers {
  count: u32
  segments: u32
}

const timers: Timers = changetype<Timers>(memory.data(8))
const directory: usize = memory.data(16384)

export function timerCount(): u32 {
  return timers.count
}

function slotAt(position: u32): usize {
  const segment = load<usize>(directory + ((position >> SEGMENT_BITS) << 2))
  return segment + (position & (SEGMENT_SLOTS - 1)) * SLOT_BYTES
}

function deadlineAt(position: u32): i64 {
  return load<i64>(slotAt(position))
}

function entryAt(position: u32): usize {
  return load<usize>(slotAt(position), 8)
}

/** An entry that has a timer holds the position of its slot, plus one. */
function put(position: u32, deadline: i64, entry: usize): void {
  const slot = slotAt(position)
  store<i64>(slot, deadline)
  store<usize>(slot, entry, 8)
  changetype<Entry>(entry).timer = position + 1
}

function rise(position: u32, deadline: i64, entry: usize): void {
  while (position > 0) {
    const parent = (position - 1) >> 1
    if (deadlineAt(parent) <= deadline) break
    put(position, deadlineAt(parent), entryAt(parent))
    position = parent
  }
  put(position, deadline, entry)
}

function sink(position: u32, deadline: i64, entry: usize): void {
  const count = timers.count
  while (true) {
    let child: u32 = 2 * position + 1
    if (child >= count) break
    if (child + 1 < count && deadlineAt(child + 1) < deadlineAt(child)) child++
    if (deadlineAt(child) >= deadline) break
    put(position, deadlineAt(child), entryAt(child))
    position = child
  }
  put(position, deadline, entry)
}

function settle(position: u32, deadline: i64, entry: usize): void {
  if (position > 0 && deadlineAt((position - 1) >> 1) > deadline) rise(position, deadline, entry)
  else sink(position, deadline, entry)
}

/** Makes sure that one more key can be given a deadline; false if memory is full. */
export function reserveTimer(): bool {
  if (timers.count < timers.segments << SEGMENT_BITS) return true
  if (timers.segments == SEGMENTS_MAX) return false
  const segment = allocateEntry(SEGMENT_SLOTS * SLOT_BYTES)
  if (!segment) return false
  store<usize>(directory + (timers.segments << 2), segment)
  timers.segments++
  return true
}

/** The deadline of an entry that has a timer. */
export function deadlineOf(entry: usize): i64 {
  return deadlineAt(changetype<Entry>(entry).timer - 1)
}

/** Where the entry has no timer yet, reserveTimer() came before. */
export function setDeadline(entry: usize, deadline: i64): void {
  const timer = changetype<Entry>(entry).timer
  if (timer) settle(timer - 1, deadline, entry)
  else rise(timers.count++, deadline, entry)
}

/** Takes the deadline off: the key stays, or its caller releases the entry. */
export function clearDeadline(entry: usize): void {
  const timer = changetype<Entry>(entry).timer
  if (!timer) return
  changetype<Entry>(entry).timer = 0
  const last = --timers.count
  if (timer - 1 != last) settle(timer - 1, deadlineAt(last), entryAt(last))
  // One segment is kept in spare: the next key may need it again.
  if (timers.segments > (last >> SEGMENT_BITS) + 2) {
    timers.segments--
    release(load<usize>(directory + (timers.segments << 2)))
  }
}

/** One entry takes the place of another. */
export function moveDeadline(from: usize, to: usize): void {
  const timer = changetype<Entry>(from).timer
  if (timer) put(timer - 1, deadlineAt(timer - 1), to)
}

/** For a table that is emptied as a whole. */
export function clearDeadlines(): void {
  timers.count = 0
  while (timers.segments) {
    timers.segments--
    release(load<usize>(directory + (timers.segments << 2)))
  }
}

/** As in Redis, a key is still there in the millisecond of its deadline. */
export function isExpired(entry: usize): bool {
  const timer = changetype<Entry>(entry).timer
  return timer != 0 && deadlineAt(timer - 1) < currentMs()
}

/** An entry that has expired, the one with the earliest deadline; or 0. */
export function firstExpired(): usize {
  return timers.count && deadlineAt(0) < currentMs() ? entryAt(0) : 0
}

/** How many have expired; if they are more than `most`, a number beyond it. Goes through these alone. */
export function countExpired(most: u32): u32 {
  const now = currentMs()
  let found: u32 = 0
  let position: u32 = 0
  while (found <= most) {
    if (position < timers.count && deadlineAt(position) < now) {
      found++
      position = 2 * position + 1
      continue
    }
    // A right child has an even position: go up as long as there is nothing beside it.
    while (position > 0 && (position & 1) == 0) position = (position - 1) >> 1
    if (position == 0) break
    position++
  }
  return found
}
