// The clients: each writes growing numbers into its slot, one at a time, remembers the highest that was
// acknowledged, and after every loss of its connection finds whoever serves and reads its slot back. What it
// reads then must not be older than what it was told: that is the promise of the whole system.

import type { Process } from './process.ts'
import type { Simulation } from './simulation.ts'
import { decodeAnswer, REQUEST_BYTES } from './virtual-guest.ts'

interface Client {
  readonly id: number
  process: Process | undefined
  life: number
  connection: number
  acknowledged: number
  sent: number
  reading: boolean
}

export class VirtualClients {
  readonly #simulation: Simulation
  readonly #clients: Client[] = []
  answers = 0
  #era = 0
  #since = 0

  constructor(simulation: Simulation, count: number) {
    this.#simulation = simulation
    for (let id = 1; id <= count; id++) {
      const nobody = { process: undefined, life: 0, connection: 0 }
      this.#clients.push({ id, ...nobody, acknowledged: 0, sent: 0, reading: false })
      this.#retry(this.#clients.at(-1)!)
    }
  }

  /** An operator let go of the state: what was acknowledged may be gone. */
  forgive(): void {
    this.#era++
    for (const client of this.#clients) client.acknowledged = 0
  }

  answered(process: Process, connection: number, bytes: Uint8Array): void {
    const { life } = process
    const answer = decodeAnswer(bytes)
    const era = this.#era
    this.#later(0.5, () => {
      if (era !== this.#era) return
      const client = this.#of(process, life, connection)
      if (client === undefined || answer.client !== client.id) return
      this.answers++
      // A side that was stopped while its state was let go may still say what was safe then: it counts no more.
      if (answer.instance < this.#since) return this.#goOn(client)
      if (answer.value < client.acknowledged) {
        this.#simulation.violated(
          `client ${client.id} was told ${client.acknowledged} and now reads ${answer.value}`,
        )
      }
      client.acknowledged = Math.max(client.acknowledged, answer.value)
      this.#goOn(client)
    })
  }

  /** A cold guest begins by right: what clients were told by others before it is no promise any more. */
  beganCold(instance: number): void {
    this.#since = instance
    this.forgive()
  }

  #goOn(client: Client): void {
    client.reading = false
    this.#later(this.#simulation.chance.delay(6), () => this.#write(client))
  }

  closed(process: Process, connection: number): void {
    const client = this.#of(process, process.life, connection)
    if (client) this.#lose(client)
  }

  lostAll(process: Process): void {
    for (const client of this.#clients) if (client.process === process) this.#lose(client)
  }

  #of(process: Process, life: number, connection: number): Client | undefined {
    return this.#clients.find(
      (one) => one.process === process && one.life === life && one.connection === connection,
    )
  }

  #lose(client: Client): void {
    client.process = undefined
    this.#retry(client)
  }

  #retry(client: Client): void {
    this.#later(this.#simulation.chance.delay(3), () => this.#connect(client))
  }

  #connect(client: Client): void {
    const { processes, chance } = this.#simulation
    const process = chance.pick(processes)
    if (!process.alive || !process.serving || client.process) return this.#retry(client)
    const { life } = process
    let answered = false
    process.run(life, () => {
      const connection = process.serving ? process.side.clientOpened() : undefined
      if (connection === undefined || client.process) return
      answered = true
      Object.assign(client, { process, life, connection, reading: true })
      this.#say(client, 0)
    })
    // Refused, or never answered because the process is stopped: another try, perhaps elsewhere.
    this.#later(20, () => {
      if (!answered && client.process === undefined) this.#connect(client)
    })
    return undefined
  }

  #write(client: Client): void {
    if (client.process === undefined) return
    client.sent = Math.max(client.sent, client.acknowledged) + 1
    this.#say(client, client.sent)
  }

  #say(client: Client, value: number): void {
    const { process, life, connection } = client
    if (process === undefined) return
    const bytes = new Uint8Array(REQUEST_BYTES)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, client.id, true)
    view.setUint32(4, value, true)
    this.#later(0.5, () => process.run(life, () => process.side.clientSaid(connection, bytes)))
    // A client is not patient for ever.
    const { answers } = this
    this.#later(300, () => {
      if (
        client.process === process &&
        client.connection === connection &&
        answers === this.answers
      ) {
        const { time } = this.#simulation
        void time
        process.run(life, () => process.side.clientClosed(connection))
        this.#lose(client)
      }
    })
  }

  #later(delay: number, run: () => void): void {
    const { time } = this.#simulation
    time.at(time.now + delay, run)
  }
}
