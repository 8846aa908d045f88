// The network between the two processes: control links that carry whole messages and data channels that carry
// bytes, each in order in each direction, late by chance, and cut at any byte. A cut is noticed by both ends, by
// one, or by none, as when a cable is pulled. Bytes are read from the sender's memory only when the virtual
// kernel takes them, so that a page changed too early is sent changed.

import { peerMessageSchema, type PeerMessage } from '../../shared/protocol/control-messages.ts'
import type {
  ControlLink,
  ControlLinkHandlers,
  DataChannel,
  DataChannelHandlers,
  Network,
} from '../../shared/ports.ts'
import type { Process } from './process.ts'
import type { Simulation } from './simulation.ts'

const READY_ID = 2

abstract class Wire {
  readonly simulation: Simulation
  readonly ends: readonly [End, End]
  open = true
  severed = false
  /** What this end had not yet given to its kernel is lost with its socket. */
  closedBy: number | undefined

  constructor(simulation: Simulation, first: Process, second: Process) {
    this.simulation = simulation
    this.ends = [new End(first), new End(second)]
  }

  /** Closed by one end: the other hears of it, after all that was sent before, if the network lives. */
  close(by: number): void {
    if (!this.open) return
    this.open = false
    this.closedBy = by
    this.tellClosed(1 - by)
  }

  /** The network fails: what is under way may still arrive in part. */
  cut(noticed: readonly number[]): void {
    if (!this.open) return
    this.open = false
    this.severed = true
    for (const end of noticed) this.tellClosed(end)
  }

  tellClosed(end: number): void {
    const { time, chance } = this.simulation
    const at = Math.max(this.ends[end].lastArrival, time.now) + chance.delay(1)
    this.simulation.network.deliver(at, () => this.ends[end].run(() => this.closed(end)))
  }

  protected abstract closed(end: number): void
}

class End {
  readonly process: Process
  readonly life: number
  lastArrival = 0
  lastTaken = 0
  /** Nothing arrives here any more. */
  deaf = false

  constructor(process: Process) {
    this.process = process
    this.life = process.life
  }

  run(what: () => void): void {
    this.process.run(this.life, what)
  }
}

class Link extends Wire {
  readonly handlers: (ControlLinkHandlers | undefined)[] = [undefined, undefined]
  #said = false

  side(end: number): ControlLink {
    return {
      send: (message) => this.#send(end, message),
      close: () => this.close(end),
    }
  }

  #send(from: number, message: PeerMessage): void {
    if (!this.open) return
    const { time, chance } = this.simulation
    const text = JSON.stringify(message)
    const to = this.ends[1 - from]
    to.lastArrival = Math.max(to.lastArrival, time.now + chance.delay(this.simulation.latency))
    this.simulation.network.deliver(to.lastArrival, () => {
      if (!this.simulation.connected) return
      to.run(() => this.#arrive(1 - from, peerMessageSchema.parse(JSON.parse(text))))
    })
  }

  #arrive(end: number, message: PeerMessage): void {
    if (end === 1 && !this.#said) {
      this.#said = true
      if (message.type !== 'hello') return
      this.handlers[1] = this.ends[1].process.side.acceptPeer(message, this.side(1))
      return
    }
    this.handlers[end]?.message(message)
  }

  protected closed(end: number): void {
    const handlers = this.handlers[end]
    this.handlers[end] = undefined
    handlers?.closed()
  }
}

class Channel extends Wire {
  readonly handlers: (DataChannelHandlers | undefined)[] = [undefined, undefined]
  readonly #offered: (Uint8Array | undefined)[] = [undefined, undefined]
  readonly #isGivenUp = [false, false]

  side(end: number): DataChannel {
    return {
      write: (chunks) => this.#write(end, chunks),
      // What was on its way still comes: the session must not listen to it. A buffer is its own again.
      close: () => {
        this.#isGivenUp[end] = true
        this.close(end)
      },
    }
  }

  #write(from: number, chunks: readonly Uint8Array[]): void {
    const { time, chance } = this.simulation
    const [end, to] = [this.ends[from], this.ends[1 - from]]
    if (isReady(chunks[0])) this.simulation.sentReady(end.process)
    if (!this.open) return
    end.lastTaken = Math.max(end.lastTaken, time.now + chance.delay(0.2))
    const taken = end.lastTaken
    to.lastArrival = Math.max(to.lastArrival, taken + chance.delay(this.simulation.latency))
    const arrival = to.lastArrival
    time.at(taken, () => {
      const bytes = joined(chunks)
      this.simulation.network.damage(bytes)
      end.run(() => this.handlers[from]?.taken())
      if (this.severed || this.closedBy === from) return
      this.simulation.network.deliver(Math.max(arrival, time.now), () => {
        if (to.deaf || !this.simulation.connected) return
        // A cut leaves a beginning of what was under way.
        const arriving = this.severed ? chance.below(bytes.length + 1) : bytes.length
        if (arriving < bytes.length) to.deaf = true
        to.run(() => this.#arrive(1 - from, bytes.subarray(0, arriving)))
      })
    })
  }

