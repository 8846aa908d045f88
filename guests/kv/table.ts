// All keys, in a hash table that is never rehashed as a whole: linear hashing. It grows by one bucket with
// an insert, which splits one older bucket, and shrinks by a few with a delete, so no command pays for the
// size of the table. Buckets are kept in segments of 16 KiB and chains are short: one key a bucket.
//
// A bucket holds the hashes that agree in their low bits, that is, one interval of all hashes read backwards.
// So a SCAN cursor is a position among the reversed hashes: the table may grow and shrink between two calls,
// and every key that stays is seen exactly once.
import { allocate, capacityOf, release } from './allocator'
import { equalBytes } from './bytes'
import { appendToEntry, createEntry, Entry, entryBytes, keyLengthOf, keyOf } from './entry'
import { allocateEntry, allocateHeard, releaseRetired, retire } from './retired'
import { SEGMENT_BITS, SEGMENT_BUCKETS, SEGMENT_BYTES, SEGMENT_ROOM } from './retired'
import { clearDeadline, clearDeadlines, moveDeadline } from './timers'
import { isAnythingWatched, touch } from './watches'
import { stepsLeft } from './work'

const BUCKETS_MAX: u32 = 16384 << SEGMENT_BITS
const MERGES_PER_DELETE: i32 = 4
/** Only keys that were made to collide make a chain so long: the hash has no secret. */
const CHAIN_MAX: u32 = 128

@unmanaged
class Table {
  keys: u32
  buckets: u32
  /** The length of the chain in which locate() found nothing. */
  chain: u32
}

const table: Table = changetype<Table>(memory.data(12))
const directory: usize = memory.data(65536)

export function keyCount(): u32 {
  return table.keys
}

function slotOf(bucket: u32): usize {
  const segment = load<usize>(directory + ((bucket >> SEGMENT_BITS) << 2))
  return segment + ((bucket & (SEGMENT_BUCKETS - 1)) << 2)
}

function bucketOf(hash: u32): u32 {
  const level = 31 - clz<u32>(table.buckets)
  const bucket = hash & ((2 << level) - 1)
  return bucket < table.buckets ? bucket : bucket & ((1 << level) - 1)
}

/** The bucket that was split to make this one. */
function parentOf(bucket: u32): u32 {
  return bucket ^ (1 << (31 - clz<u32>(bucket)))
}

/** The address of the link that holds this key's entry, or of the empty link at the end of its chain. */
export function locate(key: usize, keyLength: usize, hash: u32): usize {
  let link = slotOf(bucketOf(hash))
  let entry = load<usize>(link)
  let chain: u32 = 0
  while (entry) {
    chain++
    const fields = changetype<Entry>(entry)
    if (fields.hash == hash && fields.keyLength == keyLength) {
      if (equalBytes(keyOf(entry), key, keyLength)) return link
    }
    link = entry
    entry = fields.next
  }
  table.chain = chain
  return link
}

/**
 * Whether a new key at the link that locate() gave last would make a chain too long. It would be gone through for
 * each key of it, so that few keys could keep the guest busy for seconds.
 */
export function isCrowded(link: usize): bool {
  return table.chain >= CHAIN_MAX && !load<usize>(link)
}

export function touchEntry(entry: usize): void {
  if (isAnythingWatched()) touch(keyOf(entry), keyLengthOf(entry), changetype<Entry>(entry).hash)
}

/**
 * Puts an entry at the link that locate() gave for its key, in the place of one that is there; with the deadline of
 * that, or without.
 */
export function place(link: usize, entry: usize, keepsDeadline: bool = false): void {
  const old = load<usize>(link)
  changetype<Entry>(entry).next = old ? changetype<Entry>(old).next : 0
  store<usize>(link, entry)
  touchEntry(entry)
  if (old) {
    if (keepsDeadline) {
      moveDeadline(old, entry)
      changetype<Entry>(old).timer = 0
    }
    clearDeadline(old)
    release(old)
    return
  }
  table.keys++
  if (table.keys > table.buckets) split()
}

/** Gives a key a value, in place if the old entry has the right size; the entry, or 0 if memory is full. */
export function write(
  link: usize,
  key: usize,
  keyLength: usize,
  hash: u32,
  value: usize,
  valueLength: usize,
  keepsDeadline: bool,
): usize {
  const old = load<usize>(link)
  if (old) {
    const size = entryBytes(keyLength, valueLength)
    const capacity = capacityOf(old)
    if (size <= capacity && capacity < 2 * size + 64) {
      changetype<Entry>(old).valueLength = 0
      appendToEntry(old, value, valueLength)
      if (!keepsDeadline && changetype<Entry>(old).timer) clearDeadline(old)
      touchEntry(old)
      return old
    }
  }
  const entry = createEntry(key, keyLength, hash, valueLength)
  if (!entry) return 0
  appendToEntry(entry, value, valueLength)
  place(link, entry, keepsDeadline)
  return entry
}

