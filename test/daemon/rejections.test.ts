// What is done beside the daemon's work ends in a promise somewhere. None of them may reject into nothing, which
// would end the process: each port is made to fail here, and no rejection may be left over.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { RetriedWrite } from '../../daemon/retried-write.ts'
import { removeRunFile } from '../../daemon/run-files.ts'
import { SeenFile } from '../../daemon/seen-file.ts'
import { firstRegister } from '../../shared/protocol/register.ts'
import { RegisterFiles } from '../../witnesses/register-files.ts'
import { FileWitness } from '../../witnesses/file-witness.ts'
import { GrantingWitness } from '../../witnesses/granting-witness.ts'
import { ControlServer } from '../../network/control-server.ts'
import { delaysWith } from '../../shared/protocol/delays.ts'
import { OperatorClient } from '../../network/control-client.ts'
import { ownFolder, until, warningList } from './folder.ts'

const ME = '0'.repeat(32)
const left: unknown[] = []
const onLeft = (reason: unknown) => left.push(reason)

beforeEach(() => void process.on('unhandledRejection', onLeft))

/** A rejection counts as left over once the turn has ended in which it came. */
afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', onLeft)
  // oxlint-disable-next-line vitest/no-standalone-expect
  expect(left.splice(0)).toEqual([])
})

/** A folder that can neither be made nor read. */
function noFolder(): string {
  const file = join(ownFolder(), 'file')
  writeFileSync(file, '')
  return join(file, 'folder')
}

const REGISTER = firstRegister('0'.repeat(32), '1'.repeat(32), { kind: 'alone', owner: ME })

test('this test can fail: a promise that nobody handles is noticed', async () => {
  // oxlint-disable-next-line typescript/no-floating-promises -- that is what is shown
  Promise.reject(new Error('nobody hears'))
  await until('it to be noticed', () => left.length > 0)
  left.splice(0)
})

test.each(['operator', 'none'] as const)('the witness %s', async (kind) => {
  const problems: string[] = []
  const witness = new GrantingWitness(kind, noFolder(), (why) => problems.push(why ?? 'none'))
  witness.learn(REGISTER)
  const answers: boolean[] = []
  witness.read('', ({ reached }) => answers.push(reached))
  witness.compareAndSet({ pairs: 0 }, REGISTER, ({ reached }) => answers.push(reached))
  await until('all of it to fail', () => answers.length === 2 && problems.length === 3)
  expect(answers).toEqual([false, false])
})

test('the witness file', async () => {
  const problems: string[] = []
  const witness = new FileWitness(new RegisterFiles(noFolder()), (why) => {
    problems.push(why ?? 'none')
  })
  const answers: boolean[] = []
  witness.read('', ({ reached }) => answers.push(reached))
  witness.compareAndSet({ pairs: 0 }, REGISTER, ({ reached }) => answers.push(reached))
  await until('both to fail', () => answers.length === 2 && problems.length === 2)
  expect(answers).toEqual([false, false])
})

test('the disk', async () => {
  const { warnings } = warningList()
  const folder = ownFolder()
  const seen = new SeenFile(join(folder, 'missing', 'b.seen'), 20, warnings)
  seen.save(seen.load())
  await until('it to fail', () => warnings.all.length === 1)
  await seen.settled()
  seen.dispose()
})

test('a write that is tried again, also one that fails after its end', async () => {
  const { warnings } = warningList()
  let fail: (error: Error) => void = () => undefined
  const write = new RetriedWrite<string>({
    ...{ name: 'file', path: 'path', meanwhile: 'nothing', retryMs: 20, warnings },
    put: async () => new Promise((_, reject) => (fail = reject)),
  })
  write.keep('value')
  write.dispose()
  fail(new Error('late'))
  await until('it to fail', () => warnings.all.length === 1)
})

test('the run file of a folder that is gone', async () => {
  await removeRunFile(noFolder(), 'p', 'b')
})

test('an answer to an operator', async () => {
  const server = await ControlServer.listen({
    address: '127.0.0.1:0',
    delays: delaysWith(),
    ...{ strangersMax: 8, operatorsMax: 8, httpHosts: [], holdsToken: () => false },
    acceptPeer: () => undefined,
    acceptOperator: () => ({
      verb: async () => Promise.reject(new Error('it went wrong')),
      closed: () => undefined,
    }),
    refused: () => undefined,
  })
  const client = await OperatorClient.connect(server.address)
  await expect(client.status()).rejects.toThrow('it went wrong')
  client.close()
  server.close()
})
