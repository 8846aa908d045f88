// A small guest: a few pages of RAM, one slot a client, scattered over the pages. A client writes numbers into
// its slot and reads them back; each answer carries what the guest had been captured how often when it was
// given, which is what the checkers need to know. Calls are handled one by one, a little later each, as by a
// thread of its own. It has stores that reach into the next page, and grows.

import type { GuestHandlers, GuestPort } from '../../shared/ports.ts'
import { PAGE_BYTES, type GuestState } from '../../shared/guest.ts'
import { digestOf } from '../../shared/memory/memory-digest.ts'
import { PageStore } from '../../shared/memory/page-store.ts'
import type { Process } from './process.ts'
import type { Simulation } from './simulation.ts'
import { VirtualMemory } from './virtual-memory.ts'

export const GUEST_PAGES = 12
const SLOTS_PER_PAGE = 4
/** Room for the writer's slots: as many as may be in flight, a little over 1 MiB each. */
const ARENA_BYTES = 9 * 1024 * 1024
export const REQUEST_BYTES = 8
export const ANSWER_BYTES = 20

/** It begins with less memory than it comes to need. */
const FIRST_PAGES = 5
/** Where the host puts what a client says, before the guest is called. */
const INPUT_AT = PAGE_BYTES + 3000
/** The first bytes of a page are left to stores that begin in the page before it. */
const SLOTS_AT = 64
const STRADDLE_AT = PAGE_BYTES - 2
const CPU_BYTES = 8

const nothing = () => {}

const spare: ArrayBuffer[] = []

/** Buffers are used again by later runs: making one is what a run would spend most of its time on. */
export function returnBuffer(store: PageStore): void {
  store.pages.fill(0)
  spare.push(store.all.buffer as ArrayBuffer)
}

class WatchedStore extends PageStore {
  readonly #applied: () => void

  constructor(applied: () => void) {
    const memoryBytes = GUEST_PAGES * PAGE_BYTES
    super(spare.pop() ?? new ArrayBuffer(memoryBytes + ARENA_BYTES), memoryBytes)
    this.#applied = applied
  }

  override apply(pagesMax: number): boolean {
    // Slices are what a real apply is made of.
    const whole = super.apply(Math.min(pagesMax, pagesMax === Infinity ? Infinity : 2))
    if (whole) this.#applied()
    return whole
  }
}

/** An answer of the guest: client and value, the instance of the guest, its captures so far, the connection. */
export interface GuestAnswer {
  readonly client: number
  readonly value: number
  readonly instance: number
  readonly captures: number
}

export function decodeAnswer(bytes: Uint8Array): GuestAnswer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [client, value, instance, captures] = [0, 4, 8, 12].map((at) => view.getUint32(at, true))
  return { client: client, value: value, instance: instance, captures: captures }
}

export class VirtualGuest implements GuestPort {
  readonly store: PageStore
  readonly identity = { name: 'virtual', digest: '00', memoryBytes: GUEST_PAGES * PAGE_BYTES }
  readonly #simulation: Simulation
  readonly #process: Process
  readonly #hasLog: boolean
  readonly #pfns = new SharedArrayBuffer(GUEST_PAGES * 4)
  #memory: VirtualMemory
  readonly #open = new Set<number>()
  handlers: GuestHandlers | undefined
  #instance = 0
  #running = false
  #captures = 0
  #calls = 0
  #suspended = false
  #waiting: (() => void)[] = []
  #capturing = false
  /** What came while the guest was captured. */
  #blocked: (() => void)[] = []
  #threadFree = 0
  #heardBy = 0

  constructor(simulation: Simulation, process: Process) {
    this.#simulation = simulation
    this.#process = process
    this.store = new WatchedStore(() => simulation.applied(process))
    this.#hasLog = simulation.chance.happens(0.7)
    this.#memory = this.#memoryOf(0)
  }

  start(): void {
    this.#simulation.checkers.cold(this.#process)
    this.#begin()
    if (this.#simulation.checkers.facts.forgiven) {
      this.#simulation.clients.beganCold(this.#instance)
    }
    this.#memory = this.#memoryOf(FIRST_PAGES)
    this.#calls = 0
    this.#tell((handlers) => handlers.running())
  }

  load(state: GuestState): void {
    this.#begin()
    const cpu = new DataView(state.cpu.buffer, state.cpu.byteOffset)
    this.#calls = cpu.getUint32(0, true)
    this.#memory = this.#memoryOf(cpu.getUint32(4, true))
    this.#memory.pages.restore()
    this.#simulation.checkers.loaded(this.#process, this.digest())
    this.#tell((handlers) => handlers.running())
  }

  check(state: GuestState): string | undefined {
    return state.cpu.length === CPU_BYTES ? undefined : `CPU state is not ${CPU_BYTES} bytes`
  }

  settled(): void {}

  capture(id: number, scope: 'dirty' | 'all'): void {
    this.#later(() => this.#capture(id, scope), true)
  }

  open(connection: number): void {
    this.#later(() => void this.#open.add(connection))
  }

