// Who may come in: the checks that do not depend on the role or the state of this side, in the order in which
// they are made. The version is first, since nothing else can be trusted to mean the same; the token is next, so
// that a stranger learns nothing of the pair.

import type { PeerHello } from '../shared/protocol/control-messages.ts'
import type { GuestIdentity } from '../shared/ports.ts'
import { MINOR_LEAST, PROTOCOL_VERSION } from '../shared/protocol/words.ts'
import type { ErrorCode } from '../shared/protocol/errors.ts'

export interface PairIdentity {
  readonly pair: string
  readonly token: string
  readonly guest: GuestIdentity
  /** Told to the peer; it counts for nothing. */
  readonly packageVersion?: string
}

export interface Refusal {
  readonly code: ErrorCode
  readonly reason: string
}

/** Compares in a time that does not tell how many characters agree. */
export function sameToken(given: string | undefined, token: string): boolean {
  if (given === undefined || given.length !== token.length) return false
  let difference = 0
  for (let i = 0; i < token.length; i++) difference |= given.charCodeAt(i) ^ token.charCodeAt(i)
  return difference === 0
}

/** Why this peer is refused; undefined if nothing about who it is speaks against it. */
export function refusalOf(hello: PeerHello, mine: PairIdentity): Refusal | undefined {
  if (hello.version.major !== PROTOCOL_VERSION.major || hello.version.minor < MINOR_LEAST) {
    const reason = `protocol ${hello.version.major}.${hello.version.minor}, this side speaks ${PROTOCOL_VERSION.major}.${PROTOCOL_VERSION.minor}`
    return { code: 'wrong-version', reason }
  }
  if (!sameToken(hello.token, mine.token)) {
    return { code: 'wrong-token', reason: hello.token ? 'not the token of this pair' : 'no token' }
  }
  if (hello.pair !== mine.pair) {
    return { code: 'wrong-pair', reason: `pair ${hello.pair}, this side is of pair ${mine.pair}` }
  }
  // The digest of a module with a dirty log depends on the size, so the size is compared first.
  if (hello.guest.memoryBytes !== mine.guest.memoryBytes) {
    const reason = `${hello.guest.memoryBytes} bytes of guest memory, this side has ${mine.guest.memoryBytes}`
    return { code: 'wrong-memory', reason }
  }
  if (hello.guest.digest !== mine.guest.digest) {
    const [theirs, ours] = [hello.guest, mine.guest].map((g) => `${g.name} ${g.digest.slice(0, 8)}`)
    const reason = `guest ${theirs}, this side runs ${ours} (the module as it runs: --dirty counts)`
    return { code: 'wrong-guest', reason }
  }
  return undefined
}
