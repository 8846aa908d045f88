// The two functions that a rewritten module has beyond its own: the one that marks a range of pages, for bulk
// instructions and for the host, and the one that copies data to its place at the start, where one is needed.

import { ByteWriter } from '../../../formats/wasm/byte-writer.ts'
import { PAGE_SHIFT } from './function-body.ts'
import { I32 } from '../../../formats/wasm/operations.ts'

const ADDRESS = 0
const LENGTH = 1
const LAST = 2

/**
 * (address, length): marks the pages of that range of guest memory, none if the length is 0. It reads the
 * last byte before it marks, so that a host which names a range that is not in memory gets a trap, and no mark
 * lies beyond the table. A loop, because ranges are short and memory.fill is a call into the engine.
 */
export function markBody(tableBytes: number): Uint8Array {
  const out = new ByteWriter()
  const get = (local: number) => out.put(0x20, local)
  const set = (local: number) => out.put(0x21, local)
  const constant = (value: number) => {
    out.put(0x41)
    out.i32(value)
  }
  out.put(1, 1, I32)
  get(LENGTH) // if (length === 0) return
  out.put(0x45, 0x04, 0x40, 0x0f, 0x0b)
  get(ADDRESS) // last = address + length - 1
  get(LENGTH)
  out.put(0x6a)
  constant(1)
  out.put(0x6b, 0x22, LAST)
  out.put(0x2d, 0) // read memory[last]
  out.u32(tableBytes)
  out.put(0x1a)
  get(LAST) // if (last < address) unreachable
  get(ADDRESS)
  out.put(0x49, 0x04, 0x40, 0x00, 0x0b)
  for (const local of [ADDRESS, LAST]) {
    get(local) // to pages
    constant(PAGE_SHIFT)
    out.put(0x76)
    set(local)
  }
  out.put(0x03, 0x40) // do table[address] = 1, while (++address <= last)
  get(ADDRESS)
  constant(1)
  out.put(0x3a, 0, 0)
  get(ADDRESS)
  constant(1)
  out.put(0x6a, 0x22, ADDRESS)
  get(LAST)
  out.put(0x4d, 0x0d, 0, 0x0b, 0x0b)
  return out.written
}

/** Copies the data, then does what the module's own start function does. */
export function startBody(initialization: Uint8Array, ownStart: number | undefined): Uint8Array {
  const out = new ByteWriter()
  out.put(0)
  out.copy(initialization)
  if (ownStart !== undefined) {
    out.put(0x10)
    out.u32(ownStart)
  }
  out.put(0x0b)
  return out.written
}
