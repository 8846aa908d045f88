// Clients that write through the guest and check that nothing they were told is forgotten. Each of N connections
// has one write outstanding; a write counts as acknowledged when its reply has come, and from then on it must
// be there: whenever a connection was lost, and once at the end, everything the connection wrote is read back.
// A value older than the acknowledged one is a loss. A newer one is none: a write whose reply never came may
// have been applied or not.

import { setTimeout as delay } from 'node:timers/promises'
import { splitAddress } from '../network/address.ts'
import { CliError, oneLine } from '../terminal/exit-codes.ts'
import { RespClient, RespError, type Reply } from './resp-client.ts'

const KEYS = 64
/** Every so many writes one is an INCR, whose reply shows a loss at once. */
const INCR_EVERY = 8
const REPLY_TIMEOUT_MS = 1000
const RETRY_MS = 4
const FINAL_CHECK_MS = 10_000

export interface Writes {
  readonly acknowledged: number
  readonly lost: number
}

/** What one connection was told. Pure: it is handed replies and read values and judges them. */
export class Ledger {
  acknowledged = 0
  lost = 0
  /** The newest acknowledged write of each key. */
  readonly #newest = new Map<number, number>()
  /** Writes whose reply never came, or was an error. */
  readonly #unsure = new Set<number>()
  #counted = 0

  setAnswered(n: number): void {
    this.acknowledged++
    this.#unsure.delete(n)
    this.#newest.set(n % KEYS, n)
  }

  setSent(n: number): void {
    this.#unsure.add(n)
  }

  /** INCR answers with the count: less than what was acknowledged before means that some were forgotten. */
  incrAnswered(count: number): void {
    this.acknowledged++
    this.countFound(count - 1)
    this.#counted = count
  }

  get slots(): readonly number[] {
    return [...this.#newest.keys()]
  }

  countFound(count: number): void {
    this.lost += Math.max(0, this.#counted - count)
    this.#counted = Math.max(0, count)
  }

  slotFound(slot: number, value: number | undefined): void {
    const newest = this.#newest.get(slot)
    if (newest === undefined) return
    // What was never written under this key is as good as nothing.
    const found = value !== undefined && value % KEYS === slot ? value : slot - KEYS
    for (let n = newest; n > found && n >= 0; n -= KEYS) {
      if (!this.#unsure.has(n)) this.lost++
    }
    if (found < newest) this.#newest.set(slot, found)
  }

  allGone(): void {
    this.lost = this.acknowledged
  }
}

class Writer {
  readonly ledger = new Ledger()
  failure: string | undefined
  stopping = false
  readonly #id: string
  readonly #addresses: readonly string[]
  #client: RespClient | undefined
  #address = 0
  #n = 0

  constructor(id: string, addresses: readonly string[], first: number) {
    this.#id = id
    this.#addresses = addresses
    this.#address = first
  }

  async run(): Promise<void> {
    while (!this.stopping) {
      try {
        this.#client ??= await this.#connectAndCheck()
        await this.#write(this.#client)
      } catch {
        this.#drop()
        await delay(RETRY_MS)
      }
    }
  }

  /** Reads everything back once more. False if nobody served. */
  async check(withinMs: number): Promise<boolean> {
    const end = Date.now() + withinMs
    while (Date.now() < end) {
      try {
        this.#client ??= await this.#connectAndCheck()
        await this.#readBack(this.#client)
        this.#client.close()
        return true
      } catch {
        this.#drop()
        await delay(RETRY_MS)
      }
    }
    return false
  }

  #drop(): void {
    this.#client?.close()
    this.#client = undefined
    this.#address = (this.#address + 1) % this.#addresses.length
  }

  async #connectAndCheck(): Promise<RespClient> {
    const client = await dial(this.#addresses[this.#address] ?? '')
    try {
      await this.#readBack(client)
    } catch (error) {
      client.close()
      throw error
    }
    return client
  }

  async #write(client: RespClient): Promise<void> {
    const n = ++this.#n
    const incr = n % INCR_EVERY === 0
    const key = incr ? `${this.#id}:count` : `${this.#id}:${n % KEYS}`
    if (!incr) this.ledger.setSent(n)
    const reply = await (incr ? client.send('INCR', key) : client.send('SET', key, String(n)))
    if (incr && typeof reply === 'number') this.ledger.incrAnswered(reply)
    else if (!incr && reply === 'OK') this.ledger.setAnswered(n)
    else {
      this.failure ??= `${incr ? 'INCR' : 'SET'} ${key}: ${describe(reply)}`
      await delay(RETRY_MS)
    }
  }

  async #readBack(client: RespClient): Promise<void> {
    const { slots } = this.ledger
    const [count, ...values] = await Promise.all([
      client.send('GET', `${this.#id}:count`),
      ...slots.map((slot) => client.send('GET', `${this.#id}:${slot}`)),
    ])
    const found = [count, ...values].map((reply) => valueOf(reply ?? null))
    this.ledger.countFound(found[0] ?? 0)
    slots.forEach((slot, i) => this.ledger.slotFound(slot, found[i + 1]))
  }
}

