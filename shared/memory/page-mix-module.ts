// The module that mixes pages (page-mix.ts says how), assembled here, because it is a few loops over one table of
// steps. It reads the page store where it lies. Chains and sums are its globals, four words in each, and locals while
// pages are mixed. Since it is there, it copies and moves pages as well.

import { PAGE_BYTES } from '../guest.ts'
import { ByteWriter } from '../../formats/wasm/byte-writer.ts'
import { WebAssembly, type WasmMemory } from './webassembly.ts'
import { BLOCK_BYTES, MIX, startOf, type PageMix } from './page-mix.ts'

const LANES = 4
const BLOCKS = PAGE_BYTES / BLOCK_BYTES

const I32 = 0x7f
const V128 = 0x7b
const FUNCTION_TYPE = 0x60
const LOCAL = { get: 0x20, set: 0x21, tee: 0x22 } as const
const GLOBAL = { get: 0x23, set: 0x24 } as const
const LOOP = [0x03, 0x40] as const
const BRANCH_IF = 0x0d
const END = 0x0b
const I32_CONST = 0x41
const I32_ADD = 0x6a
const I32_MUL = 0x6c
const I32_XOR = 0x73
const I32_SHR_U = 0x76
const MEMORY_COPY = [0xfc, 10, 0, 0] as const
/** Their numbers behind the prefix of vectors. */
const VECTOR = {
  load: 0,
  store: 11,
  const: 12,
  splat: 17,
  extractLane: 27,
  xor: 81,
  shrU: 173,
  add: 174,
  mul: 181,
} as const

const CHAIN_VECTORS = MIX.chains / LANES
const SUM_VECTORS = MIX.sums / LANES
const VECTORS = CHAIN_VECTORS + SUM_VECTORS

class Body {
  readonly out = new ByteWriter()

  local(does: keyof typeof LOCAL, index: number): this {
    this.out.put(LOCAL[does], index)
    return this
  }

  global(does: keyof typeof GLOBAL, index: number): this {
    this.out.put(GLOBAL[does], index)
    return this
  }

  constant(value: number): this {
    this.out.put(I32_CONST)
    this.out.i32(value)
    return this
  }

  put(...bytes: readonly number[]): this {
    this.out.put(...bytes)
    return this
  }

  vector(does: keyof typeof VECTOR, ...immediates: readonly number[]): this {
    this.out.put(0xfd)
    this.out.u32(VECTOR[does])
    this.out.put(...immediates)
    return this
  }

  /** The chain in local `chain` takes the vector on the stack. */
  step(chain: number, factor: number): this {
    this.local('get', chain).vector('xor').local('get', factor).vector('mul').local('tee', chain)
    this.local('get', chain).constant(MIX.shift).vector('shrU').vector('xor')
    return this.local('set', chain)
  }

  /** Adds to local `index`, and leaves the sum on the stack. */
  addTo(index: number, value: number): this {
    return this.local('get', index).constant(value).put(I32_ADD).local('tee', index)
  }
}

/** Four words, as the bytes of a vector. */
function wordsOf(word: (lane: number) => number): readonly number[] {
  const bytes = new Uint8Array(4 * LANES)
  const view = new DataView(bytes.buffer)
  for (let lane = 0; lane < LANES; lane++) view.setInt32(4 * lane, word(lane), true)
  return [...bytes]
}

const startOfVector = (vector: number) =>
  wordsOf((lane) => (vector < CHAIN_VECTORS ? startOf(vector * LANES + lane) : 0))

function beginBody(): Body {
  const body = new Body().put(0)
  for (let i = 0; i < VECTORS; i++) body.vector('const', ...startOfVector(i)).global('set', i)
  return body.put(END)
}

/** (at, pfn, count), or where one page is copied as well (at, pfn, to). */
function pagesBody(copies: boolean): Body {
  const [at, pfn, count, blocks, factor, words, chains] = [0, 1, 2, 3, 4, 5, 6]
  const to = count
  const sums = chains + CHAIN_VECTORS
  const body = new Body().put(2, 1, I32, 2 + VECTORS, V128)
  body.vector('const', ...wordsOf(() => MIX.factor)).local('set', factor)
  for (let i = 0; i < VECTORS; i++) body.global('get', i).local('set', chains + i)
  body.put(...LOOP)
  body.local('get', pfn).vector('splat').step(chains, factor)
  body
    .constant(BLOCKS)
    .local('set', blocks)
    .put(...LOOP)
  for (let i = 0; i < CHAIN_VECTORS; i++) {
    const sum = sums + (i % SUM_VECTORS)
    const offset = i * 4 * LANES
    if (copies) body.local('get', to)
    body.local('get', at).vector('load', 0, offset)
    if (copies) body.local('tee', words).vector('store', 0, offset).local('get', words)
    body.step(chains + i, factor)
    body
      .local('get', sum)
      .local('get', chains + i)
      .vector('add')
      .local('set', sum)
  }
  body.addTo(at, BLOCK_BYTES).local('set', at)
  if (copies) body.addTo(to, BLOCK_BYTES).local('set', to)
  body.addTo(blocks, -1).put(BRANCH_IF, 0, END)
  body.addTo(pfn, 1).local('set', pfn)
  if (copies) body.constant(0)
  else body.addTo(count, -1)
  body.put(BRANCH_IF, 0, END)
  for (let i = 0; i < VECTORS; i++) body.local('get', chains + i).global('set', i)
  return body.put(END)
}

