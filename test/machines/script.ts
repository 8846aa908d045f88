// One scenario under way: a real Side on a scripted world, and what the scenario's commands need to remember.

import type { PeerHello, VerbMessage } from '../../shared/protocol/control-messages.ts'
import { delaysWith } from '../../shared/protocol/delays.ts'
import { fixedRecords } from '../../formats/xen/record-encoder.ts'
import type { ErrorCode } from '../../shared/protocol/errors.ts'
import { PROTOCOL_VERSION, type Role } from '../../shared/protocol/words.ts'
import type { Holder, Register } from '../../shared/protocol/register.ts'
import { Side } from '../../side/side.ts'
import { join } from '../formats/streams.ts'
import { backRecord, checkpointHalves, deliver, recordNamer } from './scripted-peer.ts'
import { ScriptedWorld, tokenOf, withShortTokens } from './scripted-world.ts'
import { stateName } from './walks.ts'

const PAGE = 4096
const HEARTBEAT_MS = 50
export const PEER = tokenOf(0xf0)
/** The id of the pair that scenarios begin with. */
export const PAIR = tokenOf(0xfa)

export const latin1 = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0))

export class Script {
  memoryBytes = 4 * PAGE
  #world: ScriptedWorld | undefined
  #side: Side | undefined
  #shown = ''
  #seeded = false
  #half: Uint8Array = new Uint8Array(0)

  get world(): ScriptedWorld {
    this.#world ??= new ScriptedWorld(this.memoryBytes)
    return this.#world
  }

