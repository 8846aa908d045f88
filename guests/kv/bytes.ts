// Bytes in linear memory: copy, compare, hash. Keys and values are mostly short, and a call to memory.copy
// leaves the compiled code, so short runs are done eight bytes at a time here. Loads may read up to seven
// bytes past the end of what they were given and mask them off; the allocator keeps the last bytes of memory
// unused for that reason. The hash has no secret, as there is no random number to make it from.

const HASH_FACTOR: u64 = 0x9e3779b97f4a7c15
const LONG_COPY: usize = 128

/** The last `count` (0 to 7) bytes at `at`, as the low bytes of a number. */
function tail(at: usize, count: usize): u64 {
  return load<u64>(at) & (((<u64>1) << ((<u64>count) << 3)) - 1)
}

export function copyBytes(to: usize, from: usize, length: usize): void {
  if (length >= LONG_COPY) {
    memory.copy(to, from, length)
    return
  }
  while (length >= 8) {
    store<u64>(to, load<u64>(from))
    to += 8
    from += 8
    length -= 8
  }
  while (length > 0) {
    store<u8>(to, load<u8>(from))
    to++
    from++
    length--
  }
}

export function equalBytes(left: usize, right: usize, length: usize): bool {
  while (length >= 8) {
    if (load<u64>(left) != load<u64>(right)) return false
    left += 8
    right += 8
    length -= 8
  }
  return length == 0 || tail(left, length) == tail(right, length)
}

export function hashBytes(at: usize, length: usize): u32 {
  let hash: u64 = <u64>length * HASH_FACTOR
  while (length >= 8) {
    hash = rotl<u64>(hash ^ load<u64>(at), 29) * HASH_FACTOR
    at += 8
    length -= 8
  }
  if (length > 0) hash = rotl<u64>(hash ^ tail(at, length), 29) * HASH_FACTOR
  hash ^= hash >> 32
  hash *= HASH_FACTOR
  return <u32>(hash >> 32)
}

/** Up to eight letters as one number, without regard to case; 0 if there are none or too many. */
export function packWord(at: usize, length: usize): u64 {
  if (length == 0 || length > 8) return 0
  const letters = length == 8 ? load<u64>(at) : tail(at, length)
  return letters & 0xdfdfdfdfdfdfdfdf
}
