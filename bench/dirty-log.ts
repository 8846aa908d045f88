// What the dirty log costs and gives: the time to rewrite a module, by its size; the time to capture what is
// dirty, beside a scan; and how much longer a guest takes for the same work once every store is followed by a
// mark. That work runs here, in this process and without a pair, so
// that nothing else is measured: the shipped key-value guest under pipelined requests, and loops that do one
// thing only, which no guest does, for the bounds.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { ByteReader } from '../formats/wasm/byte-reader.ts'
import { ByteWriter } from '../formats/wasm/byte-writer.ts'
import { SECTION, SECTION_ORDER } from '../formats/wasm/module-numbers.ts'
import { readLayout } from '../formats/wasm/module-layout.ts'
import { addDirtyLog, type DirtyLogModule, isRewritten } from '../keepers/wasm/dirty-log/rewrite.ts'
import { PAGE_BYTES } from '../shared/guest.ts'
import { type DirtyPages, GuestPages } from '../keepers/wasm/guest-pages.ts'
import { PageLog } from '../keepers/wasm/page-log.ts'
import { PageScan } from '../keepers/wasm/page-scan.ts'
import { WebAssembly, type WasmMemory } from '../shared/memory/webassembly.ts'
import { alternate } from './compare.ts'
import { absolute, beside, type Benchmark, type Figure, type Plan } from './figure.ts'

const part = 'g'
const memoryBytes = 64 * 1024 * 1024
const wasmPageBytes = 65536
const inputBytes = 16384
/** Modules of other people that are installed for the tests; one that is not there is left out. */
const modules = [
  'dist/guests/counter.wasm',
  'dist/guests/kv.wasm',
  'node_modules/@bokuweb/zstd-wasm/dist/common/zstd.wasm',
  'node_modules/sql.js/dist/sql-wasm.wasm',
]
const largeCopies = 3
const rewriteLimitMs = 1000

/** Pages from one dirty page to the next. */
const steps = [
  ['0.1 %', 1000],
  ['1 %', 100],
  ['10 %', 10],
  ['all', 1],
] as const

const root = join(import.meta.dirname, '..', '..')

function rewritten(bytes: Uint8Array): DirtyLogModule {
  const log = addDirtyLog(bytes)
  if (!isRewritten(log)) throw new Error(log.refused)
  return log
}

/** The module with every function of its own several times: as valid, and larger. */
function copied(bytes: Uint8Array, times: number): Uint8Array {
  const { sections } = readLayout(bytes)
  const out = new ByteWriter(bytes.length * times)
  out.copy(bytes, 0, 8)
  for (const id of SECTION_ORDER) {
    const span = sections.get(id)
    if (span === undefined) continue
    out.put(id)
    if (id !== SECTION.function && id !== SECTION.code) {
      out.sized(bytes.subarray(span.start, span.end))
      continue
    }
    const reader = new ByteReader(bytes, span.start, span.end)
    const content = new ByteWriter((span.end - span.start) * times)
    content.u32(reader.u32() * times)
    for (let i = 0; i < times; i++) content.copy(bytes, reader.at, span.end)
    out.sized(content.written)
  }
  return out.written.slice()
}

function rewriteTimes(plan: Plan): Figure[] {
  const files = modules.map((file) => join(root, file)).filter((file) => existsSync(file))
  const binaries = files.map((file): Uint8Array => readFileSync(file))
  const largest = binaries.at(-1)
  if (largest !== undefined) binaries.push(copied(largest, largeCopies))
  return binaries.map((bytes) => {
    const took: number[] = []
    for (let round = 0; round < plan.rounds; round++) {
      const began = performance.now()
      rewritten(bytes)
      took.push(performance.now() - began)
    }
    const { code } = rewritten(bytes)
    plan.tell(`rewrote ${bytes.length} bytes`)
    return absolute(
      {
        part,
        name: `rewrite a module of ${Math.ceil(bytes.length / 1024)} KiB`,
        unit: 'ms',
        goal: { sign: '<=', limit: rewriteLimitMs, of: 'ours' },
        note: `code ${code.before} -> ${code.after} bytes (x${(code.after / code.before).toFixed(2)})`,
      },
      took,
    )
  })
}

