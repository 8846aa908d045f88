// What can be asked the commands of the key-value guest: the module in this process, and whatever listens on a port.

import { command, Guest } from './host.ts'
import { RespClient } from './redis-server.ts'
import { readReply, type Reply } from './resp.ts'

/** One of the two that are compared. */
export interface Subject {
  /** The reply, or undefined if the connection was closed without one. */
  ask(conn: number, words: readonly string[]): Promise<Reply | undefined>
  /** A connection in the place of one that was closed. */
  reopen(conn: number): Promise<void>
  close(): void
}

/** The module in this process, whose clock is this host's. */
export class ModuleSubject implements Subject {
  readonly #guest = new Guest('kv')

  async ask(conn: number, words: readonly string[]): Promise<Reply | undefined> {
    this.#guest.nowMs = Date.now()
    return readReply(this.#guest.send(conn, command(...words)))?.reply
  }

  async reopen(conn: number): Promise<void> {
    this.#guest.nowMs = Date.now()
    this.#guest.close(conn)
    this.#guest.open(conn)
  }

  close(): void {}
}

/** A port that speaks the protocol. */
export class PortSubject implements Subject {
  readonly #port: number
  readonly #clients = new Map<number, RespClient>()

  constructor(port: number) {
    this.#port = port
  }

  async ask(conn: number, words: readonly string[]): Promise<Reply | undefined> {
    return this.#clients.get(conn)?.ask(...words)
  }

  async reopen(conn: number): Promise<void> {
    this.#clients.get(conn)?.close()
    this.#clients.set(conn, await RespClient.to(this.#port))
  }

  close(): void {
    for (const client of this.#clients.values()) client.close()
  }
}
