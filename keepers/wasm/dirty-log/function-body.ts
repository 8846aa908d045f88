// Rewrites the body of one function. What touches no memory is copied as it stands; a load, a store and the
// instructions on memory as a whole are replaced by what docs/dirty-log.md draws. Operands are on the stack
// when the opcode comes, so one scratch local for each type is enough, whatever is nested in whatever: they are
// taken off into scratch locals and put back at once, and nothing comes between.

import { ByteReader, Refusal } from '../../../formats/wasm/byte-reader.ts'
import { ByteWriter } from '../../../formats/wasm/byte-writer.ts'
import { skipImmediates } from '../../../formats/wasm/immediates.ts'
import { WASM_PAGE_BYTES } from '../../../formats/wasm/module-numbers.ts'
import { readValueType } from '../../../formats/wasm/module-layout.ts'
import {
  codeOf,
  type Effect,
  I32,
  isPrefix,
  type Operation,
  type Operations,
} from '../../../formats/wasm/operations.ts'

/** Marks are one byte for a page of 4 KiB. */
export const PAGE_SHIFT = 12

const OP = {
  call: 0x10,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Store8: 0x3a,
  i32Const: 0x41,
  i32Ne: 0x47,
  i32LtU: 0x49,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32ShrU: 0x76,
} as const

/** A memarg whose alignment hint has this bit names a memory. */
const MEMARG_MEMORY = 0x40

/** Engines take no larger body, its locals included (WebAssembly JavaScript interface, implementation limits). */
const BODY_BYTES_MAX = 7_654_321

/** What all bodies of a module have in common. */
export interface BodyContext {
  readonly operations: Operations
  /** Bytes by which guest addresses are moved up. */
  readonly tableBytes: number
  /** The index of the function that marks the pages of (address, length). */
  readonly markFunction: number
  readonly sites: Sites
}

/** How many instructions of each sort were rewritten. */
export interface Sites {
  stores: number
  loads: number
  bulk: number
  /** memory.size and memory.grow. */
  sizes: number
}

/**
 * Puts the address that is twice at hand (`putAddress`) on the stack, moved up; where that would pass 2^32, the
 * last address there is, which no memory beside a table ever has, so that the instruction still traps.
 */
export function putShifted(out: ByteWriter, tableBytes: number, putAddress: () => void): void {
  putAddress()
  out.put(OP.i32Const)
  out.i32(tableBytes)
  out.put(OP.i32Add, OP.i32Const)
  out.i32(-1)
  putAddress()
  out.put(OP.i32Const)
  out.i32(-tableBytes)
  out.put(OP.i32LtU, OP.select)
}

/**
 * The offset of a memarg, moved up. One that would pass 2^32-1 can only trap in the guest, and the one given
 * for it still does, in memory of at most 65535 WebAssembly pages; its low bits are kept, because an atomic
 * access that is out of bounds and unaligned must trap as the same one.
 */
function shiftOffset(offset: number, tableBytes: number): number {
  const shifted = offset + tableBytes
  return shifted <= 0xffffffff ? shifted : 0xfffffff0 + (offset % 16)
}

export class BodyRewriter {
  readonly #context: BodyContext
  readonly #out = new ByteWriter(1 << 16)
  readonly #head = new ByteWriter()
  /** Scratch locals of the body at hand, by type and number. */
  readonly #scratch = new Map<number, number>()
  #locals = 0
  #reader: ByteReader
  /** Where what has not been copied yet begins. */
  #pending = 0

  constructor(context: BodyContext, bytes: Uint8Array) {
    this.#context = context
    this.#reader = new ByteReader(bytes, 0, 0)
  }

