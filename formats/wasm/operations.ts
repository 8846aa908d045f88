// Every instruction that the rewriter knows, in one table: what follows the opcode, and what it does to memory.
// The rewriter decodes by it, `colo guest inspect` names features by it, and the tests generate their modules
// from it, so that a row which is wrong or missing shows. An opcode without a row is refused: what is not
// known may write memory.

export const I32 = 0x7f
export const I64 = 0x7e
export const F32 = 0x7d
export const F64 = 0x7c
export const V128 = 0x7b

/** What follows an opcode in the binary (core specification, 5.4). */
export type Immediates =
  | 'none'
  | 'leb'
  | 'leb leb'
  | 'block type'
  | 'labels'
  | 'handlers'
  | 'types'
  | '1 byte'
  | '4 bytes'
  | '8 bytes'
  | '16 bytes'
  | 'memarg'
  | 'memarg lane'

export type Feature =
  | 'bulk memory'
  | 'exceptions'
  | 'multi-value'
  | 'mutable globals across the border'
  | 'non-trapping conversions'
  | 'reference types'
  | 'relaxed simd'
  | 'sign extension'
  | 'simd'
  | 'tail calls'
  | 'threads'

export type Effect =
  /** Reads or writes at an address. `operands` are the types above the address, the last one on top. */
  | {
      readonly kind: 'access'
      readonly writes: boolean
      readonly bytes: number
      readonly operands: readonly number[]
      readonly result: number | undefined
    }
  | { readonly kind: 'bulk'; readonly does: 'init' | 'copy' | 'fill'; readonly writes: boolean }
  | { readonly kind: 'size' }
  | { readonly kind: 'grow' }

export interface Operation {
  readonly name: string
  readonly immediates: Immediates
  readonly feature: Feature | undefined
  readonly effect: Effect | undefined
}

/** Keyed by `codeOf`. */
export type Operations = ReadonlyMap<number, Operation>

export const isPrefix = (byte: number): boolean => byte >= 0xfc && byte <= 0xfe
export const codeOf = (prefix: number, opcode: number): number => prefix * 0x1000 + opcode

type Row = readonly [first: number, last: number, immediates: Immediates, feature?: Feature]

/** Instructions that do nothing to memory. */
const PLAIN: readonly Row[] = [
  [0x00, 0x01, 'none'],
  [0x02, 0x04, 'block type'],
  [0x05, 0x05, 'none'],
  [0x06, 0x06, 'block type', 'exceptions'],
  [0x07, 0x09, 'leb', 'exceptions'],
  [0x0a, 0x0a, 'none', 'exceptions'],
  [0x0b, 0x0b, 'none'],
  [0x0c, 0x0d, 'leb'],
  [0x0e, 0x0e, 'labels'],
  [0x0f, 0x0f, 'none'],
  [0x10, 0x10, 'leb'],
  [0x11, 0x11, 'leb leb'],
  [0x12, 0x12, 'leb', 'tail calls'],
  [0x13, 0x13, 'leb leb', 'tail calls'],
  [0x18, 0x18, 'leb', 'exceptions'],
  [0x19, 0x19, 'none', 'exceptions'],
  [0x1a, 0x1b, 'none'],
  [0x1c, 0x1c, 'types', 'reference types'],
  [0x1f, 0x1f, 'handlers', 'exceptions'],
  [0x20, 0x24, 'leb'],
  [0x25, 0x26, 'leb', 'reference types'],
  [0x41, 0x42, 'leb'],
  [0x43, 0x43, '4 bytes'],
  [0x44, 0x44, '8 bytes'],
  [0x45, 0xbf, 'none'],
  [0xc0, 0xc4, 'none', 'sign extension'],
  [0xd0, 0xd0, 'leb', 'reference types'],
  [0xd1, 0xd1, 'none', 'reference types'],
  [0xd2, 0xd2, 'leb', 'reference types'],
  [codeOf(0xfc, 0), codeOf(0xfc, 7), 'none', 'non-trapping conversions'],
  [codeOf(0xfc, 9), codeOf(0xfc, 9), 'leb', 'bulk memory'],
  [codeOf(0xfc, 12), codeOf(0xfc, 12), 'leb leb', 'bulk memory'],
  [codeOf(0xfc, 13), codeOf(0xfc, 13), 'leb', 'bulk memory'],
  [codeOf(0xfc, 14), codeOf(0xfc, 14), 'leb leb', 'bulk memory'],
  [codeOf(0xfc, 15), codeOf(0xfc, 17), 'leb', 'reference types'],
  [codeOf(0xfd, 12), codeOf(0xfd, 13), '16 bytes', 'simd'],
  [codeOf(0xfd, 14), codeOf(0xfd, 20), 'none', 'simd'],
  [codeOf(0xfd, 21), codeOf(0xfd, 34), '1 byte', 'simd'],
  [codeOf(0xfd, 35), codeOf(0xfd, 83), 'none', 'simd'],
  [codeOf(0xfd, 94), codeOf(0xfd, 255), 'none', 'simd'],
  [codeOf(0xfd, 0x100), codeOf(0xfd, 0x113), 'none', 'relaxed simd'],
  [codeOf(0xfe, 3), codeOf(0xfe, 3), '1 byte', 'threads'],
]

