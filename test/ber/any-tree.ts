// Whatever a file consists of, as values: by what each element says of itself, without a module.

import type { BerReader } from '../../formats/ber/ber-reader.ts'
import {
  BIT_STRING,
  BOOLEAN,
  INTEGER,
  NULL,
  OCTET_STRING,
  UTF8_STRING,
} from '../../formats/ber/ber-tag.ts'
import { hex } from './bytes.ts'

export function readElement(ber: BerReader): unknown {
  switch (ber.tag) {
    case BOOLEAN:
      return ber.boolean()
    case INTEGER:
      return BigInt(ber.integer())
    case NULL:
      ber.null()
      return null
    case UTF8_STRING:
      return ber.text()
    case OCTET_STRING:
      return { octets: hex(ber.octets()) }
    case BIT_STRING:
      return { bits: hex(ber.bits()) }
    default: {
      const { tag } = ber
      const inside: unknown[] = []
      ber.enter(tag)
      while (ber.more) inside.push(readElement(ber))
      ber.leave()
      return { tag, inside }
    }
  }
}

/** One element, which is the whole file. */
export function readTree(ber: BerReader): unknown {
  const value = readElement(ber)
  ber.endOfFile()
  return value
}