function foldBody(): Body {
  const [chain, factor] = [0, 1]
  const body = new Body().put(0)
  for (let i = 0; i < VECTORS * LANES; i++) {
    body
      .local('get', chain)
      .global('get', Math.floor(i / LANES))
      .vector('extractLane', i % LANES)
    body.put(I32_XOR).local('get', factor).put(I32_MUL).local('tee', chain)
    body.local('get', chain).constant(MIX.shift).put(I32_SHR_U, I32_XOR).local('set', chain)
  }
  return body.local('get', chain).put(END)
}

/** (to, from, bytes) */
const moveBody = () =>
  new Body()
    .put(0)
    .local('get', 0)
    .local('get', 1)
    .local('get', 2)
    .put(...MEMORY_COPY, END)

/** Of ASCII characters, behind its length. */
const name = (text: string) => [text.length, ...Array.from(text, (char) => char.charCodeAt(0))]

function moduleBytes(): Uint8Array {
  const out = new ByteWriter()
  const section = (id: number, ...parts: readonly (readonly number[] | Uint8Array)[]) => {
    const content = new ByteWriter()
    for (const part of parts) content.put(...part)
    out.put(id)
    out.sized(content.written)
  }
  const types = [
    [FUNCTION_TYPE, 0, 0],
    [FUNCTION_TYPE, 3, I32, I32, I32, 0],
    [FUNCTION_TYPE, 2, I32, I32, 1, I32],
  ]
  const bodies = [beginBody(), pagesBody(false), foldBody(), pagesBody(true), moveBody()].map(
    ({ out: { written } }) => {
      const code = new ByteWriter()
      code.sized(written)
      return code.written
    },
  )
  const global = [V128, 1, 0xfd, VECTOR.const, ...wordsOf(() => 0), END]
  out.put(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
  section(1, [types.length], ...types)
  section(2, [1], name('store'), name('memory'), [2, 3, 1, 0x80, 0x80, 4]) // shared, 1 to 65536 pages
  section(3, [bodies.length, 0, 1, 2, 1, 1])
  section(6, [VECTORS], ...Array.from({ length: VECTORS }, () => global))
  const names = ['begin', 'pages', 'fold', 'copy', 'move']
  section(7, [names.length], ...names.flatMap((text, index) => [name(text), [0, index]]))
  section(10, [bodies.length], ...bodies)
  return out.written
}

const WASM_PAGE_BYTES = 65536
const WASM_PAGES_MAX = 65536

/** Memory that the module can read; undefined if it is too large, or this platform has no such memory or module. */
export function newMixMemory(bytes: number): WasmMemory | undefined {
  const pages = Math.ceil(bytes / WASM_PAGE_BYTES)
  if (pages > WASM_PAGES_MAX || !WebAssembly.validate(moduleBytes())) return undefined
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  } catch {
    return undefined
  }
}

let compiled: InstanceType<typeof WebAssembly.Module> | undefined

function newInstance(memory: WasmMemory): Readonly<Record<string, unknown>> {
  // One module for all: its code is optimized once.
  compiled ??= new WebAssembly.Module(moduleBytes())
  return new WebAssembly.Instance(compiled, { store: { memory } }).exports
}

/** Of memory that newMixMemory() gave. */
export function newWasmPageMix(memory: WasmMemory): PageMix {
  return newInstance(memory) as unknown as PageMix
}

export type Move = (to: number, from: number, bytes: number) => void

/**
 * Moves bytes within the memory, as copyWithin() does. That one moves shared memory word by word, so that others see
 * whole words; nobody looks at pages while they are moved, and the module's way is several times faster.
 */
export function newWasmMove(memory: WasmMemory): Move {
  return newInstance(memory).move as Move
}