type AccessRow = readonly [name: string, bytes: number, type: number]

/** From opcode 0x28 on; the type is the result's. */
const LOADS: readonly AccessRow[] = [
  ['i32.load', 4, I32],
  ['i64.load', 8, I64],
  ['f32.load', 4, F32],
  ['f64.load', 8, F64],
  ['i32.load8_s', 1, I32],
  ['i32.load8_u', 1, I32],
  ['i32.load16_s', 2, I32],
  ['i32.load16_u', 2, I32],
  ['i64.load8_s', 1, I64],
  ['i64.load8_u', 1, I64],
  ['i64.load16_s', 2, I64],
  ['i64.load16_u', 2, I64],
  ['i64.load32_s', 4, I64],
  ['i64.load32_u', 4, I64],
]

/** From opcode 0x36 on; the type is the value's. */
const STORES: readonly AccessRow[] = [
  ['i32.store', 4, I32],
  ['i64.store', 8, I64],
  ['f32.store', 4, F32],
  ['f64.store', 8, F64],
  ['i32.store8', 1, I32],
  ['i32.store16', 2, I32],
  ['i64.store8', 1, I64],
  ['i64.store16', 2, I64],
  ['i64.store32', 4, I64],
]

/** From opcode 0xfd 0 on. */
const VECTOR_LOADS: readonly AccessRow[] = [
  ['v128.load', 16, V128],
  ['v128.load8x8_s', 8, V128],
  ['v128.load8x8_u', 8, V128],
  ['v128.load16x4_s', 8, V128],
  ['v128.load16x4_u', 8, V128],
  ['v128.load32x2_s', 8, V128],
  ['v128.load32x2_u', 8, V128],
  ['v128.load8_splat', 1, V128],
  ['v128.load16_splat', 2, V128],
  ['v128.load32_splat', 4, V128],
  ['v128.load64_splat', 8, V128],
]

/** The order in which every group of atomic operations lists its widths. */
const ATOMIC_WIDTHS: readonly AccessRow[] = [
  ['i32', 4, I32],
  ['i64', 8, I64],
  ['i32 8', 1, I32],
  ['i32 16', 2, I32],
  ['i64 8', 1, I64],
  ['i64 16', 2, I64],
  ['i64 32', 4, I64],
]

/** From opcode 0xfe 0x10 on, seven widths each. */
const ATOMIC_GROUPS = [
  'load',
  'store',
  'add',
  'sub',
  'and',
  'or',
  'xor',
  'xchg',
  'cmpxchg',
] as const

function* plainRows(): Generator<[number, Operation]> {
  for (const [first, last, immediates, feature] of PLAIN) {
    for (let code = first; code <= last; code++) {
      yield [code, { name: `0x${code.toString(16)}`, immediates, feature, effect: undefined }]
    }
  }
}

