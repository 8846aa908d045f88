// Steps over what follows an opcode. The lengths differ by the opcode alone, and the table of operations says
// which shape each has; this is the one place that knows what the shapes look like in the binary.

import { type ByteReader, Refusal } from './byte-reader.ts'
import { readValueType } from './module-layout.ts'
import type { Operation } from './operations.ts'

const FIXED: Readonly<Partial<Record<Operation['immediates'], number>>> = {
  none: 0,
  '1 byte': 1,
  '4 bytes': 4,
  '8 bytes': 8,
  '16 bytes': 16,
}

/** Steps over what follows the opcode of an instruction. */
export function skipImmediates(reader: ByteReader, { immediates }: Operation): void {
  const fixed = FIXED[immediates]
  if (fixed !== undefined) return reader.skip(fixed)
  switch (immediates) {
    case 'block type': {
      const at = reader.at
      const first = reader.bytes[at]
      if (first === 0x63 || first === 0x64) throw new Refusal('typed function references', at)
      return reader.skipLeb()
    }
    case 'labels':
      for (let n = reader.u32() + 1; n > 0; n--) reader.skipLeb()
      return
    case 'handlers':
      return skipHandlers(reader)
    case 'types':
      for (let n = reader.u32(); n > 0; n--) readValueType(reader)
      return
    case 'leb leb':
    case 'memarg':
    case 'memarg lane':
      reader.skipLeb()
      reader.skipLeb()
      if (immediates === 'memarg lane') reader.skip(1)
      return
    default:
      return reader.skipLeb()
  }
}

/** The block type and the catch clauses of try_table. */
function skipHandlers(reader: ByteReader): void {
  reader.skipLeb()
  for (let n = reader.u32(); n > 0; n--) {
    const catchesAll = reader.byte() >= 2
    if (!catchesAll) reader.skipLeb()
    reader.skipLeb()
  }
}
