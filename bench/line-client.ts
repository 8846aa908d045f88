// A client of a guest that answers each line with a line: how a benchmark tells the stress guest what to do.
// An answer has left the pair only once the checkpoint that holds it is committed.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const answerMs = 30_000

export class LineClient {
  readonly #socket: Socket
  #said = ''
  #waiting: { resolve: (line: string) => void; reject: (error: Error) => void } | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (text) => this.#receive(String(text)))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the guest closed the connection')))
  }

  static async connect(port: number): Promise<LineClient> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    await once(socket, 'connect')
    return new LineClient(socket)
  }

  /** One question at a time. */
  async ask(line: string): Promise<string> {
    const timer = setTimeout(() => this.#fail(new Error(`no answer to ${line}`)), answerMs)
    try {
      return await new Promise<string>((resolve, reject) => {
        this.#waiting = { resolve, reject }
        this.#socket.write(`${line}\n`)
      })
    } finally {
      clearTimeout(timer)
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(text: string): void {
    this.#said += text
    const end = this.#said.indexOf('\n')
    if (end < 0) return
    const line = this.#said.slice(0, end)
    this.#said = this.#said.slice(end + 1)
    this.#waiting?.resolve(line)
    this.#waiting = undefined
  }

  #fail(error: Error): void {
    this.#socket.destroy()
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }
}
