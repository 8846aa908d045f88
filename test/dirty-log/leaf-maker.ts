// The ends of made-up expressions: constants, locals, offsets and lengths, chosen so that what is written begins
// or ends near the edge of a page, and now and then beyond the end of memory.

import type { ByteWriter } from '../../formats/wasm/byte-writer.ts'
import { F32, F64, I32, I64 } from '../../formats/wasm/operations.ts'
import type { Chance } from '../simulation/chance.ts'
import { PAGE_BYTES } from './collector.ts'

/** Locals: three parameters, then these. */
export const LOCAL = { temporary: 3, folded: 4, counter: 5 } as const
export const BODY_LOCALS: readonly number[] = [1, I32, 1, I64, 1, I32]

export class LeafMaker {
  readonly #chance: Chance
  readonly #out: ByteWriter
  /** Guest memory at the start, in WebAssembly pages. */
  readonly #pages: number

  constructor(chance: Chance, out: ByteWriter, pages: number) {
    this.#chance = chance
    this.#out = out
    this.#pages = pages
  }

  #get(local: number): void {
    this.#out.put(0x20, local)
  }

  #i32(value: number): void {
    this.#out.put(0x41)
    this.#out.i32(value)
  }

  offset(): number {
    const share = this.#chance.share()
    if (share < 0.6) return 0
    if (share < 0.95) return this.#chance.below(40)
    if (share < 0.997) return this.#chance.below(4) * PAGE_BYTES + this.#chance.below(32)
    return this.#chance.pick([0xffffffff, 0xffff0000, 0x80000000]) - this.#chance.below(40)
  }

  /** Near the edge of a page within the memory of the start. */
  edge(): number {
    const pages = this.#pages * 16
    return Math.max(
      0,
      (1 + this.#chance.below(pages - 1)) * PAGE_BYTES + this.#chance.below(36) - 18,
    )
  }

  constant(type: number): void {
    const { u32, i32 } = { u32: () => this.#chance.u32(), i32: () => this.#chance.u32() | 0 }
    if (type === I32) {
      if (this.#chance.happens(0.5)) this.#get(this.#chance.pick([0, 1, LOCAL.temporary]))
      else this.#i32(i32())
    } else if (type === I64) {
      this.#get(this.#chance.happens(0.5) ? 2 : LOCAL.folded)
    } else if (type === F32) {
      this.#i32(i32())
      this.#out.put(0xbe)
    } else if (type === F64) {
      this.#get(2)
      this.#out.put(0xbf)
    } else {
      this.#out.put(0xfd, 12)
      for (let i = 0; i < 4; i++) {
        const bits = u32()
        this.#out.put(bits & 0xff, (bits >>> 8) & 0xff, (bits >>> 16) & 0xff, bits >>> 24)
      }
    }
  }

  length(): void {
    const share = this.#chance.share()
    if (share < 0.15) this.#i32(0)
    else if (share < 0.7) this.#i32(this.#chance.below(40))
    else if (share < 0.997) this.#i32(this.#chance.below(3) * PAGE_BYTES + this.#chance.below(40))
    else this.#i32(-1 - this.#chance.below(70_000))
  }
}