  input(connection: number, bytes: Uint8Array): void {
    this.#later(() => {
      this.#tell((handlers) => handlers.took(bytes.length))
      if (this.#open.has(connection)) this.#serve(connection, bytes)
    })
  }

  close(connection: number): void {
    this.#later(() => {
      this.#open.delete(connection)
      this.#tell((handlers) => handlers.closing(connection))
    })
  }

  suspend(): void {
    this.#later(() => {
      this.#suspended = true
    }, true)
  }

  resume(): void {
    this.#later(() => {
      this.#suspended = false
      for (const run of this.#waiting.splice(0)) run()
    }, true)
  }

  stop(): void {
    this.#running = false
    this.#instance = 0
    this.#waiting = []
    this.#capturing = false
    this.#blocked = []
  }

  /** The guest traps. */
  die(): void {
    if (!this.#running) return
    this.#running = false
    this.#tell((handlers) => handlers.died('trap'), true)
  }

  digest(): string {
    return `${digestOf(this.#memory.ram)}/${this.#calls}`
  }

  /** A guest that begins, cold or elsewhere, has memory of its own: nothing is known of the last one's. */
  #memoryOf(pages: number): VirtualMemory {
    return new VirtualMemory(this.store, this.#pfns, this.#hasLog, pages)
  }

  #begin(): void {
    this.#instance = this.#simulation.nextInstance()
    this.#running = true
    this.#captures = 0
    this.#suspended = false
    this.#capturing = false
    this.#blocked = []
    this.#open.clear()
  }

  /** The guest stands still while its pages are taken; what is taken is told some at a time. */
  #capture(id: number, scope: 'dirty' | 'all'): void {
    this.#capturing = true
    const { pages } = this.#memory
    const count = scope === 'all' ? pages.captureAll(nothing) : pages.captureDirty(nothing)
    const pfns = new Uint32Array(this.#pfns)
    const { chance, time } = this.#simulation
    const slice = chance.happens(0.5) ? GUEST_PAGES : 1 + chance.below(4)
    const { life } = this.#process
    const instance = this.#instance
    const tell = (from: number) => {
      if (!this.#running || instance !== this.#instance || life !== this.#process.life) return
      const until = Math.min(from + slice, count)
      if (until === count) return this.#captured(id, pfns, count)
      this.#tell((handlers) => handlers.capturing(id, pfns, until))
      time.at(time.now + chance.between(0.01, 1), () => tell(until))
      return undefined
    }
    tell(0)
  }

  #captured(id: number, pfns: Uint32Array, count: number): void {
    this.#captures++
    const cpu = new Uint8Array(CPU_BYTES)
    const view = new DataView(cpu.buffer)
    view.setUint32(0, this.#calls, true)
    view.setUint32(4, this.#memory.ram.length / PAGE_BYTES, true)
    const state = { cpu, device: new Uint8Array(this.#open.size) }
    const capture = { id, state, pfns, pages: count, pauseMs: 0, findMs: 0 }
    const [instance, captures, digest] = [this.#instance, this.#captures, this.digest()]
    this.#tell((handlers) => {
      const { side } = this.#process
      const before = side.record.epoch
      handlers.captured(capture)
      if (side.record.epoch === before) return
      this.#simulation.checkers.captured(this.#process, { instance, captures, digest })
      this.#simulation.moment('captured', this.#process)
    })
    this.#capturing = false
    for (const run of this.#blocked.splice(0)) run()
  }

  #serve(connection: number, bytes: Uint8Array): void {
    this.#calls++
    this.#memory.pages.write(INPUT_AT, bytes)
    const request = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const client = request.getUint32(0, true)
    const value = request.getUint32(4, true)
    const inPage = SLOTS_AT + (client % SLOTS_PER_PAGE) * 1000
    const slot = (client % GUEST_PAGES) * PAGE_BYTES + inPage
    this.#memory.growTo(1 + (client % GUEST_PAGES))
    if (value > 0) this.#memory.store(slot, value)
    // Something that differs from call to call, far away and in both the pages that it touches.
    const at = ((this.#calls * 7) % (GUEST_PAGES - 1)) * PAGE_BYTES + STRADDLE_AT
    this.#memory.store(at, (this.#calls * 0x10001) >>> 0)
    const answer = new Uint8Array(ANSWER_BYTES)
    const view = new DataView(answer.buffer)
    view.setUint32(0, client, true)
    view.setUint32(4, this.#memory.ram.readUInt32LE(slot), true)
    view.setUint32(8, this.#instance, true)
    view.setUint32(12, this.#captures, true)
    this.#tell((handlers) => handlers.output(connection, answer))
  }

  /** In the guest's thread, in order; a suspended guest takes no calls. */
  #later(run: () => void, always = false): void {
    const { time, chance } = this.#simulation
    const { life } = this.#process
    const instance = this.#instance
    this.#threadFree = Math.max(this.#threadFree, time.now) + chance.between(0.01, 0.4)
    time.at(this.#threadFree, () => {
      if (!this.#running || instance !== this.#instance || life !== this.#process.life) return
      this.#call(run, always)
    })
  }

  #call(run: () => void, always: boolean): void {
    if (this.#capturing) this.#blocked.push(() => this.#call(run, always))
    else if (this.#suspended && !always) this.#waiting.push(run)
    else run()
  }

  #tell(what: (handlers: GuestHandlers) => void, dying = false): void {
    const { time, chance } = this.#simulation
    const instance = this.#instance
    const { life } = this.#process
    this.#heardBy = Math.max(this.#heardBy, time.now + chance.between(0.01, 0.3))
    time.at(this.#heardBy, () => {
      this.#process.run(life, () => {
        if (instance !== this.#instance || (!this.#running && !dying)) return
        if (this.handlers) what(this.handlers)
      })
    })
  }
}
