// Clients as users have them: ioredis for what speaks RESP, and a raw line client that shows every byte.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Redis } from 'ioredis'

/** Connected, and not trying again by itself: a test sees every loss. */
export async function redis(port: number): Promise<Redis> {
  const client = new Redis({
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
  })
  client.on('error', () => {})
  await client.connect()
  return client
}

export class LineClient {
  readonly socket: Socket
  /** Everything that came, as it came. */
  received = ''
  closed = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (bytes) => (this.received += String(bytes)))
    socket.on('error', () => {})
    socket.on('close', () => (this.closed = true))
  }

  static async to(port: number): Promise<LineClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const client = new LineClient(socket)
    await once(socket, 'connect')
    return client
  }

  say(line: string): void {
    this.socket.write(`${line}\n`)
  }

  get lines(): string[] {
    return this.received.split('\n').slice(0, -1)
  }

  close(): void {
    this.socket.destroy()
  }
}