function valueOf(reply: Reply): number | undefined {
  if (reply instanceof RespError) throw reply
  return reply === null ? undefined : Number(reply)
}

function describe(reply: Reply): string {
  return reply instanceof RespError ? `-${reply.message}` : JSON.stringify(reply)
}

async function dial(address: string): Promise<RespClient> {
  const { host, port } = splitAddress(address)
  return RespClient.connect(host, port, REPLY_TIMEOUT_MS)
}

export class Load {
  readonly #writers: readonly Writer[]
  readonly #addresses: readonly string[]
  #runs: readonly Promise<void>[] = []

  /** `addresses`: where the two sides take clients. */
  constructor(connections: number, addresses: readonly string[]) {
    this.#addresses = addresses
    const ids = Array.from({ length: connections }, (_, i) => `load:${i}`)
    this.#writers = ids.map((id) => new Writer(id, addresses, 0))
  }

  get writes(): Writes {
    const ledgers = this.#writers.map((writer) => writer.ledger)
    return {
      acknowledged: ledgers.reduce((sum, one) => sum + one.acknowledged, 0),
      lost: ledgers.reduce((sum, one) => sum + one.lost, 0),
    }
  }

  /** The first error that the guest answered instead of doing what it was asked. */
  get failure(): string | undefined {
    return this.#writers.find((writer) => writer.failure !== undefined)?.failure
  }

  /** Rejects if what serves does not speak RESP: nothing could be checked then. */
  async start(withinMs: number): Promise<void> {
    const end = Date.now() + withinMs
    let why = 'nobody serves'
    for (let i = 0; Date.now() < end; i++) {
      try {
        const client = await dial(this.#addresses[i % this.#addresses.length] ?? '')
        const reply = await client.send('SET', 'load:hello', '1').finally(() => client.close())
        if (reply === 'OK') {
          this.#runs = this.#writers.map((writer) => writer.run())
          return
        }
        why = `it answered SET with ${describe(reply)}`
        break
      } catch (error) {
        why = oneLine(error)
        if (/RESP/.test(why)) break
      }
      await delay(RETRY_MS)
    }
    throw new CliError('usage', `--load needs a guest that speaks RESP: ${why}`)
  }

  /** Ends the writes and reads everything back. False if nobody served any more. */
  async finish(withinMs = FINAL_CHECK_MS): Promise<boolean> {
    for (const writer of this.#writers) writer.stopping = true
    await Promise.all(this.#runs)
    const checked = await Promise.all(this.#writers.map((writer) => writer.check(withinMs)))
    return checked.every(Boolean)
  }

  /** Nobody holds the guest any more: nothing of what was acknowledged is there. */
  allGone(): void {
    for (const writer of this.#writers) writer.ledger.allGone()
  }
}
