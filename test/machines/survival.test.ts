// The truth table of shared/failover/survival.ts against the rules of docs/protocol.md, restated here as plain
// code by somebody who did not look at the table: every combination of a small domain of facts. And the whole
// table as people would read it, test/scenarios/survival.txt: only the facts that matter at each moment.

import { describe, expect, test } from 'vitest'
import {
  GUARDS,
  judge,
  SURVIVAL,
  type Facts,
  type Moment,
  type Verdict,
} from '../../shared/failover/survival.ts'
import {
  describeHolder,
  STANDINGS,
  type Holder,
  type Register,
  type Standing,
} from '../../shared/protocol/register.ts'
import { expectReviewed } from './reviewed.ts'

const [ME, PEER, OTHER, DEAD] = ['me', 'peer', 'othr', 'dead']
const MOMENTS: readonly Moment[] = ['start', 'claim', 'claimed', 'paired', 'owned', 'halted']
const SESSION = 7
const STANDING_NAMES = Object.keys(STANDINGS) as Standing[]

const HOLDERS: readonly Holder[] = [
  { kind: 'stopped' },
  ...[ME, PEER, OTHER, DEAD].map((owner): Holder => ({ kind: 'alone', owner })),
  ...[SESSION, SESSION - 1].flatMap((session): Holder[] => [
    { kind: 'pair', primary: ME, secondary: PEER, session },
    { kind: 'pair', primary: PEER, secondary: ME, session },
    { kind: 'pair', primary: OTHER, secondary: ME, session },
    { kind: 'pair', primary: OTHER, secondary: PEER, session },
    { kind: 'pair', primary: OTHER, secondary: DEAD, session },
  ]),
]

const registerOf = (holder: Holder, coldSince: number): Register => {
  return { pair: 'p', generation: 5, nonce: 'n', earlier: [], coldSince, holder }
}

/** What the witness showed, and what that is to this side. */
const ANSWERS: readonly Pick<Facts, 'register' | 'standing' | 'isAncestor' | 'hasSeen'>[] = [
  { register: undefined, standing: 'unreached', isAncestor: false, hasSeen: true },
  ...[true, false].map((hasSeen) => {
    return { register: undefined, standing: 'missing' as const, isAncestor: false, hasSeen }
  }),
  ...HOLDERS.flatMap((holder) =>
    [1, 2].flatMap((coldSince) =>
      STANDING_NAMES.filter((standing) => standing !== 'missing').flatMap((standing) => {
        const shown = { register: registerOf(holder, coldSince), standing }
        const ancestors = standing === 'older' ? [true, false] : [false]
        const seen = ancestors.map((isAncestor) => ({ ...shown, isAncestor, hasSeen: true }))
        const isUnseen = standing === 'foreign' || standing === 'newer'
        return isUnseen ? [...seen, { ...shown, isAncestor: false, hasSeen: false }] : seen
      }),
    ),
  ),
]

function everyFact(): Facts[] {
  const facts: Facts[] = []
  for (const answer of ANSWERS)
    for (const told of ['primary', 'secondary'] as const)
      for (const mayFound of [true, false])
        for (const peer of [undefined, PEER])
          for (const sessionOwner of [undefined, PEER, DEAD])
            facts.push({
              ...answer,
              ...{ me: ME, told, mayFound, peer, session: SESSION, sessionOwner },
              knownColdSince: 1,
            })
  return facts
}

// The rules, restated.

function restated(at: Moment, facts: Facts): Verdict {
  if (facts.standing === 'unreached') return 'unreachable'
  switch (at) {
    case 'start':
      return atStart(facts)
    case 'halted':
      if (!facts.hasSeen) return 'join'
      return isObeyed(facts) ? goneOr(facts, 'join') : 'backwards'
    case 'claim':
      return isObeyed(facts) ? atClaim(facts) : 'unreachable'
    case 'claimed':
      if (!facts.hasSeen && isNothing(facts)) return 'lost'
      return isObeyed(facts) ? afterWritingAlone(facts) : 'unreachable'
    case 'paired':
      return isObeyed(facts) ? afterWritingPair(facts) : 'unreachable'
    case 'owned':
      return standingAlone(facts)
    default:
      throw new Error('no such moment')
  }
}

