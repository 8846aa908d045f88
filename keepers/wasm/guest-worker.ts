// The thread that runs an embedded guest: whatever it computes or copies for long happens here, so that the
// daemon's heartbeats go out while a guest burns a core. Messages are handled one by one, so the time between
// two is a call boundary: there the guest can be suspended and captured. A trap ends the guest.

import { parentPort, workerData } from 'node:worker_threads'
import type { QemuTrace } from '../../formats/qemu/vmstate/trace-events.ts'
import { decodeCpu, decodeDevice, encodeCpu, encodeDevice } from './abi/wasm-state.ts'
import { abiRefusal } from './abi/abi-version.ts'
import { WASM_PAGE_BYTES } from '../../formats/wasm/module-numbers.ts'
import {
  SIGNALS,
  STORE_USE,
  type FromGuest,
  type GuestWorkerData,
  type ToGuest,
} from './guest-messages.ts'
import { GuestPages } from './guest-pages.ts'
import { InputNotes } from './input-notes.ts'
import type { GuestExports } from './guest-exports.ts'
import { CallQueue } from './call-queue.ts'
import { CallValues, HostInput } from './call-input.ts'
import { DirtyNotice } from './dirty-notice.ts'
import { FIRST_PART_BYTES, nextPartBytes, OutputMeter } from './output-meter.ts'
import { dirtyPagesBy } from './page-log.ts'
import { globalBits, setGlobal } from './global-bits.ts'
import { watched } from './watched-code.ts'
import { WebAssembly, type WasmGlobal, type WasmMemory } from '../../shared/memory/webassembly.ts'

if (parentPort === null) throw new Error('guest-worker.js runs as a worker thread')
const port = parentPort
const data = workerData as GuestWorkerData
const signals = new Int32Array(data.signals)

const pages = new GuestPages(data.store, data.pfns, data.tableBytes, dirtyPagesBy(data.scheme))

let guest: GuestExports
let memory: WasmMemory
let attached: ArrayBuffer
let globals: WasmGlobal[] = []
/** The open connections, each with how many of its bytes the next call gets. */
const open = new Map<number, number>()
const notes = new InputNotes(signals)
let inputs = 0
let outputs = 0
let suspended = false
const waiting = new CallQueue<ToGuest>()
/** What is left of an input that was begun. */
let rest: { readonly connection: number; readonly bytes: Uint8Array } | undefined
const meter = new OutputMeter(signals)
const dirtied = new DirtyNotice(pages, (count) => post({ type: 'dirtied', pages: count }))
const hostInput = new HostInput()
const values = new CallValues(hostInput, () => Atomics.load(signals, SIGNALS.calls))

function post(message: FromGuest, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}

const trace: QemuTrace | undefined = data.traced
  ? (event, ...args) => post({ type: 'traced', event, args })
  : undefined

/** A call into the guest; memory may have been grown when it returns. */
function call<T>(run: () => T): T {
  try {
    return watched(signals, run)
  } finally {
    attach()
    for (const connection of meter.endCall()) closeCut(connection)
  }
}

/** Its client is reset, and the guest sees it closed. */
function closeCut(connection: number): void {
  open.delete(connection)
  notes.forget(connection)
  post({ type: 'cut', connection })
  call(() => guest.colo_close(connection))
}

/** Whoever looks into memory asks first: a guest that grows it leaves all views of it empty. */
function attach(): void {
  if (memory.buffer === attached) return
  attached = memory.buffer as ArrayBuffer
  pages.attach(attached)
}

const imports = {
  colo: {
    output(connection: number, at: number, length: number) {
      attach()
      const view = pages.read(at >>> 0, length >>> 0, 'colo.output')
      if (!meter.admits(connection, view.length)) return
      const bytes = view.slice()
      outputs++
      post({ type: 'output', connection, bytes }, [bytes.buffer])
    },
    close(connection: number) {
      if (meter.isCut(connection)) return
      notes.forget(connection)
      if (open.delete(connection)) post({ type: 'closing', connection })
    },
    now: () => values.timeMs(),
    random(at: number, length: number) {
      attach()
      values.putRandom(pages, at >>> 0, length >>> 0)
    },
  },
  env: {
    abort() {
      throw new WebAssembly.RuntimeError('the guest aborted')
    },
  },
}

/** `bytes` of memory are there when the guest begins; a guest that goes on elsewhere may need more. */
function instantiate(bytes: number): void {
  const { facts, memoryBytes, module, tableBytes } = data
  if (facts.importsMemory) {
    memory = new WebAssembly.Memory({
      initial: (tableBytes + facts.memoryBytes) / WASM_PAGE_BYTES,
      maximum: (tableBytes + memoryBytes) / WASM_PAGE_BYTES,
    })
    Object.assign(imports.env, { memory })
  }
  const { exports } = watched(signals, () => new WebAssembly.Instance(module, imports))
  guest = exports as unknown as GuestExports
  if (!facts.importsMemory) memory = exports.memory as WasmMemory
  const { colo_abi: abi } = guest
  const refusal = abiRefusal(facts.abi.kind, typeof abi === 'function' ? call(abi) : abi.value)
  if (refusal !== undefined) throw new Error(refusal)
  globals = facts.globals.map((name) => exports[name] as WasmGlobal)
  const missing = tableBytes + bytes - memory.buffer.byteLength
  if (missing > 0) memory.grow(missing / WASM_PAGE_BYTES)
  attach()
}

