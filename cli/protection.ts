// Whether the pair is protected, by what its sides say, and why not. Pure: what `colo up`, `colo watch` and
// their tests share.

import type { Status } from '../shared/protocol/control-messages.ts'

export interface SideSeen {
  readonly name: string
  readonly status: Pick<Status, 'role' | 'state' | 'reason' | 'generation'> | undefined
  /** Why there is no status: `dead (pid 12 ended)`. */
  readonly absence?: string
}

const describe = ({ name, status, absence }: SideSeen) =>
  status === undefined ? `${name}: ${absence ?? 'no answer'}` : `${name} ${status.state}`

/** One sentence, or undefined if both sides protect the guest. */
export function whyNotProtected(sides: readonly SideSeen[]): string | undefined {
  const [first] = sides
  if (first === undefined) return 'no side answers'
  const missing = sides.find(({ status }) => status === undefined)
  if (missing !== undefined) {
    const others = sides.filter(({ status }) => status !== undefined)
    return [missing, ...sides.filter((side) => side !== missing && !others.includes(side))]
      .map(describe)
      .concat(others.map(explain))
      .join('; ')
  }
  const unprotected = sides.filter(({ status }) => status?.state !== 'protected')
  if (unprotected.length > 0) return unprotected.map(explain).join('; ')
  // A side says so only of both.
  if (sides.length < 2) return undefined
  const [one, other] = sides.map(({ status }) => status)
  if (one?.role !== other?.role && one?.generation === other?.generation) return undefined
  const words = sides.map(
    ({ name, status }) => `${name} is ${status?.role} of generation ${status?.generation}`,
  )
  return `the sides do not agree yet: ${words.join(', ')}`
}

function explain({ name, status }: SideSeen): string {
  if (status?.state === 'protected') return `${name} has not noticed yet`
  if (status?.state === 'standalone') {
    return `${name} serves alone, and its death loses the guest`
  }
  return `${name} is ${status?.state}: ${status?.reason}`
}