  get side(): Side {
    if (this.#side === undefined) throw new Error('no side was started')
    return this.#side
  }

  start(told: Role, failback: 'auto' | 'manual', isNew = false): void {
    const { world } = this
    this.#side = new Side({
      world,
      identity: { pair: 'p', token: 'secret', guest: world.guest.identity },
      name: 'me',
      told,
      isNew,
      delays: delaysWith(),
      failback,
      stopped: (why) => world.say(`ended: ${why}`),
    })
    this.#side.start()
  }

  /** The lines that a command caused, the new state last. */
  take(): string[] {
    this.world.clock.settle()
    const lines = this.world.said.splice(0)
    if (this.#side !== undefined) {
      const { role, state, stateValue, record } = this.#side
      const epoch = role === 'primary' || record.epoch > 0 ? `, epoch ${record.epoch}` : ''
      const shown = `= ${role} ${state}: ${stateName(stateValue)}, generation ${record.generation}${epoch}`
      if (shown !== this.#shown) lines.push(shown)
      this.#shown = shown
    }
    return lines.map((line) => withShortTokens(line).replaceAll('#240', 'peer'))
  }

  /** `isStill`: the peer says that it takes nothing of what this side gives to the data channel. */
  advance(ms: number, isPeerAlive: boolean, isStill: boolean): void {
    const { clock } = this.world
    if (!isPeerAlive) return clock.advance(ms)
    const end = clock.now() + ms
    while (clock.now() < end) {
      const counts = isStill ? { sentBytes: 0, takenBytes: 0 } : {}
      const beat = { type: 'heartbeat', generation: 0, epoch: 0, state: 'seeding' } as const
      this.world.link?.message({ ...beat, ...counts })
      clock.advance(Math.min(HEARTBEAT_MS, end - clock.now()))
    }
  }

  /** `alone(peer)`, `pair(me, peer, 1)`, `stopped`. */
  holder(text: string): Holder {
    const me = this.#side?.record.incarnation ?? tokenOf(2)
    const id = (name: string) => {
      if (name === 'me') return me
      return name === 'peer' ? PEER : tokenOf(Number(name.slice(1)))
    }
    const [, kind, inner = ''] = /^(\w+)(?:\((.*)\))?$/.exec(text) ?? []
    const names = inner.split(', ')
    if (kind === 'alone') return { kind, owner: id(names[0]) }
    if (kind === 'pair') {
      const [primary, secondary] = names.map((name) => id(name))
      return { kind, primary, secondary, session: Number(names[2]) }
    }
    return { kind: 'stopped' }
  }

  /** A register as the scenario wants it, grown from what this side knows if its generation is higher. */
  register(holder: Holder, generation: number, line: 'mine' | 'another' = 'mine'): Register {
    const { seen } = this.world.disk
    const known = this.#side?.record.known ?? this.world.witness.register
    const earlier = [...(known?.earlier ?? []), ...(known ? [known.nonce] : [])]
    const isNewer = known === undefined || generation > known.generation
    const nonces = isNewer ? [...new Set([...earlier, seen.nonce])].filter(Boolean) : []
    return {
      pair: seen.pair || known?.pair || PAIR,
      generation,
      nonce: tokenOf((line === 'mine' ? 0x80 : 0xa0) + generation),
      earlier: line === 'mine' ? nonces : [],
      coldSince: 1,
      holder,
    }
  }

  /** How the peer answers an operator's verb that asks it. */
  standing(serves: boolean, holdsState: boolean): void {
    const known = this.world.witness.register
    const state = serves ? 'standalone' : 'claiming'
    const answer = {
      type: 'standing',
      incarnation: PEER,
      state,
      serves,
      holdsState,
      known,
    } as const
    this.world.link?.message(answer)
  }

  // A peer that dials this side.

  hello(generation: number | undefined, what: string, value: string): void {
    const asks = what === 'ask' ? { asks: 'adopt' as const } : {}
    const { identity } = this.world.guest
    const hello: PeerHello = {
      type: 'hello',
      from: 'peer',
      version: { ...PROTOCOL_VERSION, ...(what === 'version' ? { major: Number(value) } : {}) },
      pair: what === 'pair' ? value : 'p',
      token: what === 'token' ? value : 'secret',
      name: 'peer',
      incarnation: PEER,
      generation: generation ?? this.side.record.generation,
      epoch: 0,
      ...asks,
      guest: {
        ...identity,
        ...(what === 'guest' ? { name: value, digest: '5e'.repeat(32) } : {}),
        ...(what === 'memory' ? { memoryBytes: Number(value) } : {}),
      },
    }
    const link = this.side.acceptPeer(hello, this.world.controlLink())
    if (link) this.world.link = link
  }

  openData(token: string): void {
    this.#name('libxl')
    const handlers = this.side.acceptData(token, this.world.dataChannel())
    if (handlers === undefined) return this.world.say('data: refused')
    this.world.channel = handlers
  }

  // A peer that this side dials.

  welcome(session: number): void {
    this.world.link?.message({
      type: 'welcome',
      version: PROTOCOL_VERSION,
      name: 'peer',
      incarnation: PEER,
      generation: this.world.witness.register?.generation ?? 0,
      session,
      dataAddress: 'data:2',
      dataToken: tokenOf(0xd0),
      register: this.world.witness.register ?? this.register({ kind: 'alone', owner: PEER }, 1),
    })
  }

  acceptDialledData(): void {
    this.#name('back')
    this.#seeded = false
    const { world } = this
    world.channel = world.dialledData?.open(world.dataChannel())
  }

  #name(form: 'libxl' | 'back'): void {
    const nameRecords = recordNamer(form)
    const { world } = this
    world.untaken = 0
    world.onWrite = (chunks) => world.say(`data: ${nameRecords(chunks)}`.trim())
  }

  beginCheckpoint(epoch: number, pfns: readonly number[], cpu: string): void {
    const generation = this.side.record.generation
    const isFirst = !this.#seeded
    this.#seeded = true
    const [first, last] = checkpointHalves({ isFirst, generation, epoch, pfns, cpu })
    this.#half = last
    this.deliver(first)
  }

  endCheckpoint(): void {
    this.deliver(this.#half)
  }

  /** In one piece, as a socket may give it: the next checkpoint does not wait for this one to be applied. */
  endAndBeginCheckpoint(epoch: number, pfns: readonly number[]): void {
    const generation = this.side.record.generation
    const [first, last] = checkpointHalves({ isFirst: false, generation, epoch, pfns, cpu: 'cpu' })
    this.deliver(join([this.#half, fixedRecords.NEW, first]))
    this.#half = last
  }

  back(word: string, pfns: readonly number[]): void {
    this.deliver(backRecord(word, pfns))
  }

  deliver(bytes: Uint8Array): void {
    deliver(bytes, () => this.world.channel)
  }

  bye(code: string): void {
    this.world.link?.message({ type: 'bye', code: code as ErrorCode, detail: 'as scripted' })
  }

  // The guest and the operator of this side.

  captured(pfns: readonly number[], cpu: string): void {
    this.side.guest.captured({
      id: this.world.captureId,
      state: { cpu: latin1(cpu), device: latin1('device') },
      pfns: Uint32Array.from(pfns),
      pages: pfns.length,
      pauseMs: 1,
      findMs: 1,
    })
  }

  operate(verb: VerbMessage['verb'], given: Partial<VerbMessage>): void {
    this.side.command({ type: 'verb', id: 1, verb, ...given }, (result) => {
      const { ok, detail } = result
      const answer = ok ? 'ok' : `refused (${result.code})`
      this.world.say(`operator: ${[answer, detail].filter(Boolean).join(': ')}`)
    })
  }
}