function start(): void {
  instantiate(0)
  if (guest.colo_start) call(() => guest.colo_start?.())
  post({ type: 'running' })
}

function load(cpuBytes: Uint8Array, deviceBytes: Uint8Array): void {
  const cpu = decodeCpu(cpuBytes, trace)
  const device = decodeDevice(deviceBytes, trace)
  if (typeof cpu === 'string') throw new Error(cpu)
  if (typeof device === 'string') throw new Error(device)
  hostInput.goOnFrom(device.clockMs)
  instantiate(cpu.memoryBytes)
  pages.restore()
  globals.forEach((global, i) => setGlobal(global, cpu.globals[i]))
  inputs = device.inputs
  outputs = device.outputs
  // Their sockets died with the other host: the guest sees them closed.
  for (const connection of device.connections) call(() => guest.colo_close(connection))
  post({ type: 'running' })
}

/** Not once this thread was ended: the store is no longer its own. */
function captureUnlessEnded(id: number, all: boolean): void {
  const { free, capturing } = STORE_USE
  if (Atomics.compareExchange(signals, SIGNALS.store, free, capturing) !== free) return
  try {
    capture(id, all)
  } finally {
    Atomics.store(signals, SIGNALS.store, free)
    Atomics.notify(signals, SIGNALS.store)
  }
}

function capture(id: number, all: boolean): void {
  const began = performance.now()
  const progress = (count: number) => post({ type: 'capturing', id, pages: count })
  const count = all ? pages.captureAll(progress) : pages.captureDirty(progress)
  const findMs = performance.now() - began
  const raw = globals.map(globalBits)
  const cpu = encodeCpu({ memoryBytes: pages.ram.length, globals: raw }, trace)
  const host = { inputs, outputs, connections: [...open.keys()], clockMs: hostInput.clockMs }
  const device = encodeDevice(host, trace)
  const pauseMs = performance.now() - began
  post({ type: 'captured', id, cpu, device, pages: count, pauseMs, findMs })
}

function input(connection: number, bytes: Uint8Array): void {
  post({ type: 'took', bytes: bytes.length })
  giveParts(connection, bytes)
}

function giveParts(connection: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    const size = open.get(connection)
    if (size === undefined) return
    if (at > 0 && meter.isFull()) {
      rest = { connection, bytes: bytes.subarray(at) }
      return
    }
    const part = bytes.subarray(at, at + size)
    at += part.length
    inputs++
    notes.begin(connection, part.length)
    call(() => give(connection, part))
    notes.end()
    if (open.has(connection))
      open.set(connection, nextPartBytes(size, part.length, meter.lastBytes))
    dirtied.consider()
  }
}

/** A guest that has no room for its client's bytes has its client closed. */
function give(connection: number, bytes: Uint8Array): void {
  const at = guest.colo_buffer(bytes.length) >>> 0
  if (at === 0) {
    imports.colo.close(connection)
    return guest.colo_close(connection)
  }
  attach()
  pages.write(at, bytes, 'colo_buffer')
  return guest.colo_input(connection, at, bytes.length)
}

function handle(message: ToGuest): void {
  switch (message.type) {
    case 'start':
      return start()
    case 'load':
      return load(message.cpu, message.device)
    case 'open':
      open.set(message.connection, FIRST_PART_BYTES)
      return call(() => guest.colo_open(message.connection))
    case 'input':
      return input(message.connection, message.bytes)
    case 'close':
      notes.forget(message.connection)
      if (open.delete(message.connection)) call(() => guest.colo_close(message.connection))
      return post({ type: 'closing', connection: message.connection })
    default:
      return undefined
  }
}

function receive(message: ToGuest): void {
  switch (message.type) {
    case 'capture':
      return captureUnlessEnded(message.id, message.all)
    case 'suspend':
      suspended = true
      return undefined
    case 'resume':
      suspended = false
      return proceed()
    case 'settled':
      return proceed()
    default:
      waiting.push(message)
      return proceed()
  }
}

const mayRun = () => !suspended && !meter.isFull()

/** Handles what waits, in order, as far as the guest may run and its output leaves. */
function proceed(): void {
  while (mayRun()) {
    if (rest !== undefined) {
      const { connection, bytes } = rest
      rest = undefined
      giveParts(connection, bytes)
      continue
    }
    const message = waiting.take()
    if (message === undefined) return
    handle(message)
  }
}

port.on('message', (message: ToGuest) => {
  try {
    receive(message)
  } catch (error) {
    const trap = error instanceof WebAssembly.RuntimeError
    post({ type: 'died', why: `${trap ? 'trap: ' : ''}${(error as Error).message}` })
    process.exit(0)
  }
})