/** Rule 11. */
const isObeyed = ({ standing }: Facts) => standing === 'same' || standing === 'newer'

const isNothing = ({ standing }: Facts) => standing === 'missing' || standing === 'foreign'

/** Somebody began cold after the guest whose state this side holds. */
const lostOr = ({ register, knownColdSince }: Facts): Verdict =>
  register !== undefined && register.coldSince > knownColdSince ? 'superseded' : 'lost'

/** Rule 9: an owner, or a pair, of which neither this side nor the peer as it lives now is a part. */
function goneOr({ register, me, peer }: Facts, otherwise: Verdict): Verdict {
  const holder = register?.holder
  if (holder === undefined || holder.kind === 'stopped' || peer === undefined) return otherwise
  const named = holder.kind === 'alone' ? [holder.owner] : [holder.primary, holder.secondary]
  return named.includes(me) || named.includes(peer) ? otherwise : 'gone'
}

/** Rule 1. */
function atStart(facts: Facts): Verdict {
  const isPrimary = facts.told === 'primary'
  if (!facts.hasSeen) return isPrimary && facts.mayFound ? 'found' : 'join'
  if (!isObeyed(facts)) return 'backwards'
  return facts.register?.holder.kind === 'stopped' && isPrimary ? 'found' : goneOr(facts, 'join')
}

/** Rules 5, 7 and 9: a secondary that lost its session. */
function atClaim(facts: Facts): Verdict {
  const { register, me, session, sessionOwner, standing } = facts
  const holder = register?.holder
  if (holder?.kind === 'pair') {
    return holder.secondary === me && holder.session === session ? 'claim' : lostOr(facts)
  }
  if (holder?.kind !== 'alone') return lostOr(facts)
  if (holder.owner === me) return 'claim'
  const isTheOwners = holder.owner === sessionOwner && standing === 'same'
  return isTheOwners ? goneOr(facts, 'wait') : lostOr(facts)
}

/** Rule 6. */
function afterWritingAlone(facts: Facts): Verdict {
  const { register, me, session } = facts
  const holder = register?.holder
  if (holder?.kind === 'alone' && holder.owner === me) return 'won'
  if (holder?.kind !== 'pair') return lostOr(facts)
  if (holder.primary === me) return 'again'
  return holder.secondary === me && holder.session === session ? 'again' : lostOr(facts)
}

/** Rules 3 and 4. */
function afterWritingPair(facts: Facts): Verdict {
  const { register, me, session } = facts
  const holder = register?.holder
  if (holder?.kind === 'alone') return holder.owner === me ? 'retry' : lostOr(facts)
  if (holder?.kind !== 'pair') return lostOr(facts)
  return holder.primary === me && holder.session === session ? 'named' : lostOr(facts)
}

/** Rule 13. */
function standingAlone(facts: Facts): Verdict {
  if (isNothing(facts)) return 'unreachable'
  if (facts.isAncestor) return 'behind'
  const holder = facts.register?.holder
  const isMine = holder?.kind === 'alone' && holder.owner === facts.me
  return isObeyed(facts) && isMine ? 'own' : 'superseded'
}

// The table as people read it.

type Column = (facts: Facts) => string

const COLUMNS: Readonly<Record<string, Column>> = {
  register: ({ register }) => (register ? describeHolder(register.holder) : 'none'),
  'to this side': ({ standing, isAncestor }) => (isAncestor ? 'older, its own' : standing),
  'has seen the pair': ({ hasSeen }) => (hasSeen ? 'yes' : 'no'),
  'began cold': ({ register }) => (register?.coldSince === 2 ? 'since' : 'no'),
  told: ({ told }) => told,
  'may found': ({ mayFound }) => (mayFound ? 'yes' : 'no'),
  'peer lives as': ({ peer }) => peer ?? 'unknown',
  'owner of the session': ({ sessionOwner }) => sessionOwner ?? 'none',
}

