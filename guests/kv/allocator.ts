// The heap: a two-level segregated fit. Free blocks hang in lists by size class, sixteen classes to each
// power of two, and neighbours that are free are merged, so allocating and releasing take constant time and
// what was deleted serves blocks of any size again. A block is a 4-byte header (its size; whether it and the
// one before it are free) and its payload; a free block also holds its list links and, in its last four
// bytes, its size, by which the block after it finds it. Memory grows on demand and never shrinks.
//
// Some bytes are kept free of data: a reserve. When memory is full, what a client sends in pieces must still
// be kept somewhere, or nobody could connect and send the DEL that helps.

const FREE: u32 = 1
const BEFORE_FREE: u32 = 2
const SIZE_MASK: u32 = ~7
const HEADER: usize = 4
const BLOCK_MIN: usize = 16
const CLASSES_PER_POWER: i32 = 16
const POWERS: i32 = 26
const SMALL: usize = 128
const PAGE_SHIFT: i32 = 16
const PAGES_MAX: i32 = 65535
const GROW_PAGES: i32 = 16
const RESERVE_BYTES: usize = 128 * 1024
/** Bytes at the very end that no block has: the end mark, and room for an 8-byte load to overrun. */
const END_BYTES: usize = 12

@unmanaged
class Heap {
  used: usize
  powersWithFree: u32
  start: usize
  /** Where the end mark is. */
  end: usize
  /** Memory could not grow by as much as was wanted: it is near its maximum. */
  isGrown: bool
}

@unmanaged
class FreeBlock {
  header: u32
  next: usize
  previous: usize
}

const heap: Heap = changetype<Heap>(memory.data(20))
const classMaps: usize = memory.data(104)
const heads: usize = memory.data(1664)

function sizeOf(block: usize): usize {
  return load<u32>(block) & SIZE_MASK
}

function classOf(size: usize): i32 {
  if (size < SMALL) return <i32>(size >> 3)
  const log = 31 - <i32>clz<usize>(size)
  return ((log - 6) << 4) + (<i32>(size >> (log - 4)) & (CLASSES_PER_POWER - 1))
}

function addFree(block: usize, size: usize): void {
  const entry = changetype<FreeBlock>(block)
  const index = classOf(size)
  const head = heads + (index << 2)
  const first = load<usize>(head)
  entry.header = (entry.header & BEFORE_FREE) | <u32>size | FREE
  entry.next = first
  entry.previous = 0
  if (first) changetype<FreeBlock>(first).previous = block
  store<usize>(head, block)
  const power = index >> 4
  const map = classMaps + (power << 2)
  store<u32>(map, load<u32>(map) | (1 << (index & 15)))
  heap.powersWithFree |= 1 << power
  store<u32>(block + size - 4, <u32>size)
  const after = block + size
  store<u32>(after, load<u32>(after) | BEFORE_FREE)
}

function removeFree(block: usize): void {
  const entry = changetype<FreeBlock>(block)
  const next = entry.next
  const previous = entry.previous
  if (next) changetype<FreeBlock>(next).previous = previous
  if (previous) {
    changetype<FreeBlock>(previous).next = next
    return
  }
  const index = classOf(sizeOf(block))
  store<usize>(heads + (index << 2), next)
  if (next) return
  const power = index >> 4
  const map = classMaps + (power << 2)
  const left = load<u32>(map) & ~(1 << (index & 15))
  store<u32>(map, left)
  if (!left) heap.powersWithFree &= ~(1 << power)
}

/** What a block for `size` bytes takes: the least size of a class, so that one that is released fits again. */
function blockBytes(size: usize): usize {
  const total = max(BLOCK_MIN, (size + HEADER + 7) & ~7)
  if (total < SMALL) return total
  const step: usize = 1 << (27 - clz<usize>(total))
  return (total + step - 1) & ~(step - 1)
}

function findFree(size: usize): usize {
  const index = classOf(size)
  let power = index >> 4
  let map = load<u32>(classMaps + (power << 2)) & (~0 << (index & 15))
  if (!map) {
    const powers = heap.powersWithFree & (~0 << (power + 1))
    if (!powers) return 0
    power = ctz<u32>(powers)
    map = load<u32>(classMaps + (power << 2))
  }
  return load<usize>(heads + (((power << 4) + <i32>ctz<u32>(map)) << 2))
}

/** Makes a free block of what lies between the end mark and `end`, and sets a new end mark. */
function extend(end: usize): void {
  const block = heap.end
  heap.end = end - END_BYTES
  store<u32>(heap.end, 0)
  mergeFree(block, heap.end - block)
}

function mergeFree(block: usize, size: usize): void {
  if (load<u32>(block) & BEFORE_FREE) {
    const sizeBefore = load<u32>(block - 4)
    block -= sizeBefore
    size += sizeBefore
    removeFree(block)
  }
  const after = block + size
  if (load<u32>(after) & FREE) {
    size += sizeOf(after)
    removeFree(after)
  }
  addFree(block, size)
}

function grow(size: usize): bool {
  const needed = <i32>((size + 0xffff) >> PAGE_SHIFT)
  const room = PAGES_MAX - memory.size()
  if (needed > room) return false
  const wanted = min(max(needed, GROW_PAGES), room)
  if (memory.grow(wanted) < 0) {
    heap.isGrown = true
    if (memory.grow(needed) < 0) return false
  }
  extend((<usize>memory.size()) << PAGE_SHIFT)
  return true
}

/** `size` bytes that are not cleared, or 0 if memory is full. For what is needed to hear a client at all. */
export function allocate(size: usize): usize {
  const total = blockBytes(size)
  let block = findFree(total)
  if (!block) {
    if (!grow(total)) return 0
    block = findFree(total)
  }
  removeFree(block)
  const found = sizeOf(block)
  const rest = found - total
  let taken = total
  if (rest >= BLOCK_MIN) {
    store<u32>(block + total, 0)
    addFree(block + total, rest)
  } else {
    taken = found
    const after = block + found
    store<u32>(after, load<u32>(after) & ~BEFORE_FREE)
  }
  store<u32>(block, (load<u32>(block) & BEFORE_FREE) | <u32>taken)
  heap.used += taken
  return block + HEADER
}

export function release(payload: usize): void {
  const block = payload - HEADER
  const size = sizeOf(block)
  heap.used -= size
  mergeFree(block, size)
}

/** How many bytes a payload really has room for. */
export function capacityOf(payload: usize): usize {
  return sizeOf(payload - HEADER) - HEADER
}

/** For what clients store: as allocate(), but leaves the reserve alone. */
export function allocateData(size: usize): usize {
  const needed = blockBytes(size) + RESERVE_BYTES
  const free = heap.end - heap.start - heap.used
  return needed <= free || grow(needed - free) ? allocate(size) : 0
}

/** Memory has come near its maximum. */
export function isNearlyFull(): bool {
  return heap.isGrown
}

/** Whether allocateData() is likely to fail for so many bytes. */
export function isShortOf(size: usize): bool {
  return heap.isGrown && heap.end - heap.start - heap.used < size + RESERVE_BYTES
}

export function usedBytes(): usize {
  return heap.used
}

export function startHeap(): void {
  heap.start = ((__heap_base + 7) & ~7) + HEADER
  heap.end = heap.start
  extend((<usize>memory.size()) << PAGE_SHIFT)
}
