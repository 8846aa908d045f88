// A client that counts as long as it is let, one INCR after the other, on whichever side takes it. What was
// acknowledged must be there in the end, and no value may come twice.

import { LineClient } from './clients.ts'

/** After this without an answer the client tries the other side. */
const ANSWER_MS = 700
const INCR = '*2\r\n$4\r\nINCR\r\n$7\r\ncounter\r\n'

const delay = async (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export class CounterLoad {
  /** The largest value that was acknowledged. */
  acknowledged = 0
  sent = 0
  /** The port that acknowledged it. */
  servedBy = 0
  /** An answer that was no larger than the one before: two guests served, or a write was lost. */
  disorder: string | undefined
  readonly #ports: readonly number[]
  #isOver = false
  readonly #running: Promise<void>

  constructor(ports: readonly number[]) {
    this.#ports = ports
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#running
  }

  async #run(): Promise<void> {
    for (let turn = 0; !this.#isOver; turn++) {
      const port = this.#ports[turn % this.#ports.length] ?? 0
      const client = await LineClient.to(port).catch(() => undefined)
      if (client !== undefined) {
        await this.#count(client, port)
        client.close()
      }
      await delay(10)
    }
  }

  async #count(client: LineClient, port: number): Promise<void> {
    for (let answers = 1; !this.#isOver; answers++) {
      this.sent++
      client.socket.write(INCR)
      const deadline = performance.now() + ANSWER_MS
      while (client.lines.length < answers) {
        if (client.closed || performance.now() > deadline) return
        await delay(2)
      }
      const answer = client.lines[answers - 1] ?? ''
      if (!answer.startsWith(':')) return
      const value = Number(answer.slice(1))
      if (value <= this.acknowledged) {
        this.disorder ??= `${value} from port ${port} after ${this.acknowledged}`
      }
      this.acknowledged = value
      this.servedBy = port
      await delay(5)
    }
  }
}