  #arrive(end: number, bytes: Uint8Array): void {
    const { chance } = this.simulation
    for (let at = 0; at < bytes.length;) {
      const handlers = this.handlers[end]
      if (handlers === undefined) return
      const ahead = this.#isGivenUp[end] ? undefined : this.#offered[end]
      const buffer = ahead ?? handlers.buffer()
      const most = chance.happens(0.3) ? 1 + chance.below(5000) : bytes.length
      const count = Math.min(buffer.length, bytes.length - at, most)
      buffer.set(bytes.subarray(at, at + count))
      handlers.received(count)
      // Asked for at once, as a socket does: whatever happens before the next bytes come, they go there.
      this.#offered[end] = this.handlers[end]?.buffer()
      at += count
    }
  }

  protected closed(end: number): void {
    const handlers = this.handlers[end]
    this.handlers[end] = undefined
    handlers?.closed()
  }
}

function isReady(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes[0] === 5 && bytes[4] === 4 && bytes[8] === READY_ID
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

export class VirtualNetwork {
  readonly #simulation: Simulation
  #wires: Wire[] = []
  #frozen = false
  /** The next bytes on a data channel that are at least so many lose a bit. */
  #flipsFrom = Number.POSITIVE_INFINITY
  #held: (() => void)[] = []

  /** Nothing arrives any more, and nothing is lost: it comes once the network thaws. */
  freeze(): void {
    this.#frozen = true
  }

  thaw(): void {
    this.#frozen = false
    for (const arrive of this.#held.splice(0)) arrive()
  }

  /** A bit of the next write of at least so many bytes, in either direction, arrives changed. */
  flipBit(bytesLeast: number): void {
    this.#flipsFrom = bytesLeast
  }

  damage(bytes: Uint8Array): void {
    if (bytes.length < this.#flipsFrom) return
    this.#flipsFrom = Number.POSITIVE_INFINITY
    const bit = this.#simulation.chance.below(bytes.length * 8)
    bytes[bit >> 3] ^= 1 << (bit & 7)
    this.#simulation.log('network', () => `bit ${bit} of ${bytes.length} bytes is flipped`)
  }

  deliver(at: number, arrive: () => void): void {
    this.#simulation.time.at(at, () => {
      if (this.#frozen) this.#held.push(arrive)
      else arrive()
    })
  }

  constructor(simulation: Simulation) {
    this.#simulation = simulation
  }

  /** Ends everything that is open. `noticed`: which ends hear of it. */
  cut(kind: 'all' | 'data', notice: () => readonly number[]): void {
    for (const wire of this.#wires) {
      if (kind === 'all' || wire instanceof Channel) wire.cut(notice())
    }
    this.#wires = this.#wires.filter((wire) => wire.open)
  }

  /** A process is gone: its kernel resets what it had open, unless its whole host is gone. */
  died(process: Process, hostToo: boolean): void {
    for (const wire of this.#wires) {
      const mine = wire.ends.findIndex((end) => end.process === process)
      if (mine >= 0) wire.cut(hostToo ? [] : [1 - mine])
    }
  }

  portOf(process: Process): Network {
    const simulation = this.#simulation
    const { time, chance } = simulation
    const { life } = process
    const later = (run: () => void) => {
      this.deliver(time.now + chance.delay(simulation.latency), () => process.run(life, run))
    }
    const reachable = () => simulation.connected && process.other.alive
    return {
      dataAddress: process.name,
      dialPeer: (answer) => {
        later(() => {
          if (!reachable()) return answer.failed('refused')
          const link = new Link(simulation, process, process.other)
          this.#wires.push(link)
          link.handlers[0] = answer.open(link.side(0))
          return undefined
        })
      },
      dialData: ({ token }, answer) => {
        later(() => {
          if (!reachable()) return answer.failed('refused')
          const channel = new Channel(simulation, process, process.other)
          this.#wires.push(channel)
          const far = channel.ends[1]
          far.lastArrival = time.now + chance.delay(simulation.latency)
          this.deliver(far.lastArrival, () => {
            if (!simulation.connected) return
            far.run(() => {
              if (!channel.open) return
              const handlers = far.process.side.acceptData(token, channel.side(1))
              if (handlers) channel.handlers[1] = handlers
              else channel.close(1)
            })
          })
          channel.handlers[0] = answer.open(channel.side(0))
          return undefined
        })
      },
    }
  }
}
