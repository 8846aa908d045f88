// One operator's connection. It is answered one question at a time, and the next one is read only when the
// answer has been: who does not read is asked nothing of this side's memory. Of the events that a watcher did
// not read in time it gets the last one. Until it shows the token it waits for its turn.

import type { RawData, WebSocket } from 'ws'
import type { Delays } from '../shared/protocol/delays.ts'
import { describeZodError, parseMessage } from './control-text.ts'
import {
  verbSchema,
  type Answer,
  type OperatorMessage,
  type VerbMessage,
} from '../shared/protocol/control-messages.ts'
import type { Turns } from './turns.ts'

export interface OperatorSession {
  verb(message: VerbMessage): Promise<Answer>
  closed(): void
}

export interface OperatorLinkOptions {
  readonly turns: Turns
  readonly delays: Pick<Delays, 'operatorIdleMs'>
  readonly acceptOperator: (tell: (event: string) => void) => OperatorSession
  /** True if it is the token of this pair. */
  readonly holdsToken: (token: string | undefined) => boolean
  /** It has shown the token now. */
  readonly trusted: () => void
  readonly asked: () => void
  /** Something was sent, which it has not read yet. */
  readonly sent: () => void
  readonly refuse: (code: 'bad-message', reason: string) => void
}

export class OperatorLink {
  readonly #socket: WebSocket
  readonly #options: OperatorLinkOptions
  readonly #session: OperatorSession
  readonly #waiting: [RawData, boolean][] = []
  #isTrusted = false
  #watches = false
  #busy = false
  /** The last event, if it could not be sent yet. */
  #event: string | undefined
  #askedAt = performance.now()
  #isOver = false

  constructor(socket: WebSocket, options: OperatorLinkOptions) {
    this.#socket = socket
    this.#options = options
    this.#session = options.acceptOperator((event) => this.#tell(event))
    socket.on('close', () => this.#session.closed())
    socket.on('message', (data, isBinary) => {
      if (this.#isOver) return
      this.#waiting.push([data, isBinary])
      this.#next()
    })
  }

  get unreadBytes(): number {
    return this.#socket.bufferedAmount
  }

  /** Closes it if it asks nothing, or does not read. */
  checkIdle(now: number): void {
    if (now - this.#askedAt < this.#options.delays.operatorIdleMs) return
    if (this.#busy ? this.unreadBytes > 0 : !this.#watches && !this.#isTrusted) this.close()
  }

  close(): void {
    this.#isOver = true
    this.#socket.terminate()
  }

  #next(): void {
    if (this.#busy || this.#isOver) return
    const message = this.#waiting.shift()
    if (message === undefined) return this.#socket.resume()
    this.#busy = true
    this.#socket.pause()
    this.#askedAt = performance.now()
    const verb = this.#read(...message)
    if (verb === undefined) return
    this.#options.asked()
    const answer = async () => this.#session.verb(verb)
    const answered = this.#isTrusted ? answer() : this.#options.turns.take(answer)
    answered.then(
      (given) => this.#answer(given),
      (error: unknown) => {
        const detail = (error instanceof Error ? error.message : String(error)).slice(0, 500)
        this.#answer({ type: 'answer', id: verb.id, ok: false, code: 'not-now', detail })
      },
    )
  }

  /** Undefined: it was refused. */
  #read(data: RawData, isBinary: boolean): VerbMessage | undefined {
    const refuse = (reason: string) => {
      this.#isOver = true
      this.#options.refuse('bad-message', reason)
      this.#socket.resume()
      return undefined
    }
    const parsed = parseMessage(data, isBinary)
    if (typeof parsed === 'string') return refuse(parsed)
    const verb = verbSchema.safeParse(parsed.json)
    if (!verb.success) return refuse(describeZodError(verb.error))
    if (verb.data.verb === 'watch') this.#watches = true
    if (!this.#isTrusted && this.#options.holdsToken(verb.data.token)) {
      this.#isTrusted = true
      this.#options.trusted()
    }
    return verb.data
  }

  #answer(answer: Answer): void {
    this.#send(answer satisfies OperatorMessage, () => {
      this.#busy = false
      this.#askedAt = performance.now()
      // Not at once: a client that asks much must not keep the others from being heard.
      setImmediate(() => this.#next())
    })
  }

  #send(message: OperatorMessage, read: () => void): void {
    const socket = this.#socket
    if (socket.readyState !== socket.OPEN) return
    socket.send(JSON.stringify(message), () => {
      read()
      this.#tellLast()
    })
    this.#options.sent()
  }

  #tell(event: string): void {
    this.#event = event
    if (this.#socket.bufferedAmount === 0) this.#tellLast()
  }

  #tellLast(): void {
    const event = this.#event
    const socket = this.#socket
    if (event === undefined || socket.readyState !== socket.OPEN) return
    this.#event = undefined
    socket.send(event, () => this.#tellLast())
    this.#options.sent()
  }
}