  /**
   * Writes the body that lies in [start, end), its size ahead of it.
   *
   * @throws Refusal of an instruction that is not known
   */
  rewrite(start: number, end: number, params: number, into: ByteWriter): void {
    const reader = new ByteReader(this.#reader.bytes, start, end)
    this.#reader = reader
    this.#out.clear()
    this.#scratch.clear()
    const groups = reader.u32()
    const declared = reader.at
    this.#locals = params
    for (let i = 0; i < groups; i++) {
      this.#locals += reader.u32()
      readValueType(reader)
    }
    this.#pending = reader.at
    const declaredEnd = reader.at
    while (!reader.isAtEnd) this.#instruction()
    this.#copyPending(end)
    this.#head.clear()
    this.#head.u32(groups + this.#scratch.size)
    this.#head.copy(reader.bytes, declared, declaredEnd)
    for (const key of this.#scratch.keys()) this.#head.put(1, key & 0xff)
    const length = this.#head.length + this.#out.length
    if (length > BODY_BYTES_MAX) throw new Refusal('a function too large to take marks', start)
    into.u32(length)
    into.copy(this.#head.written)
    into.copy(this.#out.written)
  }

  #instruction(): void {
    const reader = this.#reader
    const at = reader.at
    const first = reader.byte()
    const code = isPrefix(first) ? codeOf(first, reader.u32()) : first
    const operation = this.#context.operations.get(code)
    if (operation === undefined) {
      throw new Refusal(`an instruction that is not known (opcode 0x${code.toString(16)})`, at)
    }
    if (operation.effect === undefined) skipImmediates(reader, operation)
    else this.#replace(operation, operation.effect, at)
  }

  #replace(operation: Operation, effect: Effect, at: number): void {
    this.#copyPending(at)
    const { sites } = this.#context
    if (effect.kind === 'access') {
      if (effect.writes) sites.stores++
      else sites.loads++
      this.#access(operation, effect, at)
    } else if (effect.kind === 'bulk') {
      sites.bulk++
      this.#bulk(operation, effect, at)
    } else {
      sites.sizes++
      skipImmediates(this.#reader, operation)
      this.#copyPending(this.#reader.at, at)
      if (effect.kind === 'size') this.#put(OP.i32Const, this.#tablePages, OP.i32Sub)
      else this.#grown()
    }
    this.#pending = this.#reader.at
  }

  #access(
    { immediates }: Operation,
    { writes, operands }: Effect & { kind: 'access' },
    at: number,
  ): void {
    const reader = this.#reader
    const { tableBytes } = this.#context
    const opcodeEnd = reader.at
    const alignment = reader.u32()
    if (alignment & MEMARG_MEMORY) throw new Refusal('several memories', at)
    const offset = reader.u32()
    const address = writes ? this.#local(I32, 0) : 0
    if (writes) this.#operandsAside(operands, address)
    this.#out.copy(reader.bytes, at, opcodeEnd)
    this.#out.u32(alignment)
    this.#out.u32(shiftOffset(offset, tableBytes))
    if (immediates === 'memarg lane') this.#out.put(reader.byte())
    if (writes) this.#mark(address, offset)
  }

  /** Takes the operands off and puts them back, so that the address stays in a local. */
  #operandsAside(operands: readonly number[], address: number): void {
    const locals = operands.map((type, i) => this.#local(type, i + 1))
    for (const local of locals.toReversed()) this.#putLocal(OP.localSet, local)
    this.#putLocal(OP.localTee, address)
    for (const local of locals) this.#putLocal(OP.localGet, local)
  }

  /**
   * Marks the page of an address that was just written. Behind the store, not ahead of it: a store that traps
   * marks nothing, so the sum is an address in memory, and can neither wrap nor leave the table.
   */
  #mark(address: number, offset: number): void {
    this.#putLocal(OP.localGet, address)
    if (offset > 0) this.#put(OP.i32Const, offset, OP.i32Add)
    this.#put(OP.i32Const, PAGE_SHIFT, OP.i32ShrU)
    this.#put(OP.i32Const, 1, OP.i32Store8)
    this.#out.put(0, 0)
  }

  #bulk(operation: Operation, { does, writes }: Effect & { kind: 'bulk' }, at: number): void {
    const { tableBytes, markFunction } = this.#context
    const [target, source, length] = [0, 1, 2].map((n) => this.#local(I32, n))
    this.#putLocal(OP.localSet, length)
    this.#putLocal(OP.localSet, source)
    this.#putLocal(OP.localSet, target)
    putShifted(this.#out, tableBytes, () => this.#putLocal(OP.localGet, target))
    if (does === 'copy') {
      putShifted(this.#out, tableBytes, () => this.#putLocal(OP.localGet, source))
    } else {
      this.#putLocal(OP.localGet, source)
    }
    this.#putLocal(OP.localGet, length)
    skipImmediates(this.#reader, operation)
    this.#out.copy(this.#reader.bytes, at, this.#reader.at)
    if (!writes) return
    this.#putLocal(OP.localGet, target)
    this.#putLocal(OP.localGet, length)
    this.#putLocal(OP.call, markFunction)
  }

  /** What memory.grow gave, as the guest must see it: -1 stays -1, a size loses the table's pages. */
  #grown(): void {
    const given = this.#local(I32, 0)
    this.#putLocal(OP.localTee, given)
    this.#put(OP.i32Const, this.#tablePages, OP.i32Sub)
    this.#out.put(OP.i32Const)
    this.#out.i32(-1)
    this.#putLocal(OP.localGet, given)
    this.#put(OP.i32Const, -1, OP.i32Ne)
    this.#out.put(OP.select)
  }

  get #tablePages(): number {
    return this.#context.tableBytes / WASM_PAGE_BYTES
  }

  /** The index of a scratch local; two of one type differ by their number. */
  #local(type: number, number: number): number {
    const key = (number << 8) | type
    const known = this.#scratch.get(key)
    if (known !== undefined) return known
    const index = this.#locals + this.#scratch.size
    this.#scratch.set(key, index)
    return index
  }

  #putLocal(opcode: number, index: number): void {
    this.#out.put(opcode)
    this.#out.u32(index)
  }

  /** A constant and what is done with it. */
  #put(constant: number, value: number, opcode: number): void {
    this.#out.put(constant)
    this.#out.i32(value)
    this.#out.put(opcode)
  }

  #copyPending(to: number, from = this.#pending): void {
    this.#out.copy(this.#reader.bytes, from, to)
  }
}
