// A recorded session is what went over the wire: the forward stream, flattened, is a stream that Xen's own
// verifier accepts, and the back channel is COLO's.

import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { Flattener } from '../../formats/xen/flatten.ts'
import { StreamReader } from '../../formats/xen/stream-reader.ts'
import { redis } from './clients.ts'
import { Pair, until } from './pair.ts'
import { xenVerifier } from '../formats/xen-verifier.ts'

let pair: Pair | undefined
afterEach(async () => {
  await pair?.dispose()
  pair = undefined
})

const verify = xenVerifier()

function readThrough(bytes: Uint8Array, form: 'libxl' | 'back'): StreamReader {
  const reader = new StreamReader(
    { record() {}, pageData() {}, pageBytes() {} },
    { form, checkpointed: 'colo' },
  )
  reader.push(bytes)
  return reader
}

async function record(): Promise<{ dir: string; checkpoints: number; names: string[] }> {
  const started = await Pair.start()
  pair = started
  const dir = join(started.dir, 'recordings')
  await started.dispose()
  pair = await Pair.protected({ record: dir })
  const client = await redis(pair.clients.a)
  for (let i = 0; i < 50; i++) await client.set(`key:${i}`, 'value'.repeat(i))
  const { checkpoints } = await pair.status('a')
  await (await pair.client('a')).ask('stop', { token: pair.token(), pair: true })
  const names = await until('both recordings to be closed', () => {
    const found = existsSync(dir) ? readdirSync(dir).toSorted() : []
    return found.length === 2 && pair?.process('a').exitCode === 0 && found
  })
  return { dir, checkpoints, names }
}

describe('a recorded session', () => {
  it('has both directions, whole', async () => {
    const { dir, checkpoints, names } = await record()
    expect(names).toEqual(['a-g1-s1.back', 'a-g1-s1.forward'])
    const [back, forward] = names.map((name) => readFileSync(join(dir, name)))
    expect(readThrough(forward, 'libxl').checkpoints).toBeGreaterThanOrEqual(checkpoints)
    expect(readThrough(back, 'back').checkpoints).toBeGreaterThanOrEqual(checkpoints)
  })

  it.skipIf(verify === undefined)(
    "is accepted by Xen's verify-stream-v2 once flattened (needs python3 and Debian's xen-utils)",
    async () => {
      const { dir, checkpoints, names } = await record()
      const chunks: Uint8Array[] = []
      const forward = readFileSync(join(dir, names[1]))
      const endBytes = readThrough(forward, 'libxl').checkpointEndBytes
      const flattener = new Flattener((bytes) => chunks.push(bytes.slice()), { endBytes })
      flattener.push(forward)
      expect(flattener.finish().checkpoints).toBeGreaterThanOrEqual(checkpoints)
      const flat = join(dir, 'flat')
      writeFileSync(flat, Buffer.concat(chunks))
      expect(verify?.(flat)).toEqual({ status: 0, message: expect.any(String) as string })

      const damaged = readFileSync(flat)
      damaged[45] = 9
      writeFileSync(flat, damaged)
      expect(verify?.(flat).status).toBe(1)
    },
  )
})
