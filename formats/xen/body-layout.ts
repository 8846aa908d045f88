// The layout of a record's body as data: an ordered list of named fields, little-endian, without
// gaps. From one layout come the decoder, the encoder and the TypeScript type of the fields, so
// that they agree.

import { readU32, readU64, viewOf } from '../bytes/byte-order.ts'

/** Bytes a fixed field takes. Reserved fields are written as zero and never looked at. */
const fixedSizes = { u8: 1, u32: 4, u64: 8, count: 4, zero32: 4, zero48: 6 } as const

/**
 * `count` is a u32 that counts the list which follows; `bytes` is all that is left of the body. A
 * list, written as an array of one element, takes all that is left when it is last, and `count`
 * elements when it is not.
 */
export type FieldKind = keyof typeof fixedSizes | 'bytes' | readonly ['u64'] | readonly [Layout]
export interface Layout {
  readonly [field: string]: FieldKind
}

type Reserved = 'zero32' | 'zero48'
type ValueOf<K> = K extends 'u8' | 'u32' | 'count'
  ? number
  : K extends 'u64'
    ? bigint
    : K extends 'bytes'
      ? Uint8Array
      : K extends readonly [infer E]
        ? (E extends 'u64' ? bigint : DecodedFields<E>)[]
        : never

/** What decoding gives: every field that is not reserved. */
export type DecodedFields<L> = {
  readonly [F in keyof L as L[F] extends Reserved ? never : F]: ValueOf<L[F]>
}

type HeadValueOf<K> = K extends 'u8' | 'u32' | 'count'
  ? number
  : K extends 'u64'
    ? bigint
    : { readonly length: number }

/**
 * What is known of a body once its fixed fields are there: their values, and of what follows the
 * length only, in elements or bytes.
 */
export type HeadFields<L> = {
  readonly [F in keyof L as L[F] extends Reserved ? never : F]: HeadValueOf<L[F]>
}

/** What encoding needs: counts are computed. */
export type EncodedFields<L> = {
  readonly [F in keyof L as L[F] extends Reserved | 'count' ? never : F]: ValueOf<L[F]>
}

function fixedSize(kind: FieldKind): number | undefined {
  return typeof kind === 'string' && kind !== 'bytes' ? fixedSizes[kind] : undefined
}

function elementSize(element: 'u64' | Layout): number {
  if (element === 'u64') return 8
  return Object.values(element).reduce((sum, kind) => sum + (fixedSize(kind) ?? 0), 0)
}

/** The offset of a field in its body; right for every field up to and including the first list. */
export function offsetOfField(layout: Layout, field: string): number {
  let offset = 0
  for (const [name, kind] of Object.entries(layout)) {
    if (name === field) break
    offset += fixedSize(kind) ?? 0
  }
  return offset
}

/** Bytes of the fixed fields that a body begins with. */
export function headBytes(layout: Layout): number {
  let bytes = 0
  for (const kind of Object.values(layout)) {
    const size = fixedSize(kind)
    if (size === undefined) break
    bytes += size
  }
  return bytes
}

/** Bytes of an element of the body's first list; 1 for a payload, and for a body of neither. */
export function itemBytes(layout: Layout): number {
  const kind = Object.values(layout).find((one) => fixedSize(one) === undefined)
  return kind === undefined || typeof kind === 'string' ? 1 : elementSize(kind[0])
}

/**
 * The head of a body as fields. `length` is the body's, of which only the fixed fields have to be
 * there, from `at` on.
 */
export function decodeHead<L extends Layout>(
  layout: L,
  body: Uint8Array,
  at: number,
  length: number,
): HeadFields<L> {
  const fields: Record<string, unknown> = {}
  const left = length - headBytes(layout)
  let offset = at
  for (const [name, kind] of Object.entries(layout)) {
    if (typeof kind === 'string' && kind !== 'bytes') {
      const value = decodeFixed(kind, body, offset)
      if (value !== undefined) fields[name] = value
      offset += fixedSizes[kind]
    } else {
      fields[name] = { length: left / (kind === 'bytes' ? 1 : elementSize(kind[0])) }
    }
  }
  // As in decodeBody.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return fields as HeadFields<L>
}

/** A reserved field: its bytes must be written as zero, and a receiver does not look at them. */
export interface ReservedField {
  readonly name: string
  readonly at: number
  readonly bytes: number
}

export function reservedFields(layout: Layout): readonly ReservedField[] {
  return Object.entries(layout).flatMap(([name, kind]) => {
    if (kind !== 'zero32' && kind !== 'zero48') return []
    return [{ name, at: offsetOfField(layout, name), bytes: fixedSizes[kind] }]
  })
}

