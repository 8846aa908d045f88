// Makes up the body of a function that writes memory in every way there is. Addresses lie near the edges of
// pages and of memory; a few lie beyond. Every value that an instruction gives is folded into one number, which
// the function returns: so two modules that differ anywhere soon differ in a result.

import { ByteWriter } from '../../formats/wasm/byte-writer.ts'
import { F32, F64, I32, I64, V128 } from '../../formats/wasm/operations.ts'
import type { Chance } from '../simulation/chance.ts'
import { type AccessOperation, READS, WAITS, WRITES } from './accesses.ts'
import { BODY_LOCALS, LeafMaker, LOCAL } from './leaf-maker.ts'

/** (i32, i32, i64) -> i64, the type of every function but the imported one. */
export const BODY_TYPE = 0
/** (i32, i32) -> (i32, i32), for blocks. */
export const PAIR_TYPE = 1
/** (i32) -> (), the imported function by which the host writes memory. */
export const POKE_TYPE = 2
/** () -> (), the tag's. */
export const TAG_TYPE = 3

export interface BodyWorld {
  /** Guest memory at the start, in WebAssembly pages. */
  readonly pages: number
  /** Functions that may be called: those before this one, so that nothing recurses. */
  readonly callable: number
  readonly segments: number
  /** Whether segments may be dropped: state that no checkpoint holds. */
  readonly mayDrop: boolean
  /** Types of the mutable globals, which begin at index 1. */
  readonly globals: readonly number[]
}

export class BodyMaker {
  readonly #chance: Chance
  readonly #world: BodyWorld
  readonly #out = new ByteWriter(1024)
  readonly #leaves: LeafMaker
  /** Statements that may still be made: bounds the size of the body. */
  #budget: number
  #calls = 1

  constructor(chance: Chance, world: BodyWorld) {
    this.#chance = chance
    this.#world = world
    this.#leaves = new LeafMaker(chance, this.#out, world.pages)
    this.#budget = 6 + chance.below(20)
  }

  /** The code with its declaration of locals. */
  make(): Uint8Array {
    this.#out.put(BODY_LOCALS.length / 2, ...BODY_LOCALS)
    while (this.#budget > 0) this.#statement(3)
    if (this.#world.callable > 0 && this.#chance.happens(0.1)) this.#tailCall()
    else this.#get(LOCAL.folded)
    this.#out.put(0x0b)
    return this.#out.written.slice()
  }

  #get(local: number): void {
    this.#out.put(0x20, local)
  }

  #i32(value: number): void {
    this.#out.put(0x41)
    this.#out.i32(value)
  }

  #statement(depth: number): void {
    this.#budget--
    if (this.#world.globals.length > 0 && this.#chance.happens(0.1)) return this.#global()
    const kind = this.#chance.below(depth > 0 ? 22 : 14)
    if (kind < 8) this.#write(depth)
    else if (kind < 10) this.#fold(this.#read(depth))
    else if (kind < 12) this.#bulk(depth)
    else if (kind === 12) this.#sizes()
    else if (kind === 13) this.#poke()
    else if (kind < 20) this.#nested(kind - 14, depth - 1)
    else if (kind === 20) this.#call(depth)
    else this.#deadCode()
  }

