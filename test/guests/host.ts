// A host for guests that fits in a page: it gives a module its memory and the functions of the contract,
// and keeps what the guest says to each connection. No thread, no socket, no checkpoint: a test calls the
// guest directly and reads its memory. Text is latin1 throughout, so that every byte is one character.
import { randomFillSync } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const WASM_PAGE_BYTES = 65536
const INITIAL_PAGES = 4

export interface Memory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

interface GuestExports {
  colo_abi: { value: number }
  colo_start?(): void
  colo_buffer(size: number): number
  colo_open(conn: number): void
  colo_input(conn: number, at: number, length: number): void
  colo_close(conn: number): void
}

interface WebAssemblyApi {
  Module: (new (bytes: Uint8Array) => object) & {
    exports(module: object): { name: string; kind: string }[]
    imports(module: object): { module: string; name: string; kind: string }[]
  }
  Instance: new (module: object, imports: object) => { exports: GuestExports }
  Memory: new (limits: { initial: number; maximum: number }) => Memory
}

// Neither es2023 nor @types/node 20 declares it.
declare const WebAssembly: WebAssemblyApi

export function guestFile(name: string): string {
  return join(process.cwd(), 'dist', 'guests', `${name}.wasm`)
}

export function guestBytes(name: string): Uint8Array {
  const file = guestFile(name)
  if (!existsSync(file))
    throw new Error(`${file} is missing: run node setup.mjs to compile the guests`)
  return readFileSync(file)
}

const modules = new Map<string, object>()

export function guestModule(name: string): object {
  const known = modules.get(name)
  if (known) return known
  const module = new WebAssembly.Module(guestBytes(name))
  modules.set(name, module)
  return module
}

export const exportsOf = (name: string) => WebAssembly.Module.exports(guestModule(name))
export const importsOf = (name: string) => WebAssembly.Module.imports(guestModule(name))

/** The request of a command as clients send it. */
export function command(...words: readonly string[]): string {
  const bulks = words.map((word) => `$${word.length}\r\n${word}\r\n`)
  return `*${words.length}\r\n${bulks.join('')}`
}

export interface GuestOptions {
  maximumPages?: number
  /** A copy of another instance's memory: restored instead of a cold start. */
  memory?: Uint8Array
}

export class Guest {
  readonly memory: Memory
  readonly exports: GuestExports
  /** The connections the guest asked to close. */
  readonly closed: number[] = []
  /** How often the guest called colo.output. */
  outputCalls = 0
  /** What colo.now gives; a test moves it. */
  nowMs = 1_700_000_000_000
  private readonly said = new Map<number, string[]>()

  constructor(name: string, options: GuestOptions = {}) {
    const maximum = options.maximumPages ?? 1024
    this.memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum })
    const instance = new WebAssembly.Instance(guestModule(name), {
      env: { memory: this.memory, abort: () => this.abort() },
      colo: {
        output: (conn: number, at: number, length: number) => this.output(conn, at, length),
        close: (conn: number) => this.closed.push(conn),
        now: () => this.nowMs,
        random: (at: number, length: number) => this.random(at, length),
      },
    })
    this.exports = instance.exports
    if (options.memory) this.restore(options.memory)
    else this.exports.colo_start?.()
  }

  open(conn: number): void {
    this.exports.colo_open(conn)
  }

  close(conn: number): void {
    this.exports.colo_close(conn)
  }

  /** Hands the guest one piece of input, and gives what it said to that connection. */
  send(conn: number, text: string): string {
    const at = this.exports.colo_buffer(text.length) >>> 0
    if (at === 0) throw new Error(`the guest refused ${text.length} bytes of input`)
    Buffer.from(this.memory.buffer).write(text, at, 'latin1')
    this.exports.colo_input(conn, at, text.length)
    return this.heard(conn)
  }

  ask(conn: number, ...words: readonly string[]): string {
    return this.send(conn, command(...words))
  }

  /** What the guest has said to a connection since this was asked last. */
  heard(conn: number): string {
    const text = (this.said.get(conn) ?? []).join('')
    this.said.delete(conn)
    return text
  }

  snapshot(): Uint8Array {
    return new Uint8Array(this.memory.buffer).slice()
  }

  private restore(bytes: Uint8Array): void {
    const missing = (bytes.length - this.memory.buffer.byteLength) / WASM_PAGE_BYTES
    if (missing > 0) this.memory.grow(missing)
    new Uint8Array(this.memory.buffer).set(bytes)
  }

  private output(conn: number, at: number, length: number): void {
    this.outputCalls++
    const text = Buffer.from(this.memory.buffer, at >>> 0, length).toString('latin1')
    const said = this.said.get(conn)
    if (said) said.push(text)
    else this.said.set(conn, [text])
  }

  private random(at: number, length: number): void {
    randomFillSync(new Uint8Array(this.memory.buffer, at >>> 0, length))
  }

  private abort(): never {
    throw new Error('the guest aborted')
  }
}
