// One question at a time: asking again gives the question before up, and its answer, however late, changes
// nothing, not even what this side believes the register to be. A retry sends the same write again.

import { expect, test } from 'vitest'
import { SideRecord } from '../../shared/failover/side-record.ts'
import { WitnessClient } from '../../shared/failover/witness-client.ts'
import { delaysWith } from '../../shared/protocol/delays.ts'
import { ScriptedWitness } from '../machines/scripted-witness.ts'
import { tokenOf } from '../machines/scripted-world.ts'
import { VirtualClock } from '../machines/virtual-clock.ts'

function make() {
  const witness = new ScriptedWitness(
    () => {},
    (callback) => callback(),
    () => '',
  )
  const disk = { load: () => ({ pair: '', generation: 0, nonce: '', epoch: 0 }), save() {} }
  const record = new SideRecord('primary', disk, tokenOf(1))
  const verdicts: string[] = []
  let tokens = 0x10
  const client = new WitnessClient({
    ...{ witness, record, clock: new VirtualClock(), delays: delaysWith() },
    random: { token: () => tokenOf(++tokens) },
    verdict: (verdict) => verdicts.push(verdict),
  })
  return { witness, record, verdicts, client }
}

test('gives the verdict of the answer, and remembers the register', () => {
  const { witness, record, verdicts, client } = make()
  client.writeFirst()
  witness.answer()
  expect(verdicts).toEqual(['won'])
  expect(record.generation).toBe(1)
})

test('drops the answer to a question that was given up', () => {
  const { witness, record, verdicts, client } = make()
  client.writeFirst()
  client.read('start')
  witness.answer()
  expect({ verdicts, generation: record.generation }).toEqual({ verdicts: [], generation: 0 })
  client.forget()
  witness.answer()
  expect({ verdicts, generation: record.generation }).toEqual({ verdicts: [], generation: 0 })
})

test('says that the witness could not be asked, and rests longer each time', () => {
  const { witness, verdicts, client } = make()
  const rests: number[] = []
  for (let i = 0; i < 6; i++) {
    client.read('start')
    witness.fail()
    rests.push(client.backOffMs)
  }
  expect(verdicts).toEqual(Array.from({ length: 6 }, () => 'unreachable'))
  expect(rests).toEqual([50, 100, 200, 400, 500, 500])
})

test('a retry has a nonce of its own, and one that landed unheard is recognised by its holder', () => {
  const { witness, record, verdicts, client } = make()
  client.writeFirst()
  witness.answer()
  client.writeAlone()
  witness.loseAnswer()
  const landed = witness.register
  client.writeAlone()
  witness.answer()
  expect(witness.register).toEqual(landed)
  expect(verdicts).toEqual(['won', 'won'])
  expect(record.generation).toBe(2)
})

test('an older copy, another line and another pair decide nothing, and are told', () => {
  const { witness, record, verdicts, client } = make()
  client.writeFirst()
  witness.answer()
  const first = witness.register!
  client.writeAlone()
  witness.answer()
  const second = witness.register!
  record.holdsState = true
  for (const shown of [
    undefined,
    first,
    { ...second, nonce: tokenOf(0xaa) },
    { ...second, generation: 9, nonce: tokenOf(0xbb), earlier: [first.nonce] },
    { ...second, pair: tokenOf(0xcc) },
  ]) {
    witness.register = shown
    client.read('claim')
    witness.answer()
  }
  expect(verdicts.slice(2)).toEqual(Array.from({ length: 5 }, () => 'unreachable'))
  expect(record.known).toEqual(second)
  expect(record.trouble?.standing).toBe('foreign')
})
