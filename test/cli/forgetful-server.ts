// A service that speaks RESP and can be told to forget what it acknowledged: what a pair that released output
// too early would look like from outside.

import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export class ForgetfulServer {
  readonly store = new Map<string, string>()
  commands = 0
  /** Answers every command with this line instead, if it is set. */
  answer: string | undefined
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor() {
    this.#server = createServer((socket) => this.#serve(socket))
  }

  static async listen(): Promise<ForgetfulServer> {
    const server = new ForgetfulServer()
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  copy(): Map<string, string> {
    return new Map(this.store)
  }

  /** Goes back to an older state, and loses its connections. */
  becomeAgain(older: ReadonlyMap<string, string>): void {
    this.store.clear()
    for (const [key, value] of older) this.store.set(key, value)
    this.cut()
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  close(): void {
    this.#server.close()
    this.cut()
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => {})
    let text = ''
    socket.on('data', (bytes) => {
      text += bytes.toString()
      for (let request = takeRequest(text); request; request = takeRequest(text)) {
        text = text.slice(request.length)
        this.commands++
        socket.write(this.answer ?? this.#reply(request.words))
      }
    })
  }

  #reply([verb, key = '', value = '']: readonly string[]): string {
    if (verb === 'GET') {
      const found = this.store.get(key)
      return found === undefined ? '$-1\r\n' : `$${found.length}\r\n${found}\r\n`
    }
    if (verb === 'INCR') {
      const count = Number(this.store.get(key) ?? 0) + 1
      this.store.set(key, String(count))
      return `:${count}\r\n`
    }
    this.store.set(key, value)
    return '+OK\r\n'
  }
}

function takeRequest(text: string): { words: string[]; length: number } | undefined {
  const count = Number(/^\*(\d+)\r\n/.exec(text)?.[1])
  const words: string[] = []
  let at = text.indexOf('\r\n') + 2
  for (let i = 0; i < count; i++) {
    const match = /^\$(\d+)\r\n/.exec(text.slice(at))
    const start = at + (match?.[0].length ?? 0)
    const end = start + Number(match?.[1])
    if (match === null || text.length < end + 2) return undefined
    words.push(text.slice(start, end))
    at = end + 2
  }
  return words.length > 0 ? { words, length: at } : undefined
}
