// One question at a time: whoever asks again has given up the question before, and its answer, however late,
// changes nothing, not even what this side believes the register to be.

import { expect, test } from 'vitest'
import { SideRecord } from '../../shared/failover/side-record.ts'
import { WitnessClient } from '../../shared/failover/witness-client.ts'
import { ScriptedWitness } from '../machines/scripted-witness.ts'

function make() {
  const witness = new ScriptedWitness(
    () => {},
    (callback) => callback(),
    () => '',
  )
  const disk = { load: () => ({ pair: '', generation: 0, nonce: '', epoch: 0 }), save() {} }
  const record = new SideRecord('primary', disk, 'me')
  const verdicts: string[] = []
  const client = new WitnessClient(witness, record, (verdict) => verdicts.push(verdict))
  return { witness, record, verdicts, client }
}

test('gives the verdict of the answer, and remembers the register', () => {
  const { witness, record, verdicts, client } = make()
  client.write('claimed', 0, { kind: 'alone', owner: 'me' })
  witness.answer()
  expect(verdicts).toEqual(['won'])
  expect(record.generation).toBe(1)
})

test('drops the answer to a question that was given up', () => {
  const { witness, record, verdicts, client } = make()
  client.write('claimed', 0, { kind: 'alone', owner: 'me' })
  client.read('start')
  witness.answer()
  expect({ verdicts, generation: record.generation }).toEqual({ verdicts: [], generation: 0 })
  client.forget()
  witness.answer()
  expect({ verdicts, generation: record.generation }).toEqual({ verdicts: [], generation: 0 })
})

test('says that the witness could not be asked', () => {
  const { witness, verdicts, client } = make()
  client.read('start')
  witness.fail()
  expect(verdicts).toEqual(['unreachable'])
})
