// The keeper of an embedded guest, in the daemon's thread: the port through which the core sees it. A worker
// thread with the compiled module always stands by, so that a failover only has to fill its memory; a guest
// that is stopped takes its thread with it, whatever it was doing, and the next one stands by again. A call
// that does not return within guestCallTimeoutMs is a spin, and ends the guest like a trap.

import { basename } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { QemuTrace } from '../../formats/qemu/vmstate/trace-events.ts'
import { newMixMemory } from '../../shared/memory/page-mix-module.ts'
import { PageStore, pageStoreBytes } from '../../shared/memory/page-store.ts'
import type { GuestCall, GuestHandlers, GuestIdentity, GuestPort } from '../../shared/ports.ts'
import { PAGE_BYTES, type GuestState } from '../../shared/guest.ts'
import { decodeCpu, decodeDevice } from './abi/wasm-state.ts'
import {
  loadGuestModule,
  type DirtyScheme,
  type GuestModuleOptions,
  type UnkeptModule,
} from './guest-module.ts'
import {
  outputWeight,
  SIGNAL_BYTES,
  SIGNALS,
  STORE_USE,
  type FromGuest,
  type GuestWorkerData,
  type ToGuest,
} from './guest-messages.ts'

const WATCHES_PER_TIMEOUT = 8

export class WasmGuest implements GuestPort {
  readonly store: PageStore
  readonly identity: GuestIdentity
  /** How its dirty pages are found; `whyScan` if a log was wanted and can't be. */
  readonly dirty: {
    readonly scheme: DirtyScheme
    readonly rewriteMs: number
    readonly whyScan?: string
  }
  /** Its rewritten module, if that could not be kept for the next start. */
  readonly unkept: UnkeptModule | undefined
  readonly #data: Omit<GuestWorkerData, 'signals'>
  readonly #pfns: Uint32Array
  readonly #callTimeoutMs: number
  readonly #trace: QemuTrace | undefined
  #handlers: GuestHandlers | undefined
  #worker: Worker | undefined
  #signals = new Int32Array(new SharedArrayBuffer(SIGNAL_BYTES))
  #used = false
  #watch: NodeJS.Timeout | undefined

  /**
   * The first thread stands by from now on, until dispose(). `trace` hears, field by field, what is saved and
   * loaded of the guest's state. Throws ModuleRefused, or the error of reading or compiling the file.
   */
  constructor(options: GuestModuleOptions, callTimeoutMs: number, trace?: QemuTrace) {
    const { file, memoryBytes } = options
    const { module, facts, digest, scheme, tableBytes, unkept, ...rest } = loadGuestModule(options)
    this.dirty = { scheme, ...rest }
    const storeBytes = pageStoreBytes(memoryBytes)
    const memory = newMixMemory(storeBytes)
    const buffer = (memory?.buffer ?? new SharedArrayBuffer(storeBytes)) as SharedArrayBuffer
    this.unkept = unkept
    const pfns = new SharedArrayBuffer((memoryBytes / PAGE_BYTES) * 4)
    const shared = { store: buffer, pfns }
    const traced = trace !== undefined
    this.#data = { module, facts, memoryBytes, scheme, tableBytes, traced, ...shared }
    this.#trace = trace
    this.store = new PageStore(buffer, memoryBytes, memory)
    this.#pfns = new Uint32Array(pfns)
    this.#callTimeoutMs = callTimeoutMs
    this.identity = {
      name: basename(file, '.wasm'),
      digest,
      memoryBytes,
    }
    // The thread starts while the daemon opens its ports, and not beside the first checkpoint.
    this.#standBy()
  }

  /** Events go to `handlers` from now on. */
  attach(handlers: GuestHandlers): void {
    this.#handlers = handlers
  }

  start(): void {
    this.#begin({ type: 'start' })
  }

  load(state: GuestState): void {
    this.#begin({ type: 'load', cpu: state.cpu, device: state.device })
  }

