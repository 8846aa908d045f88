// The side that does not own the guest, minus the world: what happens in the world comes in through its methods
// and becomes events of the statechart, what the statechart wants goes out through the ports (effects.ts). It
// finds its place by the register, joins the owner, stages and commits its checkpoints, and when the owner is
// gone asks the witness whether it may go on with the last one.

import { createActor, type Actor } from 'xstate'
import type { Heartbeat, PeerMessage, Welcome } from '../shared/protocol/control-messages.ts'
import { Deadline } from '../shared/role/deadline.ts'
import { FailoverNotes } from '../shared/role/failover-notes.ts'
import type { SideRecord } from '../shared/failover/side-record.ts'
import type { Session, SessionEnd } from '../shared/role/session.ts'
import { WitnessClient } from '../shared/failover/witness-client.ts'
import { blobVersionOf } from '../shared/protocol/emulator-blob.ts'
import { StreamError } from '../formats/xen/stream-error.ts'
import type { GuestState } from '../shared/guest.ts'
import type { PoisonMark } from '../shared/poison.ts'
import type { DataChannel, DataChannelHandlers, World } from '../shared/ports.ts'
import type { AdoptionStep } from '../shared/failover/adoption-step.ts'
import { machineDelays, type DelayName, type Delays } from '../shared/protocol/delays.ts'
import type { ErrorCode } from '../shared/protocol/errors.ts'
import { isTrusted, type Incarnation } from '../shared/protocol/register.ts'
import type { StateName } from '../shared/protocol/states.ts'
import { CheckpointReader, type StagedCheckpoint } from './checkpoint-reader.ts'
import { secondaryEffects, type SecondaryEffectsOn } from './effects.ts'
import { Joining, type Refused } from './joining.ts'
import { secondaryMachine, type EndSession, type SecondaryEvent } from './machine.ts'

export interface SecondaryOptions {
  readonly world: World
  readonly delays: Delays
  readonly record: SideRecord
  /** What this side says first on a control link that it dialled. */
  readonly hello: () => PeerMessage
  /** The guest runs here and the register names this side alone. */
  readonly promoted: (state: GuestState | undefined) => void
  readonly changed: (reason: string) => void
  /** The primary was told to stop the pair: this side ends as well. */
  readonly stopped: () => void
  readonly crashed: (error: unknown) => void
}

const SCRAP = new Uint8Array(65536)

/** Ends that tell that the primary will not claim: no need to let it go first. */
const YIELDING: readonly ErrorCode[] = ['handed-over', 'guest-died', 'peer-left']

export class Secondary implements SecondaryEffectsOn {
  readonly role = 'secondary'
  readonly world: World
  readonly record: SideRecord
  readonly witness: WitnessClient
  readonly joining: Joining
  readonly deadline: Deadline
  reason = ''
  readonly #options: SecondaryOptions
  readonly #actor: Actor<typeof secondaryMachine>
  readonly #failover: FailoverNotes
  #session: Session | undefined
  #reader: CheckpointReader | undefined
  #staged: StagedCheckpoint | undefined
  #committed: StagedCheckpoint | undefined
  #applies = 0
  #progress = 0
  #untold = false
  #foreign: SecondaryEvent | undefined
  #startsOver = false

