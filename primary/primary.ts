// The side that owns the guest, minus the world: what happens in the world comes in through its methods and
// becomes events of the statechart, what the statechart wants goes out through the ports (effects.ts). It
// welcomes one secondary, checkpoints the guest to it, holds output until it is safe, and when the secondary is
// gone asks the witness whether it may go on alone.

import { createActor, type Actor } from 'xstate'
import type { Heartbeat, PeerHello, PeerMessage } from '../shared/protocol/control-messages.ts'
import { Deadline } from '../shared/role/deadline.ts'
import { FailoverNotes } from '../shared/role/failover-notes.ts'
import type { SideRecord } from '../shared/failover/side-record.ts'
import type { Session, SessionEnd } from '../shared/role/session.ts'
import { WitnessClient } from '../shared/failover/witness-client.ts'
import { blobVersionOf } from '../shared/protocol/emulator-blob.ts'
import type { Capture } from '../shared/guest.ts'
import type {
  ControlLink,
  ControlLinkHandlers,
  DataChannel,
  DataChannelHandlers,
  GuestCall,
  World,
} from '../shared/ports.ts'
import type { AdoptionStep } from '../shared/failover/adoption-step.ts'
import { machineDelays, type DelayName, type Delays } from '../shared/protocol/delays.ts'
import type { ErrorCode } from '../shared/protocol/errors.ts'
import type { StateName } from '../shared/protocol/states.ts'
import { type Epoch, type Incarnation } from '../shared/protocol/register.ts'
import type { Trigger } from '../shared/protocol/rows.ts'
import { openBackChannel } from './back-channel.ts'
import { CheckpointTrigger } from './checkpoint-trigger.ts'
import { CheckpointWriter } from './checkpoint-writer.ts'
import { ClientConnections } from './client-connections.ts'
import { primaryEffects, type PrimaryEffectsOn } from './effects.ts'
import { primaryMachine, type EndSession, type PrimaryEvent } from './machine.ts'
import { OutputGate } from './output-gate.ts'
import { PoisonGuard } from './poison-guard.ts'
import { RoundNotes } from './round-notes.ts'
import { Welcoming } from './welcoming.ts'

export interface PrimaryOptions {
  readonly world: World
  readonly delays: Delays
  readonly record: SideRecord
  readonly name: string
  /** The first connection number that the guest has not seen. */
  readonly nextConnection: number
  /** False: a survivor accepts no secondary until somebody asks for failback. */
  readonly welcoming: boolean
  /** This side is to become a fresh secondary. */
  readonly left: () => void
  readonly changed: (reason: string) => void
  readonly crashed: (error: unknown) => void
}

interface Captured {
  readonly epoch: Epoch
  readonly capture: Capture
}

const NO_PFNS = new Uint32Array(0)

export class Primary implements PrimaryEffectsOn {
  readonly role = 'primary'
  readonly world: World
  readonly record: SideRecord
  readonly gate: OutputGate
  readonly clients: ClientConnections
  readonly guard: PoisonGuard
  readonly trigger: CheckpointTrigger
  readonly notes: RoundNotes
  readonly witness: WitnessClient
  readonly deadline: Deadline
  dueTrigger: Trigger = 'period'
  deathOfGuest = ''
  /** The secondary has answered this round's request, or there was none: pages may be sent. */
  replied = false
  reason = ''
  welcoming: boolean
  readonly #options: PrimaryOptions
  readonly #actor: Actor<typeof primaryMachine>
  readonly #welcoming: Welcoming
  readonly #failover: FailoverNotes
  #session: Session | undefined
  #secondary: Incarnation | undefined
  #writer: CheckpointWriter | undefined
  #captured: Captured | undefined
  #captures = 0
  #untold = false
  #alsoPfns: Uint32Array<ArrayBufferLike> = NO_PFNS
  #foreign: PrimaryEvent | undefined