  check(state: GuestState): string | undefined {
    const cpu = decodeCpu(state.cpu, this.#trace)
    if (typeof cpu === 'string') return cpu
    const device = decodeDevice(state.device, this.#trace)
    if (typeof device === 'string') return device
    const expected = this.#data.facts.globals.length
    if (cpu.globals.length !== expected) return `${cpu.globals.length} globals, not ${expected}`
    return cpu.memoryBytes > this.#data.memoryBytes ? `${cpu.memoryBytes} bytes of RAM` : undefined
  }

  /** Also the one that the guest did not come out of. */
  get call(): GuestCall | undefined {
    const connection = Atomics.load(this.#signals, SIGNALS.connection)
    const taken = Atomics.load(this.#signals, SIGNALS.taken)
    return connection === 0 ? undefined : { connection, taken }
  }

  capture(id: number, scope: 'dirty' | 'all'): void {
    this.#post({ type: 'capture', id, all: scope === 'all' })
  }

  settled(bytes: number): void {
    Atomics.add(this.#signals, SIGNALS.settled, outputWeight(bytes) | 0)
    if (Atomics.exchange(this.#signals, SIGNALS.waits, 0) === 1) this.#post({ type: 'settled' })
  }

  open(connection: number): void {
    this.#post({ type: 'open', connection })
  }

  input(connection: number, bytes: Uint8Array): void {
    this.#post({ type: 'input', connection, bytes }, [bytes.buffer as ArrayBuffer])
  }

  close(connection: number): void {
    this.#post({ type: 'close', connection })
  }

  suspend(): void {
    this.#post({ type: 'suspend' })
  }

  resume(): void {
    this.#post({ type: 'resume' })
  }

  stop(): void {
    if (!this.#used) return
    this.#end()
    this.#standBy()
  }

  /** Ends the thread for good. */
  dispose(): void {
    this.#handlers = undefined
    this.#end()
  }

  #begin(message: ToGuest): void {
    this.#used = true
    this.#post(message)
    this.#watchCalls()
  }

  #end(): void {
    clearInterval(this.#watch)
    const worker = this.#worker
    this.#worker = undefined
    this.#used = false
    if (worker === undefined) return
    this.#takeStore()
    // A thread that cannot be ended writes nothing more, since the store is taken.
    worker.terminate().catch(() => undefined)
  }

  /**
   * A thread is not gone at once when it is terminated: from here on it writes nothing into the store, which
   * the next role fills. A capture under way is waited for.
   */
  #takeStore(): void {
    const { free, capturing, ended } = STORE_USE
    const until = performance.now() + this.#callTimeoutMs
    const take = () => Atomics.compareExchange(this.#signals, SIGNALS.store, free, ended)
    while (take() === capturing && performance.now() < until) {
      Atomics.wait(this.#signals, SIGNALS.store, capturing, until - performance.now())
    }
  }

  #standBy(): void {
    const signals = new SharedArrayBuffer(SIGNAL_BYTES)
    const worker = new Worker(new URL('./guest-worker.js', import.meta.url), {
      workerData: { ...this.#data, signals } satisfies GuestWorkerData,
    })
    this.#worker = worker
    this.#signals = new Int32Array(signals)
    const isCurrent = () => this.#worker === worker
    worker.on('message', (message: FromGuest) => {
      if (isCurrent()) this.#receive(message)
    })
    worker.on('error', (error) => {
      if (isCurrent()) this.#died(`its thread failed: ${error.message}`)
    })
  }

  #receive(message: FromGuest): void {
    const handlers = this.#handlers
    if (handlers === undefined) return
    switch (message.type) {
      case 'running':
        return handlers.running()
      case 'output':
        return handlers.output(message.connection, message.bytes)
      case 'closing':
        return handlers.closing(message.connection)
      case 'cut':
        return handlers.cut(message.connection)
      case 'took':
        return handlers.took(message.bytes)
      case 'traced':
        return this.#trace?.(message.event, ...message.args)
      case 'dirtied':
        return handlers.dirtied(message.pages)
      case 'capturing':
        return handlers.capturing(message.id, this.#pfns, message.pages)
      case 'captured': {
        const { id, cpu, device, pages, pauseMs, findMs } = message
        const state = { cpu, device }
        return handlers.captured({ id, state, pfns: this.#pfns, pages, pauseMs, findMs })
      }
      default:
        return this.#died(message.why)
    }
  }

  #died(why: string): void {
    const { call } = this
    this.#end()
    this.#standBy()
    this.#handlers?.died(why, call)
  }

  /** Looks at the call counter now and then: the same odd number for too long is a call that does not end. */
  #watchCalls(): void {
    clearInterval(this.#watch)
    let seen = 0
    let since = performance.now()
    this.#watch = setInterval(() => {
      const now = performance.now()
      const calls = Atomics.load(this.#signals, SIGNALS.calls)
      if (calls !== seen) {
        seen = calls
        since = now
      } else if (calls % 2 === 1 && now - since > this.#callTimeoutMs) {
        this.#died(`spin: one call took longer than ${this.#callTimeoutMs} ms`)
      }
    }, this.#callTimeoutMs / WATCHES_PER_TIMEOUT)
    this.#watch.unref()
  }

  #post(message: ToGuest, transfer: ArrayBuffer[] = []): void {
    this.#worker?.postMessage(message, transfer)
  }
}
