// Asks the daemon at the peer's address how it stands, ahead of an operator's verb that writes the register. The
// link stays open until the verb has ended: a peer that waits for the witness as well has promised to claim
// nothing until then.

import type { PeerHello, PeerStanding } from '../shared/protocol/control-messages.ts'
import type { ControlLink, Network } from '../shared/ports.ts'
import type { Clock } from '../shared/ports.ts'
import type { Register } from '../shared/protocol/register.ts'

export interface PeerAnswer {
  /** Undefined: nobody answered, or not as a peer of this pair does; `why` tells. */
  readonly standing: PeerStanding | undefined
  /** A daemon is there. */
  readonly lives: boolean
  readonly why: string
}

export interface PeerQuestionOptions {
  readonly network: Network
  readonly clock: Clock
  readonly timeoutMs: number
  readonly hello: PeerHello
  readonly answered: (answer: PeerAnswer) => void
}

export class PeerQuestion {
  readonly #options: PeerQuestionOptions
  #link: ControlLink | undefined
  #isAnswered = false
  #isOver = false

  constructor(options: PeerQuestionOptions) {
    this.#options = options
    const { network, clock, timeoutMs, hello } = options
    const silent = `no answer within ${timeoutMs} ms`
    clock.setTimeout(() => this.#answer(undefined, silent, false), timeoutMs)
    network.dialPeer({
      failed: (why) => this.#answer(undefined, why, false),
      open: (link) => {
        if (this.#isOver) {
          link.close()
          return { message() {}, closed() {} }
        }
        this.#link = link
        link.send(hello)
        return {
          message: (message) => {
            if (message.type === 'standing') this.#answer(message, 'it answers', true)
            if (message.type === 'refused') {
              this.#answer(undefined, `it refuses: ${message.code}: ${message.reason}`, true)
            }
          },
          closed: () => this.#answer(undefined, 'it closed the connection', false),
        }
      },
    })
  }

  /** The verb has ended. `written`: the register that it wrote; the peer obeys it before this side serves. */
  end(written: Register | undefined): void {
    this.#isOver = true
    this.#isAnswered = true
    if (written !== undefined) this.#link?.send({ type: 'adopted', register: written })
    this.#link?.close()
  }

  #answer(standing: PeerStanding | undefined, why: string, lives: boolean): void {
    if (this.#isAnswered) return
    this.#isAnswered = true
    this.#options.answered({ standing, lives, why })
  }
}