interface Work {
  readonly name: string
  readonly bytes: Uint8Array
  /** Gives what does the work once, for an instance whose memory lies `shift` bytes up. */
  readonly prepare: (bytes: Uint8Array, shift: number) => () => void
}

interface Kv {
  colo_start(): void
  colo_buffer(size: number): number
  colo_open(conn: number): void
  colo_input(conn: number, at: number, length: number): void
  colo_mark_dirty?(at: number, length: number): void
}

function command(...words: string[]): string {
  const bulks = words.map((word) => `$${word.length}\r\n${word}\r\n`)
  return `*${words.length}\r\n${bulks.join('')}`
}

/** Requests as pipelining clients send them, cut to what one input may bring. */
function requests(keys: number, valueBytes: number): Buffer[] {
  const inputs: string[] = ['']
  for (let i = 0; i < keys; i++) {
    const key = `key:${Math.imul(i, 7919) % keys}`
    const text =
      command('SET', key, 'v'.repeat(valueBytes)) +
      command('GET', key) +
      command('INCR', `n${i % 64}`)
    if ((inputs.at(-1)?.length ?? 0) + text.length > inputBytes) inputs.push('')
    inputs[inputs.length - 1] += text
  }
  return inputs.map((text) => Buffer.from(text, 'latin1'))
}

function prepareKv(inputs: readonly Buffer[]): Work['prepare'] {
  return (bytes, shift) => {
    const memory: WasmMemory = new WebAssembly.Memory({
      initial: 4 + shift / wasmPageBytes,
      maximum: (memoryBytes + shift) / wasmPageBytes,
    })
    const imports = {
      env: { memory, abort: () => {} },
      colo: { output: () => {}, close: () => {}, now: () => Date.now(), random: () => {} },
    }
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports)
    const kv = instance.exports as unknown as Kv
    kv.colo_start()
    kv.colo_open(1)
    return () => {
      for (const input of inputs) {
        const at = kv.colo_buffer(input.length) >>> 0
        Buffer.from(memory.buffer as ArrayBuffer, shift).set(input, at)
        kv.colo_mark_dirty?.(at, input.length)
        kv.colo_input(1, at, input.length)
      }
    }
  }
}

/** A module with 16 MiB of memory and f(n), whose loop has `body`; local 0 counts down by `step` to 0. */
function loopModule(step: number, body: readonly number[]): Uint8Array {
  const out = new ByteWriter()
  const section = (id: number, write: (content: ByteWriter) => void) => {
    const content = new ByteWriter()
    write(content)
    out.put(id)
    out.sized(content.written)
  }
  out.put(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
  section(SECTION.type, (content) => content.put(1, 0x60, 1, 0x7f, 0))
  section(SECTION.function, (content) => content.put(1, 0))
  section(SECTION.memory, (content) => content.put(1, 1, 0x80, 0x02, 0x80, 0x02))
  section(SECTION.export, (content) => content.put(1, 1, 0x66, 0, 0))
  section(SECTION.code, (content) => {
    const code = new ByteWriter()
    code.put(1, 1, 0x7e, 0x03, 0x40, ...body, 0x20, 0, 0x41)
    code.i32(step)
    code.put(0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x0b)
    content.put(1)
    content.sized(code.written)
  })
  return out.written
}

const prepareLoop =
  (n: number): Work['prepare'] =>
  (bytes) => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {})
    const run = exports['f'] as (n: number) => void
    return () => run(n)
  }

