// One side of the pair, minus the world: it holds the role that it has now and swaps it. A side begins as a
// secondary that looks for its place; winning the register makes it the primary, losing it a fresh secondary
// again, any number of times in one process. Everything that comes from outside enters here and goes to the
// role; what does not concern the role at hand ends here.

import type { PeerHello, PeerMessage, VerbMessage } from '../shared/protocol/control-messages.ts'
import { SideRecord } from '../shared/failover/side-record.ts'
import type { GuestState } from '../shared/guest.ts'
import type {
  ControlLink,
  ControlLinkHandlers,
  DataChannel,
  DataChannelHandlers,
  GuestHandlers,
  World,
} from '../shared/ports.ts'
import type { Delays } from '../shared/protocol/delays.ts'
import { ERRORS } from '../shared/protocol/errors.ts'
import { PROTOCOL_VERSION, type Role } from '../shared/protocol/words.ts'
import type { StateName } from '../shared/protocol/states.ts'
import { Primary } from '../primary/primary.ts'
import { Secondary } from '../secondary/secondary.ts'
import { CleanStop } from './clean-stop.ts'
import { refusalOf, type PairIdentity } from './admission.ts'
import { Procedures, tellStanding } from './procedures.ts'
import { RegisterWatch } from './register-watch.ts'
import { done, refuse, type VerbResult } from './verb-result.ts'

export interface SideOptions {
  readonly world: World
  readonly identity: PairIdentity
  readonly name: string
  readonly told: Role
  /** An operator vouches that the pair never ran: it may be founded without the peer's word. */
  readonly isNew?: boolean
  readonly delays: Delays
  /** `manual`: after a failover, a new secondary is accepted only once somebody asked for it. */
  readonly failback: 'auto' | 'manual'
  /** The pair was stopped, or this side was: the process may end. */
  readonly stopped: (why: string) => void
  /** A bug: an action threw and this side can't go on. Without it the error is thrown, and ends the process. */
  readonly crashed?: (error: unknown) => void
}

export class Side {
  readonly record: SideRecord
  readonly #options: SideOptions
  #role: Primary | Secondary
  #paused = false
  #connections = 1
  /** This side is being stopped: it begins no other life. */
  #cleanStop: CleanStop | undefined
  readonly #procedures: Procedures
  readonly #watch: RegisterWatch
  #ended = false
  #told = ''

