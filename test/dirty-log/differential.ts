// Runs a module and its rewritten twin side by side: the same calls, the same pokes of the host. Every result,
// every trap and all of memory must be equal, and at the end of each epoch what the collector gives must hold
// every page that differs from the shadow. Now and then a fresh instance goes on with the memory and the globals
// of the rewritten one, as after a failover. What does not hold is thrown, as a sentence.

import { MARK_EXPORT, type DirtyLogModule } from '../../keepers/wasm/dirty-log/rewrite.ts'
import { readSections } from '../../formats/wasm/module-sections.ts'
import type { Chance } from '../simulation/chance.ts'
import { collect, PAGE_BYTES, type CollectOptions } from './collector.ts'
import { functionOf, WebAssembly, type WasmInstance, type WasmMemory } from './engine.ts'
import type { MadeModule } from './module-maker.ts'

const WASM_PAGE_BYTES = 65536
const CALLS = 24
const CALLS_AN_EPOCH = 4
const POKE_BYTES = 12
const GLOBAL_KIND = 3
const FAILOVERS_AN_EPOCH = 0.3

export interface Tally {
  modules: number
  calls: number
  traps: number
  epochs: number
  /** Pages that differed from the shadow, and pages that the collector gave. */
  dirty: number
  collected: number
  /** Dirty pages that only the look for straddles found. */
  straddled: number
  /** Fresh instances that went on. */
  failovers: number
}

/** A module as it runs: moved up by its table, or as long as it was. */
export type Rewritten = Pick<DirtyLogModule, 'bytes' | 'tableBytes' | 'memoryBytesMax'>

export interface CompareOptions extends CollectOptions {
  /** Off only in the test that shows that they are needed. */
  readonly keepsGlobals?: boolean
}

export const emptyTally = (): Tally => ({
  modules: 0,
  calls: 0,
  traps: 0,
  epochs: 0,
  dirty: 0,
  collected: 0,
  straddled: 0,
  failovers: 0,
})

export class Difference extends Error {}

interface Compiled {
  readonly module: object
  /** The names by which mutable globals are exported. */
  readonly state: readonly string[]
}

function compile(bytes: Uint8Array): Compiled {
  const { exports, globals } = readSections(bytes)
  const state = exports
    .filter(({ kind, index }) => kind === GLOBAL_KIND && globals.at(index)?.mutable === true)
    .map(({ name }) => name)
  return { module: new WebAssembly.Module(bytes), state }
}

/** A module with its host: memory as the guest knows it lies `shift` bytes up in its buffer. */
class Twin {
  readonly memory: WasmMemory
  readonly instance: WasmInstance
  readonly shift: number
  readonly #compiled: Compiled
  readonly #made: MadeModule
  readonly #mostPages: number