/** Turns the fixed fields at `at` from big-endian to little-endian, or back. */
export function swapHead(layout: Layout, bytes: Uint8Array, at: number): void {
  let offset = at
  for (const kind of Object.values(layout)) {
    const size = fixedSize(kind)
    if (size === undefined) break
    if (kind !== 'zero48') bytes.subarray(offset, offset + size).reverse()
    offset += size
  }
}

/**
 * The fields of a body whose length its record's rule allows. `bytes` fields are views of `body`,
 * not copies; u64 are bigints. Throws a RangeError when a count asks for more than the body holds.
 */
export function decodeBody<L extends Layout>(layout: L, body: Uint8Array): DecodedFields<L> {
  const fields: Record<string, unknown> = {}
  const names = Object.keys(layout)
  let at = 0
  let count = 0
  for (const name of names) {
    const kind = layout[name]
    if (kind === 'bytes') {
      fields[name] = body.subarray(at)
    } else if (typeof kind === 'string') {
      const value = decodeFixed(kind, body, at)
      if (kind === 'count') count = Number(value)
      if (value !== undefined) fields[name] = value
      at += fixedSizes[kind]
    } else {
      const size = elementSize(kind[0])
      const fits = Math.floor((body.length - at) / size)
      const length = name === names.at(-1) ? fits : count
      if (length > fits) throw new RangeError(`${name}: ${length} counted, ${fits} present`)
      fields[name] = decodeList(kind[0], body.subarray(at, at + length * size), size)
      at += length * size
    }
  }
  // The layout made the fields, one by one; the compiler cannot follow that.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return fields as DecodedFields<L>
}

function decodeFixed(kind: keyof typeof fixedSizes, body: Uint8Array, at: number) {
  if (kind === 'u8') return body[at]
  if (kind === 'u32' || kind === 'count') return readU32(body, at)
  return kind === 'u64' ? readU64(body, at) : undefined
}

function decodeList(element: 'u64' | Layout, bytes: Uint8Array, size: number): unknown[] {
  const list: unknown[] = []
  for (let at = 0; at < bytes.length; at += size) {
    const one = bytes.subarray(at, at + size)
    list.push(element === 'u64' ? readU64(one, 0) : decodeBody(element, one))
  }
  return list
}

/** The length in bytes of the body that these fields make. */
export function bodyLength<L extends Layout>(layout: L, fields: EncodedFields<L>): number {
  return measure(layout, new Map<string, unknown>(Object.entries(fields)))
}

function measure(layout: Layout, values: ReadonlyMap<string, unknown>): number {
  let length = 0
  for (const [name, kind] of Object.entries(layout)) {
    const value = values.get(name)
    if (Array.isArray(kind)) length += listOf(value).length * elementSize(kind[0])
    else if (value instanceof Uint8Array) length += value.length
    else length += fixedSize(kind) ?? 0
  }
  return length
}

/**
 * Writes the body at `at`; the bytes there must be zero, since reserved fields are passed over.
 * Throws a TypeError when a value is not of its field's kind, for callers that the compiler does
 * not see.
 */
export function encodeBody<L extends Layout>(
  layout: L,
  fields: EncodedFields<L>,
  bytes: Uint8Array,
  at: number,
): void {
  encodeValues(layout, fields, bytes, at)
}

function encodeValues(layout: Layout, fields: object, bytes: Uint8Array, at: number): void {
  const values = new Map<string, unknown>(Object.entries(fields))
  const list = Object.keys(layout).find((name) => typeof layout[name] !== 'string')
  for (const [name, kind] of Object.entries(layout)) {
    const value = kind === 'count' ? listOf(values.get(list ?? '')).length : values.get(name)
    if (typeof kind !== 'string') encodeList(kind[0], listOf(value), bytes, at)
    else if (!encodeValue(kind, value, bytes, at)) throw new TypeError(`${name} must be ${kind}`)
    at += measure({ [name]: kind }, values)
  }
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError('a list must be an array')
  return value
}

function encodeValue(kind: string, value: unknown, bytes: Uint8Array, at: number): boolean {
  if (kind === 'zero32' || kind === 'zero48') return true
  const view = viewOf(bytes)
  if (kind === 'bytes' && value instanceof Uint8Array) bytes.set(value, at)
  else if (kind === 'u64' && typeof value === 'bigint') view.setBigUint64(at, value, true)
  else if (kind === 'u8' && typeof value === 'number') view.setUint8(at, value)
  else if (kind !== 'u64' && typeof value === 'number') view.setUint32(at, value, true)
  else return false
  return true
}

function encodeList(
  element: 'u64' | Layout,
  list: readonly unknown[],
  bytes: Uint8Array,
  at: number,
): void {
  for (const value of list) {
    if (element !== 'u64') encodeValues(element, Object(value), bytes, at)
    else if (!encodeValue('u64', value, bytes, at)) throw new TypeError('a list of u64')
    at += elementSize(element)
  }
}
