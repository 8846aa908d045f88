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
import { describeHolder, type Holder, type Register } from '../../shared/protocol/register.ts'
import { expectReviewed } from './reviewed.ts'

const [ME, PEER, OTHER, DEAD] = ['me', 'peer', 'othr', 'dead']
const MOMENTS: readonly Moment[] = ['start', 'claim', 'claimed', 'paired', 'halted']
const SESSION = 7
const SEEN = 5

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

const REGISTERS: readonly (Register | undefined)[] = [
  undefined,
  ...HOLDERS.flatMap((holder) => [4, 5, 6].map((generation) => ({ generation, holder }))),
]

function everyFact(): Facts[] {
  const facts: Facts[] = []
  for (const register of REGISTERS)
    for (const told of ['primary', 'secondary'] as const)
      for (const peer of [undefined, PEER])
        for (const sessionOwner of [undefined, PEER, DEAD])
          for (const sessionGeneration of [4, 5])
            for (const seen of [0, SEEN])
              facts.push({
                register,
                me: ME,
                told,
                seen,
                peer,
                session: SESSION,
                sessionOwner,
                sessionGeneration,
              })
  return facts
}

// The rules, restated.

function restated(at: Moment, facts: Facts): Verdict {
  if (at === 'start') return atStart(facts)
  if (at === 'halted') return isBackwards(facts) ? 'backwards' : goneOr(facts, 'join')
  if (at === 'claim') return atClaim(facts)
  return at === 'claimed' ? afterWritingAlone(facts) : afterWritingPair(facts)
}

const isBackwards = ({ register, seen }: Facts) =>
  register === undefined ? seen > 0 : register.generation < seen

/** Rule 9: an owner, or a pair, of which neither this side nor the peer as it lives now is a part. */
function goneOr({ register, me, peer }: Facts, otherwise: Verdict): Verdict {
  const holder = register?.holder
  if (holder === undefined || holder.kind === 'stopped' || peer === undefined) return otherwise
  const named = holder.kind === 'alone' ? [holder.owner] : [holder.primary, holder.secondary]
  return named.includes(me) || named.includes(peer) ? otherwise : 'gone'
}

/** Rule 1. */
function atStart(facts: Facts): Verdict {
  if (isBackwards(facts)) return 'backwards'
  const isFree = facts.register === undefined || facts.register.holder.kind === 'stopped'
  return isFree && facts.told === 'primary' ? 'found' : goneOr(facts, 'join')
}

/** Rules 5, 7 and 9: a secondary that lost its session. */
function atClaim(facts: Facts): Verdict {
  const { register, me, session, sessionOwner, sessionGeneration } = facts
  if (register === undefined) return 'lost'
  const { holder, generation } = register
  if (holder.kind === 'pair') {
    return holder.secondary === me && holder.session === session ? 'claim' : 'lost'
  }
  if (holder.kind !== 'alone' || holder.owner !== sessionOwner) return 'lost'
  return generation === sessionGeneration ? goneOr(facts, 'wait') : 'lost'
}

/** Rule 6. */
function afterWritingAlone({ register, me, session }: Facts): Verdict {
  const holder = register?.holder
  if (holder?.kind === 'alone') return holder.owner === me ? 'won' : 'lost'
  if (holder?.kind !== 'pair') return 'lost'
  if (holder.primary === me) return 'again'
  return holder.secondary === me && holder.session === session ? 'again' : 'lost'
}

/** Rules 3 and 4. */
function afterWritingPair({ register, me, session }: Facts): Verdict {
  const holder = register?.holder
  if (holder?.kind === 'alone') return holder.owner === me ? 'retry' : 'lost'
  if (holder?.kind !== 'pair') return 'lost'
  return holder.primary === me && holder.session === session ? 'named' : 'lost'
}

// The table as people read it.

type Column = (facts: Facts) => string

const COLUMNS: Readonly<Record<string, Column>> = {
  register: ({ register }) => (register ? describeHolder(register.holder) : 'none'),
  'against what this side has seen': (facts) => (isBackwards(facts) ? 'older' : 'not older'),
  told: ({ told }) => told,
  'peer lives as': ({ peer }) => peer ?? 'unknown',
  'owner of the session': ({ sessionOwner }) => sessionOwner ?? 'none',
  'generation of the session': ({ register, sessionGeneration }) =>
    register?.generation === sessionGeneration ? 'the same' : 'another',
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
  const row = rows.find((one) => one.at === at && one.when.every((name) => GUARDS[name](facts)))
  return row?.gives ?? 'lost'
}
