// The way into a session, as its owner sees it: a secondary that says hello is told welcome, with an address and
// a token for the data channel, and has a while to open it. Whether it may come in was decided before.

import type { Heartbeat, PeerHello, PeerMessage } from '../shared/protocol/control-messages.ts'
import type { SideRecord } from '../shared/failover/side-record.ts'
import { Session, type SessionEnd } from '../shared/role/session.ts'
import type {
  ControlLink,
  ControlLinkHandlers,
  DataChannel,
  DataChannelHandlers,
  World,
} from '../shared/ports.ts'
import { invariant } from '../shared/protocol/invariants.ts'
import type { Delays } from '../shared/protocol/delays.ts'
import { PROTOCOL_VERSION } from '../shared/protocol/words.ts'

export interface WelcomingOptions {
  readonly world: World
  readonly delays: Delays
  readonly record: SideRecord
  /** What this side calls itself. */
  readonly name: string
  readonly heartbeat: () => Heartbeat
  /** There is a session; nothing was said in it so far. */
  readonly began: (session: Session, hello: PeerHello) => void
  /** The data channel is there: what it calls from now on. */
  readonly opened: (session: Session, channel: DataChannel) => DataChannelHandlers
  /** The secondary says something in the session. */
  readonly said: (session: Session, message: PeerMessage) => void
  readonly ended: (session: Session, end: SessionEnd) => void
}

export class Welcoming {
  readonly #options: WelcomingOptions

  constructor(options: WelcomingOptions) {
    this.#options = options
  }

  welcome(hello: PeerHello, link: ControlLink): ControlLinkHandlers {
    const { world, delays, record, name, heartbeat, began, said, ended } = this.#options
    record.session++
    // Epochs only grow, in the pair as in each side: a seed must be newer than anything that its reader has seen.
    record.reachedEpoch(hello.epoch)
    record.peerName = hello.name
    record.peerPackageVersion = hello.packageVersion
    const session = new Session({
      ...{ clock: world.clock, delays, link, number: record.session, heartbeat },
      ended: (end) => ended(session, end),
    })
    session.dataToken = world.random.token()
    session.peerMinor = hello.version.minor
    began(session, hello)
    const { known } = record
    invariant(
      known !== undefined,
      'only-forward',
      'an owner without a register welcomes a secondary',
    )
    session.send({
      type: 'welcome',
      version: PROTOCOL_VERSION,
      name,
      incarnation: record.incarnation,
      generation: record.generation,
      session: session.number,
      dataAddress: world.network.dataAddress,
      dataToken: session.dataToken,
      register: known,
      packageVersion: record.packageVersion,
    })
    world.clock.setTimeout(() => {
      if (session.channel === undefined) session.end('deadline-missed', 'helloTimeoutMs')
    }, delays.helloTimeoutMs)
    return {
      message: (message) => said(session, message),
      closed: () => session.closed('the control channel was closed'),
    }
  }

  /** A data channel with a token is here: undefined if the session waits for none, or for another. */
  acceptData(
    session: Session,
    token: string,
    channel: DataChannel,
  ): DataChannelHandlers | undefined {
    if (session.channel !== undefined || session.over || token !== session.dataToken) {
      return undefined
    }
    return session.carry(channel, (counted) => this.#options.opened(session, counted))
  }
}
