// One key and its value, in one block of the heap: a header, the key's bytes, the value's bytes. `next` is
// the first field, so that the address of an entry is also the address of its link to the next one.
import { copyBytes } from './bytes'
import { allocateEntry } from './retired'

/** A value may not grow beyond this, whatever command made it. */
export const VALUE_BYTES_MAX: usize = 1024 * 1024

@unmanaged
export class Entry {
  next: usize
  hash: u32
  keyLength: usize
  valueLength: usize
  /** Of the key's deadline, see timers.ts; or 0. */
  timer: u32
}

const HEADER: usize = 20

export function keyOf(entry: usize): usize {
  return entry + HEADER
}

export function keyLengthOf(entry: usize): usize {
  return changetype<Entry>(entry).keyLength
}

export function valueOf(entry: usize): usize {
  return entry + HEADER + changetype<Entry>(entry).keyLength
}

export function valueLengthOf(entry: usize): usize {
  return changetype<Entry>(entry).valueLength
}

export function entryBytes(keyLength: usize, valueLength: usize): usize {
  return HEADER + keyLength + valueLength
}

/** A new entry with room for `room` bytes of value and none of it used, or 0 if memory is full. */
export function createEntry(key: usize, keyLength: usize, hash: u32, room: usize): usize {
  const entry = allocateEntry(entryBytes(keyLength, room))
  if (!entry) return 0
  const fields = changetype<Entry>(entry)
  fields.next = 0
  fields.hash = hash
  fields.keyLength = keyLength
  fields.valueLength = 0
  fields.timer = 0
  copyBytes(entry + HEADER, key, keyLength)
  return entry
}

export function appendToEntry(entry: usize, from: usize, length: usize): void {
  const fields = changetype<Entry>(entry)
  copyBytes(valueOf(entry) + fields.valueLength, from, length)
  fields.valueLength += length
}

/** Gives an entry that is in no table another key, for which it has room. */
export function renameEntry(entry: usize, key: usize, keyLength: usize, hash: u32): void {
  const fields = changetype<Entry>(entry)
  const value = valueOf(entry)
  if (keyLength != fields.keyLength) {
    memory.copy(entry + HEADER + keyLength, value, fields.valueLength)
  }
  fields.keyLength = keyLength
  fields.hash = hash
  copyBytes(entry + HEADER, key, keyLength)
}
