// One session between the two sides: a control link, a data channel, and the watch over both. It ends once,
// for one reason, whichever of many things comes first: a channel that closes, silence, a bye, a missed
// deadline, bytes that make no sense. Both roles hold it; neither sees a message of a session that has ended.

import { FailureDetector } from './failure-detector.ts'
import type { PeerMessage } from '../control/messages.ts'
import type { PoisonMark } from '../guest/poison.ts'
import type { Delays } from '../protocol/delays.ts'
import type { ErrorCode } from '../protocol/errors.ts'
import type { Clock, ControlLink, DataChannel, TimerHandle } from '../ports.ts'

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
  readonly heartbeat: () => PeerMessage
  readonly ended: (end: SessionEnd) => void
}

export class Session {
  readonly number: number
  /** Known to the secondary that was welcomed, and to nobody else; empty on the secondary's side. */
  dataToken = ''
  channel: DataChannel | undefined
  /** What the guest died of: the peer is told with the bye. */
  poison: PoisonMark | undefined
  readonly #options: SessionOptions
  readonly #detector: FailureDetector
  #timer: TimerHandle
  #over = false

  constructor(options: SessionOptions) {
    const { clock, delays } = options
    this.#options = options
    this.number = options.number
    this.#detector = new FailureDetector(delays.heartbeatMs, delays.suspectMs, clock.now())
    this.#timer = clock.setTimeout(() => this.#beat(), delays.heartbeatMs)
  }

  get over(): boolean {
    return this.#over
  }

  /**
   * The peer said something on the control channel. Only that counts: a session whose control channel is dead
   * must end, however busy its data channel is.
   */
  heard(): void {
    this.#detector.heard(this.#options.clock.now())
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
    this.channel?.close()
    link.close()
    ended({ code, detail, silenceMs: this.#detector.silence(clock.now()) })
  }

  #beat(): void {
    const { clock, delays, heartbeat } = this.#options
    this.send(heartbeat())
    if (this.#detector.tick(clock.now())) {
      const silence = Math.round(this.#detector.silence(clock.now()))
      return this.end('heartbeat-lost', `nothing heard for ${silence} ms`)
    }
    this.#timer = clock.setTimeout(() => this.#beat(), delays.heartbeatMs)
  }
}