  constructor(options: PrimaryOptions) {
    const { world, delays, record } = options
    this.#options = options
    this.world = world
    this.record = record
    record.holdsState = true
    this.welcoming = options.welcoming
    const { clock, guest, output, trace } = world
    this.gate = new OutputGate(output, (bytes) => guest.settled(bytes))
    const marks = { marks: record.poison, keptMs: delays.poisonKeptMs }
    this.guard = new PoisonGuard({ clock, trace, ...marks })
    const next = options.nextConnection
    this.clients = new ClientConnections(guest, output, this.gate, this.guard, next)
    this.notes = new RoundNotes(world.clock)
    this.#failover = new FailoverNotes(world.clock)
    this.trigger = new CheckpointTrigger(world.clock, delays, this.gate, (trigger) => {
      this.dueTrigger = trigger
      this.#send({ type: 'checkpoint.due' })
    })
    this.deadline = new Deadline(world.clock, delays, () => {
      this.#send({ type: 'deadline.passed' })
    })
    this.witness = new WitnessClient({
      ...{ witness: world.witness, clock: world.clock, random: world.random, delays, record },
      verdict: (verdict) => {
        if (verdict === 'won') this.#noteClaim()
        this.#noteTrouble()
        this.#send({ type: `witness.${verdict}` } as PrimaryEvent)
      },
    })
    this.#welcoming = new Welcoming({
      ...{ world, delays, record, name: options.name, heartbeat: () => this.heartbeat() },
      began: (session, hello) => {
        this.#session = session
        this.#secondary = hello.incarnation
      },
      opened: (session, channel) => this.#open(session, channel),
      said: (session, message) => this.#fromSecondary(session, message),
      ended: (session, end) => this.#sessionEnded(session, end),
    })
    const machine = primaryMachine.provide({
      actions: {
        ...primaryEffects(this),
        endSession: (_, { code, detail }: EndSession) => this.endSession(code, detail),
        await: (_, { delay }: { delay: DelayName }) => this.deadline.set(delay),
      },
      delays: { ...machineDelays(delays), witnessBackOffMs: () => this.witness.backOffMs },
    })
    this.#actor = createActor(machine, { clock: world.clock })
    this.#actor.subscribe({ next: () => this.#tell(), error: options.crashed })
  }

  start(): void {
    this.#actor.start()
  }

  /** Ends this role; the peer, if there is one, is told that this side will not claim. */
  stop(): void {
    this.trigger.disarm()
    this.witness.forget()
    this.deadline.clear()
    this.#actor.stop()
    this.#session?.end('peer-left', 'stopped by request')
  }

  /** Nothing leaves any more and nobody comes in: the register is about to say `stopped`. */
  shut(): void {
    this.gate.shut()
    this.world.output.serve('no')
  }

  /** The register says `stopped`: the secondary ends as well. */
  tellStopped(): void {
    this.#session?.send({ type: 'stopped' })
  }

  // What an operator sees.

  get state(): StateName {
    const snapshot = this.#actor.getSnapshot()
    if (snapshot.matches({ session: { standing: 'named' } })) return 'protected'
    if (snapshot.matches('session')) return 'seeding'
    if (snapshot.matches('claiming') || snapshot.matches('yielding')) return 'claiming'
    return snapshot.matches('standalone') ? 'standalone' : 'halted'
  }

  /** For tests and the log: the state value of the statechart. */
  get stateValue(): unknown {
    return this.#actor.getSnapshot().value
  }

  get peerIncarnation(): Incarnation | undefined {
    return this.#session && this.#secondary
  }

  // A secondary comes. `hello` has the token, the pair and the guest of this side already.

  /** Why the caller is refused, or what its link calls. */
  admit(hello: PeerHello, link: ControlLink): ControlLinkHandlers | { refused: ErrorCode } {
    // A caller that has seen more is no proof that this side is not the owner; the register is.
    if (hello.generation > this.record.generation) this.#send({ type: 'register.doubted' })
    if (this.#session !== undefined) return { refused: 'already-paired' }
    if (this.state !== 'standalone' || this.gate.isShut) return { refused: 'not-primary' }
    if (!this.welcoming) return { refused: 'failback-not-asked' }
    return this.#welcoming.welcome(hello, link)
  }

  /** The data channel with this session's token is here: undefined if there is no such session. */
  acceptData(token: string, channel: DataChannel): DataChannelHandlers | undefined {
    return this.#session && this.#welcoming.acceptData(this.#session, token, channel)
  }

  #open(session: Session, channel: DataChannel): DataChannelHandlers {
    const version = blobVersionOf(session.peerMinor)
    const writer = new CheckpointWriter(this.world.guest.store, channel, version)
    this.#writer = writer
    const handlers = this.#backChannel(session, writer)
    this.#send({ type: 'session.opened' })
    return handlers
  }

  #fromSecondary(session: Session, message: PeerMessage): void {
    if (session.over) {
      // Byes that cross: the peer that shall take the guest leaves as well.
      if (message.type === 'bye' && message.code === 'peer-left')
        this.#send({ type: 'control.left' })
      return
    }
    session.heard(message)
    if (message.type === 'bye') session.lost(message.code, `the peer says: ${message.detail}`)
    if (message.type === 'yield') this.handOver()
  }

  #backChannel(session: Session, writer: CheckpointWriter): DataChannelHandlers {
    return openBackChannel(session, this.world.guest.store.pageCount, {
      replied: (alsoPfns) => {
        this.#alsoPfns = alsoPfns
        this.#send({ type: 'peer.checkpoint-reply' })
      },
      received: () => this.#send({ type: 'peer.vmstate-received' }),
      loaded: () => this.#send({ type: 'peer.vmstate-loaded' }),
      taken: () => {
        const waited = writer.waits
        writer.taken()
        if (!waited) return
        this.deadline.renew('sendTimeoutMs')
        this.pump()
      },
    })
  }

  // The guest and its clients.

  guestCaptured(capture: Capture): void {
    if (capture.id !== this.#captures || this.#session === undefined) return
    const epoch = this.record.epoch + 1
    this.#captured = { epoch, capture }
    this.record.reachedEpoch(epoch)
    this.gate.hold()
    this.notes.captured(capture)
    this.#writer?.finish(capture, { generation: this.record.generation, epoch })
    this.#send({ type: 'guest.captured' })
  }

  /** The first `pages` of `pfns` are in the store already. */
  guestCapturing(id: number, pfns: Uint32Array, pages: number): void {
    if (id !== this.#captures || this.#writer === undefined) return
    this.#writer.offer(pfns, pages)
    this.pump()
  }

  guestSaid(connection: number, bytes: Uint8Array | undefined): void {
    const known = this.clients.has(connection)
    if (bytes === undefined) this.clients.dropped(connection)
    else this.guard.answered(connection)
    if (!known) return this.gate.drops(bytes)
    this.gate.said(this.record.epoch + 1, connection, bytes, this.world.clock.now())
    if (this.gate.isOpen) return
    this.trigger.consider()
    this.clients.consider()
  }

  /** One call said too much to it. */
  guestCut(connection: number): void {
    this.world.trace.log('warn', this.clients.cut(connection), { connection })
  }

  guestDied(why: string, call?: GuestCall): void {
    const poison = call && this.guard.died(call)
    this.deathOfGuest = poison ? `${why}, ${poison.words}` : why
    if (this.#session) this.#session.poison = poison?.mark
    this.#send({ type: 'guest.died' })
  }

  // Operator.

  /** True if the state allows it. */
  handOver(): boolean {
    if (this.state !== 'protected') return false
    this.#send({ type: 'operator.hand-over' })
    return true
  }

  /** Whether an operator's `adopt` could go on with the state of this side: it waits on a register that is wrong. */
  get canBeAdopted(): boolean {
    const snapshot = this.#actor.getSnapshot()
    return snapshot.matches('claiming') || snapshot.matches('halted')
  }

  /** This side runs the guest for clients, or will without asking anybody. */
  get serves(): boolean {
    const snapshot = this.#actor.getSnapshot()
    return snapshot.matches('standalone') || snapshot.matches('session')
  }

  /** The steps of an operator's `adopt`, on this side or on the peer (side/adoption.ts). */
  adoption(step: AdoptionStep): void {
    if (step === 'won') this.#noteClaim()
    this.#send({ type: `adoption.${step}` })
  }

  askForCheckpoint(): void {
    this.trigger.ask()
  }

  // For effects.ts.

  get session(): Session {
    if (this.#session === undefined) throw new Error('no session')
    return this.#session
  }

  get secondary(): Incarnation {
    return this.#secondary ?? ''
  }

  get writer(): CheckpointWriter {
    if (this.#writer === undefined) throw new Error('no data channel')
    return this.#writer
  }

  get captured(): Captured {
    if (this.#captured === undefined) throw new Error('nothing captured')
    return this.#captured
  }

  nextCapture(): number {
    return ++this.#captures
  }

  /** All is captured: what the secondary asked for joins it. */
  addAsked(): void {
    this.writer.add(this.#alsoPfns)
    this.#alsoPfns = NO_PFNS
  }

  /**
   * Once the SVM stands still: writes what is captured, as far as the channel takes it. It does so whenever
   * there is more of either, which is no step of the protocol and so no event of the statechart.
   */
  pump(): void {
    if (this.replied && this.#writer?.pump()) this.#send({ type: 'vmstate.sent' })
  }

  finishRound(): void {
    const { record } = this
    const row = this.notes.finish({
      epoch: record.epoch,
      generation: record.generation,
      session: record.session,
      pages: this.#writer?.pages ?? 0,
      bytes: this.#writer?.bytes ?? 0,
    })
    if (row) this.world.trace.checkpoint(row)
  }

  whyAlone(): string {
    const { lastEnd: end } = this.#failover
    return end ? `serves alone (${end.code}: ${end.detail})` : 'serves alone'
  }

  endSession(code: ErrorCode, detail: string): void {
    this.#session?.end(code, detail)
  }

  /** Why this side gives up: to the peer, if there is one, and to the log. */
  tell(code: ErrorCode, detail: string): void {
    if (this.#session) this.#session.end(code, detail)
    else this.world.trace.error(code, detail)
  }

  describeForeign(): string {
    return `${this.#foreign?.type ?? 'an event'} in state ${JSON.stringify(this.stateValue)}`
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

  left(): void {
    this.#options.left()
  }

  heartbeat(): Heartbeat {
    const { generation, epoch } = this.record
    return { type: 'heartbeat', generation, epoch, state: this.state }
  }

  #sessionEnded(session: Session, end: SessionEnd): void {
    if (this.#session !== session) return
    this.finishRound()
    this.#session = undefined
    this.#writer = undefined
    this.#alsoPfns = NO_PFNS
    this.#captures++
    this.#failover.lost(end)
    this.world.trace.error(end.code, end.detail)
    this.#send({ type: 'session.ended' })
  }

  /** While this side waits for the witness, its reason says why. */
  #noteTrouble(): void {
    const { trouble } = this.record
    if (trouble === undefined || this.state !== 'claiming') return
    this.changed(`asking the witness who goes on: ${trouble.text}`)
  }

  /** The witness granted the guest to this side: a failover, if a session was lost before. */
  #noteClaim(): void {
    this.#failover.claimed()
    const row = this.#failover.serves(this.role, this.record.generation)
    if (row) this.world.trace.failover(row)
  }

  #send(event: PrimaryEvent): void {
    if (event.type.startsWith('peer.')) this.#foreign = event
    if (this.#actor.getSnapshot().status === 'active') this.#actor.send(event)
  }
}
