// One session between the two sides: a control link, a data channel, and the watch over both. It ends once,
// for one reason, whichever of many things comes first: a channel that closes, silence, a bye, a missed
// deadline, bytes that make no sense, a data channel that stands still. Both roles hold it; neither sees a message
// of a session that has ended.

import { CountedChannel } from '../failover/counted-channel.ts'
import { DataStall } from '../failover/data-stall.ts'
import { FailureDetector } from '../failover/failure-detector.ts'
import type { Heartbeat, PeerMessage } from '../protocol/control-messages.ts'
import type { PoisonMark } from '../poison.ts'
import type { Delays } from '../protocol/delays.ts'
import type { ErrorCode } from '../protocol/errors.ts'
import type { Clock, ControlLink, DataChannel, DataChannelHandlers, TimerHandle } from '../ports.ts'

export interface SessionEnd {
  readonly code: ErrorCode
  readonly detail: string
  /** How long nothing had been heard of the peer, milliseconds. */
  readonly silenceMs: number
}

export interface SessionOptions {
  readonly clock: Clock
  readonly delays: Delays
  readonly link: ControlLink
  readonly number: number
  readonly heartbeat: () => Heartbeat
  readonly ended: (end: SessionEnd) => void
}

export class Session {
  readonly number: number
  /** Known to the secondary that was welcomed, and to nobody else; empty on the secondary's side. */
  dataToken = ''
  /** What the guest died of: the peer is told with the bye. */
  poison: PoisonMark | undefined
  /** Of the protocol that the peer speaks. */
  peerMinor = 0
  #channel: CountedChannel | undefined
  readonly #options: SessionOptions
  readonly #detector: FailureDetector
  readonly #stalls: { readonly outward: DataStall; readonly inward: DataStall }
  #timer: TimerHandle
  #over = false

  constructor(options: SessionOptions) {
    const { clock, delays } = options
    this.#options = options
    this.number = options.number
    this.#detector = new FailureDetector(delays.heartbeatMs, delays.suspectMs, clock.now())
    const newStall = () => new DataStall(delays.heartbeatMs, delays.dataStallMs, clock.now())
    this.#stalls = { outward: newStall(), inward: newStall() }
    this.#timer = clock.setTimeout(() => this.#beat(), delays.heartbeatMs)
  }

  get channel(): DataChannel | undefined {
    return this.#channel
  }

  /** The data channel is there: gives what it calls, from what `open` gives for it. */
  carry(
    channel: DataChannel,
    open: (channel: DataChannel) => DataChannelHandlers,
  ): DataChannelHandlers {
    this.#channel = new CountedChannel(channel)
    return this.#channel.counting(open(this.#channel))
  }

  get over(): boolean {
    return this.#over
  }

  /**
   * The peer said this on the control channel. Only that counts: a session whose control channel is dead must end,
   * however busy its data channel is. One whose data channel stands still must end as well.
   */
  heard(message: PeerMessage): void {
    const now = this.#options.clock.now()
    this.#detector.heard(now)
    if (message.type !== 'heartbeat') return
    const { sentBytes, takenBytes } = message
    const channel = this.#channel
    if (channel === undefined || sentBytes === undefined || takenBytes === undefined) return
    const { outward, inward } = this.#stalls
    const isOutwardStill = outward.heard(channel.sentBytes, takenBytes, now)
    const isInwardStill = inward.heard(sentBytes, channel.takenBytes, now)
    if (!isOutwardStill && !isInwardStill) return
    const [{ stalledMs }, way] = isOutwardStill ? [outward, 'to'] : [inward, 'from']
    const ms = Math.round(stalledMs)
    this.end(
      'deadline-missed',
      `dataStallMs: no byte on the data channel ${way} the peer for ${ms} ms`,
    )
  }

  send(message: PeerMessage): void {
    if (!this.#over) this.#options.link.send(message)
  }

  /** Ends the session, telling the peer why if it may still hear it. */
  end(code: ErrorCode, detail: string): void {
    if (this.#over) return
    const poison = this.poison && { poison: this.poison }
    this.send({ type: 'bye', code, detail: detail.slice(0, 500), ...poison })
    this.lost(code, detail)
  }

  /**
   * A channel was closed from outside. A bye that explains it may have come at the same moment on the other
   * channel: what is waiting is heard first.
   */
  closed(detail: string): void {
    this.#options.clock.soon(() => this.lost('connection-lost', detail))
  }

  /** The session is over by itself: the peer went away or said so. */
  lost(code: ErrorCode, detail: string): void {
    if (this.#over) return
    this.#over = true
    const { clock, link, ended } = this.#options
    clock.clearTimeout(this.#timer)
    this.#channel?.close()
    link.close()
    ended({ code, detail, silenceMs: this.#detector.silence(clock.now()) })
  }

  #beat(): void {
    const { clock, delays, heartbeat } = this.#options
    const { sentBytes = 0, takenBytes = 0 } = this.#channel ?? {}
    this.send({ ...heartbeat(), sentBytes, takenBytes })
    if (this.#detector.tick(clock.now())) {
      const silence = Math.round(this.#detector.silence(clock.now()))
      return this.end('heartbeat-lost', `nothing heard for ${silence} ms`)
    }
    this.#timer = clock.setTimeout(() => this.#beat(), delays.heartbeatMs)
  }
}