  constructor(options: SecondaryOptions) {
    const { world, delays, record } = options
    this.#options = options
    this.world = world
    this.record = record
    this.#failover = new FailoverNotes(world.clock)
    this.deadline = new Deadline(world.clock, delays, () => {
      this.send({ type: 'deadline.passed' })
    })
    this.witness = new WitnessClient({
      ...{ witness: world.witness, clock: world.clock, random: world.random, delays, record },
      verdict: (verdict) => {
        if (verdict === 'won') this.#failover.claimed()
        this.#noteTrouble()
        this.send({ type: `witness.${verdict}` } as SecondaryEvent)
      },
    })
    this.joining = new Joining({
      ...{ world, delays, record, hello: options.hello, heartbeat: () => this.heartbeat() },
      failed: () => {
        record.peerAsked = true
        this.send({ type: 'link.failed' })
      },
      refused: (message) => this.#refused(message),
      opened: (session, welcome, channel) => this.#open(session, welcome, channel),
      said: (session, message) => this.#fromPrimary(session, message),
      ended: (session, end) => this.#sessionEnded(session, end),
    })
    const { hasStalled, ...actions } = secondaryEffects(this)
    const machine = secondaryMachine.provide({
      actions: {
        ...actions,
        endSession: (_, { code, detail }: EndSession) => this.endSession(code, detail),
        await: (_, { delay }: { delay: DelayName }) => this.deadline.set(delay),
      },
      guards: { hasStalled },
      delays: {
        ...machineDelays(delays),
        witnessBackOffMs: () => this.witness.backOffMs,
      },
    })
    this.#actor = createActor(machine, { clock: world.clock })
    this.#actor.subscribe({
      next: () => this.#tell(),
      error: options.crashed,
    })
  }

  start(): void {
    this.#actor.start()
  }

  stop(): void {
    this.witness.forget()
    this.deadline.clear()
    this.#actor.stop()
    this.joining.hangUp()
    this.#session?.end('peer-left', 'stopped by request')
  }

  // What an operator sees.

  get state(): StateName {
    const snapshot = this.#actor.getSnapshot()
    if (snapshot.matches('session')) {
      return snapshot.matches({ session: { standing: 'named' } }) ? 'protected' : 'seeding'
    }
    if (snapshot.matches({ claiming: 'orphaned' }) || snapshot.matches('halted')) return 'halted'
    if (snapshot.matches('superseded')) return 'halted'
    if (snapshot.matches('claiming') || snapshot.matches('loading')) return 'claiming'
    return snapshot.matches('promoted') ? 'standalone' : 'connecting'
  }

  /** For tests and the log: the state value of the statechart. */
  get stateValue(): unknown {
    return this.#actor.getSnapshot().value
  }

  get peerIncarnation(): Incarnation | undefined {
    return this.record.peer
  }

  // The way into a session.

  #refused(message: Refused): void {
    const { record } = this
    if (message.incarnation) record.peer = message.incarnation
    record.peerAsked = true
    if (message.seen === null) record.peerIsNew = true
    if (message.seen) record.heardOf(message.seen)
    if (message.code !== 'not-primary' && this.state === 'connecting')
      this.changed(`${message.code}: ${message.reason}`)
    this.joining.hangUp()
    this.send({ type: 'link.failed' })
  }

  #open(session: Session, welcome: Welcome, channel: DataChannel): DataChannelHandlers {
    const { record, world } = this
    if (session.over || !this.#actor.getSnapshot().can({ type: 'session.opened' })) {
      session.end('connection-lost', 'the session was given up before its data channel was open')
      channel.close()
      return { buffer: () => SCRAP, received() {}, taken() {}, closed() {} }
    }
    this.#session = session
    record.session = welcome.session
    record.sessionOwner = welcome.incarnation
    this.send({ type: 'session.opened' })
    // From here on this side holds nothing, so that it may take over the register of any owner.
    if (welcome.register) {
      record.takeOver(welcome.register)
      world.witness.learn(welcome.register)
    }
    record.peer = welcome.incarnation
    const version = blobVersionOf(session.peerMinor)
    const reader = new CheckpointReader(world.guest.store, record.epoch, version, {
      requested: () => this.send({ type: 'peer.checkpoint-request' }),
      began: () => this.send({ type: 'peer.vmstate-send' }),
      ended: (staged) => {
        this.#staged = staged
        this.send({ type: 'peer.vmstate-end' })
      },
      check: (state) => world.guest.check(state),
    })
    this.#reader = reader
    return this.#dataHandlers(session, reader)
  }

  #dataHandlers(session: Session, reader: CheckpointReader): DataChannelHandlers {
    return {
      // What still comes of a session that is over must not touch the arena of the next.
      buffer: () => (session.over ? SCRAP : reader.buffer()),
      received: (count) => {
        if (session.over) return
        try {
          reader.received(count)
        } catch (error) {
          if (!(error instanceof StreamError)) throw error
          session.end('bad-stream', error.message)
        }
      },
      taken() {},
      closed: () => session.closed('the data channel was closed'),
    }
  }

  #fromPrimary(session: Session, message: PeerMessage): void {
    if (message.type === 'bye' && message.poison) this.#beware(message.poison)
    if (session.over) return
    session.heard(message)
    if (message.type === 'bye') session.lost(message.code, `the peer says: ${message.detail}`)
    if (message.type === 'stopped') this.#options.stopped()
    if (message.type !== 'register') return
    const { record } = this
    const { holder } = message.register
    const names = holder.kind === 'pair' && holder.secondary === record.incarnation
    if (!names || holder.session !== session.number) return
    if (!isTrusted(record.standingOf(message.register))) return
    this.world.witness.learn(message.register)
    record.takeOver(message.register)
    record.peer = record.sessionOwner
    this.changed('the pair is recorded by the witness')
    this.send({ type: 'control.named' })
  }

  /** The other guest died of it: this one must not be given it again. */
  #beware(mark: PoisonMark): void {
    const { world, delays, record } = this.#options
    record.poison.add(mark, world.clock.now() + delays.poisonKeptMs)
  }

  // The guest, when this side is promoted.

  guestRunning(): void {
    this.send({ type: 'guest.running' })
  }

  guestDied(why: string): void {
    this.world.trace.error('guest-died', why)
    this.send({ type: 'guest.died' })
  }

  // Operator. Each returns whether the state allows it.

  /** The steps of an operator's `start-over` (side/start-over.ts); after `won` the guest begins cold. */
  startOver(step: 'begun' | 'won' | 'failed'): void {
    if (step === 'won') this.#startsOver = true
    this.send({ type: `start-over.${step}` })
  }

  /** This side looks for a guest and holds none: an operator may begin a cold one here. */
  get mayStartOver(): boolean {
    const snapshot = this.#actor.getSnapshot()
    return snapshot.matches('connecting') || snapshot.matches('halted')
  }

  /** Whether an operator's `adopt` could go on with the state of this side. */
  get canBeAdopted(): boolean {
    return this.#committed !== undefined && this.#actor.getSnapshot().matches('claiming')
  }

  /** How much is lost if this side goes on: it was seeded, and the register never named it. */
  get isSeedOnly(): boolean {
    const holder = this.record.known?.holder
    return this.#committed !== undefined && holder?.kind === 'alone'
  }

  readonly serves = false

  /** The steps of an operator's `adopt`, on this side or on the peer (side/adoption.ts). */
  adoption(step: AdoptionStep): void {
    if (step === 'won') this.#failover.claimed()
    this.send({ type: `adoption.${step}` })
  }

  /** Asks the primary to hand the guest over; false if there is none to ask. */
  askToYield(): boolean {
    if (this.state !== 'protected') return false
    this.#session?.send({ type: 'yield' })
    return true
  }

  // For effects.ts.

  get channel(): DataChannel {
    if (this.#session?.channel === undefined) return { write() {}, close() {} }
    return this.#session.channel
  }

  /** Nothing of an earlier life is kept: not its state, not its name. */
  forget(): void {
    this.joining.hangUp()
    this.witness.forget()
    this.dropSeed()
    this.record.beginLife(this.world.random.token())
    this.world.guest.stop()
  }

  dropSeed(): void {
    this.#finishApplying()
    this.world.guest.store.clear()
    this.#staged = undefined
    this.#committed = undefined
    this.record.holdsState = false
    this.#failover.forget()
  }

  /** A checkpoint that is not whole is dropped; one that is committed is kept. */
  dropStage(): void {
    if (!this.world.guest.store.committed) this.world.guest.store.discard()
    this.#staged = undefined
  }

  commitStaged(): void {
    this.#committed = this.#staged
    this.#staged = undefined
    if (this.#committed === undefined) return
    this.record.holdsState = true
    this.record.reachedEpoch(this.#committed.epoch)
  }

  /** Whether the checkpoint that is applied from now on still is the one being applied. */
  beginApply(): () => boolean {
    const applying = ++this.#applies
    return () => applying === this.#applies
  }

  noteProgress(): void {
    this.#progress = this.#reader?.bytes ?? 0
  }

  progressed(): boolean {
    return (this.#reader?.bytes ?? 0) > this.#progress
  }

  finishApply(): void {
    this.#finishApplying()
    this.world.guest.store.discard()
  }

  #finishApplying(): void {
    const { store } = this.world.guest
    this.#applies++
    if (store.committed) store.apply(Number.POSITIVE_INFINITY)
  }

  /** Cold: a seed that was kept until here belongs to a guest that is given up. */
  startGuest(): void {
    this.dropSeed()
    this.world.guest.store.wipe()
    if (this.#startsOver) this.world.trace.log('warn', 'starting over: cold')
    this.#startsOver = false
    this.world.guest.start()
  }

  loadGuest(): void {
    if (this.#committed) this.world.guest.load(this.#committed.state)
  }

  becomePrimary(): void {
    const row = this.#failover.serves(this.role, this.record.generation)
    if (row) this.world.trace.failover(row)
    this.#options.promoted(this.#committed?.state)
  }

  endSession(code: ErrorCode, detail: string): void {
    this.#session?.end(code, detail)
  }

  describeForeign(): string {
    return `${this.#foreign?.type ?? 'an event'} in state ${JSON.stringify(this.stateValue)}`
  }

  describeGone(): string {
    return `${this.record.describeShown()}, and none of them lives`
  }

  /** Told once the transition under way is complete, so that the state fits the reason. */
  changed(reason: string): void {
    this.reason = reason
    this.#untold = true
  }

  #tell(): void {
    if (!this.#untold) return
    this.#untold = false
    this.#options.changed(this.reason)
  }

  heartbeat(): Heartbeat {
    const { generation, epoch } = this.record
    return { type: 'heartbeat', generation, epoch, state: this.state }
  }

  send(event: SecondaryEvent): void {
    if (event.type.startsWith('peer.')) this.#foreign = event
    if (this.#actor.getSnapshot().status === 'active') this.#actor.send(event)
  }

  /** While this side waits for the witness, its reason says why. */
  #noteTrouble(): void {
    const { trouble } = this.record
    if (trouble === undefined || this.state !== 'claiming') return
    this.changed(`asking the witness who goes on: ${trouble.text}`)
  }

  #sessionEnded(session: Session, end: SessionEnd): void {
    // One that was welcomed and never got its data channel is an attempt to join that failed.
    if (this.#session === undefined) this.send({ type: 'link.failed' })
    if (this.#session !== session) return
    this.#session = undefined
    this.#reader?.close()
    this.#reader = undefined
    this.#failover.lost(end)
    this.world.trace.error(end.code, end.detail)
    this.send({ type: 'session.ended', yields: YIELDING.includes(end.code) })
  }
}