const NAMES = Object.keys(COLUMNS)

function groupBy(facts: readonly Facts[], column: Column): Map<string, Facts[]> {
  const groups = new Map<string, Facts[]>()
  for (const one of facts) groups.set(column(one), [...(groups.get(column(one)) ?? []), one])
  return groups
}

/** One row for all facts that agree in the verdict; `-` where a column does not matter there. */
function rowsOf(
  at: Moment,
  facts: readonly Facts[],
  fixed: ReadonlyMap<string, string>,
): string[][] {
  const verdict = judge(at, facts[0])
  if (facts.every((one) => judge(at, one) === verdict)) {
    return [[...NAMES.map((name) => fixed.get(name) ?? '-'), verdict]]
  }
  const name = NAMES.find((one) => !fixed.has(one) && matters(at, facts, one))
  if (name === undefined) throw new Error(`a verdict that depends on something unnamed, at ${at}`)
  const groups = groupBy(facts, COLUMNS[name])
  return [...groups].flatMap(([value, group]) =>
    rowsOf(at, group, new Map([...fixed, [name, value]])),
  )
}

/** Whether facts that agree in every other column can differ in the verdict by this one. */
function matters(at: Moment, facts: readonly Facts[], dropped: string): boolean {
  const verdicts = new Map<string, Verdict>()
  return facts.some((one) => {
    const rest = NAMES.filter((name) => name !== dropped).map((name) => COLUMNS[name](one))
    const verdict = judge(at, one)
    const before = verdicts.get(rest.join('|')) ?? verdict
    verdicts.set(rest.join('|'), before)
    return before !== verdict
  })
}

function tableOf(at: Moment, facts: readonly Facts[]): string[] {
  const rows = [...groupBy(facts, COLUMNS.register)].flatMap(([register, group]) =>
    rowsOf(at, group, new Map([['register', register]])),
  )
  const table = [[...NAMES, 'verdict'], ...rows]
  const used = table[0].map((_, column) => rows.some((row) => row[column] !== '-'))
  const shown = table.map((row) => row.filter((_, column) => used[column]))
  const widths = shown[0].map((_, column) => Math.max(...shown.map((row) => row[column].length)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd()
  return [`at ${at}`, ...shown.map((row) => `  ${line(row)}`), '']
}

describe('survival', () => {
  const facts = everyFact()

  test.each(MOMENTS)('judges as the rules say, at %s', (at) => {
    for (const one of facts) {
      const verdict = judge(at, one)
      if (verdict === restated(at, one)) continue
      expect({ at, facts: one, verdict }).toEqual({ at, facts: one, verdict: restated(at, one) })
    }
    expect(facts.length).toBeGreaterThan(2000)
  })

  test('needs every row', () => {
    for (const [index, row] of SURVIVAL.entries()) {
      const isNeeded = (rows: typeof SURVIVAL) =>
        facts.some((one) => judgeBy(rows, row.at, one) !== judge(row.at, one))
      expect({ row, needed: isNeeded(SURVIVAL.filter((_, at) => at !== index)) }).toMatchObject({
        needed: true,
      })
    }
  })

  test('is the reviewed table', () => {
    expectReviewed(
      'test/scenarios/survival.txt',
      MOMENTS.flatMap((at) => tableOf(at, facts)).join('\n'),
    )
  })
})

function judgeBy(rows: typeof SURVIVAL, at: Moment, facts: Facts): Verdict {
  if (facts.standing === 'unreached') return 'unreachable'
  const row = rows.find((one) => one.at === at && one.when.every((name) => GUARDS[name](facts)))
  return row?.gives ?? 'lost'
}
