// All ports of a side, in memory and in a scenario's hands: each call out becomes a line of `said`, in order,
// and whatever answers a call waits until the scenario lets it happen. Nothing moves by itself but the clock.

import type { PeerMessage } from '../../shared/protocol/control-messages.ts'
import type { GuestState } from '../../shared/guest.ts'
import { PageStore, pageStoreBytes } from '../../shared/memory/page-store.ts'
import type {
  ControlLink,
  ControlLinkHandlers,
  DataChannel,
  DataChannelHandlers,
  Disk,
  GuestPort,
  Network,
  OutputPort,
  Seen,
  ServeMode,
  Trace,
  World,
} from '../../shared/ports.ts'
import type { Holder } from '../../shared/protocol/register.ts'
import type { CheckpointRow, FailoverRow } from '../../shared/protocol/rows.ts'
import { ScriptedWitness } from './scripted-witness.ts'
import { VirtualClock } from './virtual-clock.ts'

type DialAnswer = Parameters<Network['dialPeer']>[0]
type DataAnswer = Parameters<Network['dialData']>[1]

const text = (bytes: Uint8Array) => JSON.stringify(String.fromCharCode(...bytes))

/** The incarnation that a scenario calls by a small number: `tokenOf(7)` is shown as `#7`. */
export const tokenOf = (number: number) => number.toString(16).padStart(2, '0').repeat(16)

export const withShortTokens = (line: string) =>
  line
    .replaceAll(/([0-9a-f]{2})\1{15}/g, (_, digits: string) => `#${Number.parseInt(digits, 16)}`)
    .replaceAll(
      /\b([0-9a-f]{2})\1\b(?=[,)])/g,
      (_, digits: string) => `#${Number.parseInt(digits, 16)}`,
    )

export const showHolder = (holder: Holder): string => {
  if (holder.kind === 'alone') return `alone(${holder.owner})`
  if (holder.kind === 'stopped') return 'stopped'
  return `pair(${holder.primary}, ${holder.secondary}, ${holder.session})`
}

