// A redis-server of the machine, version 7, on a free port with nothing configured and nothing saved; and a client
// that shows its replies as they came.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../cli/up/ports.ts'
import { command } from './host.ts'
import { readReply, type Reply } from './resp.ts'

const COMMAND = 'redis-server'
const PATIENCE_MS = 10_000

export const HAS_REDIS = / v=7\./.test(
  spawnSync(COMMAND, ['--version'], { encoding: 'utf8' }).stdout,
)
export const REDIS_MISSING = 'install redis-server 7'

export class RespClient {
  readonly #socket: Socket
  #received = ''
  #wake: () => void = () => {}
  isClosed = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      this.#received += text
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.isClosed = true
      this.#wake()
    })
  }

  static async to(port: number): Promise<RespClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const client = new RespClient(socket)
    await once(socket, 'connect')
    return client
  }

  /** The reply to one command; undefined if the connection is closed instead. */
  async ask(...words: readonly string[]): Promise<Reply | undefined> {
    this.#socket.write(command(...words), 'latin1')
    for (;;) {
      const found = readReply(this.#received)
      if (found) {
        this.#received = this.#received.slice(found.end)
        return found.reply
      }
      if (this.isClosed) return undefined
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  close(): void {
    this.#socket.destroy()
  }
}

export class RedisServer {
  readonly port: number
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(port: number, child: ChildProcess, folder: string) {
    this.port = port
    this.#child = child
    this.#folder = folder
  }

  static async start(): Promise<RedisServer> {
    const port = await freePort(new Set())
    const folder = mkdtempSync(join(tmpdir(), 'colo-redis-'))
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder]
    const child = spawn(COMMAND, options, { stdio: 'ignore' })
    const server = new RedisServer(port, child, folder)
    const deadline = performance.now() + PATIENCE_MS
    for (;;) {
      const client = await RespClient.to(port).catch(() => undefined)
      const pong = await client?.ask('PING')
      client?.close()
      if (pong === '+PONG') return server
      if (performance.now() > deadline) throw new Error(`${COMMAND} does not answer`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    if (this.#child.exitCode === null) await gone
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
