// A RESP client that is small enough to be trusted by a check of lost writes: a reply is either there, whole
// and in order, or the request failed. It never sends a request a second time.

import { connect, type Socket } from 'node:net'

/** What the service answered with `-`: the request was understood as failed, not lost. */
export class RespError extends Error {}

export type Reply = string | number | null | RespError

interface Waiting {
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: Error) => void
}

const LINE_BYTES_MAX = 64 * 1024
const BULK_BYTES_MAX = 1024 * 1024

/** The reply at the start of `bytes` and its length, or undefined if it is not whole yet. Throws on nonsense. */
export function parseReply(bytes: Buffer): { reply: Reply; length: number } | undefined {
  const end = bytes.indexOf('\r\n')
  if (end < 0) {
    if (bytes.length > LINE_BYTES_MAX) throw new Error('a line without an end: this is no RESP')
    return undefined
  }
  const kind = String.fromCharCode(bytes[0] ?? 0)
  const line = bytes.toString('utf8', 1, end)
  const length = end + 2
  if (kind === '+') return { reply: line, length }
  if (kind === '-') return { reply: new RespError(line), length }
  const number = /^-?\d+$/.test(line) ? Number(line) : NaN
  if (kind === ':' && Number.isSafeInteger(number)) return { reply: number, length }
  if (kind !== '$' || !(number >= -1 && number <= BULK_BYTES_MAX)) {
    throw new Error(`${JSON.stringify(kind + line.slice(0, 40))} is no RESP reply`)
  }
  if (number === -1) return { reply: null, length }
  if (bytes.length < length + number + 2) return undefined
  return { reply: bytes.toString('utf8', length, length + number), length: length + number + 2 }
}

function encodeRequest(words: readonly string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
  return `*${words.length}\r\n${parts.join('')}`
}

export class RespClient {
  readonly #socket: Socket
  readonly #timeoutMs: number
  readonly #waiting: Waiting[] = []
  #bytes: Buffer = Buffer.alloc(0)
  #failed: Error | undefined
  #timer: NodeJS.Timeout | undefined

  private constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket
    this.#timeoutMs = timeoutMs
    socket.on('data', (bytes) => this.#receive(bytes))
    socket.on('close', () => this.#fail(new Error('the connection was closed')))
    socket.on('end', () => this.#fail(new Error('the service closed the connection')))
  }

  /** `timeoutMs` holds for the connection and for each wait for a reply. */
  static async connect(host: string, port: number, timeoutMs: number): Promise<RespClient> {
    const socket = connect({ host, port, noDelay: true })
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        socket.destroy()
        reject(new Error(`no connection to ${host}:${port} within ${timeoutMs} ms`))
      }, timeoutMs)
      socket.on('error', (error) => {
        clearTimeout(timer)
        reject(error)
      })
      socket.once('connect', () => {
        clearTimeout(timer)
        resolve()
      })
    })
    return new RespClient(socket, timeoutMs)
  }

  /** Rejects once the connection failed; what happened to the request is unknown then. */
  async send(...words: string[]): Promise<Reply> {
    return new Promise<Reply>((resolve, reject) => {
      if (this.#failed) {
        reject(this.#failed)
        return
      }
      this.#waiting.push({ resolve, reject })
      this.#socket.write(encodeRequest(words))
      if (this.#waiting.length === 1) this.#watch()
    })
  }

  close(): void {
    this.#fail(new Error('closed by this client'))
  }

  #watch(): void {
    clearTimeout(this.#timer)
    if (this.#waiting.length === 0) return
    const late = () => this.#fail(new Error(`no reply within ${this.#timeoutMs} ms`))
    this.#timer = setTimeout(late, this.#timeoutMs)
  }

  #receive(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes])
    try {
      for (let next = parseReply(this.#bytes); next; next = parseReply(this.#bytes)) {
        this.#bytes = this.#bytes.subarray(next.length)
        const waiting = this.#waiting.shift()
        if (waiting === undefined) throw new Error('a reply that nobody asked for')
        waiting.resolve(next.reply)
      }
      this.#watch()
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  #fail(error: Error): void {
    if (this.#failed) return
    this.#failed = error
    clearTimeout(this.#timer)
    this.#socket.destroy()
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}