function access(
  name: string,
  bytes: number,
  operands: readonly number[],
  result: number | undefined,
  rest: { writes: boolean; feature?: Feature; immediates?: Immediates },
): Operation {
  const { writes, feature, immediates = 'memarg' } = rest
  const effect: Effect = { kind: 'access', writes, bytes, operands, result }
  return { name, immediates, feature, effect }
}

function* scalarRows(): Generator<[number, Operation]> {
  for (const [i, [name, bytes, type]] of LOADS.entries()) {
    yield [0x28 + i, access(name, bytes, [], type, { writes: false })]
  }
  for (const [i, [name, bytes, type]] of STORES.entries()) {
    yield [0x36 + i, access(name, bytes, [type], undefined, { writes: true })]
  }
}

function* vectorRows(): Generator<[number, Operation]> {
  const feature = 'simd'
  for (const [i, [name, bytes, type]] of VECTOR_LOADS.entries()) {
    yield [codeOf(0xfd, i), access(name, bytes, [], type, { writes: false, feature })]
  }
  yield [codeOf(0xfd, 11), access('v128.store', 16, [V128], undefined, { writes: true, feature })]
  for (const [i, bytes] of [1, 2, 4, 8].entries()) {
    const lane = { feature, immediates: 'memarg lane' } as const
    const [load, store] = ['load', 'store'].map((does) => `v128.${does}${bytes * 8}_lane`)
    yield [codeOf(0xfd, 84 + i), access(load, bytes, [V128], V128, { ...lane, writes: false })]
    yield [codeOf(0xfd, 88 + i), access(store, bytes, [V128], undefined, { ...lane, writes: true })]
  }
  for (const [i, bytes] of [4, 8].entries()) {
    const name = `v128.load${bytes * 8}_zero`
    yield [codeOf(0xfd, 92 + i), access(name, bytes, [], V128, { writes: false, feature })]
  }
}

function* atomicRows(): Generator<[number, Operation]> {
  const feature = 'threads'
  const reads = { writes: false, feature } as const
  yield [codeOf(0xfe, 0), access('memory.atomic.notify', 4, [I32], I32, reads)]
  yield [codeOf(0xfe, 1), access('memory.atomic.wait32', 4, [I32, I64], I32, reads)]
  yield [codeOf(0xfe, 2), access('memory.atomic.wait64', 8, [I64, I64], I32, reads)]
  for (const [group, does] of ATOMIC_GROUPS.entries()) {
    for (const [i, [width, bytes, type]] of ATOMIC_WIDTHS.entries()) {
      const operands = does === 'load' ? [] : does === 'cmpxchg' ? [type, type] : [type]
      const result = does === 'store' ? undefined : type
      const writes = does !== 'load'
      const name = `atomic ${does} ${width}`
      const code = codeOf(0xfe, 0x10 + group * ATOMIC_WIDTHS.length + i)
      yield [code, access(name, bytes, operands, result, { writes, feature })]
    }
  }
}

function row(name: string, immediates: Immediates, effect: Effect): Operation {
  const feature = effect.kind === 'bulk' ? 'bulk memory' : undefined
  return { name, immediates, feature, effect }
}

function* memoryRows(): Generator<[number, Operation]> {
  yield [0x3f, row('memory.size', 'leb', { kind: 'size' })]
  yield [0x40, row('memory.grow', 'leb', { kind: 'grow' })]
  for (const [opcode, does, immediates] of [
    [8, 'init', 'leb leb'],
    [10, 'copy', 'leb leb'],
    [11, 'fill', 'leb'],
  ] as const) {
    const effect = { kind: 'bulk', does, writes: true } as const
    yield [codeOf(0xfc, opcode), row(`memory.${does}`, immediates, effect)]
  }
}

export const OPERATIONS: Operations = new Map([
  ...plainRows(),
  ...scalarRows(),
  ...vectorRows(),
  ...atomicRows(),
  ...memoryRows(),
])