  constructor(compiled: Compiled, made: MadeModule, shift: number, mostPages: number) {
    this.shift = shift
    this.#compiled = compiled
    this.#made = made
    this.#mostPages = mostPages
    const given = new WebAssembly.Memory({
      initial: made.memory.min + shift / WASM_PAGE_BYTES,
      maximum: Math.min(made.memory.max ?? mostPages, mostPages) + shift / WASM_PAGE_BYTES,
    })
    const base = new WebAssembly.Global({ value: 'i32' }, made.base)
    const env = { memory: given, base, poke: (at: number) => this.#poke(at) }
    this.instance = new WebAssembly.Instance(compiled.module, { env })
    this.memory = made.importsMemory ? given : (this.instance.exports['memory'] as WasmMemory)
  }

  get ram(): Buffer {
    return Buffer.from(this.memory.buffer, this.shift)
  }

  get table(): Uint8Array {
    return new Uint8Array(this.memory.buffer, 0, this.shift)
  }

  global(name: string): { value: number | bigint } {
    return this.instance.exports[name] as { value: number | bigint }
  }

  /** A fresh instance with the memory and the globals of this one. */
  successor(keepsGlobals: boolean): Twin {
    const other = new Twin(this.#compiled, this.#made, this.shift, this.#mostPages)
    const missing = this.memory.buffer.byteLength - other.memory.buffer.byteLength
    if (missing > 0) other.memory.grow(missing / WASM_PAGE_BYTES)
    other.ram.set(this.ram)
    other.table.fill(0)
    const kept = keepsGlobals ? this.#compiled.state : []
    for (const name of kept) other.global(name).value = this.global(name).value
    return other
  }

  /** What a call gave, as text. */
  call(name: string, args: readonly (number | bigint)[]): string {
    try {
      return String(functionOf(this.instance, name)(...args))
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`
    }
  }

  /** The host writes guest memory itself, as an import may. */
  #poke(at: number): void {
    const { ram } = this
    const length = Math.min(POKE_BYTES, ram.length - at)
    if (length <= 0) return
    for (let i = 0; i < length; i++) ram[at + i] ^= 0x5a + i
    if (this.shift > 0) functionOf(this.instance, MARK_EXPORT)(at, length)
  }
}

function expectSame(what: string, plain: string, rewritten: string): void {
  if (plain !== rewritten) throw new Difference(`${what}: plain ${plain}, rewritten ${rewritten}`)
}

/** Both instances, or undefined if neither can be made: data beyond memory. */
function makeTwins(made: MadeModule, log: Rewritten): [Twin, Twin] | undefined {
  const mostPages = log.memoryBytesMax / WASM_PAGE_BYTES
  const attempt = (bytes: Uint8Array, shift: number) => {
    try {
      return new Twin(compile(bytes), made, shift, mostPages)
    } catch (error) {
      return (error as Error).name
    }
  }
  const plain = attempt(made.bytes, 0)
  const rewritten = attempt(log.bytes, log.tableBytes)
  if (plain instanceof Twin && rewritten instanceof Twin) return [plain, rewritten]
  const tell = (twin: Twin | string) => (twin instanceof Twin ? 'an instance' : twin)
  expectSame('instantiation', tell(plain), tell(rewritten))
  return undefined
}

function someArguments(chance: Chance, pages: number): (number | bigint)[] {
  const address = () => {
    const edge = chance.below(pages * 16) * PAGE_BYTES + chance.below(40) - 20
    return chance.happens(0.98) ? Math.max(0, edge) : chance.u32() | 0
  }
  return [address(), address(), (BigInt(chance.u32()) << 32n) | BigInt(chance.u32())]
}

/** What a host does at a checkpoint; throws if a page that changed was not among those collected. */
function checkEpoch(
  rewritten: Twin,
  shadow: Buffer,
  tally: Tally,
  options: CollectOptions,
): Buffer {
  const { ram, table } = rewritten
  const grown = Buffer.alloc(ram.length)
  shadow.copy(grown)
  const marked = table.slice()
  const pages = new Set(collect(table, ram, grown, options))
  for (let page = 0; page * PAGE_BYTES < ram.length; page++) {
    const [from, to] = [page * PAGE_BYTES, (page + 1) * PAGE_BYTES]
    const isDirty = ram.compare(grown, from, to, from, to) !== 0
    if (isDirty && !pages.has(page)) throw new Difference(`page ${page} changed, not collected`)
    if (!pages.has(page)) continue
    ram.copy(grown, from, from, to)
    tally.collected++
    if (!isDirty) continue
    tally.dirty++
    if (marked[page] === 0) tally.straddled++
  }
  const beyond = marked.findIndex((mark, page) => mark !== 0 && page * PAGE_BYTES >= ram.length)
  if (beyond >= 0) throw new Difference(`page ${beyond} is marked, beyond the end of memory`)
  tally.epochs++
  return grown
}

function expectSameMemory(plain: Twin, rewritten: Twin, call: number): void {
  const [one, other] = [plain.ram, rewritten.ram]
  expectSame('bytes of memory', String(one.length), String(other.length))
  const at = one.equals(other) ? -1 : one.findIndex((byte, i) => byte !== other[i])
  if (at >= 0) throw new Difference(`memory differs at ${at} after call ${call}`)
}

/**
 * `log` is the module with its dirty log, or one without a table.
 *
 * @throws Difference
 */
export function compareTwins(
  made: MadeModule,
  log: Rewritten,
  chance: Chance,
  tally: Tally,
  { keepsGlobals = true, ...options }: CompareOptions = {},
): void {
  tally.modules++
  const twins = makeTwins(made, log)
  if (twins === undefined) return
  const [plain] = twins
  let [, rewritten] = twins
  rewritten.table.fill(0)
  let shadow: Buffer = Buffer.from(rewritten.ram)
  if (!plain.ram.equals(shadow)) throw new Difference('memory differs at the start')
  for (let n = 1; n <= CALLS; n++) {
    const name = `f${chance.below(made.functions)}`
    const args = someArguments(chance, plain.memory.buffer.byteLength / WASM_PAGE_BYTES)
    const result = plain.call(name, args)
    expectSame(`call ${n}, ${name}(${args.join(', ')})`, result, rewritten.call(name, args))
    tally.calls++
    if (/[a-z]/.test(result)) tally.traps++
    if (n % CALLS_AN_EPOCH !== 0) continue
    expectSameMemory(plain, rewritten, n)
    if (log.tableBytes > 0) shadow = checkEpoch(rewritten, shadow, tally, options)
    if (!made.isComplete || !chance.happens(FAILOVERS_AN_EPOCH)) continue
    rewritten = rewritten.successor(keepsGlobals)
    tally.failovers++
  }
}