  constructor(options: SideOptions) {
    const { world, told } = options
    this.#options = options
    // A witness that grants everything needs nobody's word, and a pair under it needs none to be founded.
    const isNew = (options.isNew ?? false) || world.witness.kind === 'none'
    this.record = new SideRecord(told, world.disk, world.random.token(), isNew)
    this.record.packageVersion = options.identity.packageVersion
    this.#procedures = new Procedures({
      ...{ world, record: this.record, delays: options.delays },
      hello: () => this.#hello(),
    })
    const isProtected = () => this.state === 'protected'
    const { record } = this
    this.#watch = new RegisterWatch({ world, record, delays: options.delays, isProtected })
    this.#role = this.#newSecondary()
  }

  start(): void {
    this.#role.start()
    this.#watch.start()
  }

  get role(): Role {
    return this.#role.role
  }

  get state(): StateName {
    return this.#role.state
  }

  get reason(): string {
    return this.#role.reason
  }

  get stateValue(): unknown {
    return this.#role.stateValue
  }

  get session(): number {
    return this.record.session
  }

  get paused(): boolean {
    return this.#paused
  }

  get heldBytes(): number {
    return this.#role instanceof Primary ? this.#role.gate.heldBytes : 0
  }

  get clientCount(): number {
    return this.#role instanceof Primary ? this.#role.clients.count : 0
  }

  get peerIncarnation(): string | undefined {
    return this.#role.peerIncarnation
  }

  // The peer.

  /** A peer dialled this side and said hello: what its link calls, or undefined once it was refused. */
  acceptPeer(hello: PeerHello, link: ControlLink): ControlLinkHandlers | undefined {
    const { identity, world } = this.#options
    const refusal = refusalOf(hello, identity)
    if (refusal) {
      world.trace.log('warn', `refused a peer: ${refusal.code}`, { reason: refusal.reason })
      return this.#refuse(link, { type: 'refused', ...refusal })
    }
    if (hello.asks !== undefined) return tellStanding(hello.asks, this.#role, this.record, link)
    const answer =
      this.#role instanceof Primary
        ? this.#role.admit(hello, link)
        : ({ refused: 'not-primary' } as const)
    if (!('refused' in answer)) return answer
    const code = answer.refused
    const { incarnation, seen } = this.record
    const reason = `${ERRORS[code].meaning}: ${this.role}, ${this.state}`
    return this.#refuse(link, { type: 'refused', code, reason, incarnation, seen: seen ?? null })
  }

  #refuse(link: ControlLink, message: PeerMessage): undefined {
    link.send(message)
    link.close()
    return undefined
  }

  acceptData(token: string, channel: DataChannel): DataChannelHandlers | undefined {
    return this.#role instanceof Primary ? this.#role.acceptData(token, channel) : undefined
  }

  // The guest.

  readonly guest: GuestHandlers = {
    running: () => {
      if (this.#role instanceof Secondary) this.#role.guestRunning()
    },
    output: (connection, bytes) => {
      if (this.#role instanceof Primary) this.#role.guestSaid(connection, bytes)
    },
    closing: (connection) => {
      if (this.#role instanceof Primary) this.#role.guestSaid(connection, undefined)
    },
    cut: (connection) => {
      if (this.#role instanceof Primary) this.#role.guestCut(connection)
    },
    capturing: (id, pfns, pages) => {
      if (this.#role instanceof Primary) this.#role.guestCapturing(id, pfns, pages)
    },
    captured: (capture) => {
      if (this.#role instanceof Primary) this.#role.guestCaptured(capture)
    },
    dirtied: () => {
      if (this.#role instanceof Primary) this.#role.trigger.dirtied()
    },
    took: (bytes) => {
      if (this.#role instanceof Primary) this.#role.clients.took(bytes)
    },
    died: (why, call) => this.#role.guestDied(why, call),
  }

  // Its clients.

  /** `address`: where the client is, for log lines. */
  clientOpened(address = 'unknown'): number | undefined {
    return this.#role instanceof Primary ? this.#role.clients.opened(address) : undefined
  }

  clientSaid(connection: number, bytes: Uint8Array): void {
    if (this.#role instanceof Primary) this.#role.clients.said(connection, bytes)
  }

  clientEnded(connection: number): void {
    if (this.#role instanceof Primary) this.#role.clients.ended(connection)
  }

  clientClosed(connection: number): void {
    if (this.#role instanceof Primary) this.#role.clients.closed(connection)
  }

  // The operator. Verbs that only ask are answered by the daemon.

  /** `answer` is called once: at once, or for verbs that ask the peer and the witness when they have ended. */
  command(message: VerbMessage, answer: (result: VerbResult) => void): void {
    switch (message.verb) {
      case 'failover':
        return answer(this.#failover())
      case 'failback':
        return answer(this.#failback())
      case 'pause':
      case 'resume':
        return answer(this.#pause(message.verb === 'pause'))
      case 'start-over':
        return this.#procedures.startOver(message, this.#role, answer)
      case 'adopt':
        return this.#procedures.adopt(message, this.#role, answer)
      case 'stop':
        return answer(this.stop(message.pair ?? false))
      default:
        return answer(refuse('bad-message', `${message.verb} changes nothing`))
    }
  }

  #failover(): VerbResult {
    const role = this.#role
    const { witness } = this.#options.world
    if (this.state === 'protected' && !witness.shared) {
      return this.#notNow(`a hand-over needs a witness that both sides read, not ${witness.kind}`)
    }
    if (role instanceof Primary && role.handOver()) return done('handing over to the secondary')
    if (role instanceof Secondary && role.askToYield())
      return done('asked the primary to hand over')
    if (this.state !== 'claiming') return this.#notNow('needs a protected pair or a waiting claim')
    witness.grant()
    return done('the claim is granted')
  }

  #failback(): VerbResult {
    if (!(this.#role instanceof Primary)) return this.#notNow('needs the side that serves')
    if (this.state !== 'standalone') return this.#notNow('there is a secondary already')
    this.#role.welcoming = true
    return done('the next secondary that asks is accepted')
  }

  #pause(paused: boolean): VerbResult {
    if (!(this.#role instanceof Primary)) return this.#notNow('needs the side that serves')
    this.#paused = paused
    const { guest, trace } = this.#options.world
    if (paused) guest.suspend()
    else guest.resume()
    trace.changed()
    return done(paused ? 'the guest stands still' : 'the guest runs')
  }

  /**
   * A clean stop: of both, or of this side alone, in which case the other one goes on. Asked again, it ends at
   * once.
   */
  stop(pair: boolean): VerbResult {
    if (pair && !(this.#role instanceof Primary)) return this.#notNow('needs the side that serves')
    if (this.#cleanStop !== undefined) {
      this.#end('stopped by request')
      return done()
    }
    const { world, delays } = this.#options
    const role = () => this.#role
    const ended = (why: string) => this.#end(why)
    this.#cleanStop = new CleanStop({ world, record: this.record, delays, pair, role, ended })
    this.#cleanStop.proceed()
    return done()
  }

  #end(why: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#procedures.abandon('this side is being stopped')
    this.#watch.stop()
    this.#role.stop()
    this.#options.world.guest.stop()
    this.#options.stopped(why)
  }

  #notNow(needs: string): VerbResult {
    return refuse('not-now', `${this.role}, ${this.state}: ${needs}`)
  }

  // Roles.

  #hello(): PeerHello {
    const { identity, name } = this.#options
    return {
      type: 'hello',
      from: 'peer',
      version: PROTOCOL_VERSION,
      pair: identity.pair,
      token: identity.token,
      name,
      incarnation: this.record.incarnation,
      generation: this.record.generation,
      seen: this.record.seen,
      epoch: this.record.epoch,
      packageVersion: this.record.packageVersion,
      guest: identity.guest,
    }
  }

  #newSecondary(): Secondary {
    const { world, delays } = this.#options
    return new Secondary({
      world,
      delays,
      record: this.record,
      hello: () => this.#hello(),
      promoted: (state) => this.#promoted(state),
      changed: (reason) => this.#changed(reason),
      stopped: () => this.#end('the pair was stopped'),
      crashed: (error) => this.#crashed(error),
    })
  }

  #promoted(state: GuestState | undefined): void {
    if (this.#ended) return
    this.#procedures.abandon('this side has become the primary')
    const { world, delays, failback, name } = this.#options
    this.#role.stop()
    this.#paused = false
    this.#role = new Primary({
      world,
      delays,
      record: this.record,
      name,
      nextConnection: this.#connections,
      welcoming: state === undefined || failback === 'auto',
      left: () => this.#left(),
      changed: (reason) => this.#changed(reason),
      crashed: (error) => this.#crashed(error),
    })
    this.#role.start()
  }

  #left(): void {
    if (this.#ended) return
    if (this.#cleanStop !== undefined) return this.#cleanStop.proceed()
    this.#procedures.abandon('this side has given the guest up')
    const old = this.#role
    this.#connections = old instanceof Primary ? old.clients.next : this.#connections
    old.stop()
    this.#role = this.#newSecondary()
    this.#role.start()
  }

  #crashed(error: unknown): void {
    const { crashed } = this.#options
    if (crashed === undefined) throw error
    crashed(error)
  }

  #changed(reason: string): void {
    const { trace, clock } = this.#options.world
    const { role, state } = this
    if (this.#cleanStop !== undefined) clock.soon(() => this.#cleanStop?.proceed())
    const told = `${role} ${state} ${reason}`
    if (told === this.#told) return
    this.#told = told
    const { generation, epoch } = this.record
    trace.log('info', `${role}: ${state}`, { reason, generation, epoch })
    trace.changed()
  }
}