  /** Reads a global, or stores a number that differs from call to call: no NaN, whose bits a host may change. */
  #global(): void {
    const { globals } = this.#world
    const index = this.#chance.below(globals.length)
    const type = globals[index]
    const out = this.#out
    if (this.#chance.happens(0.5)) {
      out.put(0x23, 1 + index)
      return this.#fold(type)
    }
    this.#get(LOCAL.folded)
    if (type === I32) out.put(0xa7)
    if (type === F32) out.put(0xb4)
    if (type === F64) out.put(0xb9)
    out.put(0x24, 1 + index)
  }

  #statements(depth: number): void {
    for (let n = this.#chance.below(4); n > 0 && this.#budget > 0; n--) this.#statement(depth)
  }

  /** A number to fold into what the function returns is on the stack. */
  #fold(type: number): void {
    const out = this.#out
    if (type === F32) out.put(0xbc)
    if (type === F32 || type === I32) out.put(0xac)
    if (type === F64) out.put(0xbd)
    if (type === V128) out.put(0xfd, 29, this.#chance.below(2))
    this.#get(LOCAL.folded)
    out.put(0x85, 0x42, 31, 0x7e, 0x21, LOCAL.folded)
  }

  /** An address and the immediates that go with it; `place` puts what lies between them. */
  #access({ opcode, immediates, isAtomic, access }: AccessOperation, depth: number): void {
    const out = this.#out
    const isAligned = isAtomic && !this.#chance.happens(0.005)
    this.#address(depth)
    if (isAligned) {
      this.#i32(-access.bytes)
      out.put(0x71)
    }
    for (const type of access.operands) this.#value(type, depth - 1)
    out.put(...opcode)
    const natural = Math.log2(access.bytes)
    out.u32(isAtomic ? natural : this.#chance.below(natural + 1))
    const offset = this.#leaves.offset()
    out.u32(isAligned ? offset - (offset % access.bytes) : offset)
    if (immediates === 'memarg lane') out.put(this.#chance.below(16 / access.bytes))
  }

  #write(depth: number): void {
    const operation = this.#chance.pick(this.#chance.pick(WRITES))
    this.#access(operation, depth)
    if (operation.access.result !== undefined) this.#fold(operation.access.result)
  }

  /** Leaves a value on the stack and gives its type. */
  #read(depth: number): number {
    const operation = this.#chance.happens(0.005)
      ? this.#chance.pick(WAITS)
      : this.#chance.pick(this.#chance.pick(READS))
    this.#access(operation, depth)
    return operation.access.result ?? I32
  }

  #address(depth: number): void {
    const share = this.#chance.share()
    if (share < 0.5) this.#i32(this.#leaves.edge())
    else if (share < 0.7) {
      this.#get(this.#chance.below(2))
    } else if (share < 0.997) {
      this.#value(I32, depth - 1)
      this.#i32(0x7fff)
      this.#out.put(0x71)
    } else {
      const beyond = [this.#world.pages * 65536, 0, -65536, -0x80000000]
      this.#i32((this.#chance.pick(beyond) + this.#chance.below(40) - 20) | 0)
    }
  }

  /** Leaves a value of that type on the stack. */
  #value(type: number, depth: number): void {
    const out = this.#out
    if (depth <= 0 || this.#chance.happens(0.4)) return this.#leaves.constant(type)
    const share = this.#chance.share()
    if (share < 0.35) {
      const reads = READS.flat().filter(({ access }) => access.result === type)
      const choices = reads.filter(({ isAtomic }) => !isAtomic || this.#chance.happens(0.3))
      if (choices.length > 0) return this.#access(this.#chance.pick(choices), depth - 1)
    }
    if (share < 0.6) {
      // A block in the middle of an expression, with statements of its own: nested stores.
      out.put(0x02, type)
      this.#statements(depth - 1)
      this.#value(type, depth - 1)
      out.put(0x0b)
    } else if (share < 0.8) {
      this.#value(type, depth - 1)
      this.#value(type, depth - 1)
      this.#value(I32, depth - 1)
      out.put(0x1c, 1, type)
    } else if (type === I64) {
      this.#value(I32, depth - 1)
      out.put(0xad)
    } else if (type === I32) {
      this.#value(I64, depth - 1)
      out.put(0xa7)
    } else this.#leaves.constant(type)
  }

  #bulk(depth: number): void {
    const { segments } = this.#world
    const out = this.#out
    const kind = this.#chance.below(segments > 0 && this.#chance.happens(0.4) ? 10 : 6)
    if (kind === 9 && !this.#world.mayDrop) return
    if (kind === 9) return out.put(0xfc, 9, this.#chance.below(segments))
    this.#address(depth)
    if (kind < 3) this.#value(I32, depth - 1)
    else if (kind < 6) this.#address(depth)
    else this.#i32(this.#chance.below(4))
    if (kind < 6) this.#leaves.length()
    else this.#i32(this.#chance.below(this.#chance.happens(0.3) ? 20 : 2))
    if (kind < 3) out.put(0xfc, 11, 0)
    else if (kind < 6) out.put(0xfc, 10, 0, 0)
    else out.put(0xfc, 8, this.#chance.below(segments), 0)
  }

  #sizes(): void {
    if (this.#chance.happens(0.5)) {
      this.#i32(this.#chance.pick([0, 0, 1, 1, 2, 70_000, -1]))
      this.#out.put(0x40, 0)
    } else this.#out.put(0x3f, 0)
    this.#fold(I32)
  }

  #poke(): void {
    this.#i32(this.#leaves.edge())
    this.#out.put(0x10, 0)
  }

  #nested(kind: number, depth: number): void {
    const out = this.#out
    if (kind === 0) {
      this.#value(I32, depth)
      out.put(0x04, 0x40)
      this.#statements(depth)
      out.put(0x05)
    } else if (kind === 1) out.put(0x02, 0x40)
    else if (kind === 2) out.put(0x06, 0x40)
    else if (kind === 3) return this.#loop(depth)
    else if (kind === 4) return this.#pair(depth)
    else out.put(0x02, 0x40, 0x02, 0x40, 0x41, this.#chance.below(3), 0x0e, 1, 0, 1, 0x0b)
    this.#statements(depth)
    if (kind === 1) {
      this.#value(I32, depth)
      out.put(0x0d, 0)
      this.#statements(depth)
    }
    if (kind === 2) {
      if (this.#chance.happens(0.5)) out.put(0x08, 0)
      out.put(this.#chance.happens(0.5) ? 0x19 : 0x07)
      if (out.written[out.length - 1] === 0x07) out.put(0)
      this.#statements(depth)
    }
    out.put(0x0b)
  }

  /** At most three times round. One that holds another would run nine times: fine. */
  #loop(depth: number): void {
    this.#out.put(0x41, 0, 0x21, LOCAL.counter, 0x03, 0x40)
    this.#write(depth)
    this.#get(LOCAL.counter)
    this.#out.put(0x41, 1, 0x6a, 0x22, LOCAL.counter, 0x41, 3, 0x49, 0x0d, 0, 0x0b)
  }

  /** A block that takes two values and gives two. */
  #pair(depth: number): void {
    this.#value(I32, depth)
    this.#value(I32, depth)
    this.#out.put(0x02, PAIR_TYPE)
    this.#statements(depth)
    this.#out.put(0x0b)
    this.#out.put(0x21, LOCAL.temporary)
    this.#fold(I32)
  }

  #arguments(depth: number): void {
    this.#address(depth)
    this.#address(depth)
    this.#value(I64, depth)
  }

  #call(depth: number): void {
    const { callable } = this.#world
    if (callable === 0 || this.#calls-- <= 0) return this.#write(depth)
    this.#arguments(depth)
    const index = this.#chance.below(callable)
    if (this.#chance.happens(0.5)) this.#out.put(0x10, 1 + index)
    else this.#out.put(0x41, index, 0x11, BODY_TYPE, 0)
    this.#fold(I64)
  }

  #tailCall(): void {
    this.#arguments(1)
    const index = this.#chance.below(this.#world.callable)
    if (this.#chance.happens(0.5)) this.#out.put(0x12, 1 + index)
    else this.#out.put(0x41, index, 0x13, BODY_TYPE, 0)
  }

  /** Behind a branch the stack holds whatever is asked of it, and a rewritten store must still be valid. */
  #deadCode(): void {
    const out = this.#out
    out.put(0x02, 0x40, 0x0c, 0)
    const { opcode, immediates, access } = this.#chance.pick(this.#chance.pick(WRITES))
    out.put(...opcode, Math.log2(access.bytes), 0)
    if (immediates === 'memarg lane') out.put(0)
    if (access.result !== undefined) out.put(0x1a)
    out.put(0xfc, 11, 0, 0x40, 0, 0x1a, 0x0b)
  }
}
