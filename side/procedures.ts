// The operator's verbs that take several steps: they ask the peer how it stands, and write the register in place of
// the statechart. One at a time, on this side or, by the peer's operator, on the other.

import type { PeerHello, VerbMessage } from '../shared/protocol/control-messages.ts'
import type { SideRecord } from '../shared/failover/side-record.ts'
import type { ControlLink, ControlLinkHandlers, World } from '../shared/ports.ts'
import type { Delays } from '../shared/protocol/delays.ts'
import { Primary } from '../primary/primary.ts'
import { Secondary } from '../secondary/secondary.ts'
import { Adoption } from './adoption.ts'
import type { Procedure, ProcedureOptions } from './procedure.ts'
import { StartOver } from './start-over.ts'
import { refuse, type VerbResult } from './verb-result.ts'

export interface ProceduresOptions {
  readonly world: World
  readonly record: SideRecord
  readonly delays: Delays
  readonly hello: () => PeerHello
}

type Role = Primary | Secondary
type Answer = (result: VerbResult) => void

export class Procedures {
  readonly #options: ProceduresOptions
  #current: Pick<Procedure, 'start' | 'abandon'> | undefined

  constructor(options: ProceduresOptions) {
    this.#options = options
  }

  startOver(message: VerbMessage, role: Role, answer: Answer): void {
    if (!(role instanceof Secondary)) {
      const what = 'start-over needs a side that is connecting or halted and holds no guest'
      return answer(refuse('not-now', `${role.role}, ${role.state}: ${what}`))
    }
    return this.#begin(
      'start-over',
      role,
      answer,
      (options) => new StartOver(message, { ...options, role }),
    )
  }

  adopt(message: VerbMessage, role: Role, answer: Answer): void {
    this.#begin('adopt', role, answer, (options) => new Adoption(message, options))
  }

  /** The role has changed, or the daemon ends: nothing is written any more. */
  abandon(why: string): void {
    this.#current?.abandon(why)
  }

  #begin(
    asks: 'adopt' | 'start-over',
    role: Role,
    answer: Answer,
    make: (options: ProcedureOptions) => Pick<Procedure, 'start' | 'abandon'>,
  ): void {
    if (this.#current !== undefined) {
      return answer(refuse('not-now', `${role.role}, ${role.state}: another verb is under way`))
    }
    const { hello, ...shared } = this.#options
    const asking = { ...hello(), asks } as const
    const ended = () => {
      this.#current = undefined
    }
    this.#current = make({ ...shared, role, hello: asking, answer, ended })
    return this.#current.start()
  }
}

/**
 * The peer's operator wants to know how this side stands. If it is to go on with the peer's state, a side that waits
 * for the witness as well claims nothing while the link is open.
 */
export function tellStanding(
  asks: 'adopt' | 'start-over',
  role: Role,
  record: SideRecord,
  link: ControlLink,
): ControlLinkHandlers {
  const { incarnation, holdsState, known } = record
  const promises = asks === 'adopt' && role.canBeAdopted
  if (promises) role.adoption('asked')
  const { serves, state } = role
  link.send({ type: 'standing', incarnation, state, serves, holdsState, known })
  return {
    message: (message) => {
      if (message.type === 'adopted' && promises) role.adoption('lost')
    },
    closed: () => {
      if (promises) role.adoption('over')
    },
  }
}
