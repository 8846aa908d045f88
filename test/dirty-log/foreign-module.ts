// Other people's modules, driven by their raw exports rather than by their glue, so that one host can run a
// module as it comes and as it was rewritten: its view of memory begins `shift` bytes up, and that is all that
// differs.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { MARK_EXPORT } from '../../keepers/wasm/dirty-log/rewrite.ts'
import { collect, PAGE_BYTES } from './collector.ts'
import { functionOf, WebAssembly, type WasmInstance, type WasmMemory } from './engine.ts'

/** A file of an installed package. */
export const packageFile = (path: string): Buffer =>
  readFileSync(join(process.cwd(), 'node_modules', path))

type Import = (...args: number[]) => number | undefined

export interface ForeignHost {
  /** Named as the module names them; any other import ends the run when it is called. */
  readonly imports?: Readonly<Record<string, (foreign: ForeignModule) => Import>>
  /** The export that is its memory. */
  readonly memory?: string
}

export class ForeignModule {
  readonly shift: number
  /** What the module told its host by name. */
  readonly told = new Map<string, number>()
  readonly #instance: WasmInstance
  readonly #memory: WasmMemory
  #shadow = Buffer.alloc(0)

  constructor(bytes: Uint8Array, shift: number, { imports = {}, memory = 'memory' }: ForeignHost) {
    this.shift = shift
    const module = new WebAssembly.Module(bytes)
    const given: Record<string, Record<string, Import>> = {}
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      const own = imports[name]?.(this)
      const none = () => {
        throw new Error(`the module called ${from}.${name}`)
      }
      ;(given[from] ??= {})[name] = own ?? none
    }
    this.#instance = new WebAssembly.Instance(module, given)
    this.#memory = this.#instance.exports[memory] as WasmMemory
  }

  get ram(): Buffer {
    return Buffer.from(this.#memory.buffer, this.shift)
  }

  call(name: string, ...args: (number | bigint)[]): number {
    return Number(functionOf(this.#instance, name)(...args)) >>> 0
  }

  has(name: string): boolean {
    return name in this.#instance.exports
  }

  /** Makes memory hold `bytes` bytes, as the glue of Emscripten does when it is asked; 1, or 0 if it can't. */
  growTo(bytes: number): number {
    const missing = Math.ceil((bytes - this.ram.length) / 65536)
    try {
      if (missing > 0) this.#memory.grow(missing)
      return 1
    } catch {
      return 0
    }
  }

  /** What the host itself writes, with its mark. */
  write(at: number, bytes: Uint8Array): void {
    this.ram.set(bytes, at)
    if (this.shift > 0) functionOf(this.#instance, MARK_EXPORT)(at, bytes.length)
  }

  /** Memory from the module's own allocator. */
  put(allocate: string, bytes: Uint8Array): number {
    const at = this.call(allocate, bytes.length)
    this.write(at, bytes)
    return at
  }

  putWords(allocate: string, words: readonly number[]): number {
    return this.put(allocate, new Uint8Array(Uint32Array.from(words).buffer))
  }

  text(at: number): string {
    const { ram } = this
    return ram.toString('utf8', at, ram.indexOf(0, at))
  }

  word(at: number): number {
    return this.ram.readUInt32LE(at)
  }

  /** Ends an epoch: how many pages changed, how many of these the log missed, how many it gave. */
  checkpoint(): { changed: number; missed: number; collected: number } {
    const { ram } = this
    const shadow = Buffer.alloc(ram.length)
    this.#shadow.copy(shadow)
    const table = new Uint8Array(this.#memory.buffer, 0, this.shift)
    const pages = new Set(collect(table, ram, shadow))
    const tally = { changed: 0, missed: 0, collected: pages.size }
    for (let from = 0; from < ram.length; from += PAGE_BYTES) {
      if (ram.compare(shadow, from, from + PAGE_BYTES, from, from + PAGE_BYTES) === 0) continue
      tally.changed++
      if (!pages.has(from / PAGE_BYTES)) tally.missed++
    }
    this.#shadow = Buffer.from(ram)
    return tally
  }
}
