// Moves active data segments up with the memory they fill. An offset that is a constant is simply larger. Any
// other offset (of a module that is told at run time where its data goes) can't be added to in a constant
// expression by every engine, so such a segment becomes a passive one that a start function copies to its
// place; and so do all active ones behind it, because they are copied in order and may overlap.

import { ByteReader } from '../../../formats/wasm/byte-reader.ts'
import { ByteWriter } from '../../../formats/wasm/byte-writer.ts'
import { putShifted } from './function-body.ts'
import { SECTION } from '../../../formats/wasm/module-numbers.ts'
import { skipConstant, type ModuleLayout } from '../../../formats/wasm/module-layout.ts'

const ACTIVE = 0
const PASSIVE = 1
const ACTIVE_IN_MEMORY = 2
const I32_CONST = 0x41
const END = 0x0b

export interface ShiftedData {
  /** The content of the data section; undefined if the module has none. */
  readonly section: Uint8Array | undefined
  readonly segments: number
  /** Instructions that copy the segments whose offset is no constant; empty if there are none. */
  readonly start: Uint8Array
}

interface Offset {
  /** The constant; undefined if the offset is another expression. */
  readonly value: number | undefined
  /** The expression without its `end`. */
  readonly expression: Uint8Array
}

function readOffset(reader: ByteReader): Offset {
  const { bytes, at } = reader
  skipConstant(reader)
  const expression = bytes.subarray(at, reader.at - 1)
  if (expression[0] !== I32_CONST) return { value: undefined, expression }
  const constant = new ByteReader(bytes, at + 1, reader.at - 1)
  const value = constant.i32() >>> 0
  return { value: constant.isAtEnd ? value : undefined, expression }
}

/** What the start function does for one segment: what instantiation would have done, higher up. */
function putInitialization(
  out: ByteWriter,
  segment: number,
  expression: Uint8Array,
  length: number,
  tableBytes: number,
): void {
  putShifted(out, tableBytes, () => out.copy(expression))
  out.put(I32_CONST, 0, I32_CONST)
  out.i32(length)
  out.put(0xfc, 8)
  out.u32(segment)
  out.put(0, 0xfc, 9)
  out.u32(segment)
}

/** @throws Refusal */
export function shiftData(
  bytes: Uint8Array,
  layout: ModuleLayout,
  tableBytes: number,
): ShiftedData {
  const span = layout.sections.get(SECTION.data)
  const start = new ByteWriter()
  if (span === undefined) return { section: undefined, segments: 0, start: start.written }
  const reader = new ByteReader(bytes, span.start, span.end)
  const out = new ByteWriter(span.end - span.start + 64)
  const segments = reader.u32()
  out.u32(segments)
  for (let segment = 0; segment < segments; segment++) {
    const at = reader.at
    const flags = reader.u32()
    if (flags > ACTIVE_IN_MEMORY) throw reader.malformed(`a data segment of kind ${flags}`, at)
    if (flags === ACTIVE_IN_MEMORY) reader.u32()
    const offset = flags === PASSIVE ? undefined : readOffset(reader)
    const length = reader.u32()
    const content = reader.at
    reader.skip(length)
    if (offset === undefined) out.u32(PASSIVE)
    else if (offset.value === undefined || start.length > 0) {
      putInitialization(start, segment, offset.expression, length, tableBytes)
      out.u32(PASSIVE)
    } else {
      out.put(ACTIVE, I32_CONST)
      out.i32(Math.min(offset.value + tableBytes, 0xffffffff))
      out.put(END)
    }
    out.sized(bytes.subarray(content, reader.at))
  }
  return { section: out.written, segments, start: start.written }
}