/** Takes an entry out of the table as it is, to be placed again. */
export function detach(link: usize): void {
  const entry = load<usize>(link)
  touchEntry(entry)
  store<usize>(link, changetype<Entry>(entry).next)
  table.keys--
}

/** Deletes the entry of a link that locate() gave. */
export function erase(link: usize): void {
  const entry = load<usize>(link)
  detach(link)
  clearDeadline(entry)
  release(entry)
  for (let i = 0; i < MERGES_PER_DELETE && table.keys < table.buckets >> 2; i++) {
    if (!merge()) return
  }
}

function split(): void {
  const bucket = table.buckets
  if (bucket == BUCKETS_MAX) return
  if ((bucket & (SEGMENT_BUCKETS - 1)) == 0 && !addSegment(bucket)) return
  let from = slotOf(parentOf(bucket))
  let to = slotOf(bucket)
  table.buckets++
  for (let entry = load<usize>(from); entry; entry = changetype<Entry>(entry).next) {
    if (bucketOf(changetype<Entry>(entry).hash) == bucket) {
      store<usize>(to, entry)
      to = entry
    } else {
      store<usize>(from, entry)
      from = entry
    }
  }
  store<usize>(from, 0)
  store<usize>(to, 0)
}

function addSegment(bucket: u32): bool {
  const segment = allocateEntry(SEGMENT_ROOM)
  if (!segment) return false
  memory.fill(segment, 0, SEGMENT_BYTES)
  store<usize>(directory + ((bucket >> SEGMENT_BITS) << 2), segment)
  return true
}

/** False if the table stays as it is: it has its least size, or a chain would become too long. */
function merge(): bool {
  if (table.buckets == SEGMENT_BUCKETS) return false
  const bucket = table.buckets - 1
  const first = load<usize>(slotOf(bucket))
  let link = slotOf(parentOf(bucket))
  for (let chain: u32 = 0; load<usize>(link); chain++) {
    if (chain == CHAIN_MAX) return false
    link = load<usize>(link)
  }
  store<usize>(link, first)
  table.buckets = bucket
  if ((bucket & (SEGMENT_BUCKETS - 1)) == 0) release(slotOf(bucket))
  return true
}

/** Takes all entries out of the table, and releases as many of them at once as the call has time for. */
export function eraseAll(): void {
  const first = load<usize>(directory)
  const segments = (table.buckets + SEGMENT_BUCKETS - 1) >> SEGMENT_BITS
  for (let i: u32 = 1; i < segments; i++) retire(load<usize>(directory + (i << 2)))
  const another = segments > 1 ? allocateHeard(SEGMENT_ROOM) : 0
  if (another) {
    memory.fill(another, 0, SEGMENT_BYTES)
    store<usize>(directory, another)
    retire(first)
  } else releaseEntries(first)
  clearDeadlines()
  table.keys = 0
  table.buckets = SEGMENT_BUCKETS
  releaseRetired(stepsLeft() >> 1)
}

/** Of one segment, which stays: at most a few thousand. */
function releaseEntries(segment: usize): void {
  for (let at = segment; at < segment + SEGMENT_BYTES; at += 4) {
    let entry = load<usize>(at)
    store<usize>(at, 0)
    while (entry) {
      const next = changetype<Entry>(entry).next
      release(entry)
      entry = next
    }
  }
}

export function bucketCount(): u32 {
  return table.buckets
}

export function firstIn(bucket: u32): usize {
  return load<usize>(slotOf(bucket))
}

/** An iteration begins at position 0 and has ended when nextPosition() gives 0 again. */
export function firstAt(position: u32): usize {
  const entry = load<usize>(slotOf(bucketOf(reverse(position))))
  return skipBefore(entry, position)
}

export function following(entry: usize, position: u32): usize {
  return skipBefore(changetype<Entry>(entry).next, position)
}

/** A cursor may point into a bucket that has grown by a merge: what lies before it was seen. */
function skipBefore(entry: usize, position: u32): usize {
  while (entry && reverse(changetype<Entry>(entry).hash) < position) {
    entry = changetype<Entry>(entry).next
  }
  return entry
}

export function nextPosition(position: u32): u32 {
  const level = 31 - clz<u32>(table.buckets)
  const low = reverse(position) & ((1 << level) - 1)
  const isSplit = low + (1 << level) < table.buckets
  const bits = isSplit ? level + 1 : level
  const width: u32 = 1 << (32 - bits)
  return (position & ~(width - 1)) + width
}

function reverse(value: u32): u32 {
  value = ((value >> 1) & 0x55555555) | ((value & 0x55555555) << 1)
  value = ((value >> 2) & 0x33333333) | ((value & 0x33333333) << 2)
  value = ((value >> 4) & 0x0f0f0f0f) | ((value & 0x0f0f0f0f) << 4)
  return bswap<u32>(value)
}

export function startTable(): void {
  addSegmentAtStart()
  table.buckets = SEGMENT_BUCKETS
}

function addSegmentAtStart(): void {
  const segment = allocate(SEGMENT_ROOM)
  memory.fill(segment, 0, SEGMENT_BYTES)
  store<usize>(directory, segment)
}
