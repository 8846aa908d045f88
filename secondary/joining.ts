// The way into a session: dial the peer's control address, say hello, and once it says welcome dial its data
// channel with the token it gave. One attempt at a time; what still comes of one that was given up is dropped.
// A session that was welcomed hears its primary from here on, whatever has become of the attempt.

import type { Heartbeat, PeerMessage, Welcome } from '../shared/protocol/control-messages.ts'
import type { SideRecord } from '../shared/failover/side-record.ts'
import { Session, type SessionEnd } from '../shared/role/session.ts'
import type {
  ControlLink,
  ControlLinkHandlers,
  DataChannel,
  DataChannelHandlers,
  World,
} from '../shared/ports.ts'
import { PROTOCOL_VERSION } from '../shared/protocol/words.ts'
import type { Delays } from '../shared/protocol/delays.ts'

export type Refused = PeerMessage & { readonly type: 'refused' }

/** An owner of protocol 1.0 welcomes without a register, which this side could not tell from another line's. */
const TOO_OLD: Refused = {
  type: 'refused',
  code: 'wrong-version',
  reason: `protocol 1.0, this side speaks ${PROTOCOL_VERSION.major}.${PROTOCOL_VERSION.minor}`,
}

export interface JoiningOptions {
  readonly world: World
  readonly delays: Delays
  readonly record: SideRecord
  /** What this side says first. */
  readonly hello: () => PeerMessage
  readonly heartbeat: () => Heartbeat
  /** This attempt came to nothing. */
  readonly failed: () => void
  readonly refused: (refused: Refused) => void
  /** The data channel is there: what it calls from now on. */
  readonly opened: (session: Session, welcome: Welcome, channel: DataChannel) => DataChannelHandlers
  /** The primary says something in the session. */
  readonly said: (session: Session, message: PeerMessage) => void
  readonly ended: (session: Session, end: SessionEnd) => void
}

export class Joining {
  readonly #options: JoiningOptions
  #attempt = 0
  #link: ControlLink | undefined

  constructor(options: JoiningOptions) {
    this.#options = options
  }

  dial(): void {
    this.hangUp()
    const { world, hello, failed } = this.#options
    const attempt = ++this.#attempt
    const isCurrent = () => attempt === this.#attempt
    world.network.dialPeer({
      failed: () => {
        if (isCurrent()) failed()
      },
      open: (link) => {
        if (!isCurrent()) {
          link.close()
          return { message() {}, closed() {} }
        }
        this.#link = link
        link.send(hello())
        return this.#linkHandlers(link, isCurrent)
      },
    })
  }

  /** Gives up a link that has not become a session. */
  hangUp(): void {
    this.#attempt++
    this.#link?.close()
    this.#link = undefined
  }

  #linkHandlers(link: ControlLink, isCurrent: () => boolean): ControlLinkHandlers {
    const { refused, failed, said } = this.#options
    let session: Session | undefined
    return {
      message: (message) => {
        if (session) return said(session, message)
        if (!isCurrent()) return
        if (message.type === 'welcome') {
          if (message.register === undefined) refused(TOO_OLD)
          else session = this.#welcomed(link, message)
        }
        if (message.type === 'refused') refused(message)
      },
      closed: () => {
        if (session) session.closed('the control channel was closed')
        else if (isCurrent()) failed()
      },
    }
  }

  #welcomed(link: ControlLink, welcome: Welcome): Session {
    const { world, delays, record, heartbeat, failed, opened, ended } = this.#options
    record.peer = welcome.incarnation
    record.peerName = welcome.name
    record.peerPackageVersion = welcome.packageVersion
    this.#link = undefined
    const session = new Session({
      ...{ clock: world.clock, delays, link, number: welcome.session, heartbeat },
      ended: (end) => ended(session, end),
    })
    session.peerMinor = welcome.version?.minor ?? 0
    const attempt = this.#attempt
    world.network.dialData(
      { address: welcome.dataAddress, token: welcome.dataToken },
      {
        failed: (why) => {
          session.lost('connection-lost', `the data channel could not be dialled: ${why}`)
          if (attempt === this.#attempt) failed()
        },
        open: (channel) => session.carry(channel, (counted) => opened(session, welcome, counted)),
      },
    )
    return session
  }
}