export function showMessage(message: PeerMessage): string {
  const { type, ...rest } = message
  if (message.type === 'hello')
    return `hello ${message.incarnation} generation ${message.generation}`
  if (message.type === 'register') {
    return `register ${showHolder(message.register.holder)} at ${message.register.generation}`
  }
  if (message.type === 'adopted') return `adopted ${showHolder(message.register.holder)}`
  if (message.type === 'welcome') {
    const { generation, session, dataAddress, dataToken } = message
    return `welcome generation ${generation}, session ${session}, dataAddress ${dataAddress}, dataToken ${dataToken}`
  }
  const fields = Object.entries(rest).filter(([, value]) => value !== undefined)
  const shown = fields.map(
    ([name, value]) =>
      `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
  )
  return [type, shown.join(', ')].join(' ').trim()
}

const SERVES: Readonly<Record<ServeMode, string>> = {
  yes: 'take',
  no: 'refuse',
  claiming: 'keep waiting',
}

export class ScriptedWorld implements World {
  readonly said: string[] = []
  readonly clock = new VirtualClock()
  readonly witness: ScriptedWitness
  readonly guest: GuestPort
  dial: DialAnswer | undefined
  dialledData: DataAnswer | undefined
  link: ControlLinkHandlers | undefined
  channel: DataChannelHandlers | undefined
  /** Everything written to the data channel since it was opened, and what of it was not taken yet. */
  written: Uint8Array[] = []
  untaken = 0
  isDataFull = false
  captureId = 0
  dataToken = ''
  onWrite: (chunks: readonly Uint8Array[]) => void = () => {}
  #tokens = 0
  #serves: ServeMode = 'no'

  constructor(memoryBytes: number) {
    this.guest = this.#scriptedGuest(memoryBytes)
    this.witness = new ScriptedWitness(
      (line) => this.say(line),
      (callback) => this.clock.soon(callback),
      showHolder,
    )
  }

  say(line: string): void {
    this.said.push(line)
  }

  readonly random = { token: () => tokenOf(++this.#tokens) }

  readonly network: Network = {
    dataAddress: 'data:1',
    dialPeer: (answer) => {
      this.say('network: dial the peer')
      this.dial = answer
    },
    dialData: ({ token }, answer) => {
      this.say(`network: dial the data channel with ${token}`)
      this.dialledData = answer
    },
  }

  /** Heartbeats are not told: they would be half of every scenario. */
  readonly controlLink = (): ControlLink => ({
    send: (message) => {
      if (message.type === 'welcome') this.dataToken = message.dataToken
      if (message.type !== 'heartbeat') this.say(`control: ${showMessage(message)}`)
    },
    close: () => this.say('control: close'),
  })

  readonly dataChannel = (): DataChannel => ({
    write: (chunks) => {
      this.onWrite(chunks)
      this.untaken++
      if (!this.isDataFull) this.clock.soon(() => this.take())
    },
    close: () => {
      this.say('data: close')
      this.channel = undefined
    },
  })

  /** The kernel takes all that was written. */
  take(): void {
    for (; this.untaken > 0; this.untaken--) this.channel?.taken()
  }

  #scriptedGuest(memoryBytes: number): GuestPort {
    const say = (line: string) => this.say(`guest: ${line}`)
    return {
      store: new PageStore(new ArrayBuffer(pageStoreBytes(memoryBytes)), memoryBytes),
      identity: { name: 'kv', digest: 'd1'.repeat(32), memoryBytes },
      start: () => say('start cold'),
      load: (state: GuestState) => say(`load ${text(state.cpu)} ${text(state.device)}`),
      capture: (id, scope) => {
        this.captureId = id
        say(`capture ${scope}`)
      },
      check: (state) => (text(state.cpu) === '"unloadable"' ? 'no such version' : undefined),
      settled() {},
      open: (connection) => say(`client ${connection} opens`),
      input: (connection, bytes) => say(`client ${connection} says ${text(bytes)}`),
      close: (connection) => say(`client ${connection} closes`),
      suspend: () => say('suspend'),
      resume: () => say('resume'),
      stop: () => say('stop'),
    }
  }

  readonly output: OutputPort = {
    write: (connection, bytes) => this.say(`output: to ${connection} ${text(bytes)}`),
    close: (connection) => this.say(`output: close ${connection}`),
    reset: (connection) => this.say(`output: reset ${connection}`),
    serve: (mode) => {
      if (mode !== this.#serves) this.say(`output: ${SERVES[mode]} clients`)
      this.#serves = mode
    },
    closeAll: () => this.say('output: close all'),
    pauseInput: (paused) => {
      if (paused) this.say('output: pause input')
    },
  }

  readonly disk: Disk & { seen: Seen } = {
    seen: { pair: '', generation: 0, nonce: '', epoch: 0 },
    load() {
      return this.seen
    },
    save: (seen) => {
      this.disk.seen = seen
      this.say(`disk: generation ${seen.generation}`)
    },
  }

  readonly trace: Trace = {
    log: (level, message, fields) => {
      const reason = typeof fields?.reason === 'string' ? ` (${fields.reason})` : ''
      this.say(`log: ${level === 'info' ? '' : `${level}: `}${message}${reason}`)
    },
    error: (code, detail) => this.say(`error: ${code}: ${detail}`),
    checkpoint: (row: CheckpointRow) =>
      this.say(
        `row: checkpoint ${row.epoch} ${row.outcome}, by ${row.trigger}, ${row.pages} pages, ${row.held} bytes released`,
      ),
    failover: (row: FailoverRow) =>
      this.say(
        `row: failover of the ${row.role}, ${row.reason}, silent ${row.detectedMs} ms, claimed in ${row.claimedMs} ms`,
      ),
    changed() {},
  }
}