function someWork(): Work[] {
  const kv = readFileSync(join(root, 'dist/guests/kv.wasm'))
  const fill = [0x41, 0, 0x20, 0, 0x41, 0x80, 0x80, 0x80, 0x08, 0xfc, 11, 0] // all 16 MiB
  const store = [0x20, 0, 0x41, 8, 0x6b, 0x20, 1, 0x37, 3, 0]
  const load = [0x20, 0, 0x41, 8, 0x6b, 0x29, 3, 0, 0x20, 1, 0x7c, 0x21, 1]
  const compute = [0x20, 1, 0x42, 31, 0x7e, 0x20, 0, 0xad, 0x85, 0x21, 1]
  return [
    { name: 'key-value guest, 32-byte values', bytes: kv, prepare: prepareKv(requests(8000, 32)) },
    {
      name: 'key-value guest, 2000-byte values',
      bytes: kv,
      prepare: prepareKv(requests(4000, 2000)),
    },
    { name: 'loop of 8-byte stores', bytes: loopModule(8, store), prepare: prepareLoop(2 ** 24) },
    { name: 'loop of 8-byte loads', bytes: loopModule(8, load), prepare: prepareLoop(2 ** 24) },
    { name: 'loop without memory', bytes: loopModule(1, compute), prepare: prepareLoop(2 ** 23) },
    { name: 'memory.fill of 16 MiB', bytes: loopModule(1, fill), prepare: prepareLoop(4) },
  ]
}

/** Long enough for the engine's optimizing compiler, which works beside the guest. */
const warmUpMs = 300
/** What one round of an arm should take. */
const roundMs = 40

function timesFor(run: () => void): number {
  let times = 0
  for (const began = performance.now(); performance.now() - began < warmUpMs; times++) run()
  return Math.max(1, Math.round((times * roundMs) / warmUpMs))
}

async function workFigure(work: Work, plan: Plan): Promise<Figure> {
  const log = rewritten(work.bytes)
  const runs = {
    marked: work.prepare(log.bytes, log.tableBytes),
    plain: work.prepare(work.bytes, 0),
    again: work.prepare(work.bytes, 0),
  }
  const [times] = [runs.plain, runs.again, runs.marked].map(timesFor)
  const timed = (run: () => void) => () => {
    const began = performance.now()
    for (let i = 0; i < times; i++) run()
    return Promise.resolve(performance.now() - began)
  }
  const { marked, plain, again } = await alternate(plan.rounds, {
    marked: timed(runs.marked),
    plain: timed(runs.plain),
    again: timed(runs.again),
  })
  plan.tell(work.name)
  return beside({ part, name: work.name, unit: 'ms' }, marked, {
    name: 'without marks',
    values: plain,
    again,
  })
}

/** A guest's memory whose every `step`th page is written, and what captures it. */
function capture(dirty: DirtyPages, step: number): () => Promise<number> {
  const tableBytes = wasmPageBytes
  const pages = new GuestPages(
    new SharedArrayBuffer(memoryBytes),
    new SharedArrayBuffer((memoryBytes / PAGE_BYTES) * Uint32Array.BYTES_PER_ELEMENT),
    tableBytes,
    dirty,
  )
  pages.attach(new ArrayBuffer(tableBytes + memoryBytes))
  pages.captureAll(() => {})
  let value = 1
  return () => {
    const bytes = new Uint8Array(8).fill(value++)
    for (let at = 0; at < memoryBytes; at += step * PAGE_BYTES) pages.write(at, bytes)
    const began = performance.now()
    pages.captureDirty(() => {})
    return Promise.resolve(performance.now() - began)
  }
}

const warmCaptures = 3

async function captureFigure(what: string, step: number, plan: Plan): Promise<Figure> {
  const arms = {
    log: capture(new PageLog(), step),
    scan: capture(new PageScan(), step),
    again: capture(new PageScan(), step),
  }
  await alternate(warmCaptures, arms)
  const { log, scan, again } = await alternate(plan.rounds, arms)
  plan.tell(what)
  return beside({ part, name: `capture of 64 MiB, ${what} dirty`, unit: 'ms' }, log, {
    name: 'by a scan',
    values: scan,
    again,
  })
}

export const dirtyLog: Benchmark = async (plan) => {
  const figures = rewriteTimes(plan)
  for (const [what, step] of steps) figures.push(await captureFigure(what, step, plan))
  for (const work of someWork()) figures.push(await workFigure(work, plan))
  return figures
}
